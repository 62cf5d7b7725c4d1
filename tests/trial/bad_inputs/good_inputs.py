"""The inputs that every case starts from. All are good: test_bad_inputs.py runs the commands on them."""

import io
import json
import sqlite3
import subprocess
from pathlib import Path

from PIL import Image, ImageDraw

SOURCE = Path(__file__).resolve().parents[3]
WEIGHTS = SOURCE / "models" / "mobilenet_v1_x0.25.pt"
SPLITS = {"train": ["0.jpg", "1.jpg", "2.jpg", "3.jpg"], "val": ["4.jpg", "5.jpg"], "test": ["6.jpg", "7.jpg"]}
WIDTH, HEIGHT = 64, 48


def picture(number, mode="RGB", size=(WIDTH, HEIGHT)):
    image = Image.new("RGB", size, (30 * number, 90, 120))
    ImageDraw.Draw(image).ellipse((10 + number, 8, 34 + number, 40), fill=(220, 180, 150))
    return image.convert(mode)


def encoded(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def box(number):
    return [10 + number, 8, 24, 32]


def keypoints(number):
    return [value for x, y in [(16, 18), (28, 18), (22, 24), (17, 32), (27, 32)] for value in (x + number, y, 2)]


def make_data_set(folder):
    (folder / "images").mkdir(parents=True)
    numbers = range(8)
    for number in numbers:
        (folder / "images" / f"{number}.jpg").write_bytes(encoded(picture(number), "JPEG"))
    content = {
        "images": [{"id": n, "file_name": f"{n}.jpg", "width": WIDTH, "height": HEIGHT} for n in numbers],
        "annotations": [{"id": n, "image_id": n, "category_id": 1, "iscrowd": 0, "bbox": box(n), "keypoints": keypoints(n)}
                        for n in numbers],
        "categories": [{"id": 1, "name": "face"}],
    }
    (folder / "annotations.json").write_text(json.dumps(content))
    (folder / "splits.json").write_text(json.dumps(SPLITS))


def make_labels(folder):
    """What `import` reads, one image each; images are those of the data set."""
    folder.mkdir()
    (folder / "wider.txt").write_text("0.jpg\n1\n10 8 24 32 0 0 0 0 0 0\n1.jpg\n1\n11 8 24 32 0 0 0 0 0 0\n")
    numbers = " ".join(str(value) for value in box(0) + keypoints(0))
    (folder / "label.txt").write_text(f"# 0.jpg\n{numbers} 0.9\n")
    (folder / "voc").mkdir()
    (folder / "voc" / "0.xml").write_text(
        "<annotation><filename>0.jpg</filename><size><width>64</width><height>48</height></size><object><name>face</name>"
        "<bndbox><xmin>10</xmin><ymin>8</ymin><xmax>34</xmax><ymax>40</ymax></bndbox></object></annotation>")
    (folder / "yolo").mkdir()
    (folder / "yolo" / "0.txt").write_text("0 0.34 0.5 0.37 0.66\n")


RECIPE = """\
extends: mini
epochs: 1
validate_every: 1
batch_size: 4
crop_size: 32
evaluation_side: 32
"""
SPACE = {"learning_rate": {"_type": "loguniform", "_value": [0.0001, 0.1]}, "batch_size": {"_type": "choice", "_value": [4, 8]}}


def make(folder):
    make_data_set(folder / "faces")
    make_labels(folder / "labels")
    found = [{"image_id": n, "category_id": 1, "bbox": box(n), "score": 0.9} for n in range(8)]
    (folder / "found.json").write_text(json.dumps(found))
    (folder / "quick.yaml").write_text(RECIPE)
    (folder / "c.json").write_text(json.dumps({"optimizer": "adam", "learning_rate": 0.001}))
    (folder / "space.json").write_text(json.dumps(SPACE))
    (folder / "best.pt").write_bytes(WEIGHTS.read_bytes())


def make_store(tuner, folder, environment):
    subprocess.run([tuner, "suggest", "--space", "space.json", "--store", "team.sqlite"], cwd=folder, env=environment, check=True,
                   capture_output=True)


def make_checkpoint(trial, folder, environment):
    """A training that ends by an error after its last epoch leaves its checkpoint: result.json cannot be written."""
    (folder / "cut" / "result.json" / "in_the_way").mkdir(parents=True)
    subprocess.run([trial, "train", "--data", "faces", "--recipe", "quick.yaml", "--set", "average=0.9", "--checkpoint-every", "0",
                    "--out", "cut"], cwd=folder, env=environment, capture_output=True)
    (folder / "cut" / "result.json" / "in_the_way").rmdir()
    (folder / "cut" / "result.json").rmdir()
    assert (folder / "cut" / "checkpoint.pt").exists()


def run_sql(name, *statements):
    def apply(folder):
        with sqlite3.connect(folder / name) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()
    return apply
