"""`hyperfd-trial evaluate --detections` against pycocotools run on the same files."""

import json

import pytest
from evaluation_data import SHARED, evaluate, make_data, pycocotools_scores, run_program, write_data

DOMAINS = ["anime", "cartoon_dexter", "cmu_gray", "fddb", "mask", "portrait_lm5", "wider_crowd", "wider_illum", "wider_occluded",
           "wider_pose"]


def assert_same(detections, annotations):
    ours, theirs = evaluate(detections, annotations)["coco"], pycocotools_scores(detections, annotations)
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(value, abs=1e-9, rel=0), name


@pytest.mark.parametrize("seed", range(12))
def test_random_boxes(tmp_path, seed):
    # From scores and boxes that hardly ever meet to ones that tie all the time.
    results, annotations = make_data(seed, images=40, detections=600 + 300 * seed, decimals=seed % 3, crowds=0.15 * (seed % 4))
    assert_same(*write_data(tmp_path, results, annotations))


def test_more_than_a_hundred_detections_an_image(tmp_path):
    assert_same(*write_data(tmp_path, *make_data(1, images=3, detections=900)))


def test_detections_of_negative_size_count_for_nothing(tmp_path):
    results, annotations = make_data(3, images=20, detections=400)
    for i, result in enumerate(results[::9]):
        result["bbox"][2 + i % 2] *= -1
    assert_same(*write_data(tmp_path, results, annotations))


def test_images_in_any_order_with_ties(tmp_path):
    results, annotations = make_data(2, images=30, detections=900, decimals=0)
    annotations["images"].reverse()
    assert_same(*write_data(tmp_path, results, annotations))


@pytest.mark.parametrize("domain", DOMAINS)
def test_real_detections(domain):
    detections = SHARED / "reference" / "coco_detections" / f"{domain}.json"
    annotations = SHARED / domain / "annotations.json"
    if not detections.exists():
        pytest.skip(f"{detections} is not here")
    assert_same(detections, annotations)
    expected = json.loads((SHARED / "reference" / "coco_expected.json").read_text())[domain]
    ours = evaluate(detections, annotations)["coco"]
    for name in ("AP", "AP50", "AP75"):
        assert ours[name] == pytest.approx(expected[name], abs=5.001e-7), name  # the file has six digits


ANNOTATIONS = {"images": [{"id": 1}, {"id": 2}], "annotations": [{"image_id": 1, "bbox": [0, 0, 9, 9]}]}
GOOD = '{"image_id": 1, "bbox": [0, 0, 9, 9], "score": 0.5}'


@pytest.mark.parametrize("text, message", [
    (f'[{GOOD}, {{"image_id": 1, "bbox": [1, 2, 3], "score": 0.5}}]', "[1].bbox: expected 4 numbers, got [1,2,3]"),
    (f'[{GOOD}, {{"image_id": 1, "bbox": [1, 2, 3, "4"], "score": 0.5}}]', '[1].bbox: expected 4 numbers, got [1,2,3,"4"]'),
    ('[{"image_id": 1, "bbox": [1, 2, NaN, 4], "score": 0.5}]', "[0].bbox: expected 4 numbers, got [1,2,null,4]"),
    ('[{"image_id": 1, "score": 0.5}]', "[0].bbox: expected 4 numbers, it is missing"),
    ('[{"image_id": 1, "bbox": [0, 0, 9, 9], "score": "high"}]', '[0].score: expected a number, got "high"'),
    ('[{"image_id": 1, "bbox": [0, 0, 9, 9], "score": NaN}]', "[0].score: expected a number, got null"),
    ('[{"image_id": 99, "bbox": [0, 0, 9, 9], "score": 0.5}]', "[0].image_id: expected the id of an image in "),
    ('[{"image_id": 99, "bbox": [0, 0, 9, 9], "score": 0.5}]', "got 99"),
    ('[{"image_id": "1", "bbox": [0, 0, 9, 9], "score": 0.5}]', 'got "1"'),
    ('[{"image_id": 1.5, "bbox": [0, 0, 9, 9], "score": 0.5}]', "[0].image_id: expected an integer or a string, got 1.5"),
    ("[17]", "[0]: expected an object, got 17"),
    (f'{{"annotations": [{GOOD}]}}', "expected a list of detections, got {"),
    ("3", "expected a list of detections, got 3"),
    ("", "expected JSON, it is empty"),
    ("[", "parse error"),
    (f"[{GOOD},]", "parse error"),
    (f"[{GOOD}] x", "parse error"),
    (f"[{GOOD[:-1]}, ]]", "parse error"),
    ('[{"image_id": 01, "bbox": [0, 0, 9, 9], "score": 0.5}]', "parse error"),
    ('[{"image_id": 1, "bbox": [0, 0, 9, 1e999], "score": 0.5}]', "number"),
    ("[" * 100000, "nested deeper"),
])
def test_what_is_wrong_is_named(tmp_path, text, message):
    detections, annotations = write_data(tmp_path, [], ANNOTATIONS)
    detections.write_text(text)
    result = run_program(detections, annotations)
    assert result.returncode == 2, result.stderr
    assert f"{detections}: " in result.stderr and message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("text, message", [
    ("[]", "expected an object with images and annotations, got []"),
    ('{"images": []}', "annotations: expected a list, it is missing"),
    ('{"images": 3, "annotations": []}', "images: expected a list, got 3"),
    ('{"images": [{"id": 1}], "annotations": [{"image_id": 1, "bbox": 5}]}', "annotations[0].bbox: expected 4 numbers, got 5"),
    ('{"images": [{"file_name": "a.jpg"}], "annotations": []}', "images[0].id: expected an integer or a string, it is missing"),
])
def test_what_is_wrong_with_annotations_is_named(tmp_path, text, message):
    detections, annotations = write_data(tmp_path, [], ANNOTATIONS)
    annotations.write_text(text)
    result = run_program(detections, annotations)
    assert result.returncode == 2
    assert f"{annotations}: {message}" in result.stderr


def test_a_byte_order_mark_is_passed_over(tmp_path):
    detections, annotations = write_data(tmp_path, *make_data(1, images=5, detections=50))
    expected = evaluate(detections, annotations)["coco"]
    for file in (detections, annotations):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert evaluate(detections, annotations)["coco"] == expected


def test_unusual_but_valid_json_is_read(tmp_path):
    detections, annotations = write_data(tmp_path, [], ANNOTATIONS)
    annotations.write_text('{"größe": {"a": [1]}, "annotations": [{"image_id": "ä", "bbox": [0, 0, 9, 9], "segmentation": [[1, 2]]}], '
                           '"images": [{"id": "ä"}, {"id": 2, "file_name": "\\u00e4.jpg"}]}')
    detections.write_text('[{"image_id": "\\u00e4", "bbox": [0, 0, 9e0, 9], "score": 1, "extra": {"deep": [{}]}}]')
    assert evaluate(detections, annotations)["coco"]["AP"] == 1
    detections.write_text(" [ ] ")
    assert evaluate(detections, annotations)["ap50_area"] == 0


def test_small_faces_are_ignored_on_request(tmp_path):
    truths = {"images": [{"id": 1}], "annotations": [{"image_id": 1, "bbox": [0, 0, 9, 9]}, {"image_id": 1, "bbox": [50, 0, 30, 30]}]}
    results = [{"image_id": 1, "bbox": [0, 0, 9, 9], "score": 0.9}, {"image_id": 1, "bbox": [50, 0, 30, 30], "score": 0.8}]
    files = write_data(tmp_path, results[1:], truths)
    assert evaluate(*files)["ap50_area"] == 0.5
    small = evaluate(*files, "--minimum-face", "10")
    assert small["ap50_area"] == 1 and small["faces"] == 1 and small["wider"]["AP"] == 1
