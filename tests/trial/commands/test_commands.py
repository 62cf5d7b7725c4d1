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

    # In a folder of their own the new labels are a data set, with the same images and splits.
    (tmp_path / "data" / "splits.json").write_text(json.dumps({"train": [], "val": [], "test": ["images/a.png"]}))
    folder = tmp_path / "cleaned"
    program("clean", "--data", tmp_path / "data", "--detections", tmp_path / "teacher.json", "--out", folder / "annotations.json")
    assert json.loads((folder / "splits.json").read_text())["test"] == ["images/a.png"]
    assert Image.open(folder / "images" / "a.png").width == 200
    (tmp_path / "data" / "splits.json").write_text(json.dumps({"train": ["images/a.png"], "val": [], "test": []}))
    program("clean", "--data", tmp_path / "data", "--detections", tmp_path / "teacher.json", "--out", folder / "annotations.json")
    assert json.loads((folder / "splits.json").read_text())["train"] == ["images/a.png"]


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


def refused(*arguments):
    result = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)
    assert result.returncode == 2, result.stderr
    return result.stderr


def contents(folder):
    """But for the lock, which names the process."""
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file() and file.name != ".lock"}


def test_detect_never_replaces_what_it_reads(tmp_path):
    photos, link = tmp_path / "photos", tmp_path / "link"
    for name in ("a.png", "sub/b.png"):
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 48)).save(photos / name)
    link.symlink_to("photos")
    (photos / "film.mp4").write_text("no film")
    before = contents(tmp_path)
    for arguments in ([photos, "--out", photos], [photos, "--out", link], [photos / "a.png", "--out", link], [photos / "film.mp4", "--out", link],
                      [photos, "--json", link / "a.png"]):
        assert "would replace the input" in refused("detect", "--weights", MODEL, *arguments)
        assert contents(tmp_path) == before


def test_detect_finds_the_images_below_a_folder(faces, tmp_path):
    photos, found = tmp_path / "photos", tmp_path / "photos" / "found"
    image = next((faces / "images").iterdir())
    for name in ("a.jpg", "sub/a.jpg"):
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        (photos / name).write_bytes(image.read_bytes())
    (photos / "sub" / "film.mp4").write_text("no film")
    for _ in range(2):  # the second time, drawings are there
        result = program("detect", "--weights", MODEL, photos, "--out", found, "--json", tmp_path / "found.json", "--score", "0")
        assert "leaves out 1 videos" in result.stderr and "film.mp4" in result.stderr
        assert {(entry["image_id"], entry["file_name"]) for entry in json.loads((tmp_path / "found.json").read_text())} == \
            {(1, "a.jpg"), (2, "sub/a.jpg")}
        assert {str(file.relative_to(found)) for file in contents(found)} == {"a.png", "sub/a.png"}


QUICK = [f"--set={setting}" for setting in ("epochs=1", "validate_every=1", "crop_size=96", "batch_size=8")]


def test_what_a_run_left_stays_when_the_next_one_cannot_start(faces, tmp_path):
    out = tmp_path / "out"
    train = ["train", "--data", faces, "--out", out, *QUICK]
    program(*train)
    before = contents(out)
    for more in ([], ["--set=batch_size=3", "--device=gpu"]):
        assert "holds a finished run" in refused(*train, *more)
        assert contents(out) == before
    result = json.loads((out / "result.json").read_text())
    (out / "result.json").write_text(json.dumps({**result, "ending": "interrupted"}))
    before = contents(out)
    assert "--device" in refused(*train, "--set=batch_size=3", "--device=gpu")
    assert contents(out) == before
    refused("train", "--data", faces, "--device=gpu", "--out", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_finished_trial_that_nni_repeats_reports_its_result_again(faces, tmp_path):
    (tmp_path / "parameter.cfg").write_text(json.dumps({"parameter_id": 3, "parameters": {"learning_rate": 0.001}}))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NNI_")}
    environment |= {"NNI_PLATFORM": "local", "NNI_TRIAL_JOB_ID": "AbCdE", "NNI_SYS_DIR": str(tmp_path), "NNI_OUTPUT_DIR": str(tmp_path)}

    def run(*more):
        metrics = tmp_path / ".nni" / "metrics"
        metrics.unlink(missing_ok=True)
        subprocess.run([PROGRAM, "train", "--data", faces, *QUICK, *more], env=environment, capture_output=True, check=True)
        return metrics.read_bytes()

    first, epochs = run(), epochs_of(tmp_path)
    assert first.count(b"FINAL") == 1 and b"PERIODICAL" in first
    assert run() == first and epochs_of(tmp_path) == epochs
    run("--seed=2")  # another run
    assert epochs_of(tmp_path) != epochs


def test_how_weights_were_mapped_is_kept(faces, tmp_path):
    result = program("train", "--data", faces, "--recipe", "mini_nas", "--set=backbone=mobilenet_v2_x0.5", *QUICK, "--out", tmp_path)
    assert "remapping.txt" in result.stderr
    summary, *layers = (tmp_path / "remapping.txt").read_text().splitlines()
    assert "mapped from proxylessnas_largest to mobilenet_v2_x0.5" in summary and all(": " in layer for layer in layers) and layers


def epochs_of(out):
    file = out / "train.jsonl"
    return [json.loads(line) for line in file.read_text().split("\n")[:-1]] if file.exists() else []
