# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The benchmark's report, and its plain searches as an independent check of ours."""

import json
from pathlib import Path

import pytest
import torch

from anogan_plugin.latent_search import LatentSearch, search_settings
from anogan_plugin.latent_search.benchmark import baselines
from anogan_plugin.latent_search.benchmark.__main__ import main
from anogan_plugin.latent_search.benchmark.subject import Subject, stand_in
from anogan_plugin.latent_search.starts import one_draw

STEPS = 25


@pytest.fixture(scope="module")
def subject() -> Subject:
    return stand_in(4, width=2)


def ours(subject: Subject) -> torch.Tensor:
    settings = search_settings("paper", steps=STEPS)
    search = LatentSearch(subject.generator, subject.features, subject.latent_size, settings)
    return search(subject.images).score


def test_our_search_is_the_plain_one(subject: Subject) -> None:
    generator, features = map(baselines.as_usual, (subject.generator, subject.features))
    start = one_draw(subject.latent_size, 0)
    steps_seen: list[None] = []
    batched = baselines.batched(
        generator, features, subject.images, start, STEPS, 3, lambda: steps_seen.append(None)
    )
    assert len(steps_seen) == 2 * STEPS
    torch.testing.assert_close(ours(subject), batched, rtol=1e-3, atol=0)
    alone = baselines.one_at_a_time(
        generator, features, subject.images[:2], start, STEPS, lambda: steps_seen.append(None)
    )
    torch.testing.assert_close(alone, batched[:2], rtol=1e-3, atol=0)


def test_the_stand_in_makes_its_good_images(subject: Subject) -> None:
    good = subject.images[subject.labels == 0]
    assert good.std(0).mean() > 0.05, "the images vary"
    assert (subject.images[subject.labels == 1] == -1).any()


def test_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "new" / "speed.json"
    modes = ["one_at_a_time", "paper", "fast"]
    tiny = ["--width=2", "--images=4", "--slow-images=2", "--threads=1", f"--json={path}"]
    main([*tiny, "--modes", *modes])
    report = json.loads(path.read_text())
    assert [row["mode"] for row in report["rows"]] == ["batched_fp32", *modes]
    assert {"processor", "cores", "threads", "torch"} <= set(report["machine"])
    for row in report["rows"]:
        assert row["ms_per_image"] == pytest.approx(
            row["ms_per_image_step"] * row["steps_per_image"], rel=1e-6
        )
        assert 0 <= row["auroc"] <= 1
        assert row["rss_mib"] > 0
        assert row["peak_fraction"] > 0
    assert report["rows"][-1]["steps_per_image"] == 75
    assert "one_at_a_time" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--checkpoint", "model.ckpt"], "--data"),
        (["--images", "1"], "at least 2"),
        (["--modes", "quickest"], "quickest"),
    ],
)
def test_wrong_arguments_are_named(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert named in capsys.readouterr().err
