# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Tables of exported files, and of the load tests of ``anomalib score`` and ``anomalib serve``."""

import json

import pandas as pd
from cells import RESULTS, row_of


def archive() -> str:
    """What the load test of archives has found."""
    found = json.loads((RESULTS / "archive_scoring" / "measured.json").read_text())
    kept, cost, model = found["memory_mib"], found["estimate"], found["model"]
    first, *_, last = kept["resident"]["median_by_quarters"]
    cells = {
        "images per second": f"{found['images_per_second']:,.0f}",
        "memory, most of all processes together": f"{kept['proportional']['most']:,.0f} MiB",
        "resident sizes added up, first and last quarter": f"{first:,.0f} and {last:,.0f} MiB",
        "rows after the kill, of images": f"{found['check']['rows']:,} of {found['images']:,}",
        "files written before the kill, of all": f"{found['killed_after_files']} of "
        f"{found['files']}",
        "unreadable images, and whether those alone are noted": f"{found['check']['unreadable']}, "
        f"{'yes' if found['check']['unreadable_are_the_truncated_ones'] else 'NO'}",
        "10⁸ images at this rate": f"{cost['core_hours']:,.0f} core hours, "
        f"{cost['hours_on_64_cores']:.1f} hours on 64 cores",
        "10⁸ images, read and written": f"{cost['input_gb']:,.0f} GB and "
        f"{cost['output_gb']:,.1f} GB",
    }
    return "\n".join(
        [
            f"{found['images']:,} images of {model['image_size']} × {model['image_size']} in "
            f"Parquet, {model['name']} of width {model['width']}, {found['workers']} process(es) "
            f"on {found['cores']} core(s) of {found['processor']}, other programs running beside "
            f"it (load {found['other_load']}). {_of_rows(found['check'])}",
            "",
            "| | |",
            "|---|---|",
            *map(row_of, cells.items()),
            "",
            "The estimate is on paper: it takes the rate for a core's, and a store that keeps up. "
            "Larger images and AnoGAN's search cost what they cost, image by image.",
        ]
    )


def _of_rows(check: dict[str, bool]) -> str:
    missed = [
        what
        for name, what in (
            ("each_image_once_and_in_order", "each image has one row, in order"),
            ("same_rows_after_the_kill", "the run that was killed and gone on with has those, too"),
            ("same_scores_after_the_kill", "both runs have the same scores"),
            ("scores_are_numbers", "all scores are numbers"),
        )
        if not check[name]
    ]
    if missed:
        return f"NOT SO: {'; '.join(missed)}."
    return "Every row of the run that was killed and gone on with equals that of the run at one go."


def serving() -> str:
    """What the load test of the service has found."""
    found = json.loads((RESULTS / "serving" / "measured.json").read_text())
    model, end = found["model"], found["terminated"]
    lines = [
        f"{model['name']}, search {model['search']}, {model['image_size']} × "
        f"{model['image_size']} pixels, {found['cores']} core(s) of {found['processor']}, scored "
        f"with {found['scoring_threads']} thread(s), other programs running beside it (load "
        f"{found['other_load']}), clients on the same machine; "
        f"{found['max_images']} images taken at a time, {found['broken_share']:.0%} of the "
        "requests broken. Waiting is from the first try, or from when a request was due, to an "
        "answer that is not 503.",
        "",
        "| clients | due per s | images per s | median, ms | p95, ms | answered 200 | 503 | "
        "broken | lost |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for load in found["loads"]:
        due, answers = load["requests_due_per_second"], load["answers"]
        cells = [
            str(load["clients"]),
            f"{due:.1f}" if due else "–",
            f"{load['images_per_second']:.1f}",
            f"{load['median_ms']:,.0f}",
            f"{load['p95_ms']:,.0f}",
            f"{answers['200']:,}",
            f"{answers.get('503', 0):,}",
            f"{sum(load['faults'].values()):,}",
            str(load["lost"]),
        ]
        lines.append(row_of(cells))
    worst = max(load["worst_relative_difference"] for load in found["loads"])
    return "\n".join(
        [
            *lines,
            "",
            f"Scores differ from those of one batch by {worst:.0e} of themselves at most. SIGTERM "
            f"came while {end['waiting']} images had been taken: {end['answered']} were answered. "
            f"Tracebacks in the log: {found['tracebacks_in_log']}.",
        ]
    )


def export() -> str:
    """How fast exported files score, and how near to the checkpoint."""
    rows = pd.read_csv(RESULTS / "export" / "times.csv")
    first, weights = rows.iloc[0], " and ".join(rows.weights.unique())
    versions = rows.drop_duplicates("runtime").set_index("runtime").version
    untrained = ": right for time and equality, not for scores" if "one epoch" in weights else ""
    lines = [
        f"Processor's time per image, {first.images} images of {first.pixels} × {first.pixels} one "
        f"at a time, {first.threads} thread(s) of {first.processor} beside other programs, all in "
        f"float32; weights: {weights}{untrained}. Differences are the largest over images and "
        "runtimes, of a score relative to it, of a map to its largest value; *itself*: how far "
        "PyTorch's own scores move when its images move by 1e-7.",
        "",
        "| model | "
        + " | ".join(f"{name} {version}, ms" for name, version in versions.items())
        + " | score differs by | map differs by | itself |",
        "|---|" + "---:|" * (len(versions) + 3),
    ]
    for model, group in rows.groupby("model", sort=False):
        times = group.set_index("runtime").processor_ms_per_image[versions.index]
        cells = [
            model,
            *(f"{time:,.1f}" for time in times),
            f"{group.largest_score_difference.max():.1g}",
            f"{group.largest_map_difference.max():.1g}",
            f"{group.own_score_difference.max():.1g}",
        ]
        lines.append(row_of(cells))
    return "\n".join(lines)
