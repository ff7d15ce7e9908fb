# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Ranks against the worked example of Demšar (2006), its tables, and scikit-posthocs."""

import numpy as np
import pandas as pd
import pytest
import scikit_posthocs
from scipy.stats import rankdata

from anogan_plugin.statistics.ranks import compare_ranks

# Table 6 of Demšar: AUCs of C4.5 with the parameters m and cf tuned, on 14 data sets. The
# ranks printed there show that on `voting` cf was better than m+cf by less than 0.001.
C45 = """
adult 0.763 0.768 0.771 0.798
breast-cancer 0.599 0.591 0.590 0.569
breast-cancer-wisconsin 0.954 0.971 0.968 0.967
cmc 0.628 0.661 0.654 0.657
ionosphere 0.882 0.888 0.886 0.898
iris 0.936 0.931 0.916 0.931
liver-disorders 0.661 0.668 0.609 0.685
lung-cancer 0.583 0.583 0.563 0.625
lymphography 0.775 0.838 0.866 0.875
mushroom 1.000 1.000 1.000 1.000
primary-tumor 0.940 0.962 0.965 0.962
rheum 0.619 0.666 0.614 0.669
voting 0.972 0.981 0.9751 0.975
wine 0.957 0.978 0.946 0.970
"""


@pytest.fixture
def demsar() -> pd.DataFrame:
    rows = [line.split() for line in C45.split("\n") if line]
    models = ["C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf"]
    values = [[float(value) for value in row[1:]] for row in rows]
    return pd.DataFrame(values, index=[row[0] for row in rows], columns=models)


def test_worked_example(demsar: pd.DataFrame) -> None:
    result = compare_ranks(demsar)
    expected = {"C4.5+m+cf": 1.964, "C4.5+m": 2.0, "C4.5+cf": 2.893, "C4.5": 3.143}
    assert result.average_ranks.round(3).to_dict() == expected
    assert list(result.average_ranks.index) == list(expected)
    assert result.critical_difference == pytest.approx(1.25, abs=0.005)
    # The paper's χ² of 9.28 leaves the ties uncorrected.
    ranks = rankdata(-demsar.to_numpy(), axis=1)
    uncorrected = 12 * 14 / (4 * 5) * (np.sum(ranks.mean(0) ** 2) - 4 * 25 / 4)
    assert uncorrected == pytest.approx(9.28, abs=0.005)
    # With them corrected: the values in SciPy's own test of this table, "verified with R".
    assert result.statistic == pytest.approx(10.2283464566929)
    assert result.p_value == pytest.approx(0.0167215803284414)
    assert result.groups == [tuple(expected)]  # the paper: Nemenyi's test finds nothing here


@pytest.mark.parametrize(
    ("models", "quantile"), [(3, 2.343), (4, 2.569), (5, 2.728), (7, 2.949), (10, 3.164)]
)
def test_table_of_critical_values(models: int, quantile: float) -> None:
    values = pd.DataFrame(np.random.default_rng(0).random((20, models)))
    expected = quantile * np.sqrt(models * (models + 1) / (6 * 20))
    assert compare_ranks(values).critical_difference == pytest.approx(expected, rel=3e-4)


def test_models_in_one_group_are_those_that_nemenyi_does_not_tell_apart() -> None:
    rng = np.random.default_rng(0)
    skill = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 2.5])
    values = pd.DataFrame(rng.normal(size=(25, 6)) + skill, columns=list("abcdef"))
    result = compare_ranks(values)
    p_values = scikit_posthocs.posthoc_nemenyi_friedman(values)
    together = {frozenset((m, n)) for group in result.groups for m in group for n in group}
    for first in values:
        for second in values:
            if first != second:
                alike = p_values.loc[first, second] > 0.05
                assert (frozenset((first, second)) in together) == alike
    assert len(result.groups) > 1
    for group in result.groups:  # the largest sets only
        assert not any(set(group) < set(other) for other in result.groups)


def test_models_apart_are_in_no_group() -> None:
    values = pd.DataFrame(np.arange(3.0) + np.zeros((30, 1)), columns=list("abc"))
    result = compare_ranks(values)
    assert result.average_ranks.to_dict() == {"c": 1, "b": 2, "a": 3}
    assert result.groups == []


def test_equal_models() -> None:
    result = compare_ranks(pd.DataFrame(np.ones((6, 3)), columns=list("abc")))
    assert (result.statistic, result.p_value) == (0, 1)
    assert (result.average_ranks == 2).all()
    assert result.groups == [("a", "b", "c")]


def test_level_of_friedmans_test() -> None:
    rng = np.random.default_rng(0)
    rejected = [compare_ranks(pd.DataFrame(rng.random((12, 4)))).p_value < 0.05 for _ in range(400)]
    assert 0.02 <= np.mean(rejected) <= 0.08


def test_seeds_are_no_data_sets() -> None:
    values = pd.DataFrame(np.random.default_rng(0).random((6, 3)), index=["icmold"] * 6)
    with pytest.raises(ValueError, match=r"data sets \['icmold'\] appear more than once.*average"):
        compare_ranks(values)


def test_tables_that_allow_no_ranks_are_refused() -> None:
    values = pd.DataFrame(np.random.default_rng(0).random((6, 3)), columns=list("abc"))
    with pytest.raises(ValueError, match="at least 5 data sets and 3 models, got 4 and 3"):
        compare_ranks(values[:4])
    with pytest.raises(ValueError, match="got 6 and 2: compare the models in pairs"):
        compare_ranks(values[["a", "b"]])
    with pytest.raises(ValueError, match=r"models \['a'\] appear more than once"):
        compare_ranks(values[["a", "b", "c", "a"]])
    with pytest.raises(ValueError, match="level must be between 0 and 1"):
        compare_ranks(values, level=5)
    values.loc[2, "b"] = np.nan
    with pytest.raises(
        ValueError, match="1 values are missing or infinite, the first of model 'b'"
    ):
        compare_ranks(values)
