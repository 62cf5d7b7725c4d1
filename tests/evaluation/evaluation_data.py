"""What the evaluation's tests and its benchmark share: the program, made-up data, and pycocotools itself."""

import contextlib
import io
import json
import os
import subprocess
from pathlib import Path

import numpy as np

SOURCE = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("HYPERFD_BIN_DIR") or SOURCE / "build" / "release" / "bin") / "hyperfd-trial"
SHARED = SOURCE.parent / "shared" / "data"


def run_program(detections, annotations, *arguments):
    command = [PROGRAM, "evaluate", "--detections", detections, "--annotations", annotations, "--json", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def evaluate(detections, annotations, *arguments):
    result = run_program(detections, annotations, *arguments)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def pycocotools_scores(detections, annotations):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(annotations))
        evaluation = COCOeval(truth, truth.loadRes(str(detections)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return dict(zip(["AP", "AP50", "AP75"], evaluation.stats[:3].tolist()))


def make_data(seed, images, detections, *, decimals=2, crowds=0.1):
    """COCO annotations and results: on average 4 faces an image, most of them found a little beside their place, and detections of nothing.

    With few decimals, scores tie and overlaps meet thresholds exactly."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(4, images)
    owner = np.repeat(np.arange(images), counts)
    size = np.exp(rng.uniform(np.log(8), np.log(200), (len(owner), 1))) * rng.uniform(0.8, 1.25, (len(owner), 2))
    boxes = np.hstack([rng.uniform(0, 500, (len(owner), 2)), size])
    crowd = rng.random(len(owner)) < crowds

    hits = min(detections * 2 // 3, len(owner) * 8) if len(owner) else 0
    chosen = rng.integers(len(owner), size=hits) if hits else np.zeros(0, int)
    spread = rng.exponential(0.08, (hits, 1)) * rng.standard_normal((hits, 4))
    found = boxes[chosen] + spread * np.tile(boxes[chosen][:, 2:], 2)
    nothing = np.hstack([rng.uniform(0, 500, (detections - hits, 2)), rng.uniform(8, 100, (detections - hits, 2))])
    all_boxes = np.vstack([found, nothing])
    all_boxes[:, 2:] = np.maximum(all_boxes[:, 2:], 1)
    scores = np.concatenate([rng.beta(4, 2, hits), rng.beta(1, 4, detections - hits)])
    place = np.concatenate([owner[chosen], rng.integers(images, size=detections - hits)]) + 1
    order = np.argsort(place, kind="stable") if rng.random() < 0.5 else rng.permutation(detections)

    boxes, all_boxes, scores = boxes.round(decimals), all_boxes.round(decimals), scores.round(decimals + 1)
    annotations = {
        "images": [{"id": i + 1, "file_name": f"images/{i + 1:06}.jpg", "width": 640, "height": 640} for i in range(images)],
        "categories": [{"id": 1, "name": "face"}],
        "annotations": [{"id": i + 1, "image_id": int(owner[i]) + 1, "category_id": 1, "iscrowd": int(crowd[i]),
                         "bbox": boxes[i].tolist(), "area": float(boxes[i, 2] * boxes[i, 3])} for i in range(len(owner))],
    }
    results = [{"image_id": int(place[i]), "category_id": 1, "bbox": all_boxes[i].tolist(), "score": float(scores[i])} for i in order]
    return results, annotations


def write_data(folder, results, annotations):
    detections_file, annotations_file = folder / "detections.json", folder / "annotations.json"
    detections_file.write_text(json.dumps(results))
    annotations_file.write_text(json.dumps(annotations))
    return detections_file, annotations_file
