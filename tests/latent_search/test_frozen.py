# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A frozen copy computes what the network computes in eval mode."""

import pytest
import torch
from torch import nn

from anogan_plugin.latent_search.frozen import freeze
from anogan_plugin.models.components.dcgan import DISCRIMINATOR_NORMS, Discriminator, Generator


def with_running_statistics(network: nn.Module, *inputs: torch.Tensor) -> nn.Module:
    """Move BatchNorm's statistics and spectral norm's vectors away from where they start."""
    network.train()
    for _ in range(3):
        network(*inputs)
    return network


@pytest.mark.parametrize("norm", DISCRIMINATOR_NORMS)
def test_it_computes_the_same(norm: str) -> None:
    torch.manual_seed(0)
    z, images = torch.randn(4, 8), torch.randn(4, 1, 32, 32)
    generator = with_running_statistics(Generator(32, 1, 8, 4), z)
    discriminator = with_running_statistics(Discriminator(32, 1, 4, norm), images)
    with torch.no_grad():
        frozen_images, frozen_logits = freeze(generator)(z), freeze(discriminator)(images)
        torch.testing.assert_close(frozen_images, generator.eval()(z), rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(
            frozen_logits, discriminator.eval()(images), rtol=1e-4, atol=1e-6
        )


def test_nothing_is_left_to_train_or_normalise() -> None:
    frozen = freeze(nn.Sequential(Generator(32, 1, 8, 4), Discriminator(32, 1, 4, "batch")))
    assert not any(parameter.requires_grad for parameter in frozen.parameters())
    assert not any(isinstance(module, nn.BatchNorm2d) for module in frozen.modules())
    assert not frozen.training
