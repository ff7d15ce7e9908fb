# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A search on disk: what has been found so far survives an interruption of any kind."""

import hashlib
import time
import warnings
from pathlib import Path
from typing import Any

import torch

from anogan_plugin.latent_search.result import SearchResult
from anogan_plugin.latent_search.run import SearchRun

_SECONDS = 60.0
_KEPT = ("index", "latent", "converged")


def fingerprint(*parts: object) -> str:
    """Identify a search by all that decides its result.

    Args:
        parts: Tensors, and anything with a stable ``repr``.

    Returns:
        Hexadecimal digest.
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, torch.Tensor):
            digest.update(part.detach().float().cpu().contiguous().numpy().tobytes())
        else:
            digest.update(repr(part).encode())
    return digest.hexdigest()


class SavedSearch:
    """The file of one run: the images that ended, and the state of those under way.

    Written once a minute and when the run ends or is interrupted, to a new file that then takes the
    old one's place.

    Args:
        path: The file; its folder is made.
        identity: :func:`fingerprint` of the search.

    Raises:
        ValueError: If the file belongs to another search.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self.path = path
        self._identity = identity
        self._ended: list[dict[str, torch.Tensor]] = []
        self._written = time.monotonic()
        path.parent.mkdir(parents=True, exist_ok=True)

    def load(self, run: SearchRun) -> SearchResult | None:
        """Take up an earlier run.

        Args:
            run: A new run, which is put where the saved one was.

        Returns:
            Results of the images that had ended, or None.

        Raises:
            ValueError: If the file belongs to another search, or is not one of ours.
        """
        if not self.path.exists():
            return None
        try:
            saved: dict[str, Any] = torch.load(self.path, weights_only=True)
            identity = saved["identity"]
        except Exception as error:
            msg = (
                f"{self.path} can't be read as a saved search ({error}); delete it or name another"
            )
            raise ValueError(msg) from error
        if identity != self._identity:
            msg = (
                f"{self.path} is of another search: expected the same images, networks, settings "
                "and step marks; delete it or name another file"
            )
            raise ValueError(msg)
        run.restore(saved["run"])
        self._ended = saved["ended"]
        if not self._ended:
            return None
        return SearchResult.joined([run.results_of(ended) for ended in self._ended])

    def keep(self, run: SearchRun, ended: SearchResult | None) -> None:
        """Remember images that ended, and write once a minute.

        Args:
            run: The run as it is.
            ended: Images that have just ended, if any.
        """
        if ended is not None:
            self._ended.append(
                {
                    **{name: getattr(ended, name).cpu() for name in _KEPT},
                    "taken": ended.steps,
                    "at_marks": ended.score_at,
                }
            )
        if time.monotonic() - self._written >= _SECONDS:
            self.write(run)

    def write(self, run: SearchRun) -> None:
        """Write now; where that fails, warn, keep the last file, and let the search go on."""
        self._written = time.monotonic()
        new = self.path.with_name(self.path.name + ".new")
        try:
            torch.save({"identity": self._identity, "run": run.state(), "ended": self._ended}, new)
            new.replace(self.path)
        except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
            new.unlink(missing_ok=True)
            warnings.warn(
                f"the search goes on, but can't be saved to {self.path}: {error}; free some space, "
                "or an interruption will lose what was found since the last time",
                stacklevel=2,
            )
