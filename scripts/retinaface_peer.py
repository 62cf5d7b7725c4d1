"""Where bench_trial.py and bench_trial_ap.py get Pytorch_Retinaface from, how they run it, and our data in its format."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = ROOT / "build" / "release" / "bin" / "hyperfd-trial"
REPOSITORY = "https://github.com/biubug6/Pytorch_Retinaface"
PACKAGES = "python3-torch python3-torchvision python3-opencv python3-numpy"
COMMIT = "b984b4b775b2c4dced95c1eadd195a5c7d32a60b"


def add_peer_options(parser):
    parser.add_argument("--peer", default=os.environ.get("PYTORCH_RETINAFACE", ROOT / ".cache" / "Pytorch_Retinaface"),
                        help="work tree of Pytorch_Retinaface (default: $PYTORCH_RETINAFACE, else .cache/Pytorch_Retinaface, "
                             "cloned from GitHub if it is not there)")
    parser.add_argument("--python", default="/usr/bin/python3",
                        help=f"Python with torch, torchvision, numpy and cv2 (Debian: {PACKAGES})")


def check_peer(options):
    check = subprocess.run([options.python, "-c", "import torch, torchvision, cv2, numpy; print(torch.__version__)"],
                           capture_output=True, text=True) if shutil.which(options.python) else None
    if check is None or check.returncode:
        problem = check.stderr.splitlines()[-1] if check else "is not there"
        sys.exit(f"{options.python}: {problem}\nPytorch_Retinaface needs torch, torchvision, numpy and cv2; on Debian:\n"
                 f"  apt-get install {PACKAGES}\nAnother Python that has them: --python FILE")
    options.peer = Path(options.peer).resolve()
    if not options.peer.is_dir():
        if subprocess.run(["git", "clone", "--quiet", REPOSITORY, options.peer]).returncode:
            sys.exit(f"{options.peer}: is not there and {REPOSITORY} cannot be cloned; --peer says where it is")
        subprocess.run(["git", "-C", options.peer, "checkout", "--quiet", COMMIT], check=True)
    return check.stdout.strip()


class Machine:
    """Runs programs on the first `cores` cores that this process may use."""

    def __init__(self, cores=None):
        self.cores = sorted(os.sched_getaffinity(0))[:cores]

    def run(self, command, threads):
        """Standard output's lines, each with its time in seconds from the start, and the peak memory in MB."""
        process = subprocess.Popen(
            [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)},
            preexec_fn=lambda: os.sched_setaffinity(0, self.cores))
        start = time.time()
        lines = [(time.time() - start, line) for line in process.stdout]
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            sys.exit(f"{command}\n{errors[-2000:]}")
        return lines, usage.ru_maxrss / 1024

    def peer(self, options, mode, threads, **arguments):
        command = [options.python, ROOT / "scripts" / "bench_trial_peer.py", options.peer, mode, "--threads", threads,
                   "--started", time.time()]
        for name, value in arguments.items():
            command += ["--" + name.replace("_", "-"), value]
        return json.loads(self.run(command, threads)[0][-1][1])


def read_images(folder):
    """The images of a data set of ours that have a face to find, with these faces: all that the peer's loader takes."""
    content = json.loads((Path(folder) / "annotations.json").read_text())
    faces = {}
    for annotation in content["annotations"]:
        if not annotation.get("iscrowd"):
            faces.setdefault(annotation["image_id"], []).append(annotation)
    return [{**image, "faces": faces[image["id"]]} for image in content["images"] if image["id"] in faces]


def label_of(face):
    """A line of label.txt: box, then five points with a visibility each; −1 where a face has none."""
    points = [-1] * 15
    keypoints = face.get("keypoints") or []
    if len(keypoints) == 15 and all(keypoints[2::3]):
        points = [value if i % 3 < 2 else 0 for i, value in enumerate(keypoints)]
    return " ".join(str(value) for value in [*face["bbox"], *points, 1])


def write_labels(folder, images, source):
    """label.txt and images/ as the peer's loader wants them."""
    folder = Path(folder)
    folder.mkdir(parents=True)
    (folder / "images").symlink_to((Path(source) / "images").resolve())
    lines = []
    for image in images:
        lines += ["# " + image["file_name"].removeprefix("images/")] + [label_of(face) for face in image["faces"]]
    (folder / "label.txt").write_text("\n".join(lines) + "\n")
    return folder / "label.txt"


def write_dataset(folder, source, train, val, test):
    """A data set of ours: the same images, the splits given."""
    folder = Path(folder)
    folder.mkdir(parents=True)
    (folder / "images").symlink_to((Path(source) / "images").resolve())
    content = json.loads((Path(source) / "annotations.json").read_text())
    kept = {image["id"] for split in (train, val, test) for image in split}
    content["images"] = [image for image in content["images"] if image["id"] in kept]
    content["annotations"] = [face for face in content["annotations"] if face["image_id"] in kept]
    (folder / "annotations.json").write_text(json.dumps(content))
    splits = {"train": train, "val": val, "test": test}
    (folder / "splits.json").write_text(
        json.dumps({name: [image["file_name"] for image in images] for name, images in splits.items()}))
    return folder
