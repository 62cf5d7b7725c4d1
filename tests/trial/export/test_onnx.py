"""A detector that the real program exported: a valid ONNX file that onnxruntime runs, the same at a fixed size and at any."""

import os
import subprocess
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

SOURCE = Path(__file__).resolve().parents[3]
PROGRAM = Path(os.environ.get("HYPERFD_TRIAL", SOURCE / "build" / "release" / "bin" / "hyperfd-trial"))
PUBLIC = SOURCE.parent / "shared" / "data" / "weights" / "retinaface_mobilenet0.25_Final.pth"
pytestmark = [
    pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} is not built"),
    pytest.mark.skipif(not PUBLIC.exists(), reason=f"{PUBLIC} is not on this machine"),
]


def program(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    file = tmp_path_factory.mktemp("weights") / "public.pt"
    result = program("import-weights", PUBLIC, "--out", file)
    assert result.returncode == 0, result.stderr
    return file


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
