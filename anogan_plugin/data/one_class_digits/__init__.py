# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Handwritten digits, some of which are normal and the rest anomalies."""

from .datamodule import OneClassDigits

__all__ = ["OneClassDigits"]
