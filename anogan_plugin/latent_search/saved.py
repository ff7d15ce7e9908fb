# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A search on disk: what has been found so far survives Ctrl-C, a kill and a full disk."""

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
    old one's place. What is written is always the state between two steps: an interruption in the
    middle of one loses that step, and nothing else.

    Args:
        path: The file; its folder is made.
        identity: :func:`fingerprint` of the search.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self.path = path
        self._identity = identity
        self._ended: list[dict[str, torch.Tensor]] = []
        self._content: dict[str, Any] | None = None
        self._written = time.monotonic()
        path.parent.mkdir(parents=True, exist_ok=True)

    def load(self, run: SearchRun) -> list[dict[str, torch.Tensor]]:
        """Take up an earlier run.

        Args:
            run: A new run, which is put where the saved one was.

        Returns:
            The images that had ended, to be handed to the run's ``results_of``.

        Raises:
            ValueError: If the file belongs to another search, or is not one of ours.
        """
        if not self.path.exists():
            return []
        try:
            saved: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
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
        return self._ended

    def keep(self, run: SearchRun, ended: SearchResult | None) -> None:
        """Remember the state after a step, and write once a minute.

        Args:
            run: The run as it is.
            ended: Images that have just ended, if any.
        """
        if ended is not None:
            kept = {name: getattr(ended, name).cpu() for name in _KEPT}
            kept |= {"taken": ended.steps, "at_marks": ended.score_at}
            self._ended = [*self._ended, kept]
        # One assignment: an interruption before or after it finds a whole state.
        self._content = {"identity": self._identity, "run": run.state(), "ended": self._ended}
        if time.monotonic() - self._written >= _SECONDS:
            self.write()

    def write(self) -> None:
        """Write now; where that fails, warn, keep the last file, and let the search go on."""
        if self._content is None:
            return
        self._written = time.monotonic()
        new = self.path.with_name(self.path.name + ".new")
        try:
            torch.save(self._content, new)
            new.replace(self.path)
        except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
            warnings.warn(
                f"the search goes on, but can't be saved to {self.path}: {error}; free some space, "
                "or an interruption will lose what was found since the last time",
                stacklevel=2,
            )
        finally:
            new.unlink(missing_ok=True)
