"""Every kind of bad input of the table gives its message and exit code, and no program crashes, hangs or fills the memory."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

import page
import running
from image_cases import DETECT, UNUSUAL
from table import SECTIONS

pytestmark = pytest.mark.skipif(not (running.PROGRAMS / "hyperfd-trial").exists(), reason=f"{running.PROGRAMS} is not built")

CASES = [pytest.param(section, case, id=f"{section.title}: {case.broken}") for section in SECTIONS for case in section.cases]
GOOD = [
    "hyperfd-trial train --data faces --recipe quick.yaml --params c.json --out run",
    "hyperfd-trial clean --data faces --detections found.json --out new.json",
    "hyperfd-trial evaluate --detections found.json --annotations faces/annotations.json",
    "hyperfd-trial evaluate --data faces --weights best.pt",
    "hyperfd-trial import-weights best.pt --out out.pt",
    "hyperfd-trial import wider labels/wider.txt --images faces/images --out new",
    "hyperfd-trial import retinaface labels/label.txt --images faces/images --out new",
    "hyperfd-trial import voc labels/voc --images faces/images --out new",
    "hyperfd-trial import yolo labels/yolo --images faces/images --out new",
    "hyperfd-tuner space space.json",
    "hyperfd-tuner inspect --store team.sqlite",
]


@pytest.fixture(scope="session")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    running.make_good_inputs(folder)
    return folder


@pytest.fixture(scope="session")
def outcomes(good, request):
    """All chosen cases, run side by side: each is a process of its own."""
    chosen = [item.callspec.params for item in request.session.items if item.originalname == "test_bad_input_gives_its_message"]
    with ThreadPoolExecutor(2) as pool:
        yield {params["case"]: pool.submit(running.run_case, params["section"], params["case"], good) for params in chosen}


def pattern(message):
    return ".*".join(re.escape(part) for part in message.split("…"))


def is_from_library(line):
    return not line.strip() or line.startswith(("libpng error: ", "Corrupt JPEG data: "))


def check_no_crash(outcome):
    errors = "\n".join(outcome.lines)
    assert outcome.exit >= 0, f"ended by signal {-outcome.exit}: {errors}"
    assert "Sanitizer" not in errors and "runtime error: " not in errors, errors


@pytest.mark.parametrize("section, case", CASES)
def test_bad_input_gives_its_message(section, case, outcomes):
    outcome = outcomes[case].result()
    check_no_crash(outcome)
    messages = [line for line in outcome.lines if re.fullmatch(pattern(case.message), line)]
    assert messages, f"expected {case.message}\ngot " + "\n".join(outcome.lines)
    assert outcome.exit == case.exit
    if case.exit == 0:
        return
    assert outcome.lines[-1] == messages[-1]
    others = [line for line in outcome.lines[:-1] if not line.startswith(("warning ", "info ")) and not is_from_library(line)]
    assert not others, "more than one line: " + "\n".join(outcome.lines)


@pytest.mark.parametrize("command", GOOD)
def test_good_input_passes_without_a_word(command, good):
    outcome = running.run_in_copy(command, good)
    check_no_crash(outcome)
    assert outcome.exit == 0 and not [line for line in outcome.lines if not line.startswith("info ")], outcome.lines


@pytest.mark.parametrize("kind", UNUSUAL)
def test_unusual_image_is_read(kind, good):
    outcome = running.run_in_copy(DETECT + " image.png", good, lambda folder: (folder / "image.png").write_bytes(UNUSUAL[kind]))
    check_no_crash(outcome)
    assert outcome.exit == 0 and not outcome.lines


def test_full_standard_output_is_an_error(good):
    with open("/dev/full", "w") as full:
        outcome = running.run_in_copy("hyperfd-tuner space space.json", good, output=full)
    check_no_crash(outcome)
    assert outcome.exit == 1 and outcome.lines == ["hyperfd-tuner: standard output: cannot be written: No space left on device"]


@pytest.mark.skipif(running.SANITIZED, reason="sanitized programs run without a limit on memory")
@pytest.mark.parametrize("command", ["train --data faces --recipe quick.yaml --out run", "profile mobilenet_v1_x0.25 --training"])
def test_too_little_memory_names_what_takes_it(command, good):
    outcome = running.run_in_copy(f"hyperfd-trial {command} --set batch_size=4096 --set crop_size=4096", good)
    check_no_crash(outcome)
    assert outcome.exit == 1 and outcome.lines == ["hyperfd-trial: batch_size 4096, crop_size 4096: not enough memory; smaller numbers need less"]


def test_page_is_up_to_date():
    assert page.PAGE.read_text() == page.page(), "python tests/trial/bad_inputs/page.py --write"


def test_every_row_is_one_of_a_kind():
    rows = [(section.title, case.broken) for section in SECTIONS for case in section.cases]
    assert len(rows) == len(set(rows)) >= 40
