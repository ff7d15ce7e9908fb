# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""The preset inspection on a test set that its constants have not seen.

They were chosen by test images of the rendered set; this renders others, of the same kind and from
another seed, scores them with a trained model, and writes ``fresh_test_set.json`` beside this file.

    python results/inspection/fresh_test_set.py path/to/model.ckpt --seed 2
"""

import argparse
import json
import tempfile
from pathlib import Path

import pandas as pd
from anomalib.engine import Engine
from sklearn.metrics import roc_auc_score

from anogan_plugin import AnoGAN, ICMold, __version__

RENDER_SEED = 20261128
HERE = Path(__file__).parent


def main() -> None:
    """Render, score, write the AUROCs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path, help="of AnoGAN, trained on the rendered set")
    parser.add_argument("--seed", type=int, required=True, help="of its training")
    parser.add_argument("--images", type=int, default=800, help="half of them short-filled")
    options = parser.parse_args()
    half = options.images // 2
    with tempfile.TemporaryDirectory() as folder:
        data = ICMold(
            root=f"{folder}/icmold",
            render_seed=RENDER_SEED,
            train_good=20,
            test_good=half,
            test_defects=half,
        )
        model = AnoGAN(preset="inspection", evaluator=False, visualizer=False)
        engine = Engine(default_root_dir=folder, accelerator="cpu", devices=1)
        engine.test(model, datamodule=data, ckpt_path=options.checkpoint, verbose=False)
        (path,) = Path(folder).rglob("scores_test.csv")
        scores = pd.read_csv(path)
    found = {
        "seed": options.seed,
        "render_seed": RENDER_SEED,
        "images": len(scores),
        "auroc": float(roc_auc_score(scores.label, scores.score)),
        "auroc_paper": float(roc_auc_score(scores.label, scores.paper)),
        "anogan_plugin": __version__,
    }
    text = json.dumps(found, indent=2) + "\n"
    (HERE / "fresh_test_set.json").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
