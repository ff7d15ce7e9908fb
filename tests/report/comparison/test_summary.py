# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""`summary.csv`, `comparisons.csv` and `ranks.csv`, against computations of their own."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from anogan_plugin.report.comparison import write_tables
from anogan_plugin.report.comparison.folder import read_results
from anogan_plugin.report.comparison.pairs import comparisons_table, same_training
from anogan_plugin.report.comparison.pairs_by_seed import by_seed_table
from anogan_plugin.report.comparison.rows import rows_of
from anogan_plugin.statistics.intervals import cell_interval
from anogan_plugin.statistics.paired_tests import bootstrap_test, delong_test
from tests.report.comparison.made_results import (
    ANOGAN,
    DIGITS,
    MOULD,
    PATCHCORE,
    Size,
    folder_of,
    images_tested,
    jobs_of,
    make_results,
    write_comparison,
)

LOCAL = f"{ANOGAN} · local"
SMALL = Size(good=12, anomalous=12, held_out=20)


def stacked(output: Path, model: str, data: str, seeds: list[int], score: str) -> np.ndarray:
    return np.stack([images_tested(output, model, data, seed)[score] for seed in seeds])


def test_summary_over_the_seeds_that_are_done(written: Path) -> None:
    table = pd.read_csv(written / "summary.csv").set_index(["data", "model"])
    assert list(table.index) == [
        (data, name) for data in (MOULD, DIGITS) for name in (ANOGAN, LOCAL, PATCHCORE)
    ]
    row = table.loc[MOULD, LOCAL]
    tests = [images_tested(written, ANOGAN, MOULD, seed) for seed in (0, 1)]
    aurocs = [roc_auc_score(test.label, test.local) for test in tests]
    assert (row.seeds_done, row.seeds_asked, row.seeds_with_problem) == (2, 3, 1)
    assert (row.good_images, row.anomalous_images) == (60, 80)
    assert row.auroc_mean == pytest.approx(np.mean(aurocs))
    assert row.auroc_sd == pytest.approx(abs(aurocs[0] - aurocs[1]) / np.sqrt(2))
    assert row.auroc_low < row.auroc_mean < row.auroc_high
    assert (row.train_seconds, row.ms_batch_1) == (100.5, 2.5)
    assert np.isnan(row.pixel_aupro_mean)
    assert table.loc[MOULD, ANOGAN].pixel_auroc_mean == pytest.approx(0.905)
    assert table.loc[DIGITS, PATCHCORE].seeds_done == 2
    jobs = pd.read_csv(written / "results.csv")
    jobs = jobs[(jobs.model == ANOGAN) & (jobs.data == MOULD) & (jobs.score == "local")]
    for column in ("escape_at_overkill", "overkill_at_zero_escape"):
        values = jobs[column].dropna()
        assert len(values) == 2
        assert row[f"{column}_mean"] == pytest.approx(values.mean())
        assert row[f"{column}_sd"] == pytest.approx(values.std())


def test_the_interval_is_that_of_the_cell(written: Path) -> None:
    table = pd.read_csv(written / "summary.csv").set_index(["data", "model"])
    labels = images_tested(written, PATCHCORE, MOULD, 0).label
    interval = cell_interval(labels, stacked(written, PATCHCORE, MOULD, [0, 1, 2], "score"))
    row = table.loc[MOULD, PATCHCORE]
    assert (row.auroc_low, row.auroc_high) == pytest.approx(interval[1:])


def test_a_perfect_model_is_not_certain(tmp_path: Path) -> None:
    output = make_results(tmp_path, [ANOGAN], [MOULD], seeds=2)
    for job in jobs_of(output):
        path = output / "jobs" / job["folder"] / "scores.parquet"
        table = pd.read_parquet(path)
        table.assign(score=table.label + 0.01 * table.score).to_parquet(path)
    write_tables(output)
    row = pd.read_csv(output / "summary.csv").iloc[0]
    assert (row.auroc_mean, row.auroc_sd, row.auroc_high) == (1, 0, 1)
    assert row.auroc_low == pytest.approx(0.025 ** (1 / 60))


def test_pairs_use_the_seeds_that_both_have(written: Path) -> None:
    table = pd.read_csv(written / "comparisons.csv").set_index(["data", "first", "second"])
    assert len(table) == 6
    row = table.loc[MOULD, LOCAL, PATCHCORE]
    labels = images_tested(written, PATCHCORE, MOULD, 0).label
    first = stacked(written, ANOGAN, MOULD, [0, 1], "local")
    second = stacked(written, PATCHCORE, MOULD, [0, 1], "score")
    expected = bootstrap_test(labels, first, second, resamples=4000, seed=1)
    assert row.seeds == 2
    assert row.difference == pytest.approx(expected.difference.estimate)
    assert row.low == pytest.approx(expected.difference.low, abs=0.01)
    assert row.high == pytest.approx(expected.difference.high, abs=0.01)
    assert row.p_value == pytest.approx(expected.p_value, abs=0.004)


def test_p_values_of_equal_models(tmp_path: Path) -> None:
    output = make_results(tmp_path, [ANOGAN, PATCHCORE], [MOULD], seeds=2)
    for seed in range(2):
        source = folder_of(output, PATCHCORE, MOULD, seed) / "scores.parquet"
        target = folder_of(output, ANOGAN, MOULD, seed) / "scores.parquet"
        target.write_bytes(source.read_bytes())
    row = comparisons_table(rows_of(read_results(output))).iloc[0]
    assert row.difference == 0
    assert row.p_value > 0.5


def test_holm_over_the_pairs_of_one_data_set(written: Path) -> None:
    for _, family in pd.read_csv(written / "comparisons.csv").groupby("data"):
        ordered = family.sort_values("p_value")
        factors = np.arange(len(ordered), 0, -1)
        expected = np.minimum(np.maximum.accumulate(ordered.p_value.to_numpy() * factors), 1)
        np.testing.assert_allclose(ordered.p_holm, expected)
        assert set(family.tests) == {3}


def test_delong_of_each_pair_and_seed(written: Path) -> None:
    table = pd.read_csv(written / "comparisons_by_seed.csv")
    keys = table.set_index(["data", "first", "second", "seed"])
    row = keys.loc[MOULD, LOCAL, PATCHCORE, 1]
    labels = images_tested(written, PATCHCORE, MOULD, 1).label
    first, second = (
        images_tested(written, ANOGAN, MOULD, 1).local,
        images_tested(written, PATCHCORE, MOULD, 1).score,
    )
    expected = delong_test(labels, first, second)
    assert (row.difference, row.low, row.high) == pytest.approx(expected.difference)
    assert row.p_value == pytest.approx(expected.p_value)
    assert row.auroc_first == pytest.approx(roc_auc_score(labels, first))
    assert row.auroc_second == pytest.approx(roc_auc_score(labels, second))
    # Seed 2 of AnoGAN on the moulds has failed, seed 1 of PatchCore on the digits was not run.
    assert (MOULD, LOCAL, PATCHCORE, 2) not in keys.index
    assert set(table.groupby(["data", "seed"]).size()) == {3, 1}
    for _, family in table.groupby(["data", "seed"]):
        ordered = family.sort_values("p_value")
        factors = np.arange(len(ordered), 0, -1)
        adjusted = np.minimum(np.maximum.accumulate(ordered.p_value.to_numpy() * factors), 1)
        np.testing.assert_allclose(ordered.p_holm, adjusted)
        assert set(family.tests) == {len(family)}


def test_seeds_are_counted_in_which_one_of_a_pair_is_better(written: Path) -> None:
    pairs = pd.read_csv(written / "comparisons.csv").set_index(["data", "first", "second"])
    table = pd.read_csv(written / "comparisons_by_seed.csv")
    for names, row in pairs.iterrows():
        mine = table[(table[["data", "first", "second"]] == list(names)).all(axis=1)]
        clear = mine[mine.p_holm < 0.05]
        assert row.seeds_first_better == (clear.difference > 0).sum()
        assert row.seeds_second_better == (clear.difference < 0).sum()
    assert pairs.seeds_first_better.max() > 0
    text = (written / "summary.md").read_text()
    assert f"| {pairs.loc[MOULD, ANOGAN, PATCHCORE].seeds_first_better} of 2 |" in text


def test_a_pair_that_delong_cannot_judge_has_a_reason(tmp_path: Path) -> None:
    output = make_results(tmp_path, [ANOGAN, PATCHCORE], [MOULD], seeds=1)
    for model, keep in ((ANOGAN, 1.0), (PATCHCORE, 0.0)):
        path = folder_of(output, model, MOULD, 0) / "scores.parquet"
        table = pd.read_parquet(path)
        table.assign(score=keep * table.label).to_parquet(path)
    table = by_seed_table(rows_of(read_results(output))).set_index(["first", "second"])
    row = table.loc[ANOGAN, PATCHCORE]
    assert "constant scores" in row.reason
    assert (row.tests, row.auroc_first, row.auroc_second) == (2, 1, 0.5)


def test_rows_without_a_common_seed_are_not_tested(tmp_path: Path) -> None:
    output = make_results(tmp_path, [ANOGAN, PATCHCORE], [MOULD], seeds=2)
    (folder_of(output, ANOGAN, MOULD, 0) / "result.json").unlink()
    (folder_of(output, PATCHCORE, MOULD, 1) / "result.json").unlink()
    table = comparisons_table(rows_of(read_results(output))).set_index(["first", "second"])
    row = table.loc[ANOGAN, PATCHCORE]
    assert (row.seeds, row.tests, row.reason) == (0, 1, "no seed is done of both")
    assert np.isnan(row.p_holm)
    tested = table.loc[ANOGAN, LOCAL]
    assert tested.p_holm == tested.p_value


def test_enough_resamples_for_a_large_family(tmp_path: Path) -> None:
    models = [f"m{place}" for place in range(10)]
    output = make_results(tmp_path, models, [MOULD], seeds=1, size=SMALL)
    table = comparisons_table(rows_of(read_results(output)))
    assert set(table.tests) == {55}  # eleven rows: one model has two scores
    assert set(table.resamples) == {55 * 60}
    assert 55 * 2 / (55 * 60 + 1) < 0.05


def test_seeds_are_drawn_together_for_the_same_weights(tmp_path: Path) -> None:
    """Two scorings whose AUROCs rise and fall together with the seed differ for certain."""
    output = make_results(tmp_path, ["a", "b"], [MOULD], seeds=3)
    ranks = np.arange(140)
    for job in jobs_of(output):
        path = output / "jobs" / job["folder"] / "scores.parquet"
        table = pd.read_parquet(path).sort_values("image_path", ignore_index=True)
        # Anomalous images 1..80 are lifted over 20, 30 or 40 of 60 good ones; of b, over one less.
        lift = 20 + 10 * job["seed"] - (job["model"] == "b")
        own = np.where(table.label == 1, lift + 0.5, 0.0)
        good = (table.split == "test") & (table.label == 0)
        own[good] = ranks[: good.sum()] + 1.0
        table.assign(score=own).to_parquet(path)
    apart = comparisons_table(rows_of(read_results(output))).iloc[1]
    assert not apart.same_training
    jobs = jobs_of(output)
    for job in jobs:
        scoring = {"name": job["model"], "trained_with": {"width": 8}, "init_args": {"x": 1}}
        job["settings"] = {"model": scoring | {"init_args": {"search": job["model"]}}, "seed": 0}
    write_comparison(output, jobs)
    rows = rows_of(read_results(output))
    together = comparisons_table(rows).iloc[1]
    assert (together["first"], together["second"]) == ("a", "b")
    assert same_training(rows[0], rows[2])
    assert together.same_training
    assert together.difference == apart.difference == pytest.approx(1 / 60)
    assert together.high - together.low < (apart.high - apart.low) / 3


def test_ranks_over_five_data_sets(tmp_path: Path) -> None:
    data = [f"set {number}" for number in range(5)]
    output = make_results(tmp_path, ["a", "b", "c"], data, seeds=1, size=SMALL)
    write_tables(output)
    summary = pd.read_csv(output / "summary.csv")
    values = summary.pivot(index="data", columns="model", values="auroc_mean")
    expected = rankdata(-values.to_numpy(), axis=1).mean(0)
    table = pd.read_csv(output / "ranks.csv").set_index("model")
    np.testing.assert_allclose(table.average_rank[values.columns], expected)
    # Demšar's table 5: q = 2.569 for four models.
    critical = 2.569 * np.sqrt(4 * 5 / (6 * 5))
    np.testing.assert_allclose(table.critical_difference, critical, rtol=1e-3)
    assert "## Ranks\n\nAverage over 5 data sets" in (output / "summary.md").read_text()

    write_comparison(output, [job for job in jobs_of(output) if job["data"] != data[0]])
    write_tables(output)
    assert not (output / "ranks.csv").exists()
    assert "got 4 and 4" in (output / "summary.md").read_text()


def test_a_model_that_is_not_done_everywhere_is_not_ranked(tmp_path: Path) -> None:
    data = [f"set {number}" for number in range(5)]
    output = make_results(tmp_path, ["a", "b", "c"], data, seeds=1, size=SMALL)
    (folder_of(output, "c", data[3], 0) / "result.json").unlink()
    write_tables(output)
    assert set(pd.read_csv(output / "ranks.csv").model) == {"a", "a · local", "b"}
    assert "not ranked, as not done on every data set: c" in (output / "summary.md").read_text()


def test_nothing_is_done_yet(tmp_path: Path) -> None:
    jobs = [{"model": "a", "data": "d", "seed": 0, "folder": "none"}]
    write_comparison(tmp_path, jobs)
    write_tables(tmp_path)
    row = pd.read_csv(tmp_path / "summary.csv").iloc[0]
    assert (row.seeds_done, row.seeds_asked) == (0, 1)
    assert np.isnan(row.auroc_mean)
    assert pd.read_csv(tmp_path / "comparisons.csv").empty
    assert json.loads((tmp_path / "comparison.json").read_text())["jobs"] == jobs


def test_no_mean_over_some_of_the_seeds_done(tmp_path: Path) -> None:
    output = make_results(tmp_path, [PATCHCORE], [MOULD], seeds=2)
    path = folder_of(output, PATCHCORE, MOULD, 1) / "scores.parquet"
    table = pd.read_parquet(path)
    few = table[table.split == "held_out"].head(5)  # of 20 that an overkill of 5 % needs
    pd.concat([few, table[table.split == "test"]]).to_parquet(path)
    write_tables(output)
    row = pd.read_csv(output / "summary.csv").iloc[0]
    assert row.seeds_done == 2
    assert row[["escape_mean", "overkill_mean"]].isna().all()
    assert pd.read_csv(output / "results.csv").escape_on_test.notna().tolist() == [True, False]
