# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A generator's first feature map: more degrees of freedom than z, still inside the generator."""

from torch import nn

_ACTIVATIONS = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.Tanh)


def up_to_first_map(generator: nn.Module) -> nn.Sequential:
    """The layers from the latent vector to the first activation.

    Args:
        generator: G as a sequence of layers.

    Returns:
        Those layers, shared with G: latent vectors ``(B, Z)`` to maps ``(B, C, H, W)``.

    Raises:
        ValueError: If G is no sequence of layers, or has no activation before its last layer.

    Example:
        >>> chain = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 4))
        >>> len(up_to_first_map(chain))
        2
    """
    layers = list(generator.children()) if isinstance(generator, nn.Sequential) else []
    for index, layer in enumerate(layers[:-1]):
        if isinstance(layer, _ACTIVATIONS):
            return nn.Sequential(*layers[: index + 1])
    msg = (
        "map_steps above 0 need a generator that is an nn.Sequential with an activation before its "
        f"last layer, got {type(generator).__name__}: give map_steps=0, or G as a chain of layers"
    )
    raise ValueError(msg)
