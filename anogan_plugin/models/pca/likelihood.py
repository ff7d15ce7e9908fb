# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""How many principal components good images have (Tipping & Bishop 1999)."""

import math
from typing import NamedTuple

import torch

_LEAST_VARIANCE = 1e-8
_ONE_IN = 10


class PrincipalComponents(NamedTuple):
    """Principal components of N vectors of length D.

    Attributes:
        mean: ``(D,)``.
        components: ``(min(N, D), D)``, orthonormal, by falling variance.
        variances: ``(min(N, D),)``, of the vectors along each.
    """

    mean: torch.Tensor
    components: torch.Tensor
    variances: torch.Tensor


def principal_components(vectors: torch.Tensor) -> PrincipalComponents:
    """All principal components of vectors.

    Args:
        vectors: ``(N, D)`` float32.

    Returns:
        The components, with variances that are divided by N as maximum likelihood has it.
    """
    mean = vectors.mean(0)
    _, singular, components = torch.linalg.svd(vectors - mean, full_matrices=False)
    return PrincipalComponents(mean, components, singular**2 / len(vectors))


def log_likelihoods(found: PrincipalComponents, vectors: torch.Tensor) -> torch.Tensor:
    """How likely vectors are under probabilistic PCA with each number of components.

    With k components, x ~ N(mean, V diag(λ₁ … λₖ) Vᵀ + σ²(I − V Vᵀ)), and σ² the mean of the
    variances that are left (Tipping & Bishop 1999, eq. 8).

    Args:
        found: Of other vectors.
        vectors: ``(M, D)`` float32.

    Returns:
        ``(K,)`` float64, for k = 0, 1, … K − 1 components the mean log-likelihood per vector in
        nats: all k for which some variance is left, and 0.
    """
    dimensions = vectors.shape[1]
    variances = found.variances.double()
    away = vectors - found.mean
    along = (away @ found.components.T).double().square()
    left = (variances.sum() - _from_zero(variances)) / (
        dimensions - torch.arange(len(variances) + 1, device=variances.device)
    )
    usable = max(1, int((left[:-1] > _LEAST_VARIANCE).sum()))
    noise, variances = left[:usable].clamp_min(_LEAST_VARIANCE), variances[:usable]
    along = along[:, :usable]
    outside = away.double().square().sum(1, keepdim=True) - _from_zero(along)[:, :usable]
    inside = _from_zero(along / variances)[:, :usable]
    volume = _from_zero(variances.log())[:usable] + noise.log() * (
        dimensions - torch.arange(usable, device=noise.device)
    )
    return -(dimensions * math.log(2 * math.pi) + volume + (inside + outside / noise).mean(0)) / 2


def likeliest_count(vectors: torch.Tensor) -> int:
    """The number of components under which every tenth vector is likeliest, given the others.

    Args:
        vectors: ``(N, D)`` float32, N at least 4.

    Returns:
        At least 0.
    """
    chosen = torch.arange(len(vectors)) % _ONE_IN == min(_ONE_IN, len(vectors)) - 1
    return int(log_likelihoods(principal_components(vectors[~chosen]), vectors[chosen]).argmax())


def _from_zero(values: torch.Tensor) -> torch.Tensor:
    """Sums of the first 0, 1, … of the values along the last dimension."""
    return torch.nn.functional.pad(values.cumsum(-1), (1, 0))
