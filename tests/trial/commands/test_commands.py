"""Commands of the real program around training: what they write, read as a user would."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

SOURCE = Path(__file__).resolve().parents[3]
PROGRAM = Path(os.environ.get("HYPERFD_BIN_DIR") or SOURCE / "build" / "release" / "bin") / "hyperfd-trial"
MODEL = SOURCE / "models" / "mobilenet_v1_x0.25.pt"
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} is not built")


def program(*arguments):
    result = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "faces"
    subprocess.run([sys.executable, SOURCE / "scripts" / "make_sample_data.py", folder, "--images", "30"], check=True)
    return folder


def one_picture(folder, boxes):
    """A data set of one image of 200×100 pixels."""
    (folder / "images").mkdir(parents=True)
    Image.new("RGB", (200, 100), "grey").save(folder / "images" / "a.png")
    annotations = [{"id": i, "image_id": 1, "category_id": 1, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
                   for i, box in enumerate(boxes, 1)]
    (folder / "annotations.json").write_text(json.dumps({
        "images": [{"id": 1, "file_name": "images/a.png", "width": 200, "height": 100}],
        "categories": [{"id": 1, "name": "face"}], "annotations": annotations}))


def test_clean_corrects_labels_and_lists_what_a_person_should_look_at(tmp_path):
    supported, unsupported = [10, 10, 20, 20], [60, 10, 20, 20]
    better, certain, uncertain, weak = [12, 11, 20, 20], [110, 10, 20, 20], [150, 10, 20, 20], [150, 60, 20, 20]
    one_picture(tmp_path / "data", [supported, unsupported])
    detections = [{"image_id": 1, "category_id": 1, "bbox": box, "score": score}
                  for box, score in ((better, 0.9), (certain, 0.99), (uncertain, 0.7), (weak, 0.3))]
    (tmp_path / "teacher.json").write_text(json.dumps(detections))
    result = program("clean", "--data", tmp_path / "data", "--detections", tmp_path / "teacher.json", "--out", tmp_path / "out" / "clean.json")

    cleaned = json.loads((tmp_path / "out" / "clean.json").read_text())
    assert [annotation["bbox"] for annotation in cleaned["annotations"]] == [better, unsupported, certain]
    items = json.loads((tmp_path / "out" / "review.json").read_text())["items"]
    assert [(item["doubt"], item["bbox"]) for item in items] == [("unsupported_label", unsupported), ("uncertain_detection", uncertain)]
    assert items[1]["score"] == pytest.approx(0.7)
    assert all(item["image"] == "images/a.png" for item in items)
    for item in items:
        assert Image.open(tmp_path / "out" / item["picture"]).width > 0
    assert Image.open(tmp_path / "out" / "review.png").width > 0
    assert "1 boxes replaced, 1 faces added" in result.stdout


def enlarged(faces, folder, factor):
    """A copy of a data set with images and boxes `factor` times as large, all of it for testing, and a face of 13 pixels more in each image."""
    content = json.loads((faces / "annotations.json").read_text())
    (folder / "images").mkdir(parents=True)
    for image in content["images"]:
        picture = Image.open(faces / image["file_name"])
        image["file_name"] = image["file_name"].replace(".jpg", ".png")
        content["annotations"].append({"id": 1000 + image["id"], "image_id": image["id"], "category_id": 1, "iscrowd": 0, "bbox": [0, 0, 13, 13]})
        image["width"], image["height"] = factor * picture.width, factor * picture.height
        picture.resize((image["width"], image["height"]), Image.Resampling.NEAREST).save(folder / image["file_name"])
    for annotation in content["annotations"]:
        annotation["bbox"] = [factor * x for x in annotation["bbox"]]
    (folder / "annotations.json").write_text(json.dumps(content))
    (folder / "splits.json").write_text(json.dumps({"train": [], "val": [], "test": [image["file_name"] for image in content["images"]]}))
    return content


def test_evaluation_resizes_images_and_counts_faces_by_their_size_there(faces, tmp_path):
    """Shorter side 240, faces under 12 pixels then count neither way, however large the files are."""
    scores = []
    for factor in (1, 2):
        content = enlarged(faces, tmp_path / str(factor), factor)
        shorter = {image["id"]: min(image["width"], image["height"]) for image in content["images"]}
        large = [annotation for annotation in content["annotations"] if annotation["bbox"][2] * 240 / shorter[annotation["image_id"]] >= 12]
        assert len(content["annotations"]) - len(content["images"]) < len(large) < len(content["annotations"])
        scores.append(json.loads(program("evaluate", "--data", tmp_path / str(factor), "--weights", MODEL, "--json").stdout))
        assert scores[-1]["faces"] == len(large)
    assert scores[0]["ap50_area"] == pytest.approx(scores[1]["ap50_area"], abs=0.05)


def test_import_lists_everything_that_it_skipped(tmp_path):
    (tmp_path / "images").mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (50, 40)).save(tmp_path / "images" / f"{name}.png")
    labels = ["a.png", "2", "5 5 20 20 0 0 0 0 0 0", "60 5 20 20 0 0 0 0 0 0"]
    labels += [line for i in range(5) for line in (f"missing{i}.png", "1", "5 5 20 20 0 0 0 0 0 0")]
    (tmp_path / "wider.txt").write_text("\n".join(labels) + "\n")
    result = program("import", "wider", tmp_path / "wider.txt", "--images", tmp_path / "images", "--out", tmp_path / "out")
    skipped = (tmp_path / "out" / "skipped.txt").read_text().splitlines()
    assert len(skipped) == 6 and "skipped.txt" in result.stderr
    for i in range(5):
        assert any(f"missing{i}.png" in line and "not there" in line for line in skipped)
    assert any("wider.txt:4" in line and "outside their image" in line for line in skipped)


def test_a_configuration_may_choose_the_weights_and_with_them_the_network(faces, tmp_path):
    configuration = tmp_path / "configuration.json"
    configuration.write_text(json.dumps({"weights": "mobilenet_v2_x0.5", "epochs": 1, "validate_every": 1}))
    program("train", "--data", faces, "--params", configuration, "--out", tmp_path / "out")
    recipe = (tmp_path / "out" / "recipe.yaml").read_text()
    assert 'backbone: "mobilenet_v2_x0.5"' in recipe and 'weights: "mobilenet_v2_x0.5"' in recipe


def test_pretrain_takes_landmarks_from_its_teacher_and_survives_a_kill(faces, tmp_path):
    out = tmp_path / "out"
    command = [PROGRAM, "pretrain", "--data", faces, "--teacher", MODEL, "--out", out, "--threads", "1"]
    command += [f"--set={setting}" for setting in ("epochs=100000", "validate_every=20", "crop_size=96", "batch_size=8")]

    def start():
        return subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    process = start()
    until = time.monotonic() + 100
    while not (out / "checkpoint.pt").exists():  # the first one comes after ten seconds
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    assert "faces have landmarks" in errors
    before = epochs_of(out)

    process = start()
    for line in process.stderr:
        if "going on behind epoch" in line:
            break
    resumed = int(line.split("going on behind epoch ")[1].split()[0])
    while len(epochs_of(out)) < resumed + 25:  # at least one validation
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == 0
    epochs = epochs_of(out)
    assert epochs[:resumed] == before[:resumed] and [epoch["epoch"] for epoch in epochs] == list(range(1, len(epochs) + 1))
    assert max(epoch["landmarks"] for epoch in epochs) > 0
    summary = json.loads((out / "result.json").read_text())
    assert summary["ending"] == "interrupted"
    assert 20 < summary["training_images"] < 30 and summary["test_ap"] is None  # all but the validation split
    # What others start from.
    program("train", "--data", faces, "--weights", out / "best.pt", "--set", "epochs=1", "--set", "validate_every=1", "--out", tmp_path / "next")


def epochs_of(out):
    file = out / "train.jsonl"
    return [json.loads(line) for line in file.read_text().split("\n")[:-1]] if file.exists() else []
