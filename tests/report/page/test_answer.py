# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The answer in words against the tables that it is made from."""

from pathlib import Path

import pandas as pd
import pytest

from anogan_plugin.report.comparison import write_tables
from anogan_plugin.report.comparison.ranking import Ranks
from anogan_plugin.report.comparison.tables import Tables
from anogan_plugin.report.page.answer import _named, answer, answer_over_data_sets
from tests.report.comparison.made_results import ANOGAN, MOULD, PATCHCORE, make_results

OVERKILL = 0.05


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    output = make_results(tmp_path_factory.mktemp("answer") / "made")
    return write_tables(output)[1]


def said(tables: Tables) -> str:
    return " ".join(answer(tables, MOULD, OVERKILL))


def test_the_best_is_named_with_its_interval(tables: Tables) -> None:
    summary = tables.summary[tables.summary.data == MOULD]
    best = summary.loc[summary.auroc_mean.idxmax()]
    assert best.model == ANOGAN
    expected = (
        f"{best.auroc_mean:.4f} (95 % interval {best.auroc_low:.4f} to {best.auroc_high:.4f})"
    )
    assert f"{ANOGAN} tells defects from good parts best: AUROC {expected}" in said(tables)


def test_what_is_not_told_apart_is_named(tables: Tables) -> None:
    pairs = tables.pairs[tables.pairs.data == MOULD].copy()
    for p_value, sentence in ((0.5, "Not significantly different"), (1e-4, "significantly better")):
        pairs["p_holm"] = p_value
        changed = Tables(**{**vars(tables), "pairs": pairs})
        assert sentence in said(changed)


def test_overkill_escape_and_size_are_those_of_the_tables(tables: Tables) -> None:
    row = tables.summary[(tables.summary.data == MOULD) & (tables.summary.model == ANOGAN)].iloc[0]
    text = said(tables)
    assert f"rejects {100 * row.overkill_mean:.1f} % of the good test images" in text
    assert f"lets {100 * row.escape_mean:.1f} % of the defects pass" in text
    size = tables.detection[
        (tables.detection.data == MOULD) & (tables.detection.model == ANOGAN)
    ].iloc[0]
    assert (f"{size.a90_95:.3g} % of the image" in text) == pd.notna(size.a90_95)


def by_kind(tables: Tables, **aurocs: tuple[float, float]) -> Tables:
    """The tables with these types of defects; AUROC of AnoGAN and of Patchcore on each."""
    rows = [
        {"data": MOULD, "model": model, "score": "score", "defect_type": kind, "auroc": value}
        for kind, values in aurocs.items()
        for model, value in zip((ANOGAN, PATCHCORE), values, strict=True)
    ]
    return Tables(**{**vars(tables), "by_defect": pd.DataFrame(rows)})


def test_types_of_defects_on_which_another_is_better(tables: Tables) -> None:
    text = said(by_kind(tables, void=(0.6, 0.99), scratch=(0.9, 0.8)))
    assert f"not tested, on void ({PATCHCORE}: 0.9900 against 0.6000)." in text
    text = said(by_kind(tables, void=(0.9, 0.8), scratch=(0.9, 0.8)))
    assert "is the highest on every type of defect." in text
    missing = by_kind(tables, void=(float("nan"), 0.99), scratch=(0.9, 0.8))
    assert "type of defect" not in said(missing), "nothing is said of what is not known"
    assert "type of defect" not in said(by_kind(tables, void=(0.9, 0.8)))


def test_over_several_data_sets_means_and_ranks_are_those_of_the_tables(tmp_path: Path) -> None:
    names = ("a", "b", "c", "d", "e")
    one, several = (
        write_tables(make_results(tmp_path / str(len(data)), data=data, seeds=1))[1]
        for data in (names[:1], names)
    )
    assert answer_over_data_sets(one) == []
    aurocs = several.summary.pivot(index="data", columns="model", values="auroc_mean")
    best, text = aurocs.mean().idxmax(), " ".join(answer_over_data_sets(several))
    assert f"Over 5 data sets the mean AUROC of {best} is the highest" in text
    assert f"{aurocs[best].mean():.4f}, {aurocs[best].min():.4f} at the least" in text
    ranks = aurocs.rank(axis=1, ascending=False).mean()
    assert f"By average rank {ranks.idxmin()} is first ({ranks.min():.3g})" in text
    assert several.ranks.table is not None
    apart = several.ranks.table.assign(groups=[str(i) for i in range(len(ranks))])
    changed = Tables(**{**vars(several), "ranks": Ranks(apart, "")})
    assert "by Nemenyi's test, no other is level." in " ".join(answer_over_data_sets(changed))


def test_where_a_data_set_has_nothing_yet_nothing_is_said_over_all(tables: Tables) -> None:
    summary = tables.summary.copy()
    summary.loc[summary.data == MOULD, ["auroc_mean", "seeds_done"]] = [float("nan"), 0]
    assert answer_over_data_sets(Tables(**{**vars(tables), "summary": summary})) == []
    twice = pd.concat([tables.summary, tables.summary[tables.summary.model == ANOGAN]])
    text = " ".join(answer_over_data_sets(Tables(**{**vars(tables), "summary": twice})))
    assert f"{ANOGAN} is the highest" not in text


def test_models_that_are_not_run_are_counted_and_not_their_scores(tables: Tables) -> None:
    mine = tables.summary[tables.summary.data == MOULD]
    empty = mine.assign(seeds_done=0, auroc_mean=float("nan"))
    rows = [empty.assign(model=f"another{score}") for score in ("", " · local")]
    summary = pd.concat([tables.summary, *(each.head(1) for each in rows)])
    assert "Of 1 other model no job is done." in said(
        Tables(**{**vars(tables), "summary": summary})
    )


def test_of_many_models_some_are_named() -> None:
    assert _named(["a", "b"]) == "a; b"
    assert _named(list("abcdefgh")) == "a; b; c; d; e; and 3 others"


def test_few_seeds_are_said(tmp_path: Path) -> None:
    output = make_results(tmp_path / "one", data=(MOULD,), seeds=1)
    assert "Fewer than 3 seeds are done of all models" in said(write_tables(output)[1])


def test_nothing_done(tmp_path: Path) -> None:
    output = make_results(tmp_path / "none", data=(MOULD,), seeds=1)
    for job in (output / "jobs").iterdir():
        (job / "result.json").unlink()
    assert said(write_tables(output)[1]) == "No job is done yet."
