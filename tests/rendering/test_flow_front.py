# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The flow front against geodesics worked by hand and by another algorithm."""

import numpy as np
import pytest
from scipy.ndimage import label
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from anogan_plugin.rendering.fields import lowest
from anogan_plugin.rendering.flow_front import arrival_time, fill_time


def test_a_uniform_field_by_hand() -> None:
    times = arrival_time(np.full((3, 4), 2.0, np.float32), (0, 0))
    root = np.sqrt(2)
    steps = [
        [0, 1, 2, 3],
        [1, root, 1 + root, 2 + root],
        [2, 1 + root, 2 * root, 1 + 2 * root],
    ]
    np.testing.assert_allclose(times, 2 * np.array(steps), rtol=1e-6)


def test_resin_goes_round_what_is_slow_by_hand() -> None:
    slowness = np.ones((3, 3), np.float32)
    slowness[:2, 1] = 100
    times = arrival_time(slowness, (0, 0))
    # Down the left side, diagonally below the wall and up: 1 + 2 sqrt(2) + 1.
    assert times[0, 2] == pytest.approx(2 + 2 * np.sqrt(2))


def test_a_random_field_against_dijkstra() -> None:
    slowness = np.random.default_rng(0).lognormal(size=(7, 9)).astype(np.float32)
    height, width = slowness.shape
    number = np.arange(slowness.size).reshape(height, width)
    starts, ends, weights = [], [], []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        for row in range(height - down):
            for column in range(max(0, -right), width - max(0, right)):
                other = (row + down, column + right)
                starts.append(number[row, column])
                ends.append(number[other])
                weights.append(
                    np.hypot(down, right) * (slowness[row, column] + slowness[other]) / 2
                )
    graph = coo_matrix((weights, (starts, ends)), shape=(slowness.size,) * 2)
    expected = dijkstra(graph, directed=False, indices=number[4, 0])
    times = arrival_time(slowness, (4, 0))
    np.testing.assert_allclose(times.ravel(), expected, rtol=1e-5)


@pytest.mark.parametrize("seed", range(12))
def test_what_is_filled_hangs_together_from_the_gate(seed: int) -> None:
    time = fill_time(np.random.default_rng(seed), (120, 150))
    gate = np.unravel_index(time.argmin(), time.shape)
    assert gate[1] == 0, "the gate is on the left short side"
    for share in (0.02, 0.12, 0.5):
        empty = lowest(-time, share * time.size, np.ones(time.shape, bool))
        pieces, _ = label(~empty, np.ones((3, 3)))
        from_gate = pieces == pieces[gate]
        assert from_gate.sum() > 0.999 * (~empty).sum()


def test_the_vents_opposite_the_gate_fill_last() -> None:
    last = [
        np.unravel_index(fill_time(np.random.default_rng(seed), (40, 50)).argmax(), (40, 50))[1]
        for seed in range(60)
    ]
    assert np.median(last) > 40
