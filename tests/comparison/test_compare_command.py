# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""``anomalib compare`` as a user runs it, where all goes well."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import roc_auc_score

from tests.comparison.small import broken, compare_here, jobs_of, small_comparison, write
from tests.processes import anomalib_here


@pytest.fixture(scope="module")
def done(rendered_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration of one model that notes who uses the machine, and what came of it."""
    folder = tmp_path_factory.mktemp("done")
    configuration = small_comparison(rendered_set)
    configuration["models"] = [broken("brightness", "look", go=str(folder / "go"))]
    config = write(folder / "c.yaml", configuration)
    finished = compare_here(config)
    assert finished.code == 0, finished.said
    assert "0 of 1 jobs done; to run: 1" in finished.said
    assert "1 of 1 jobs scored; to time, one at a time: 1" in finished.said
    return config


@pytest.fixture
def copied(done: Path, tmp_path: Path) -> Path:
    """The same, for a test that changes something."""
    shutil.copytree(done.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / done.name


def change(config: Path, **values: Any) -> Path:
    """Change values of a configuration, or of its only model."""
    found = yaml.safe_load(config.read_text())
    found["models"][0] |= {name: values.pop(name) for name in ("name",) if name in values}
    return write(config, {**found, **values})


def test_raw_scores_of_all_images(done: Path, rendered_set: Path) -> None:
    scores = pd.read_parquet(jobs_of(done)["brightness"] / "scores.parquet")
    assert dict(scores.groupby("split").size()) == {"held_out": 2, "test": 12}
    assert np.isclose(scores.score, _brightness(scores, rendered_set)).all()
    defects = scores[scores.label == 1]
    assert (defects.defect_type == "short_fill").all()
    assert (defects.defect_area > 0).all()
    assert (scores[scores.label == 0].defect_area == 0).all()
    row = pd.read_csv(done.parent / "out" / "results.csv").iloc[0]
    test = scores[scores.split == "test"]
    assert row.image_auroc == pytest.approx(roc_auc_score(test.label, test.score))


def _brightness(scores: pd.DataFrame, root: Path) -> list[float]:
    from anogan_plugin.data.image_io import read_pixels, to_unit_range

    return [float(to_unit_range(read_pixels(root / path)).mean()) for path in scores.image_path]


def test_what_the_job_took(done: Path) -> None:
    folder = jobs_of(done)["brightness"]
    result = json.loads((folder / "result.json").read_text())
    assert result["epochs"] == 1
    assert result["parameters"] == 1
    assert result["peak_memory_mib"] > 50
    assert result["changed_arguments"] == {}
    assert result["environment"]["anomalib"].startswith("2.7")
    assert len(result["environment"]["images"]) == 16
    timing = json.loads((folder / "timing.json").read_text())
    assert timing["batch_1"]["median_ms"] > 0
    assert timing["batch_32"]["p95_ms"] >= timing["batch_32"]["median_ms"]
    row = pd.read_csv(done.parent / "out" / "results.csv").iloc[0]
    assert timing["environment"]["host"] in row.timed_on


def test_the_machine_is_shared_while_scoring_and_not_while_timing(done: Path) -> None:
    seen = [line.split() for line in (done.parent / "go").read_text().splitlines()]
    scored, timed = seen[:2], seen[2:]  # held-out images and test images
    assert [int(count) for count, _ in scored] == [2, 12]
    assert {use for _, use in scored} == {"shared"}
    assert {(int(count), use) for count, use in timed} == {(1, "alone"), (32, "alone")}


def test_called_again_there_is_nothing_to_do(copied: Path) -> None:
    again = compare_here(copied)
    assert again.code == 0
    assert "to run" not in again.said
    assert "to time" not in again.said


def test_another_name_is_the_same_job(copied: Path) -> None:
    renamed = compare_here(change(copied, name="mean of all pixels"))
    assert renamed.code == 0
    assert "to run" not in renamed.said
    row = pd.read_csv(copied.parent / "out" / "results.csv").iloc[0]
    assert (row.model, row.status) == ("mean of all pixels", "done")
    assert (copied.parent / "out" / row.folder / "scores.parquet").exists()


def test_changed_configuration_is_a_new_job_and_the_old_result_stays(copied: Path) -> None:
    before = jobs_of(copied)["brightness"]
    changed = compare_here(change(copied, trainer={"max_epochs": 2}))
    assert changed.code == 0
    assert "jobs of before that are in no table any more: 1" in changed.said
    after = jobs_of(copied)["brightness"]
    assert after != before
    assert (before / "result.json").exists()
    assert json.loads((after / "result.json").read_text())["epochs"] == 2


def test_scored_job_without_weights_is_done_and_timed_only_when_trained_again(copied: Path) -> None:
    out, folder = copied.parent / "out", jobs_of(copied)["brightness"]
    # What a clone has of it: weights are not in the repository.
    shutil.rmtree(out / "trained")
    (folder / "timing.json").unlink()
    listed = compare_here(copied, "--dry_run")
    assert listed.code == 0
    assert "1 scored (no weights: timing needs training again)" in listed.said
    cloned = compare_here(copied)
    assert cloned.code == 0, cloned.said
    assert "scored, not timed: 1, whose weights are gone" in cloned.said
    assert "to run" not in cloned.said
    row = pd.read_csv(out / "results.csv").iloc[0]
    assert row.status == "done"
    assert pd.isna(row.ms_batch_1)
    assert not (folder / "error.txt").exists()
    shutil.rmtree(folder)
    assert compare_here(copied).code == 0
    assert pd.read_csv(out / "results.csv").ms_batch_1[0] > 0


def test_a_folder_holds_the_comparison_of_one_file(copied: Path) -> None:
    manifest = copied.parent / "out" / "comparison.json"
    before = manifest.read_bytes()
    refused = compare_here(copied.rename(copied.with_name("other.yaml")))
    assert refused.code == 2
    assert "holds the comparison of c.yaml" in " ".join(refused.said.split())
    assert manifest.read_bytes() == before


def test_a_job_that_the_tables_find_broken_is_not_a_success(copied: Path) -> None:
    scores = jobs_of(copied)["brightness"] / "scores.parquet"
    pd.read_parquet(scores).drop(columns="defect_type").to_parquet(scores)
    ended = compare_here(copied)
    assert ended.code == 1
    assert "has no column 'defect_type': delete" in ended.said
    shutil.rmtree(scores.parent)
    assert compare_here(copied).code == 0


@pytest.fixture
def configuration(rendered_set: Path) -> dict[str, Any]:
    return small_comparison(rendered_set)


def test_scores_and_masks_do_not_depend_on_who_trained_nor_on_a_models_size(
    configuration: dict[str, Any], tmp_path: Path
) -> None:
    small = {"image_size": 32, "width": 4, "latent_size": 8}
    configuration["models"] = [
        {
            "class_path": "ConvAutoencoder",
            "init_args": {**small, "image_size": 64},
            "scorings": {"first": {"image_score": "mean"}, "second": {"image_score": "sum"}},
        },
        {"class_path": "ConvAutoencoder", "name": "half the size", "init_args": small},
    ]
    config = write(tmp_path / "c.yaml", configuration)
    ended = compare_here(config)
    assert ended.code == 0, ended.said
    jobs = jobs_of(config)
    tables = {name: pd.read_parquet(path / "scores.parquet") for name, path in jobs.items()}
    results = {name: json.loads((path / "result.json").read_text()) for name, path in jobs.items()}
    areas = {name: table.defect_area.tolist() for name, table in tables.items()}
    assert areas["first"] == areas["second"] == areas["half the size"]
    # The second took the weights of the first.
    assert results["first"]["train_seconds"] == results["second"]["train_seconds"]
    assert results["first"]["pixel"] == results["second"]["pixel"]
    assert np.allclose(tables["second"].score, tables["first"].score * 64 * 64, rtol=1e-4)


def test_weights_are_tested_and_predicted_with_as_those_of_a_training(
    configuration: dict[str, Any], tmp_path: Path
) -> None:
    config = write(tmp_path / "c.yaml", configuration)
    assert compare_here(config).code == 0
    (checkpoint,) = (tmp_path / "out" / "trained").glob("*/model.ckpt")
    arguments = configuration["models"][0]["init_args"]
    model = [f"--model.{name}={value}" for name, value in arguments.items()]
    trained = ["--model=ConvAutoencoder", *model, f"--ckpt_path={checkpoint}"]
    root = configuration["data"][0]["init_args"]["root"]
    tested = anomalib_here("test", *trained, "--data=ICMold", f"--data.root={root}", cwd=tmp_path)
    anomalib_here("predict", *trained, f"--data={root}/test", cwd=tmp_path)

    compared = pd.read_parquet(jobs_of(config)["ConvAutoencoder"] / "scores.parquet")
    threshold = compared[compared.split != "test"].score.max()  # too few for a quantile
    assert "image_AUROC" in tested
    for table in ("scores_test.csv", "scores_predict.csv"):
        (found,) = tmp_path.glob(f"results/**/latest/{table}")
        scores = pd.read_csv(found)
        assert len(scores) == 12
        assert (scores.rejected == (scores.score > threshold)).all()


def test_other_images_are_trained_on_anew(configuration: dict[str, Any], tmp_path: Path) -> None:
    images = tmp_path / "images"
    shutil.copytree(configuration["data"][0]["init_args"]["root"], images)
    (images / "dataset.json").unlink()  # own images, of which some may go
    configuration["data"][0]["init_args"]["root"] = str(images)
    config = write(tmp_path / "c.yaml", configuration)
    assert compare_here(config).code == 0
    folder = jobs_of(config)["ConvAutoencoder"]
    weights = next((tmp_path / "out" / "trained").iterdir()) / "model.ckpt"
    before = weights.stat().st_mtime_ns
    (folder / "scores.parquet").write_bytes(b"cut")  # as by a loss of power: scored again
    assert compare_here(config).code == 0
    assert weights.stat().st_mtime_ns == before
    next((images / "train" / "good").iterdir()).unlink()
    (folder / "result.json").write_text("{")
    assert compare_here(config).code == 0
    assert weights.stat().st_mtime_ns != before


def test_dry_run_lists_and_writes_nothing(configuration: dict[str, Any], tmp_path: Path) -> None:
    config = write(tmp_path / "c.yaml", configuration)
    listed = compare_here(config, "--dry_run")
    assert listed.code == 0, listed.said
    assert "ConvAutoencoder on moulds, seed 0" in listed.said
    assert "1 to run" in listed.said
    assert not (tmp_path / "out").exists()


def test_only_runs_some_and_names_the_others(configuration: dict[str, Any], tmp_path: Path) -> None:
    configuration["models"].append(broken("brightness", ""))
    config = write(tmp_path / "c.yaml", configuration)
    assert compare_here(config, "--only", "brightness").code == 0
    rows = pd.read_csv(tmp_path / "out" / "results.csv").set_index("model")
    assert dict(rows.status) == {"ConvAutoencoder": "not run", "brightness": "done"}
    wrong = compare_here(config, "--only", "brightnes")
    assert wrong.code == 2
    assert "did you mean 'brightness'" in wrong.said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--workers", "0"), "--workers is 0, expected 1 or more"),
        (("--cores", "0"), "--cores is 0, expected 1 or more"),
        (("--ray", "auto", "--workers", "2"), "--workers is for this machine"),
    ],
)
def test_wrong_argument_ends_with_code_2(
    arguments: tuple[str, ...], message: str, configuration: dict[str, Any], tmp_path: Path
) -> None:
    wrong = compare_here(write(tmp_path / "c.yaml", configuration), *arguments)
    assert wrong.code == 2
    assert message in wrong.said
    assert not (tmp_path / "out").exists()


def test_wrong_configuration_ends_with_code_2_and_one_sentence(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("seeds: [0]\n")
    wrong = compare_here(config)
    assert wrong.code == 2
    assert "line 1: data is missing" in wrong.said
    assert "Traceback" not in wrong.said
    assert not (tmp_path / "out").exists()
