"""scripts/plot_meta_features.py on made-up feature files, scripts/meta_features.py on real ones."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "plot_meta_features.py"


def write_features(file, centre, extractor="a"):
    images = numpy.random.default_rng(7).normal(centre, 1, (24, 6)).astype("<f2")
    header = {"extractor": extractor * 64, "images": 24, "features": 6, "statistic_names": ["s"], "statistics": [3.2]}
    content = json.dumps(header).encode() + b"\n" + images.tobytes()
    file.write_bytes(b"HyperFD features 1\n" + hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
    return file


def run(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *arguments, "--samples", "6", "--images", "8"], capture_output=True,
                          text=True)


def test_tells_domains_apart(tmp_path):
    files = [write_features(tmp_path / f"{centre}.features", centre) for centre in (-3, 0, 3)]
    finished = run(*files)
    assert finished.returncode == 0, finished.stderr
    scores = [float(line.rsplit(" ", 1)[1]) for line in finished.stdout.splitlines() if line.startswith("silhouette")]
    assert len(scores) == 3 and min(scores) > 0.5


def test_refuses_what_does_not_go_together(tmp_path):
    one, other = write_features(tmp_path / "1.features", 0), write_features(tmp_path / "2.features", 0, "b")
    assert "different extractors" in run(one, other).stderr
    other.write_bytes(one.read_bytes()[:-1])
    assert "damaged" in run(one, other).stderr
    other.write_bytes(b"PK")
    assert "expected a file of hyperfd-trial describe" in run(one, other).stderr


def test_draws_what_a_bundles_extractor_makes_of_its_data_sets(tmp_path):
    root = SCRIPT.parents[1]
    features = [root / "tuner/bench/tables/face-mini/features" / f"{name}.features" for name in ("anime", "mask", "wider_crowd")]
    finished = run(*features, "--bundle", root / "models" / "faces.sqlite", "--out", tmp_path / "a.png")
    assert finished.returncode == 0, finished.stderr
    (learned,) = [line for line in finished.stdout.splitlines() if "G as it learned" in line]
    assert 0 < float(learned.rsplit(" ", 1)[1]) <= 1
    assert (tmp_path / "a.png").stat().st_size > 1000
    assert "of another extractor" in run(write_features(tmp_path / "o.features", 0), "--bundle", root / "models" / "faces.sqlite").stderr


def test_lists_what_files_say():
    folder = SCRIPT.parents[1] / "tuner/bench/tables/face-mini/features"
    files = [folder / f"{name}.features" for name in ("mask", "fddb", "anime")]
    listed = subprocess.run([sys.executable, SCRIPT.with_name("meta_features.py"), *files, "--sort", "untuned AP@50"], capture_output=True, text=True)
    assert listed.returncode == 0, listed.stderr
    title, *rows = [line.split("\t") for line in listed.stdout.splitlines()]
    assert [row[0] for row in rows] == ["anime", "mask", "fddb"]
    column = title.index("untuned AP@50")
    assert 0 < float(rows[0][column]) < float(rows[2][column]) <= 1
    assert "expected one of log1p(images)" in subprocess.run(
        [sys.executable, SCRIPT.with_name("meta_features.py"), *files, "--sort", "x"], capture_output=True, text=True).stderr
