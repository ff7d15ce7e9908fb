# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The Ray cluster that ``--ray`` names; needs ``pip install '.[ray]'``."""

import logging
from typing import Any


class ClusterError(ValueError):
    """There is no cluster to run on."""


def connect(address: str) -> Any:
    """Connect this process to a cluster.

    Args:
        address: Of the cluster, ``auto`` for the one that this machine is part of, or ``local``
            for one that ends with this process.

    Returns:
        The module ``ray``, connected.

    Raises:
        ClusterError: If Ray is not installed or there is no cluster.
    """
    try:
        import ray
    except ImportError as error:
        msg = "--ray needs Ray: pip install '.[ray]' in a checkout of anogan_plugin"
        raise ClusterError(msg) from error
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as error:
        msg = f"--ray {address}: there is no cluster ({error}); start one by `ray start --head`"
        raise ClusterError(msg) from error
    return ray
