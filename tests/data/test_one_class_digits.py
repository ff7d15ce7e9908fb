# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

import gzip
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from anomalib.data import get_datamodule
from skimage import io as skimage_io
from skimage.transform import resize
from sklearn.datasets import load_digits

from anogan_plugin.data.one_class_digits import OneClassDigits
from tests.shared_data import shared_data

pytestmark = pytest.mark.usefixtures("dataset_cache")

FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


def ready(root: Path | None = None, **arguments: Any) -> Any:
    datamodule = OneClassDigits(root, **{"train_batch_size": 4, **arguments})
    datamodule.setup()
    return datamodule


def idx(values: np.ndarray) -> bytes:
    """Encode after LeCun's description: 0, 0, type (8: unsigned byte), dimensions, sizes."""
    header = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return header + values.astype(np.uint8).tobytes()


def write_idx(folder: Path, npz: Path, compress: bool = False, dot: str = "-") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with np.load(npz) as arrays:
        for key, name in FILES.items():
            content = idx(arrays[key])
            name = name.replace("-idx", f"{dot}idx")
            path = folder / (f"{name}.gz" if compress else name)
            path.write_bytes(gzip.compress(content) if compress else content)


def test_bundled_digits_are_split_by_class() -> None:
    datamodule = ready(normal_digits=[3], held_out_ratio=0.1)
    target = load_digits().target
    test = datamodule.test_data.samples
    assert len(test) == 599
    for digit in range(10):
        share = (test.digit == digit).sum() / (target == digit).sum()
        assert share == pytest.approx(1 / 3, abs=0.01)
    train = len(datamodule.train_data) + len(datamodule.val_data)
    assert train == (target == 3).sum() - (test.digit == 3).sum()
    assert set(datamodule.train_data.samples.digit) == {3}
    everything = [*datamodule.train_data.samples.image_path, *test.image_path]
    assert len(set(everything)) == len(everything)


def test_normal_digits_are_good_and_the_others_are_defects() -> None:
    samples = ready(normal_digits=[1, 7]).test_data.samples
    normal = samples.digit.isin([1, 7])
    assert (samples.label_index == (~normal)).all()
    assert (samples.defect_type[normal] == "good").all()
    assert (samples.defect_type[~normal] == samples.digit[~normal].astype(str)).all()
    assert samples.attrs["task"] == "classification"


def test_seed_decides_the_split() -> None:
    paths = [set(ready(seed=seed).test_data.samples.image_path) for seed in (0, 0, 1)]
    assert paths[0] == paths[1] != paths[2]


def test_images_are_the_digits_resized(tiny_digits: Path) -> None:
    data = ready(tiny_digits, image_size=16, normal_digits=[0]).test_data
    with np.load(tiny_digits) as arrays:
        images, labels = arrays["x_test"], arrays["y_test"]
    assert len(data) == len(labels) == 100
    for index in (0, 50, 99):
        row = data.samples.iloc[index]
        number = int(Path(row.image_path).stem)
        assert row.digit == labels[number]
        expected = resize(images[number] / 255, (16, 16), order=1, mode="edge")
        np.testing.assert_allclose(
            data[index].image.numpy(), np.stack([expected] * 3), atol=1.5 / 255
        )


@pytest.mark.parametrize("layout", ["folder", "idx", "idx.gz", "dots", "torchvision"])
def test_every_source_gives_the_same(tiny_digits: Path, tmp_path: Path, layout: str) -> None:
    writers: dict[str, Callable[[], object]] = {
        "folder": lambda: (tmp_path / "mnist.npz").write_bytes(tiny_digits.read_bytes()),
        "idx": lambda: write_idx(tmp_path, tiny_digits),
        "idx.gz": lambda: write_idx(tmp_path, tiny_digits, compress=True),
        "dots": lambda: write_idx(tmp_path, tiny_digits, dot="."),
        "torchvision": lambda: write_idx(tmp_path / "MNIST" / "raw", tiny_digits),
    }
    writers[layout]()
    found, expected = ready(tmp_path), ready(tiny_digits)
    assert found.test_data.samples.equals(expected.test_data.samples)
    assert found.train_data.samples.equals(expected.train_data.samples)


def test_batches_names_and_pickling(tiny_digits: Path) -> None:
    datamodule = ready(tiny_digits, normal_digits=[7, 1], image_size=8, eval_batch_size=10)
    assert (datamodule.name, datamodule.category) == ("OneClassDigits", "1-7")
    batch = next(iter(datamodule.test_dataloader()))
    assert batch.image.shape == (10, 3, 8, 8)
    assert batch.gt_mask is None
    copy = pickle.loads(pickle.dumps(datamodule))
    assert torch.equal(copy.test_data[0].image, datamodule.test_data[0].image)


def test_found_by_name_by_anomalib() -> None:
    datamodule = get_datamodule({"class_path": "OneClassDigits"})
    assert isinstance(datamodule, OneClassDigits)
    assert datamodule.normal_digits == [1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"normal_digits": [10]}, r"normal_digits is \[10\], expected one to nine of the digits"),
        ({"normal_digits": []}, "expected one to nine"),
        ({"normal_digits": list(range(10))}, "expected one to nine"),
        ({"image_size": 0}, "image_size is 0, expected one number"),
        ({"image_size": (32, 16)}, "the images are square"),
        ({"held_out_ratio": 1.0}, "held_out_ratio is 1.0"),
    ],
)
def test_arguments_out_of_range(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OneClassDigits(**arguments)


def test_fewer_digits_than_a_batch(tiny_digits: Path) -> None:
    with pytest.raises(ValueError, match="do not fill a batch of 64: add images, or give"):
        ready(tiny_digits, train_batch_size=64).train_dataloader()


def test_missing_source(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"typo does not exist: give a folder with IDX"):
        ready(tmp_path / "typo")
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(FileNotFoundError, match=r"has no digits: expected .* found notes.txt"):
        ready(tmp_path)


def test_missing_idx_file(tiny_digits: Path, tmp_path: Path) -> None:
    write_idx(tmp_path, tiny_digits)
    (tmp_path / FILES["y_test"]).unlink()
    with pytest.raises(FileNotFoundError, match=r"t10k-labels-idx1-ubyte .or .gz. does not exist"):
        ready(tmp_path)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[:-1], "damaged: expected 25,616 bytes .*found 25,615"),
        (lambda content: content + b"0", "damaged: expected 25,616 bytes"),
        (lambda content: b"\x00\x00\x08\x01" + content[4:], "magic number 0x0803, found 0x0801"),
        (lambda content: content[:9], "damaged"),
        (lambda content: b"", "found an empty file"),
    ],
)
def test_damaged_idx_file(
    tiny_digits: Path, tmp_path: Path, damage: Callable[[bytes], bytes], message: str
) -> None:
    write_idx(tmp_path, tiny_digits)
    path = tmp_path / FILES["x_train"]
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=rf"train-images-idx3-ubyte .*{message}"):
        ready(tmp_path)


@pytest.mark.parametrize(
    "damage", [lambda c: c[:-20], lambda c: b"text", lambda c: c[:40] + c[90:]]
)
def test_damaged_gzip_file(
    tiny_digits: Path, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    write_idx(tmp_path, tiny_digits, compress=True)
    path = tmp_path / (FILES["x_train"] + ".gz")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte.gz is damaged .*download it"):
        ready(tmp_path)


def test_damaged_npz(tiny_digits: Path, tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz"
    path.write_bytes(tiny_digits.read_bytes()[:-500])
    with pytest.raises(ValueError, match=r"mnist.npz is damaged"):
        ready(path)
    np.savez(path, x_train=np.zeros((3, 8, 8), np.uint8))
    with pytest.raises(ValueError, match=r"mnist.npz lacks y_train, x_test, y_test"):
        ready(path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"y_train": np.full(400, 11)},
        {"y_train": np.zeros(399, int)},
        {"x_test": np.zeros((100, 64), np.uint8)},
        {"x_test": np.zeros((100, 8, 8))},
    ],
)
def test_arrays_that_are_no_digits(
    tiny_digits: Path, tmp_path: Path, wrong: dict[str, np.ndarray]
) -> None:
    with np.load(tiny_digits) as arrays:
        np.savez(tmp_path / "mnist.npz", **{**arrays, **wrong})
    with pytest.raises(ValueError, match=r"mnist.npz does not hold digits: expected images"):
        ready(tmp_path)


def test_changed_cache_is_refused(tiny_digits: Path) -> None:
    path = Path(ready(tiny_digits, image_size=12).test_data.samples.image_path[0])
    skimage_io.imsave(path, np.zeros((12, 12), np.uint8), check_contrast=False)
    with pytest.raises(ValueError, match=r"does not match its dataset.json: 1 changed"):
        ready(tiny_digits, image_size=12)


def test_mnist_has_its_known_counts() -> None:
    datamodule = ready(shared_data("mnist"), image_size=28, held_out_ratio=0.1)
    assert len(datamodule.train_data) + len(datamodule.val_data) == 6742
    assert len(datamodule.val_data) == 674
    counts = datamodule.test_data.samples.digit.value_counts().sort_index().tolist()
    assert counts == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
