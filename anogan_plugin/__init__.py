# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""AnoGAN for anomalib: anomaly detection by searching a GAN's latent space.

Importing this package is cheap: the classes below, and with them torch and anomalib, are imported
when first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from anogan_plugin.registration import DATA_MODULES, MODELS, register

if TYPE_CHECKING:
    from anogan_plugin.data.icmold import ICMold
    from anogan_plugin.data.one_class_digits import OneClassDigits
    from anogan_plugin.latent_search import LatentSearch
    from anogan_plugin.models.alad import ALAD
    from anogan_plugin.models.anogan import AnoGAN
    from anogan_plugin.models.conv_autoencoder import ConvAutoencoder
    from anogan_plugin.models.efficient_gan import EfficientGAN
    from anogan_plugin.models.f_anogan import FAnoGAN
    from anogan_plugin.models.pca import PCA
    from anogan_plugin.models.supervised_cnn import SupervisedCNN
    from anogan_plugin.models.vae import VAE

__version__ = "0.1.0"

__all__ = [
    "ALAD",
    "PCA",
    "VAE",
    "AnoGAN",
    "ConvAutoencoder",
    "EfficientGAN",
    "FAnoGAN",
    "ICMold",
    "LatentSearch",
    "OneClassDigits",
    "SupervisedCNN",
]

_LAZY = {**MODELS, **DATA_MODULES, "LatentSearch": "anogan_plugin.latent_search"}

# Before any module of this package can be imported: see registration.py for why that matters.
register()


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
