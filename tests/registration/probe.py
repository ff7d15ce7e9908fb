# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Import the module given as argument, then check that anomalib knows the plugin's classes.

Run in a fresh process: ``python probe.py <module imported first>``. Imports the plugin itself only
at the end, to compare, since that would register it.
"""

import importlib
import sys


def main(first_import: str) -> None:
    importlib.import_module(first_import)

    import anomalib.cli
    import anomalib.data
    import anomalib.models

    assert "anogan_plugin" in sys.modules
    from anogan_plugin.registration import DATA_MODULES, MODELS, PIPELINES

    for name, module in MODELS.items():
        model_class = getattr(anomalib.models, name)
        assert model_class is getattr(importlib.import_module(module), name)
        # anomalib.models.get_model and list_models see no indirect ones
        assert model_class in anomalib.models.AnomalibModule.__subclasses__()
        assert name in anomalib.models.list_models(case="pascal")

    for name, module in DATA_MODULES.items():
        assert getattr(anomalib.data, name) is getattr(importlib.import_module(module), name)

    registry = anomalib.cli.pipelines.PIPELINE_REGISTRY or {}
    for name, (module, attribute) in PIPELINES.items():
        assert registry[name] is getattr(importlib.import_module(module), attribute)


if __name__ == "__main__":
    main(sys.argv[1])
