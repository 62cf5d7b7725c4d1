"""Times `hyperfd-trial evaluate --detections` against pycocotools on the same made-up files: see bench_evaluate.sh.

    python scripts/bench_evaluate.py [--images 3000] [--detections 100000] [--rounds 3]

Both must give the same AP to 1e-9. Whole processes: start, imports or shared libraries, reading both files, all numbers. Evaluation
alone: what each needs once the files are in memory; of pycocotools, COCOeval's evaluate() and accumulate(); of ours, all three rules.
pycocotools' usual settings evaluate four ranges of area; its time for the one range that we evaluate is given, too.
The best of the rounds counts, the two programs by turns, each on one thread."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "evaluation"))
from evaluation_data import PROGRAM, make_data, write_data

PYCOCOTOOLS = """
import contextlib, io, json, sys, time
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
start = time.perf_counter()
with contextlib.redirect_stdout(io.StringIO()):
    truth = COCO(sys.argv[2])
    evaluation = COCOeval(truth, truth.loadRes(sys.argv[1]), "bbox")
    read = time.perf_counter()
    evaluation.evaluate()
    evaluation.accumulate()
    done = time.perf_counter()
    evaluation.summarize()
    usual = evaluation.stats.tolist()
    one = time.perf_counter()
    evaluation.params.areaRng, evaluation.params.areaRngLbl = evaluation.params.areaRng[:1], evaluation.params.areaRngLbl[:1]
    evaluation.params.maxDets = [100]
    evaluation.evaluate()
    evaluation.accumulate()
    one = time.perf_counter() - one
print(json.dumps({"coco": dict(zip(["AP", "AP50", "AP75"], usual)),
                  "seconds": {"read": read - start, "evaluate": done - read, "one range": one}}))
"""


def timed(command):
    start = time.perf_counter()
    output = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True,
                            env={**os.environ, "OMP_NUM_THREADS": "1"}).stdout
    run = json.loads(output)
    run["seconds"].setdefault("one range", run["seconds"]["evaluate"])
    # What pycocotools does twice is no part of its process.
    extra = run["seconds"]["one range"] if command[0] == sys.executable else 0
    run["seconds"]["process"] = time.perf_counter() - start - extra
    return run


def best(runs):
    return {part: min(run["seconds"][part] for run in runs) for part in runs[0]["seconds"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--detections", type=int, default=100000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = write_data(Path(folder), *make_data(1, options.images, options.detections))
        ours, theirs = [], []
        for _ in range(options.rounds):
            ours.append(timed([PROGRAM, "evaluate", "--detections", files[0], "--annotations", files[1], "--json"]))
            theirs.append(timed([sys.executable, "-c", PYCOCOTOOLS, *files]))
        start = [timed_start() for _ in range(options.rounds)]
    for name, value in theirs[0]["coco"].items():
        if abs(ours[0]["coco"][name] - value) > 1e-9:
            sys.exit(f"bench_evaluate.py: {name}: pycocotools says {value!r}, hyperfd-trial {ours[0]['coco'][name]!r}")
    ours, theirs = best(ours), best(theirs)
    print(f"{options.images} images, {options.detections} detections, best of {options.rounds}, seconds")
    print(f"{'':24}{'pycocotools':>12}{'hyperfd-trial':>15}{'ratio':>8}")
    for part, title in [("evaluate", "evaluation alone"), ("one range", "… of one area range"), ("read", "reading the files"),
                        ("process", "whole process")]:
        print(f"{title:24}{theirs[part]:12.3f}{ours[part]:15.4f}{theirs[part] / ours[part]:7.1f}x")
    print(f"our program needs {min(start):.3f} s for nothing but its --version: most of it loads LibTorch")
    print("AP, AP50 and AP75 agree to 1e-9")


def timed_start():
    start = time.perf_counter()
    subprocess.run([PROGRAM, "--version"], capture_output=True, check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
