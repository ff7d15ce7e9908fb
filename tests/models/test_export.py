# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""AnoGAN in a file: both searches, labels, photographs of any size, and what cannot be exported.

What holds for every model, scores as the checkpoint's, is in test_registered_models.py.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from anomalib.deploy import OpenVINOInferencer
from torchvision.transforms.v2.functional import resize

from anogan_plugin import AnoGAN, FAnoGAN
from anogan_plugin.models.components.antialiased_resize import resize_antialiased

TINY: dict[str, Any] = {
    "image_size": 32,
    "width": 4,
    "latent_size": 8,
    "search_precision": "fp32",
}
IMAGES = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def varied(model: Any) -> Any:
    """Give a model weights and running statistics of images that vary, as a trained one has."""
    torch.manual_seed(0)
    with torch.no_grad():
        for _ in range(50):
            model.model.generator(torch.randn(32, 8))
        model.model.generator.layers[-2].weight *= 10
    return model.eval()


def answers(path: Path, images: torch.Tensor) -> dict[str, Any]:
    """What ONNX Runtime makes of images, by the outputs' names."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"input": images.numpy()}), strict=True))


def parts_of(model: Any, count: int = 3, defect: float = 0.6) -> torch.Tensor:
    """Images ``(N, 3, 32, 32)`` that the generator makes, with a darker square on each."""
    latent = torch.randn(count, 8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        images = (model.model.generator(latent) + 1) / 2
    images[:, :, 8:14, 10:16] -= defect
    return images.clamp(0, 1).expand(-1, 3, -1, -1).contiguous()


def knowing_good_parts(model: Any) -> Any:
    """The model with what noisy good parts leave over."""
    images = model.model.images_of(parts_of(model, 64, defect=0) * 2 - 1)
    images += 0.1 * torch.randn(images.shape, generator=torch.Generator().manual_seed(2))
    model.model.standardised.fit(images - model.model.reconstruct(images))
    return model


@pytest.mark.parametrize("search", ["fast", pytest.param("paper", marks=pytest.mark.slow)])
def test_the_search_is_a_loop_in_the_graph(search: Any, tmp_path: Path) -> None:
    model = varied(AnoGAN(**TINY, search=search))
    images, path = parts_of(model), model.to_onnx(tmp_path)
    assert loops_of(path) == 1, "steps are not unrolled"
    found, expected = answers(path, images), model(images)
    assert set(found) == {"pred_score", "anomaly_map"}, "no label without a threshold"
    np.testing.assert_allclose(found["pred_score"], expected.pred_score, rtol=1e-2)
    unsearched = varied(AnoGAN(**TINY, search=search, search_steps=0))(images)
    assert (found["pred_score"] < 0.9 * unsearched.pred_score.numpy()).all()


# In float32 a long search parts from itself, too, when its images change by 1e-7.
@pytest.mark.parametrize(
    ("steps", "tolerance"), [(5, 1e-3), pytest.param(75, 1e-2, marks=pytest.mark.slow)]
)
def test_the_preset_inspection_is_two_loops_and_the_standardised_map(
    steps: int, tolerance: float, tmp_path: Path
) -> None:
    model = knowing_good_parts(varied(AnoGAN(**TINY, preset="inspection", search_steps=steps)))
    images, path = parts_of(model), model.to_onnx(tmp_path)
    assert loops_of(path) == 2, "one in the latent space and one in the first feature map"
    found, expected = answers(path, images), model(images)
    np.testing.assert_allclose(found["pred_score"], expected.pred_score, rtol=tolerance)
    off = np.abs(found["anomaly_map"] - expected.anomaly_map.numpy())
    assert off.max() <= tolerance * expected.anomaly_map.max()
    in_latent_space = varied(AnoGAN(**TINY, search="fast", search_steps=steps))(images)
    assert not np.allclose(expected.anomaly_map, in_latent_space.anomaly_map, rtol=0.1)


@pytest.mark.parametrize(
    ("search", "loops"), [pytest.param("fast", 1, marks=pytest.mark.slow), ("averaged", 2)]
)
def test_the_distance_of_z_is_in_the_graph(search: Any, loops: int, tmp_path: Path) -> None:
    model = varied(AnoGAN(**TINY, search=search, search_steps=5, image_score="distance"))
    model.model.fit_to_good([model.model.images_of(parts_of(model, 64, defect=0) * 2 - 1)])
    images, path = parts_of(model), model.to_onnx(tmp_path)
    assert loops_of(path) == loops
    found, expected = answers(path, images), model(images)
    np.testing.assert_allclose(found["pred_score"], expected.pred_score, rtol=1e-3)
    assert expected.pred_score.std() > 0.01


@pytest.mark.parametrize("pixels", [True, False])
def test_masks_are_in_the_file_where_pixels_are_judged(pixels: bool, tmp_path: Path) -> None:
    model = varied(AnoGAN(**TINY, search="fast", search_steps=0))
    model.post_processor.calibrate(torch.zeros(9), torch.zeros(9, 32, 32))
    if not pixels:  # as where another overkill was asked for
        model.post_processor._pixel_threshold.fill_(torch.nan)
        model.post_processor.enable_threshold_matching = False
    found = answers(model.to_onnx(tmp_path), IMAGES)
    expected = {"pred_score", "pred_label", "anomaly_map"} | ({"pred_mask"} if pixels else set())
    assert set(found) == expected
    assert model.post_processor.judges_pixels


def loops_of(path: Path) -> int:
    """Loops in an ONNX file."""
    return sum(node.op_type == "Loop" for node in onnx.load(path).graph.node)


@pytest.mark.slow
def test_openvinos_own_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the inferencer makes a folder where it stands
    model = varied(AnoGAN(**TINY, search="fast", search_steps=10))
    in_float32 = {"INFERENCE_PRECISION_HINT": "f32"}
    inferencer = OpenVINOInferencer(model.to_openvino(tmp_path), "CPU", in_float32)
    found: Any = inferencer.predict(IMAGES)
    np.testing.assert_allclose(found.pred_score, model(IMAGES).pred_score, rtol=1e-3)


@pytest.mark.slow
def test_an_encoders_start_is_refined_in_the_graph(tmp_path: Path) -> None:
    model = varied(FAnoGAN(**TINY, search_steps=5))
    found = answers(model.to_onnx(tmp_path), IMAGES)
    np.testing.assert_allclose(found["pred_score"], model(IMAGES).pred_score, rtol=1e-3)
    encoded = varied(FAnoGAN(**TINY))(IMAGES).pred_score
    assert not np.allclose(found["pred_score"], encoded, rtol=1e-2)


@pytest.mark.parametrize("shape", [(300, 201), (64, 64), (20, 40), (64, 9)])
def test_resizing_is_torchvisions(shape: tuple[int, int]) -> None:
    images = torch.rand(2, 3, *shape)
    expected = resize(images, [64, 64], antialias=True)
    torch.testing.assert_close(resize_antialiased(images, (64, 64)), expected, atol=1e-5, rtol=0)


def test_a_search_that_stops_early_is_refused(tmp_path: Path) -> None:
    model = varied(AnoGAN(**TINY, search_steps=500, search_stop_tolerance=0.9))
    with pytest.raises(ValueError, match="search_stop_tolerance 0 for an export"):
        model.to_onnx(tmp_path)


def test_an_export_before_any_score_is_refused() -> None:
    with pytest.raises(RuntimeError, match="scored an image before it is exported"):
        torch.export.export(AnoGAN(**TINY).eval(), (IMAGES,))


@pytest.mark.parametrize("package", ["onnxscript", "openvino"])
def test_a_missing_package_is_named(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    hint = rf"{package}: pip install '.\[export\]'"
    with pytest.raises(ModuleNotFoundError, match=hint):
        AnoGAN(**TINY, search_steps=1).to_openvino(tmp_path)
