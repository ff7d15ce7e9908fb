# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What is seen of an archive while it is scored."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

_SECONDS_BETWEEN_LINES = 30.0


class ArchiveProgress:
    """Images scored, their rate and the time left.

    On a terminal it is a bar; elsewhere, a line every half minute. A last line remains of either.

    Args:
        images: How many are to be scored.
        console: Where to print.
    """

    def __init__(self, images: int, console: Console) -> None:
        self._images, self._console = images, console
        self._scored = 0
        self._bar = Progress(
            TextColumn("scoring"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=images, rate="")
        self._begin = self._last = time.monotonic()

    def __enter__(self) -> "ArchiveProgress":
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
        self._print_line()

    def show(self, scored: int) -> None:
        """So many have been scored."""
        self._scored = scored
        self._bar.update(self._task, completed=scored, rate=self._rate())
        if not self._console.is_terminal and time.monotonic() - self._last > _SECONDS_BETWEEN_LINES:
            self._last = time.monotonic()
            self._print_line()

    def _rate(self) -> str:
        return f"{self._scored / max(time.monotonic() - self._begin, 1e-9):,.1f} images/s"

    def _print_line(self) -> None:
        line = f"scored {self._scored:,} of {self._images:,} images, {self._rate()}"
        self._console.print(line, highlight=False)
