# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""A variational autoencoder (Kingma & Welling 2014; An & Cho 2015)."""

from anogan_plugin.models.vae.lightning_model import VAE
from anogan_plugin.models.vae.torch_model import VAEModel

__all__ = ["VAE", "VAEModel"]
