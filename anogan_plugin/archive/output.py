# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The folder of the scores: a Parquet file per shard, each there in full or not at all."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from filelock import FileLock

from anogan_plugin.archive.names import from_bytes, to_bytes
from anogan_plugin.archive.shards import NOTES, SETTINGS, Shard
from anogan_plugin.files import write_atomically, write_json

_SHARDS_PER_GROUP = 16
_PLAN = pa.schema(
    [
        ("count", pa.int64()),
        ("names", pa.list_(pa.binary())),
        ("file", pa.binary()),
        ("first", pa.int64()),
        ("size", pa.int64()),
        ("error", pa.binary()),
    ]
)


@dataclass(frozen=True)
class Plan:
    """What is to be scored.

    Attributes:
        shards: How many shards.
        images: How many images.
        digest: Checksum of the names, and of the sizes where the address tells them.
    """

    shards: int
    images: int
    digest: str


class ScoresFolder:
    """Where the scores of an archive go.

    ``part-000000.parquet`` and so on hold a row per image; pandas and pyarrow read the folder as
    one table. ``_archive/`` holds the list of the images, ``plan.parquet``, and what they are
    scored with, ``archive.json``; readers of Parquet pass over names that begin with ``_``.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._own = path / NOTES
        self._settings = self._own / SETTINGS
        self._plan, self._draft = self._own / "plan.parquet", self._own / ".draft.parquet"

    def lock(self) -> FileLock:
        """A lock for whoever scores into this folder; the system frees it when the holder dies."""
        self._own.mkdir(parents=True, exist_ok=True)
        return FileLock(self._own / "lock", timeout=0)

    def write_plan(self, shards: Iterator[Shard]) -> Plan:
        """Write the list of the images, which :meth:`begin` takes or drops.

        Args:
            shards: All of them.

        Returns:
            What they amount to.
        """
        digest = hashlib.sha256()
        counts = {"shards": 0, "images": 0}

        def write(path: Path) -> None:
            with pq.ParquetWriter(path, _PLAN) as writer:
                group: list[dict[str, Any]] = []
                for shard in shards:
                    group.append(_row(shard))
                    digest.update(json.dumps(shard.identity).encode())
                    counts["shards"] += 1
                    counts["images"] += shard.count
                    if len(group) == _SHARDS_PER_GROUP:
                        writer.write_table(pa.Table.from_pylist(group, _PLAN))
                        group = []
                if group:
                    writer.write_table(pa.Table.from_pylist(group, _PLAN))

        write_atomically(self._draft, write)
        return Plan(**counts, digest=digest.hexdigest())

    def shard(self, number: int) -> Shard:
        """A shard of the plan."""
        group, row = divmod(number, _SHARDS_PER_GROUP)
        with pq.ParquetFile(self._plan) as plan:
            found = plan.read_row_group(group).slice(row, 1).to_pylist()[0]
        names = [from_bytes(name) for name in found["names"]]
        texts = {name: from_bytes(found[name]) for name in ("file", "error")}
        return Shard(**{**found, **texts, "names": names})

    def images_in(self, shards: list[int]) -> int:
        """How many images there are in some shards of the plan."""
        counts = pq.read_table(self._plan, columns=["count"])["count"]
        return int(counts.to_numpy()[shards].sum())

    def changed(self, settings: dict[str, Any]) -> list[str]:
        """Compare what images are scored with to what has been noted.

        Args:
            settings: By name, as JSON has them.

        Returns:
            Names of those that differ; none where nothing has been noted.
        """
        if not self._settings.exists():
            return []
        then = json.loads(self._settings.read_text(encoding="utf-8"))
        return [name for name in settings if then.get(name) != settings[name]]

    def begin(self, settings: dict[str, Any]) -> None:
        """Take the list of the images that was written, unless that is of something else.

        Args:
            settings: What the images are scored with, as :meth:`keep_settings` has it.

        Raises:
            ValueError: If the folder holds the scores of something else; it is as it was.
        """
        try:
            self.keep_settings(settings)
            self._draft.replace(self._plan)
        finally:
            self.drop_plan()

    def drop_plan(self) -> None:
        """Drop the list of the images that was written and not taken."""
        self._draft.unlink(missing_ok=True)

    def keep_settings(self, settings: dict[str, Any]) -> None:
        """Note what the images are scored with, unless that has been noted.

        Args:
            settings: By name, as JSON has them.

        Raises:
            ValueError: If the folder holds the scores of something else.
        """
        if changed := self.changed(settings):
            raise ValueError(
                f"{self.path} was begun with other {' and '.join(changed)} than are given now: "
                "name another --output, or delete the folder to score all anew"
            )
        if not self._settings.exists():
            write_json(self._settings, settings)

    @property
    def begun(self) -> bool:
        """Whether it holds scores, or will."""
        return self._settings.exists() and self._plan.exists()

    def unfinished(self) -> list[int]:
        """Numbers of the shards of the plan that have no file yet."""
        done = {path.name for path in self.path.glob("part-*.parquet")}
        shards = pq.read_metadata(self._plan).num_rows
        return [number for number in range(shards) if _name(number) not in done]

    def forget_halves(self) -> None:
        """Remove what killed runs have left, by mkstemp's names; for whoever holds the lock."""
        for folder, kinds in ((self.path, ("parquet",)), (self._own, ("parquet", "json"))):
            for half in (half for kind in kinds for half in folder.glob(f".????????.{kind}")):
                half.unlink(missing_ok=True)

    def has(self, number: int) -> bool:
        """Whether a shard has its file."""
        return (self.path / _name(number)).exists()

    def write(self, number: int, table: pa.Table) -> None:
        """Write the rows of a shard."""
        write_atomically(self.path / _name(number), lambda path: pq.write_table(table, path))

    def counts(self) -> tuple[int, int]:
        """How many rows there are, and how many of them are of images that can't be read."""
        table = ds.dataset(self.path, format="parquet")
        return table.count_rows(), table.count_rows(filter=pc.field("error").is_valid())


def _row(shard: Shard) -> dict[str, Any]:
    names = [to_bytes(name) for name in shard.names]
    texts = {"file": to_bytes(shard.file), "error": to_bytes(shard.error)}
    return {**asdict(shard), **texts, "names": names}


def _name(number: int) -> str:
    return f"part-{number:06}.parquet"
