# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""How many images are searched for at once: what fits in memory, and no more than helps."""

import psutil
import torch
from torch import nn

_ENOUGH_ON_CPU = 32  # more fill no more of a processor, and leave its caches
_ENOUGH_ON_GPU = 1024
_SHARE = 0.5  # of the free memory: other programs live here too
_COPIES = 3  # outputs kept for the way back, their gradients, and what convolutions reorder


def bytes_per_image(networks: list[nn.Module], example: torch.Tensor) -> int:
    """Memory that one image takes in one step, estimated.

    Args:
        networks: Frozen networks, one taking in what the one before gives.
        example: ``(1, ...)`` input of the first.

    Returns:
        Bytes.
    """
    sizes: list[int] = []

    def note(_: nn.Module, __: object, output: torch.Tensor) -> None:
        sizes.append(output.numel() * max(output.element_size(), 4))

    leaves = [m for n in networks for m in n.modules() if not list(m.children())]
    hooks = [leaf.register_forward_hook(note) for leaf in leaves]
    try:
        with torch.no_grad():
            for network in networks:
                example = network(example)
    finally:
        for hook in hooks:
            hook.remove()
    return _COPIES * sum(sizes)


def batch_size_for(per_image: int, device: torch.device) -> int:
    """Images to search for at once.

    Args:
        per_image: Bytes that one takes.
        device: Where.

    Returns:
        At least 1.
    """
    if device.type == "cuda":
        free, enough = torch.cuda.mem_get_info(device)[0], _ENOUGH_ON_GPU
    else:
        free, enough = psutil.virtual_memory().available, _ENOUGH_ON_CPU
    return max(1, min(enough, int(_SHARE * free) // max(per_image, 1)))


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error says that memory ran out, on a GPU or on the CPU.

    Args:
        error: Any exception.

    Example:
        >>> is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory"))
        True
        >>> is_out_of_memory(RuntimeError("shapes do not match"))
        False
    """
    said = str(error).lower()
    return (
        isinstance(error, torch.OutOfMemoryError | MemoryError)
        or "defaultcpuallocator" in said
        or "could not create a memory" in said
    )
