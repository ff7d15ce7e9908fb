# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The one place where labels and scores are checked before they are counted."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def labelled_scores(
    labels: ArrayLike, scores: ArrayLike, ndim: int = 1
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Check the labels and scores of a test set.

    Args:
        labels: ``(N,)`` bool or int: 0 good, 1 anomalous (the positive class).
        scores: ``(N,)`` float, or ``(S, N)`` for S runs on the same N images; any finite range.
        ndim: Dimensions that ``scores`` must have, 1 or 2.

    Returns:
        ``(N,)`` bool labels and float64 scores of the shape given.

    Raises:
        ValueError: If the shapes do not fit, a label is neither 0 nor 1, one of the two labels is
            missing, or a score is NaN or infinite.

    Example:
        >>> labelled_scores([0, 1], [0.5, 2])
        (array([False,  True]), array([0.5, 2. ]))
    """
    label, score = np.asarray(labels), finite(scores, "scores")
    shape = "(N,)" if ndim == 1 else "(seeds, N)"
    if label.ndim != 1 or score.ndim != ndim or score.shape[-1] != len(label) or 0 in score.shape:
        msg = (
            f"expected labels (N,) and scores {shape} of the same images, got {label.shape} and "
            f"{score.shape}"
        )
        raise ValueError(msg)
    if not np.isin(label, (0, 1)).all():
        found = np.unique(label)[:5].tolist()
        msg = f"labels must be 0 (good) or 1 (anomalous), got {found}"
        raise ValueError(msg)
    anomalous = int(np.count_nonzero(label))
    if anomalous in (0, len(label)):
        msg = (
            f"expected good (0) and anomalous (1) images, got {len(label) - anomalous} good and "
            f"{anomalous} anomalous: test on both"
        )
        raise ValueError(msg)
    return label.astype(bool), score


def finite(values: ArrayLike, what: str) -> NDArray[np.float64]:
    """Check that every value is a number.

    Args:
        values: Any shape, float.
        what: What they are, in the plural, for the message.

    Returns:
        The same as float64.

    Raises:
        ValueError: If one is NaN or infinite.

    Example:
        >>> finite([1, 2], "scores")
        array([1., 2.])
    """
    array = np.asarray(values, dtype=np.float64)
    bad = int(np.count_nonzero(~np.isfinite(array)))
    if bad:
        msg = (
            f"{bad} of {array.size} {what} are NaN or infinite: leave out the run that gave "
            "them, or train it again"
        )
        raise ValueError(msg)
    return array


def share(value: float, name: str) -> float:
    """Check a number that must lie between 0 and 1.

    Args:
        value: A share, such as an overkill of 0.01 for 1 %, or a confidence of 0.95.
        name: Its name, for the message.

    Returns:
        The value.

    Raises:
        ValueError: If it is not strictly between 0 and 1.

    Example:
        >>> share(0.01, "overkill")
        0.01
    """
    if not 0 < value < 1:
        msg = f"{name} must be between 0 and 1, such as 0.05 for 5 %, got {value}"
        raise ValueError(msg)
    return value
