# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""POD curves against published fits, other optimisers, and simulation."""

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.stats import chi2
from statsmodels.genmod.families import Binomial

from anogan_plugin.statistics.probability_of_detection import fit_pod

# Bliss (1935): beetles killed by carbon disulphide, log10 dose. Its fit is in many textbooks.
LOG10_DOSE = [1.6907, 1.7242, 1.7552, 1.7842, 1.8113, 1.8369, 1.8610, 1.8839]
BEETLES = [59, 60, 62, 56, 63, 59, 62, 60]
KILLED = [6, 13, 18, 28, 52, 53, 61, 60]

HitsAndMisses = tuple[NDArray[np.float64], NDArray[np.bool_]]


def simulated(rng: np.random.Generator, defects: int, a50: float, slope: float) -> HitsAndMisses:
    """Sizes from 1 to 100 and hits of probability 1 / (1 + (a50 / a) ** slope)."""
    sizes = np.exp(rng.uniform(0, np.log(100), defects))
    return sizes, rng.random(defects) < 1 / (1 + (a50 / sizes) ** slope)


def log_likelihood(line: NDArray[np.float64], sizes: NDArray, found: NDArray) -> float:
    logits = line[0] + line[1] * np.log(sizes)
    return float(np.sum(found * logits - np.logaddexp(0, logits)))


def best_through(size: float, logit: float, sizes: NDArray, found: NDArray) -> float:
    """The highest log-likelihood of all lines that have ``logit`` at ``size``."""

    def loss(slope: float) -> float:
        return -log_likelihood(np.array([logit - slope * np.log(size), slope]), sizes, found)

    return float(-minimize_scalar(loss, bracket=(0.5, 3.0), tol=1e-12).fun)


@pytest.fixture
def beetles() -> HitsAndMisses:
    sizes = np.repeat(10 ** np.array(LOG10_DOSE), BEETLES)
    found = [np.arange(n) < k for n, k in zip(BEETLES, KILLED, strict=True)]
    return sizes, np.concatenate(found)


@pytest.fixture
def inspection() -> HitsAndMisses:
    return simulated(np.random.default_rng(0), 150, 8, 2.5)


def test_published_fit(beetles: HitsAndMisses) -> None:
    pod = fit_pod(*beetles)
    # Dobson, An Introduction to Generalized Linear Models: -60.72 and 34.27 per log10 unit.
    assert pod.intercept == pytest.approx(-60.72, abs=0.005)
    assert pod.slope * np.log(10) == pytest.approx(34.27, abs=0.005)
    assert pod.a90 == pytest.approx(10 ** ((np.log(9) + 60.717) / 34.270), rel=1e-4)
    # Fitted numbers killed, in the same book.
    expected = [3.46, 9.84, 22.45, 33.90, 50.10, 53.29, 59.22, 58.74]
    killed = pod.probability(10 ** np.array(LOG10_DOSE)) * BEETLES
    np.testing.assert_allclose(killed, expected, atol=0.006)
    assert pod.reason is None
    assert pod.caution is None


def test_fit_by_other_ways(inspection: HitsAndMisses) -> None:
    sizes, found = inspection
    pod = fit_pod(sizes, found)
    model = sm.GLM(found.astype(float), sm.add_constant(np.log(sizes)), family=Binomial()).fit()
    assert (pod.intercept, pod.slope) == pytest.approx(tuple(model.params), rel=1e-6)
    free = minimize(lambda line: -log_likelihood(line, sizes, found), [0.0, 0.0], tol=1e-10)
    assert (pod.intercept, pod.slope) == pytest.approx(tuple(free.x), rel=1e-4)
    assert pod.a90 == pytest.approx(float(np.exp((np.log(9) - free.x[0]) / free.x[1])), rel=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_a90_95_is_the_likelihood_ratio_bound(seed: int) -> None:
    sizes, found = simulated(np.random.default_rng(seed), 80, 8, 2.5)
    pod = fit_pod(sizes, found)
    peak = log_likelihood(np.array([pod.intercept, pod.slope]), sizes, found)
    allowed = chi2.ppf(0.90, 1) / 2  # two-sided 90 %, so one-sided 95 %

    def too_far(size: float) -> float:
        return peak - best_through(size, np.log(9), sizes, found) - allowed

    assert pod.a90 is not None
    assert pod.a90_95 == pytest.approx(brentq(too_far, pod.a90, 10 * pod.a90), rel=1e-4)


@pytest.mark.parametrize("size", [2.0, 8.0, 40.0])
def test_band_is_the_likelihood_ratio_band(inspection: HitsAndMisses, size: float) -> None:
    pod = fit_pod(*inspection)
    peak = log_likelihood(np.array([pod.intercept, pod.slope]), *inspection)

    def too_far(logit: float) -> float:
        return peak - best_through(size, logit, *inspection) - chi2.ppf(0.90, 1) / 2

    middle = pod.intercept + pod.slope * np.log(size)
    (low,), (high,) = pod.band([size])
    expected = [brentq(too_far, middle - 6, middle), brentq(too_far, middle, middle + 6)]
    assert np.log([low / (1 - low), high / (1 - high)]) == pytest.approx(expected, rel=1e-4)
    assert low < pod.probability([size])[0] < high


def test_lower_band_reaches_90_percent_at_a90_95(inspection: HitsAndMisses) -> None:
    pod = fit_pod(*inspection)
    assert pod.a90_95 is not None
    assert pod.band([pod.a90_95])[0] == pytest.approx([0.9], abs=1e-6)
    assert pod.a90 is not None
    assert pod.probability([pod.a90]) == pytest.approx([0.9])


def test_near_the_maximum_the_bound_is_walds(beetles: HitsAndMisses) -> None:
    sizes, found = (np.repeat(values, 20) for values in beetles)  # 9,620: a parabola
    model = sm.GLM(found.astype(float), sm.add_constant(np.log(sizes)), family=Binomial()).fit()
    pod = fit_pod(sizes, found)
    assert pod.a90 is not None
    gradient = -np.array([1, np.log(pod.a90)]) / model.params[1]
    error = np.sqrt(gradient @ model.cov_params() @ gradient)
    assert pod.a90_95 == pytest.approx(pod.a90 * np.exp(1.644854 * error), rel=1e-4)


def test_units_of_size_do_not_matter(inspection: HitsAndMisses) -> None:
    sizes, found = inspection
    pod, tiny, area = fit_pod(sizes, found), fit_pod(sizes * 1e-6, found), fit_pod(sizes**2, found)
    assert pod.a90_95 is not None
    assert tiny.a90_95 == pytest.approx(pod.a90_95 * 1e-6, rel=1e-4)
    assert area.a90_95 == pytest.approx(pod.a90_95**2, rel=1e-4)


def test_true_a90_is_rarely_above_the_bound() -> None:
    rng = np.random.default_rng(0)
    true_a90 = 8 * 9 ** (1 / 3)
    bounds = [fit_pod(*simulated(rng, 60, 8, 3)).a90_95 for _ in range(500)]
    given = [bound for bound in bounds if bound is not None]
    assert len(given) > 480
    assert 0.04 < np.mean(np.array(given) < true_a90) < 0.11  # 0.05 for many defects


@pytest.mark.parametrize(
    ("sizes", "found", "reason"),
    [
        ([1, 2, 3], [1, 1, 1], "all 3 defects were found: test smaller ones"),
        ([1, 2, 3], [0, 0, 0], "none of 3 defects was found: test larger ones"),
        ([2, 2, 2], [0, 1, 0], "all defects have the size 2: test others"),
        ([1, 2, 3, 4], [0, 0, 1, 1], "all defects up to 2 were missed and all from 3 on found"),
        ([1, 2, 2, 4], [0, 0, 1, 1], "all defects up to 2 were missed and all from 2 on found"),
        ([1, 2, 3, 4], [1, 1, 0, 0], "all defects up to 2 were found and all from 3 on missed"),
    ],
)
def test_no_curve(sizes: list[int], found: list[int], reason: str) -> None:
    pod = fit_pod(sizes, found)
    assert pod.reason is not None
    assert reason in pod.reason
    assert (pod.a90, pod.a90_95, pod.caution, len(pod.contour)) == (None, None, None, 0)
    assert np.isnan([pod.slope, *pod.probability([1.0]), *np.ravel(pod.band([1.0]))]).all()


def test_a_curve_without_a90_95() -> None:
    rng = np.random.default_rng(0)
    sizes = np.geomspace(1, 100, 100)
    falling = fit_pod(sizes, rng.random(100) < 1 / sizes**0.5)
    assert falling.reason is not None
    assert "detection does not grow with size: the slope is -" in falling.reason
    assert falling.a90 is None
    few = fit_pod(sizes, ~np.isin(np.arange(100), [2, 5, 8, 20]))
    assert few.reason == "96 found and 4 missed: at least 5 of both are needed"
    flat = fit_pod(sizes, np.arange(100) % 2)
    assert flat.reason is not None
    assert "it is not certain that detection grows with size" in flat.reason
    for pod in (falling, few, flat):
        assert pod.a90_95 is None
        assert np.isfinite(pod.band(sizes)).all()


def test_sizes_that_were_not_tested_are_not_vouched_for() -> None:
    rng = np.random.default_rng(0)
    large = fit_pod(*simulated(rng, 200, 80, 2.0))
    assert (large.a90, large.a90_95) == (None, None)
    assert large.reason is not None
    assert "above all sizes tested" in large.reason
    assert large.reason.endswith("test larger defects")
    few_missed = ~np.isin(np.arange(2000), [20, 90, 180, 300, 430, 600])
    small = fit_pod(np.geomspace(1, 100, 2000), few_missed)
    assert (small.a90, small.a90_95) == (None, None)
    assert small.reason is not None
    assert "below all sizes tested" in small.reason
    assert small.reason.endswith("test smaller defects")
    # The fitted a90 of 0.999 is of no size tested; that it is below 1.09 was tested.
    few_missed = ~np.isin(np.arange(2000), [5, 21, 40, 62, 90, 130])
    between = fit_pod(np.geomspace(1, 100, 2000), few_missed)
    assert (between.a90, between.reason) == (None, None)
    assert between.a90_95 == pytest.approx(1.09, abs=0.01)


def test_few_defects_are_pointed_out() -> None:
    pod = fit_pod(*simulated(np.random.default_rng(1), 59, 8, 3))
    assert pod.a90_95 is not None
    assert pod.caution == "from 59 defects; MIL-HDBK-1823A asks for at least 60"


def test_wrong_input_is_refused() -> None:
    with pytest.raises(
        ValueError, match="3 of 4 sizes are NaN, infinite or not above 0: leave out"
    ):
        fit_pod([1, 0, np.nan, np.inf], [0, 1, 0, 1])
    with pytest.raises(ValueError, match=r"got \(2,\) and \(3,\)"):
        fit_pod([1, 2], [0, 1, 1])
    with pytest.raises(ValueError, match=r"got \(0,\) and \(0,\)"):
        fit_pod([], [])
    with pytest.raises(ValueError, match=r"found must be 0 or 1, got \[0.0, 0.5\]"):
        fit_pod([1, 2], [0, 0.5])
