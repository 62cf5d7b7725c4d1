"""The sample data set: complete, exact, the same for the same seed, and careful with folders that are not its own."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "make_sample_data.py"


def make(out, *arguments):
    return subprocess.run([sys.executable, SCRIPT, out, *arguments], capture_output=True, text=True)


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    out = tmp_path_factory.mktemp("data") / "sample"
    result = make(out, "--images", "40")
    assert result.returncode == 0, result.stderr
    return out


def test_annotations_fit_the_pictures(sample):
    annotations = json.loads((sample / "annotations.json").read_text())
    assert len(annotations["images"]) == 40
    sizes = {}
    for image in annotations["images"]:
        with Image.open(sample / image["file_name"]) as picture:
            assert picture.size == (image["width"], image["height"])
        assert 256 <= image["width"] <= 400 and 192 <= image["height"] <= 300
        sizes[image["id"]] = (image["width"], image["height"])
    for annotation in annotations["annotations"]:
        x, y, width, height = annotation["bbox"]
        assert 18 <= width == height <= 90
        assert x >= 0 and y >= 0
        assert x + width <= sizes[annotation["image_id"]][0] and y + height <= sizes[annotation["image_id"]][1]
    per_image = [sum(a["image_id"] == i for a in annotations["annotations"]) for i in sizes]
    assert min(per_image) == 0 and max(per_image) <= 4 and sum(per_image) > 40


def test_boxes_enclose_what_was_pasted(sample, monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    import make_sample_data as script

    scene = np.full((100, 120, 3), 200.0)
    pasted = scene.copy()
    script.paste(np.random.default_rng(1), pasted, np.zeros((25, 25), np.uint8), 30, 20, 40)
    rows, columns = np.nonzero(np.abs(pasted - scene).max(axis=2) > 1)
    assert (rows.min() - 20, columns.min() - 30) <= (2, 2)
    assert rows.max() < 60 and columns.max() < 70 and rows.max() >= 57 and columns.max() >= 67


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(sample, tmp_path):
    assert make(tmp_path / "again", "--images", "40").returncode == 0
    assert content(tmp_path / "again") == content(sample)
    assert make(tmp_path / "other", "--images", "40", "--seed", "2").returncode == 0
    assert content(tmp_path / "other") != content(sample)


def test_a_second_call_does_nothing_and_other_arguments_replace(tmp_path):
    out = tmp_path / "sample"
    make(out, "--images", "3")
    before = (out / "annotations.json").stat().st_mtime_ns
    assert make(out, "--images", "3").stdout == ""
    assert (out / "annotations.json").stat().st_mtime_ns == before
    make(out, "--images", "2")
    assert len(list((out / "images").iterdir())) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["sample"]  # nothing temporary stays


def test_leaves_a_folder_alone_that_is_not_its_own(tmp_path):
    out = tmp_path / "mine"
    out.mkdir()
    (out / "annotations.json").write_text('{"images": [], "annotations": []}')
    result = make(out)
    assert result.returncode == 1 and "exists and is not a sample data set" in result.stderr
    assert content(out).keys() == {"annotations.json"}


@pytest.mark.parametrize("arguments", [("--images", "0"), ("--seed", "-1"), ("--images", "many")])
def test_names_wrong_arguments(tmp_path, arguments):
    result = make(tmp_path / "sample", *arguments)
    assert result.returncode == 2 and arguments[0] in result.stderr
    assert not (tmp_path / "sample").exists()
