# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Takes a trained G and D out of the checkpoint of an AnoGAN or an f-AnoGAN."""

from collections.abc import Mapping
from pathlib import Path

import torch

from anogan_plugin.models.components.searched_gan import SearchedGan

_GENERATOR, _DISCRIMINATOR = "model.generator.", "model.discriminator."

_State = Mapping[str, torch.Tensor]


def load_gan(path: str, model: SearchedGan) -> None:
    """Copy a trained G and D into a model.

    Args:
        path: Checkpoint file of an AnoGAN or an f-AnoGAN.
        model: A model with the same architecture; its G and D are overwritten.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a checkpoint of such a model, or its networks are others than the
            model's: names the arguments that differ.
    """
    state = _read(path)
    parts = [_part(state, prefix) for prefix in (_GENERATOR, _DISCRIMINATOR)]
    networks = (model.generator, model.discriminator)
    own = architecture(*(network.state_dict() for network in networks))
    try:
        found = architecture(*parts)
    except (KeyError, IndexError) as error:
        raise ValueError(_not_a_gan(path)) from error
    other = [name for name in own if found[name] != own[name]]
    if other:
        msg = (
            f"gan_checkpoint {path} has other networks: expected "
            f"{_listed(own, other)}, found {_listed(found, other)}; give "
            f"{_listed(found, other)} to this model, or another checkpoint"
        )
        raise ValueError(msg)
    try:
        for network, part in zip(networks, parts, strict=True):
            network.load_state_dict(part)
    except RuntimeError as error:
        raise ValueError(_not_a_gan(path)) from error


def architecture(generator: _State, discriminator: _State) -> dict[str, object]:
    """The arguments that a G and a D were built with, read off the shapes of their weights.

    Args:
        generator: G's state.
        discriminator: D's state.

    Returns:
        ``image_size``, ``channels``, ``latent_size``, ``width`` and ``discriminator_norm``.

    Raises:
        KeyError: If a first layer is missing.
        IndexError: If it is not a convolution.
    """
    spectral = "features.0.parametrizations.weight.original"
    norm = "spectral" if spectral in discriminator else "none"
    if any(name.endswith("running_mean") for name in discriminator):
        norm = "batch"
    first = discriminator[spectral if norm == "spectral" else "features.0.weight"]
    layers = sum(value.ndim == 4 for value in generator.values())  # the first makes 4 x 4 pixels
    return {
        "image_size": 4 * 2 ** (layers - 1),
        "channels": first.shape[1],
        "latent_size": generator["layers.0.weight"].shape[0],
        "width": first.shape[0],
        "discriminator_norm": norm,
    }


def _read(path: str) -> _State:
    if not Path(path).is_file():
        msg = (
            f"gan_checkpoint must be a checkpoint file of AnoGAN or FAnoGAN, found no file {path}; "
            "give the path that its training printed, or None to train the GAN here"
        )
        raise FileNotFoundError(msg)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    except Exception as error:  # torch and pickle fail in many ways on files of others
        msg = f"{_not_a_gan(path)} ({type(error).__name__}: {error})"
        raise ValueError(msg) from error


def _part(state: _State, prefix: str) -> dict[str, torch.Tensor]:
    return {
        name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)
    }


def _not_a_gan(path: str) -> str:
    return (
        f"gan_checkpoint must be a checkpoint file of AnoGAN or FAnoGAN, and {path} is not: train "
        "one of them, or give None to train the GAN here"
    )


def _listed(arguments: Mapping[str, object], names: list[str]) -> str:
    return ", ".join(f"{name}={arguments[name]!r}" for name in names)
