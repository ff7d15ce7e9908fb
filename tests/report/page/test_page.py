# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The page in a real browser, and what must never get into it."""

import dataclasses
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from anogan_plugin.report.comparison.folder import read_results
from anogan_plugin.report.comparison.rows import Row, checked, rows_of
from anogan_plugin.report.page import NAMES
from anogan_plugin.report.page.figures import COLOURS, _of_one_training, draw_over_data_sets
from anogan_plugin.report.page.page import _steps, _unit
from anogan_plugin.report.write_report import write_report
from tests.report.comparison.made_results import (
    ANOGAN,
    MOULD,
    PATCHCORE,
    Size,
    folder_of,
    jobs_of,
    make_results,
    unmake,
)

EVIL = "<img src=x onerror=alert(1)></script>.png"
CHROMIUM = shutil.which("chromium")


def add_examples(folder: Path, kind: str = "short fill") -> None:
    """Two pictures as a job leaves them."""
    (folder / "examples").mkdir()
    listed = []
    for row, reason in enumerate(("worst miss", "typical")):
        files = {name: f"{row}_{name}.png" for name in ("image", "reconstruction", "mask", "map")}
        for name in files.values():
            Image.fromarray(np.full((64, 64), 90, np.uint8)).save(folder / "examples" / name)
        about = {"row": row, "reason": reason, "image_path": f"{EVIL}/{row}", "label": 1}
        listed.append({**about, "defect_type": kind, "score": 1.5 + row, "files": files})
    text = json.dumps({"map_range": [0, 1], "examples": listed})
    (folder / "examples" / "examples.json").write_text(text)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = make_results(tmp_path_factory.mktemp("page") / "made")
    unmake(output)
    add_examples(folder_of(output, ANOGAN, MOULD, 0))
    add_examples(folder_of(output, PATCHCORE, MOULD, 0), "void")
    write_report(output, NAMES)
    return output


def test_it_is_made_without_torch_and_the_same_every_time(results: Path) -> None:
    before = (results / "report.html").read_bytes()
    code = (
        "import sys; from pathlib import Path; from anogan_plugin.report.write_report import "
        f"write_report; write_report(Path({str(results)!r})); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (results / "report.html").read_bytes() == before


def test_figures_for_print(results: Path) -> None:
    written = {path.name for path in (results / "figures" / "print").iterdir()}
    for name in ("roc", "precision-recall", "det", "cost", "detection"):
        assert {f"{name}-1.pdf", f"{name}-1.svg", f"{name}-1.png"} <= written
    assert "detection-2.pdf" not in written  # the digits have no masks
    assert len(set(COLOURS)) == len(COLOURS)


def test_models_are_ranked_over_five_data_sets(tmp_path: Path) -> None:
    models, data = (ANOGAN, PATCHCORE, "third"), tuple(f"digit {each}" for each in range(5))
    size = Size(good=20, anomalous=20, held_out=20)
    output = make_results(tmp_path / "ranked", models, data, seeds=1, size=size)
    write_report(output, ("ranks",))
    table = pd.read_csv(output / "ranks.csv")
    drawn = [each.get_text() for each in draw_over_data_sets(table).axes[0].texts]
    assert {f"{row.model} ({row.average_rank:.2f})" for row in table.itertuples()} <= {*drawn}
    assert (output / "figures" / "print" / "ranks.pdf").exists()
    page = (output / "report.html").read_text()
    assert "Average ranks of the models over 5 data sets" in page


def test_searches_of_one_training_are_joined_where_the_score_is_one(results: Path) -> None:
    rows = rows_of(checked(read_results(results)))
    first = next(row for row in rows if row.model == ANOGAN and row.column == "score")
    summary = pd.DataFrame({"model": [first.name, "deeper", "other score"], "search_steps": 1})

    def scored(name: str, image_score: str) -> Row:
        job = first.asked[0]
        model = {"trained_with": 1, "init_args": {"image_score": image_score}}
        asked = dataclasses.replace(job, model=name, settings={"model": model})
        return dataclasses.replace(first, model=name, asked=(asked,))

    three = [
        scored(first.model, "paper"),
        scored("deeper", "paper"),
        scored("other score", "local"),
    ]
    joined = [set(line.model) for line in _of_one_training(three, summary)]
    assert joined == [{first.name, "deeper"}, {"other score"}]


def test_scores_of_good_images_that_are_all_0_do_not_hide_those_of_defects() -> None:
    good, bad = np.zeros(3), np.array([1e-6, 2e-6])
    unit = _unit(good, bad)
    assert np.cumsum(_steps(bad, unit)) * unit == pytest.approx(bad, rel=1e-3)
    assert _unit(good, good) > 0
    assert _unit(np.empty(0), bad) == unit


def test_no_name_becomes_markup(tmp_path: Path) -> None:
    output = make_results(tmp_path / "evil", models=(EVIL, PATCHCORE), data=(EVIL,), seeds=1)
    add_examples(folder_of(output, EVIL, EVIL, 0), EVIL)
    write_report(output)
    page = (output / "report.html").read_text()
    assert "<img src=x" not in page
    assert page.count("</script>") == 2
    assert "&lt;img src=x onerror" in page
    scores = re.search(r'<script type="application/json" id="scores">(.*?)</script>', page)
    assert scores is not None
    assert json.loads(scores[1])[0]["name"] == EVIL


def test_a_large_comparison_stays_small(tmp_path: Path) -> None:
    models = tuple(f"model {number}" for number in range(10))
    size = Size(good=1100, anomalous=900, held_out=160)
    output = make_results(tmp_path / "large", models=models, data=(MOULD,), seeds=1, size=size)
    write_report(output)
    assert (output / "report.html").stat().st_size < 15 * 2**20


def test_broken_pictures_cost_no_report(tmp_path: Path) -> None:
    output = make_results(tmp_path / "broken", data=(MOULD,), seeds=1)
    folder = folder_of(output, ANOGAN, MOULD, 0)
    add_examples(folder)
    (folder / "examples" / "0_image.png").write_bytes(b"no picture")
    (folder_of(output, PATCHCORE, MOULD, 0) / "examples").mkdir()
    write_report(output)
    assert "worst miss" not in (output / "report.html").read_text()


@pytest.fixture(scope="module")
def page(results: Path) -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    sync = pytest.importorskip("playwright.sync_api", reason="the extra dev brings playwright")
    arguments = ["--no-sandbox", "--disable-background-networking"]
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        opened = browser.new_page(viewport={"width": 1200, "height": 900})
        opened.troubles = []
        opened.on("console", lambda said: opened.troubles.append(said.text))
        opened.on("pageerror", lambda error: opened.troubles.append(str(error)))
        opened.on("request", lambda request: opened.troubles.append(request.url))
        address = (results / "report.html").resolve().as_uri()
        opened.goto(address)
        opened.troubles = [
            each for each in opened.troubles if each != address and not each.startswith("data:")
        ]
        yield opened
        browser.close()


def test_it_opens_without_errors_or_requests(page: Any) -> None:
    assert page.troubles == []
    assert page.locator("h1").inner_text() == "Comparison"
    assert page.evaluate("document.documentElement.scrollWidth") <= 1200


def test_numbers_are_those_of_the_summary(page: Any, results: Path) -> None:
    summary = pd.read_csv(results / "summary.csv")
    shown = page.locator("#data-1 table").first.locator("tbody tr").all()
    expected = summary[summary.data == MOULD]
    assert len(shown) == len(expected)
    for line, (_, row) in zip(shown, expected.iterrows(), strict=True):
        cells = line.locator("td").all_inner_texts()
        assert cells[0] == row["model"]
        assert cells[2].startswith(f"{row['auroc_mean']:.4f}")
        assert cells[3] == f"[{row['auroc_low']:.4f}, {row['auroc_high']:.4f}]"
    best = expected.loc[expected.auroc_mean.idxmax()]
    assert f"{best.auroc_mean:.4f}" in page.locator("#data-1 .answer").inner_text()


def test_a_table_is_sorted_from_the_keyboard(page: Any) -> None:
    table = page.locator("#data-1 table").first
    head = table.get_by_role("button", name="AUROC", exact=True)
    head.focus()
    for state, falling in (("descending", True), ("ascending", False)):
        page.keyboard.press("Enter")
        texts = table.locator("tbody tr td:nth-child(3)").all_inner_texts()
        values = [float(text.split()[0]) for text in texts]
        assert values == sorted(values, reverse=falling)
        assert table.locator(f"th[aria-sort={state}]").count() == 1


def test_the_slider_counts_what_it_rejects(page: Any, results: Path) -> None:
    card = page.locator(".card").first
    job = next(job for job in jobs_of(results) if (job["model"], job["data"]) == (ANOGAN, MOULD))
    scores = pd.read_parquet(results / "jobs" / job["folder"] / "scores.parquet")
    table = pd.read_csv(results / "results.csv")
    row = table[(table.folder == f"jobs/{job['folder']}") & (table.score == "score")].iloc[0]
    wrong = card.locator("td:last-child").all_inner_texts()
    assert wrong[0] == f"{100 * row.overkill_on_test:.1f} % overkill"
    assert wrong[1] == f"{100 * row.escape_on_test:.1f} % escape"
    slider = card.locator("input")
    slider.fill("0")
    test = scores[scores.split == "test"]
    rejected = [int(text) for text in card.locator("td:nth-of-type(2)").all_inner_texts()]
    lowest = test.score.min()
    assert rejected == [
        int(((test.label == label) & (test.score > lowest)).sum()) for label in (0, 1)
    ]


def test_nothing_is_cut_off_on_paper(page: Any) -> None:
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 1046, "height": 718})  # A4 across, less the margins
    wider = page.evaluate(
        "[document.documentElement, ...document.querySelectorAll('.wide')]"
        ".map(each => each.scrollWidth - each.clientWidth)"
    )
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 1200, "height": 900})
    assert max(wider) <= 0


def test_the_gallery_is_filtered(page: Any) -> None:
    assert page.locator("#shown").inner_text() == "4 of 4 shown"
    page.locator("[data-filter=kind]").select_option("void")
    assert page.locator("#shown").inner_text() == "2 of 4 shown"
    visible = page.locator(".example:visible figcaption").all_inner_texts()
    assert all(PATCHCORE in text and EVIL in text for text in visible)
    page.locator("[data-filter=outcome]").select_option("worst miss")
    assert page.locator("#shown").inner_text() == "1 of 4 shown"
    assert page.locator(".example:visible .strip img").count() == 5
