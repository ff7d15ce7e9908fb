# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""How many images fit: estimates by hand, and torch's own words for no memory."""

from types import SimpleNamespace

import psutil
import pytest
import torch
from torch import nn

from anogan_plugin.latent_search.capacity import (
    batch_size_for,
    bytes_per_image,
    is_out_of_memory,
)
from anogan_plugin.latent_search.frozen import freeze
from anogan_plugin.models.components.dcgan import Discriminator, Generator

CPU, GPU = torch.device("cpu"), torch.device("cuda")


def free(monkeypatch: pytest.MonkeyPatch, free_bytes: int) -> None:
    """Say that so much memory is free, on the processor's side and on a GPU."""
    memory = SimpleNamespace(available=free_bytes)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free_bytes, 10 * free_bytes))


def bytes_of_dcgan(image_size: int, width: int, channels: int = 1) -> int:
    networks = [
        freeze(Generator(image_size, channels, 8, width)),
        freeze(Discriminator(image_size, channels, width, "spectral").features),
    ]
    return bytes_per_image(networks, torch.zeros(1, 8))


@pytest.mark.parametrize("device", [CPU, GPU], ids=str)
def test_half_of_the_free_memory_is_taken(
    device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    free(monkeypatch, 2100)
    assert batch_size_for(100, device) == 10
    assert batch_size_for(350, device) == 3
    assert batch_size_for(1050, device) == 1


@pytest.mark.parametrize("device", [CPU, GPU], ids=str)
def test_it_is_one_image_at_least(device: torch.device, monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 2100)
    assert batch_size_for(10**15, device) == 1
    free(monkeypatch, 0)
    assert batch_size_for(1, device) == 1


@pytest.mark.parametrize(("device", "most"), [(CPU, 32), (GPU, 1024)], ids=str)
def test_it_is_no_more_than_helps(
    device: torch.device, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    free(monkeypatch, 10**15)
    assert batch_size_for(1, device) == batch_size_for(0, device) == most


def test_this_machine_has_room_for_one() -> None:
    assert 1 <= batch_size_for(10_000, CPU) <= 32


def test_bytes_by_hand() -> None:
    generator = nn.Sequential(
        nn.Unflatten(1, (5, 1, 1)),  # 5 values
        nn.Sequential(nn.ConvTranspose2d(5, 2, 4)),  # 2 x 4 x 4
        nn.Tanh(),  # 2 x 4 x 4
    )
    features = nn.Conv2d(2, 3, 4)  # 3
    networks = [generator, features]
    values = 5 + 32 + 32 + 3
    # float32: each kept for the way back, with a gradient, and once more inside a convolution
    assert bytes_per_image(networks, torch.zeros(1, 5)) == 3 * 4 * values
    assert not any(part._forward_hooks for part in generator.modules()), "it leaves no trace"
    in_half = [freeze(network, torch.bfloat16) for network in networks]
    half = bytes_per_image(in_half, torch.zeros(1, 5, dtype=torch.bfloat16))
    assert half == 3 * 4 * values, "differences and gradients at both ends are float32"
    in_double = [network.double() for network in networks]
    double = bytes_per_image(in_double, torch.zeros(1, 5, dtype=torch.float64))
    assert double == 3 * 8 * values


def test_it_grows_with_the_width_and_with_the_image() -> None:
    smallest = bytes_of_dcgan(32, 2)
    assert smallest < bytes_of_dcgan(32, 2, channels=3)
    wider, widest = bytes_of_dcgan(32, 4), bytes_of_dcgan(32, 8)
    # All layers but the image, the latent vector and tanh double.
    assert widest - wider == 2 * (wider - smallest)
    assert bytes_of_dcgan(64, 2) == pytest.approx(4 * smallest, rel=0.1)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"), True),
        (MemoryError(), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 12"), True),
        (RuntimeError("could not create a memory object"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (RuntimeError("CUDA error: device-side assert triggered"), False),
        (ValueError("memory"), False),
    ],
    ids=str,
)
def test_what_says_that_memory_ran_out(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected


def test_torch_says_so_itself() -> None:
    with pytest.raises(RuntimeError) as raised:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(raised.value)
