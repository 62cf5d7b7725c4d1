"""A detector that the real program exported: a valid ONNX file by which onnxruntime finds what the program finds, at a fixed size and at
any."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image

SOURCE = Path(__file__).resolve().parents[3]
PROGRAM = Path(os.environ.get("HYPERFD_BIN_DIR") or SOURCE / "build" / "release" / "bin") / "hyperfd-trial"
PUBLIC = SOURCE.parent / "shared" / "data" / "weights" / "retinaface_mobilenet0.25_Final.pth"
TUNER = PROGRAM.parent / "hyperfd-tuner"
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} is not built")


def program(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "faces"
    subprocess.run([sys.executable, SOURCE / "scripts" / "make_sample_data.py", folder, "--images", "40"], check=True)
    return folder


def public_weights(tmp_path_factory):
    if not PUBLIC.exists():
        pytest.skip(f"{PUBLIC} is not on this machine")
    file = tmp_path_factory.mktemp("weights") / "public.pt"
    result = program("import-weights", PUBLIC, "--out", file)
    assert result.returncode == 0, result.stderr
    return file


def searched_weights(tmp_path_factory, faces):
    """Of an architecture of the ProxylessNAS space, after a short training."""
    folder = tmp_path_factory.mktemp("searched")
    space = SOURCE / "search_spaces" / "proxylessnas.yaml"
    sampled = subprocess.run([TUNER, "space", space, "--sample", "1", "--json"], capture_output=True, text=True, check=True)
    (folder / "architecture.json").write_text(json.dumps(json.loads(sampled.stdout)["samples"][0]))
    result = program("train", "--data", faces, "--recipe", "mini_nas", "--set", "epochs=2", "--set", "validate_every=2",
                     "--params", folder / "architecture.json", "--out", folder / "out")
    assert result.returncode == 0, result.stderr
    return folder / "out" / "best.pt"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return public_weights(tmp_path_factory)


def export(weights, size):
    file = weights.parent / f"{size}.onnx"
    result = program("export", "--weights", weights, "--out", file, "--size", size)
    assert result.returncode == 0, result.stderr
    return file


def test_the_file_is_valid_and_says_where_it_comes_from(weights):
    for size in ("131x97", "dynamic"):
        file = export(weights, size)
        onnx.checker.check_model(str(file), full_check=True)
        metadata = {entry.key: entry.value for entry in onnx.load(file).metadata_props}
        assert 'backbone: "mobilenet_v1_x0.25"' in metadata["recipe"] and metadata["version"]


# 131×97: levels whose sizes are not halves of each other.
@pytest.mark.parametrize("width, height", [(160, 96), (131, 97)])
def test_any_size_gives_what_the_fixed_size_gives(weights, width, height):
    fixed = onnxruntime.InferenceSession(export(weights, f"{width}x{height}"))
    dynamic = onnxruntime.InferenceSession(export(weights, "dynamic"))
    image = np.random.default_rng(0).integers(0, 256, (1, 3, height, width)).astype(np.float32)
    names = ["scores", "boxes", "landmarks"]
    ours = fixed.run(names, {"image": image})
    batch = dynamic.run(names, {"image": np.concatenate([image, image])})
    anchors = ours[0].shape[1]
    assert [output.shape for output in ours] == [(1, anchors), (1, anchors, 4), (1, anchors, 10)]
    for one, two in zip(ours, batch):
        np.testing.assert_allclose(two, np.concatenate([one, one]), rtol=1e-4, atol=1e-3)


def test_sizes_that_make_no_sense_are_named(weights):
    for size in ("640", "0x5", "640x", "9000x10", "big"):
        result = program("export", "--weights", weights, "--out", weights.parent / "x.onnx", "--size", size)
        assert result.returncode == 2 and f'got "{size}"' in result.stderr


@pytest.mark.parametrize("network", ["public", "searched"])
def test_onnxruntime_finds_what_the_program_finds(tmp_path_factory, tmp_path, faces, network):
    weights = public_weights(tmp_path_factory) if network == "public" else searched_weights(tmp_path_factory, faces)
    source = sorted((faces / "images").iterdir())[0]
    image = Image.open(source).convert("RGB")
    image = image.crop((0, 0, image.width // 32 * 32, image.height // 32 * 32))
    image.save(tmp_path / "image.png")
    score = "0.5" if network == "public" else "0.02"  # the other one has hardly been trained
    result = program("detect", tmp_path / "image.png", "--weights", weights, "--native", "--score", score, "--json", tmp_path / "found.json")
    assert result.returncode == 0, result.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert found

    session = onnxruntime.InferenceSession(export(weights, f"{image.width}x{image.height}"))
    pixels = np.asarray(image)[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32)  # blue, green, red
    scores, boxes, landmarks = (output[0] for output in session.run(["scores", "boxes", "landmarks"], {"image": pixels}))
    boxes[:, 2:] -= boxes[:, :2]
    for detection in found:
        anchor = np.abs(boxes - detection["bbox"]).sum(1).argmin()
        np.testing.assert_allclose(boxes[anchor], detection["bbox"], atol=0.05)
        assert scores[anchor] == pytest.approx(detection["score"], abs=1e-4)
    # And no other anchor is surer than the program's best.
    assert scores.max() == pytest.approx(max(detection["score"] for detection in found), abs=1e-4)
