# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""ConvAutoencoder's losses per pixel, against scikit-image and by hand."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from anogan_plugin.models.conv_autoencoder import ConvAutoencoder
from anogan_plugin.models.conv_autoencoder.loss import (
    RECONSTRUCTION_LOSSES,
    absolute_error,
    dissimilarity,
    squared_error,
)
from anogan_plugin.models.conv_autoencoder.presets import PRESETS


def images_and_likenesses(channels: int) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    images = torch.rand(2, channels, 40, 36) * 2 - 1
    return images, (0.7 * images + 0.3 * torch.randn_like(images)).clamp(-1, 1)


@pytest.mark.parametrize("channels", [1, 3])
def test_dissimilarity_is_that_of_scikit_image(channels: int) -> None:
    images, likenesses = images_and_likenesses(channels)
    found = dissimilarity(images, likenesses)
    assert found.shape == (2, 40, 36)
    for index in range(2):
        # As 8-bit grey levels would be, scaled to [0, 1]; mirrored here, as scikit-image does it
        # with the border pixel twice.
        pair = [
            np.pad((x[index].double().numpy() + 1) / 2, ((0, 0), (5, 5), (5, 5)), "reflect")
            for x in (images, likenesses)
        ]
        _, similarity = structural_similarity(
            *pair,
            data_range=1.0,
            channel_axis=0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            full=True,
        )
        expected = 1 - similarity.mean(0)[5:-5, 5:-5]
        np.testing.assert_allclose(found[index].numpy(), expected, atol=1e-4)


def test_dissimilarity_of_flat_images_by_hand() -> None:
    # Intensities 0.5 and 1.5 of 2, no variance: 1 − (2·0.75 + C1)/(0.25 + 2.25 + C1)
    dark, bright = torch.full((1, 1, 32, 32), -0.5), torch.full((1, 1, 32, 32), 0.5)
    c1 = 0.02**2
    expected = 1 - (1.5 + c1) / (2.5 + c1)
    torch.testing.assert_close(
        dissimilarity(dark, bright), torch.full((1, 32, 32), expected), atol=1e-4, rtol=0
    )


def test_dissimilarity_does_not_lose_precision_under_autocast() -> None:
    images, likenesses = images_and_likenesses(1)
    expected = dissimilarity(images, likenesses)
    with torch.autocast("cpu", torch.bfloat16):
        found = dissimilarity(images, likenesses)
    torch.testing.assert_close(found, expected)


def test_errors_by_hand() -> None:
    image = torch.tensor([0.5, -0.5, 1.0]).view(1, 3, 1, 1)
    likeness = torch.tensor([0.0, -0.5, -1.0]).view(1, 3, 1, 1)
    # differences 0.5, 0 and 2
    assert float(squared_error(image, likeness)) == pytest.approx((0.25 + 4) / 3)
    assert float(absolute_error(image, likeness)) == pytest.approx(2.5 / 3)


@pytest.mark.parametrize("loss", sorted(RECONSTRUCTION_LOSSES))
def test_the_map_is_the_loss_and_nothing_in_it_moves_in_eval_mode(loss: str) -> None:
    torch.manual_seed(0)
    network = ConvAutoencoder(image_size=32, width=4, latent_size=8, loss=loss).eval().model  # type: ignore[arg-type]
    images = torch.rand(3, 1, 32, 32) * 2 - 1
    with torch.no_grad():
        scored = network.score(images)
        trained = network.training_losses(images)["loss"]
        likeness = network.decoder(network.encoder(images))
    expected = {
        "l2": (images - likeness).pow(2)[:, 0],
        "l1": (images - likeness).abs()[:, 0],
        "ssim": dissimilarity(images, likeness),
    }[loss]
    torch.testing.assert_close(scored.anomaly_map, expected)
    assert float(trained) == pytest.approx(float(expected.mean()), rel=1e-5)


def test_paper_preset_is_the_papers() -> None:
    settings = PRESETS["paper"]
    assert (settings.loss, settings.latent_size) == ("ssim", 100)
    assert (settings.learning_rate, settings.weight_decay) == (2e-4, 1e-5)


def test_weight_decay_reaches_adam() -> None:
    (optimizer,) = ConvAutoencoder(
        preset="paper", width=4, learning_rate=1e-2
    ).configure_optimizers()
    group = optimizer.param_groups[0]
    assert (group["lr"], group["weight_decay"]) == (1e-2, 1e-5)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [({"loss": "mse"}, "loss must be one of"), ({"weight_decay": -1.0}, "weight_decay must be")],
)
def test_bad_arguments_are_named(arguments: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        ConvAutoencoder(**arguments)  # type: ignore[arg-type]


def test_nan_weights_are_not_scored() -> None:
    model = ConvAutoencoder(image_size=32, width=4, latent_size=8)
    with torch.no_grad():
        next(model.model.decoder.parameters()).fill_(float("nan"))
    with pytest.raises(ValueError, match="scored 2 of 2 images NaN"):
        model.model.score(torch.zeros(2, 1, 32, 32))
