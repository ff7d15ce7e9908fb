# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What networks compute in: bfloat16 where the machine has instructions for it."""

import torch

PRECISIONS = ("auto", "fp32", "bf16")


def has_bf16(device: torch.device) -> bool:
    """Whether matrix products in bfloat16 are in hardware, and so faster than in float32.

    Args:
        device: A processor (AMX, AVX512-BF16) or a CUDA device.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # torch has no public names for these yet.
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()


def dtype_of(precision: str, device: torch.device) -> torch.dtype:
    """The dtype that a precision means on a device.

    Args:
        precision: ``"fp32"``, ``"bf16"``, or ``"auto"`` for bf16 where :func:`has_bf16`.
        device: Where.

    Raises:
        ValueError: If there is no such precision.

    Example:
        >>> dtype_of("fp32", torch.device("cpu"))
        torch.float32
    """
    if precision not in PRECISIONS:
        msg = f"precision must be one of {PRECISIONS}, got {precision!r}"
        raise ValueError(msg)
    if precision == "bf16" or (precision == "auto" and has_bf16(device)):
        return torch.bfloat16
    return torch.float32
