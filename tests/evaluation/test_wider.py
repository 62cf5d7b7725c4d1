"""The `wider` numbers of `hyperfd-trial evaluate` against WIDER FACE's official evaluation: the 3,226 images of its validation
set with a real detector's output, of which Pytorch_Retinaface's widerface_evaluate/evaluation.py said what is expected here. The
official .mat files are read by scipy and become COCO files; faces outside a difficulty's list are ignored."""

import gzip
import json

import pytest
from evaluation_data import SHARED, evaluate, write_data

REFERENCE = SHARED / "reference"
EXPECTED = {"easy": 0.8874105659746631, "medium": 0.8215458318162266, "hard": 0.5204652920820472}


@pytest.mark.parametrize("difficulty", EXPECTED)
def test_official_evaluation(tmp_path, difficulty):
    if not REFERENCE.exists():
        pytest.skip(f"{REFERENCE} is not here")
    from scipy.io import loadmat

    truth = loadmat(REFERENCE / "wider_gt" / "wider_face_val.mat")
    chosen = loadmat(REFERENCE / "wider_gt" / f"wider_{difficulty}_val.mat")["gt_list"]
    with gzip.open(REFERENCE / "wider_val_detections_640.json.gz") as file:
        detections = json.load(file)
    images, annotations, results = [], [], []
    for event in range(len(truth["event_list"])):
        event_name = truth["event_list"][event][0][0]
        for i, (name,) in enumerate(truth["file_list"][event][0]):
            image = {"id": len(images) + 1, "file_name": f"{event_name}/{name[0]}.jpg"}
            images.append(image)
            counted = set(chosen[event][0][i][0].ravel().tolist())
            for face, box in enumerate(truth["face_bbx_list"][event][0][i][0].tolist(), 1):
                annotations.append({"image_id": image["id"], "category_id": 1, "bbox": box, "iscrowd": int(face not in counted)})
            results += [{"image_id": image["id"], "category_id": 1, "bbox": box[:4], "score": box[4]} for box in detections[image["file_name"]]]
    assert len(images) == 3226
    files = write_data(tmp_path, results, {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "face"}]})
    assert evaluate(*files)["wider"]["AP"] == pytest.approx(EXPECTED[difficulty], abs=1e-12, rel=0)
