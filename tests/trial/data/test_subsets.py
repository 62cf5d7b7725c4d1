"""`hyperfd-trial subsets` as a whole: features of a detector, of a classifier, of colours and labels, clustered by scikit-learn."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TRIAL = Path(os.environ.get("HYPERFD_BIN_DIR") or ROOT / "build" / "release" / "bin") / "hyperfd-trial"
SHARED = ROOT.parent / "shared" / "data"
DATA = SHARED / "wider_crowd"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not there")


def run(*command):
    return subprocess.run([TRIAL, *map(str, command)], check=True, capture_output=True, text=True, timeout=300,
                          env={**os.environ, "OMP_NUM_THREADS": "1"}).stdout


def test_a_classifiers_features_make_subsets_too(tmp_path):
    classifier, out = tmp_path / "imagenet.pt", tmp_path / "subsets"
    run("import-weights", SHARED / "weights" / "mobilenetV1X0.25_pretrain.tar", "--out", classifier)
    text = run("subsets", "--data", DATA, "--weights", "", "--classifier", classifier, "--clusters", 2, "--min-images", 40,
               "--out", out, "--python", sys.executable)
    assert "6 sources of features" in text
    images = {image["file_name"] for image in json.loads((DATA / "annotations.json").read_text())["images"]}
    subsets = {folder.name: json.loads((folder / "derived.json").read_text())["images"] for folder in out.iterdir()}
    assert any(name.startswith("classifier") for name in subsets)
    assert {name.split("_")[0] for name in subsets} <= {"classifier8", "classifier16", "classifier32", "labels", "colour", "gradient"}
    for name, members in subsets.items():
        assert 40 <= len(members) <= len(images) - 40, name
        assert set(members) <= images and len(set(members)) == len(members)
