# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""bfloat16 is chosen where the machine has instructions for it, and nowhere else."""

import pytest
import torch

from anogan_plugin.latent_search.precision import dtype_of
from tests.latent_search.small import assert_same, random_images, small_search

CPU = torch.device("cpu")


def has(monkeypatch: pytest.MonkeyPatch, amx: bool, avx512: bool) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)


@pytest.mark.parametrize(
    ("amx", "avx512", "expected"),
    [
        (False, False, torch.float32),
        (True, False, torch.bfloat16),
        (False, True, torch.bfloat16),
        (True, True, torch.bfloat16),
    ],
)
def test_auto_goes_by_the_processor(
    amx: bool, avx512: bool, expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    has(monkeypatch, amx, avx512)
    assert dtype_of("auto", CPU) == expected
    assert dtype_of("fp32", CPU) == torch.float32
    assert dtype_of("bf16", CPU) == torch.bfloat16


@pytest.mark.parametrize("in_hardware", [True, False])
def test_auto_goes_by_the_gpu(in_hardware: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch, amx=not in_hardware, avx512=not in_hardware)

    def supported(including_emulation: bool = True) -> bool:
        return including_emulation or in_hardware

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    expected = torch.bfloat16 if in_hardware else torch.float32
    assert dtype_of("auto", torch.device("cuda")) == expected


@pytest.mark.parametrize(("amx", "meant"), [(True, "bf16"), (False, "fp32")])
def test_a_search_in_auto_is_the_one_meant(
    amx: bool, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    has(monkeypatch, amx, avx512=False)
    images = random_images(2)
    found = small_search(steps=5, precision="auto")(images)
    assert_same(found, small_search(steps=5, precision=meant)(images))


def test_an_unknown_precision_is_told_the_others() -> None:
    with pytest.raises(ValueError, match=r"one of \('auto', 'fp32', 'bf16'\), got 'fp8'"):
        dtype_of("fp8", CPU)
