# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Make the stock ``anomalib`` command and its Python functions know this package's classes.

This is the only module that touches anomalib's registries. To add a model or a data module, write
its class and add one line to :data:`MODELS` or :data:`DATA_MODULES`. A pretrained
network registers itself with timm, where anomalib's models look for it by name; the modules in
:data:`BACKBONES` are imported for that. A subcommand is a line in :data:`PIPELINES`.

How it works. ``import torch`` calls :func:`register` through the entry point group
``torch.backends``, and so does ``import anogan_plugin``. The function imports neither torch nor
anomalib; it leaves post-import hooks (PEP 369, by wrapt) of two kinds:

1. when anomalib is ready, import the modules of the tables below;
2. when one of those modules is complete, put its class where anomalib looks names up.

They are two because a user may import a module of this package first: it imports anomalib half-way
through, so that anomalib is ready before the class exists.

``TORCH_DEVICE_BACKEND_AUTOLOAD=0`` keeps torch from calling the entry point. The dotted path, as in
``anomalib train --model anogan_plugin.models.anogan.AnoGAN``, works without it.
"""

import contextlib
import importlib
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from types import ModuleType

MODELS = {
    "ALAD": "anogan_plugin.models.alad",
    "AnoGAN": "anogan_plugin.models.anogan",
    "ConvAutoencoder": "anogan_plugin.models.conv_autoencoder",
    "EfficientGAN": "anogan_plugin.models.efficient_gan",
    "FAnoGAN": "anogan_plugin.models.f_anogan",
    "PCA": "anogan_plugin.models.pca",
    "SupervisedCNN": "anogan_plugin.models.supervised_cnn",
    "VAE": "anogan_plugin.models.vae",
}
"""Name of each model class, and the module to import it from."""

DATA_MODULES = {
    "ICMold": "anogan_plugin.data.icmold",
    "OneClassDigits": "anogan_plugin.data.one_class_digits",
}
"""Name of each data module class, and the module to import it from."""

BACKBONES = {
    "efficientnet_lite0_offline": "anogan_plugin.backbones.efficientnet_lite0",
}
"""Name of each pretrained network, and the module whose import registers it with timm."""

PIPELINES = {
    "compare": ("anogan_plugin.comparison.pipeline", "Compare"),
    "score": ("anogan_plugin.archive.pipeline", "Score"),
    "serve": ("anogan_plugin.serving.pipeline", "Serve"),
}
"""Name of each subcommand, the module to import and the class in it that runs it."""


@dataclass(frozen=True)
class Registry:
    """A place where anomalib looks classes up by name.

    Args:
        package: Module whose attributes anomalib reads (``getattr(package, name)``).
        trigger: Module whose import means that ``package`` can be extended. ``package`` itself does
            not serve: wrapt calls a hook at once for a name in ``sys.modules``, and anomalib
            imports torch, hence calls :func:`register`, while ``package`` is half imported.
        base: Attribute of ``package`` from which every class looked up there derives.
        classes: Name of each class to add, and the module to import it from.
    """

    package: str
    trigger: str
    base: str
    classes: dict[str, str]


REGISTRIES = (
    Registry("anomalib.models", "anomalib.models.image", "AnomalibModule", MODELS),
    Registry("anomalib.data", "anomalib.data.predict", "AnomalibDataModule", DATA_MODULES),
)


@cache
def register() -> None:
    """Add this package's classes to anomalib as soon as anomalib is imported.

    Never raises, because an exception here would break every ``import torch`` of the environment:
    what goes wrong becomes a :class:`RuntimeWarning`, and anomalib works without the class.
    """
    try:
        from wrapt import register_post_import_hook

        for registry in REGISTRIES:
            for name, module in registry.classes.items():
                register_post_import_hook(partial(_publish, registry, name), module)
            register_post_import_hook(partial(_import_classes, registry), registry.trigger)
        # Not `timm`, which imports torch, hence calls this function, while it is half imported.
        register_post_import_hook(_import_backbones, "timm.models")
        # When this is imported, `anomalib.cli.pipelines` is complete and the command line not made.
        register_post_import_hook(_add_pipelines, "anomalib.cli.utils.openvino")
    except Exception as error:
        _warn(_failure("its classes", error))


def _import_classes(registry: Registry, _trigger: ModuleType) -> None:
    """Import every class of ``registry``, unless that has begun or another class has its name."""
    for name, module in registry.classes.items():
        try:
            if module not in sys.modules and not _name_is_taken(registry, name):
                importlib.import_module(module)
        except Exception as error:
            _warn(_failure(f"{module}.{name}", error))


def _import_backbones(_trigger: ModuleType) -> None:
    """Import what registers the pretrained networks with timm, unless that has begun."""
    for name, module in BACKBONES.items():
        try:
            if module not in sys.modules:
                importlib.import_module(module)
        except Exception as error:
            _warn(_failure(f"{module}.{name}", error))


def _add_pipelines(_trigger: ModuleType) -> None:
    """Add every subcommand, unless another package has one of its name."""
    registry = sys.modules["anomalib.cli.pipelines"].PIPELINE_REGISTRY
    for name, (module, attribute) in PIPELINES.items():
        try:
            if registry is not None and name not in registry:
                registry[name] = getattr(importlib.import_module(module), attribute)
        except Exception as error:
            _warn(_failure(f"the subcommand {name}", error))


def _publish(registry: Registry, name: str, module: ModuleType) -> None:
    """Put class ``name`` of the just imported ``module`` where anomalib looks it up."""
    try:
        if not _name_is_taken(registry, name):
            setattr(sys.modules[registry.package], name, getattr(module, name))
    except Exception as error:
        _warn(_failure(f"{module.__name__}.{name}", error))


def _name_is_taken(registry: Registry, name: str) -> bool:
    """Whether a class of another package is called ``name``; if so, warn and name both owners.

    Two classes of one name would stop jsonargparse ("Multiple subclasses with name"). Case does not
    count, as in ``anomalib.models.get_model``.
    """
    base = getattr(sys.modules[registry.package], registry.base)
    for owner in _subclasses(base):
        of_another_package = owner.__module__.partition(".")[0] != __package__
        if of_another_package and owner.__name__.lower() == name.lower():
            ours = f"{registry.classes[name]}.{name}"
            _warn(
                f"`{name}` means {owner.__module__}.{owner.__qualname__}, not {ours}, which is not "
                f"registered because the name is taken: write `{ours}` in full to use it."
            )
            return True
    return False


def _subclasses(base: type[object]) -> Iterator[type[object]]:
    """Yield every class derived from ``base``, directly or not."""
    for subclass in base.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _failure(what: str, error: Exception) -> str:
    return (
        f"anogan_plugin could not register {what} with anomalib "
        f"({type(error).__name__}: {error}): reinstall anogan_plugin, or set "
        "TORCH_DEVICE_BACKEND_AUTOLOAD=0 to work without it."
    )


def _warn(message: str) -> None:
    with contextlib.suppress(Warning):  # `python -W error` must not break `import torch` either
        warnings.warn(message, RuntimeWarning, stacklevel=2)
