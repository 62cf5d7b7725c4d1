"""Times hyperfd-trial against Pytorch_Retinaface in Python: same images, same cores, same LibTorch. See bench_trial.sh.

    /usr/bin/python3 scripts/bench_trial.py [--crops 160 320 640] [--cores 1] [--json results.json]

Training: images/s with reading, decoding and augmentation, after warm-up; the peer with the best of its worker and thread
counts, hyperfd-trial with --cache 0 (it decodes each image at each visit, as the peer does) and as shipped (it keeps decoded
images), that with less arithmetic (recipe mini_fast's options) and in bfloat16 where the processor has it; the peer offers neither. Bare step: network, matching, loss,
gradient and optimiser on made-up crops that are there already. Evaluation: the images one by one at their own size, from file
to detections after non-maximum suppression. Start: from starting the process to asking for the first batch. Memory: the largest process's peak.
MobileNetV1×0.25 with the same weights, SGD, on both sides."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from retinaface_peer import PROGRAM, ROOT, Machine, add_peer_options, check_peer, read_images, write_dataset, write_labels

# Crop: training images and epochs, so that a run takes about ten seconds, and the end-to-end ratio that is wanted.
CROPS = {160: (240, 4, 2.5), 320: (128, 3, 1.5), 640: (32, 3, 1.2)}

# What else of ours is timed, by its options.
VARIANTS = {"less arithmetic": ["batch_norm=folded", "frozen_levels=1"]}
# Without these instructions bfloat16 is many times slower than float32: nothing to measure.
HAS_BFLOAT16 = "avx512_bf16" in Path("/proc/cpuinfo").read_text().split()
if HAS_BFLOAT16:
    VARIANTS["bfloat16"] = ["precision=bfloat16"]


def as_options(settings):
    return [argument for setting in settings for argument in ("--set", setting)]


class Bench:
    def __init__(self, options, folder):
        self.options = options
        self.machine = Machine(options.cores)
        self.folder = Path(folder)
        self.weights = self.folder / "weights.pt"
        self.machine.run([PROGRAM, "import-weights", options.weights, "--out", self.weights], 1)
        images = read_images(options.data)
        self.others, self.images = images[:4], images[4:]
        one = range(1, options.cores + 1)
        self.peer_settings = [(threads, workers) for threads in one for workers in (0, 1, 2)]
        self.our_settings = [(threads, workers) for threads in one for workers in (0, 1)]

    def peer_training(self, crop, labels):
        runs = []
        for threads, workers in self.peer_settings:
            run = self.machine.peer(self.options, "train", threads, labels=labels, crop=crop, batch=self.options.batch,
                                    workers=workers, seconds=self.options.seconds, weights=self.options.weights)
            runs.append({**run, "threads": threads, "workers": workers})
            say(f"{crop} px, Pytorch_Retinaface, {threads} threads, {workers} workers", run)
        return max(runs, key=lambda run: run["images_per_second"])

    def our_training(self, crop, data, epochs, cache, variant="usual"):
        runs = []
        for threads, workers in self.our_settings:
            out = self.folder / f"run_{crop}_{cache}_{variant}_{threads}_{workers}"
            lines, memory = self.machine.run(
                [PROGRAM, "train", "--data", data, "--weights", self.weights, "--threads", threads, "--workers", workers,
                 "--cache", cache, "--out", out,
                 *as_options(["optimizer=sgd", f"batch_size={self.options.batch}", f"crop_size={crop}", f"epochs={epochs}",
                              f"validate_every={epochs}", *VARIANTS.get(variant, [])])], threads)
            report = [json.loads(line) for line in (out / "train.jsonl").read_text().splitlines()]
            first = next(time for time, line in lines if line.startswith("epoch"))
            timed = report[1:]
            seconds = sum(epoch["seconds"] for epoch in timed)
            run = {"images_per_second": sum(epoch["images_per_second"] * epoch["seconds"] for epoch in timed) / seconds,
                   "start_seconds": first - report[0]["seconds"], "peak_mb": memory, "threads": threads, "workers": workers,
                   "waiting": json.loads((out / "result.json").read_text())["waiting_share"]}
            runs.append(run)
            say(f"{crop} px, hyperfd-trial --cache {cache}, {variant}, {threads} threads, {workers} workers", run)
        return max(runs, key=lambda run: run["images_per_second"])

    def crop(self, crop):
        count, epochs, _ = CROPS[crop]
        images = self.images[:count]
        labels = write_labels(self.folder / f"peer_{crop}", images, self.options.data)
        data = write_dataset(self.folder / f"data_{crop}", self.options.data, images, self.others[:2], self.others[2:])
        threads = self.options.cores
        bare = self.machine.peer(self.options, "bare", threads, crop=crop, batch=self.options.batch)
        return {"peer": self.peer_training(crop, labels), "ours": self.our_training(crop, data, epochs, 0),
                "ours_cached": self.our_training(crop, data, epochs, 512), "peer_bare": bare, "our_bare": self.our_bare(crop, []),
                "variants": {name: {"training": self.our_training(crop, data, epochs, 512, name), "bare": self.our_bare(crop, settings)}
                             for name, settings in VARIANTS.items()}}

    def our_bare(self, crop, settings):
        threads = self.options.cores
        lines, _ = self.machine.run(
            [PROGRAM, "profile", "mobilenet_v1_x0.25", "--training", "--json", "--threads", threads, "--runs", 9,
             *as_options(["optimizer=sgd", "channels=64", f"crop_size={crop}", f"batch_size={self.options.batch}", *settings])], threads)
        return json.loads(lines[-1][1])

    def evaluation(self):
        images = self.images[:100]
        data = write_dataset(self.folder / "evaluation", self.options.data, self.others[:2], self.others[2:], images)
        entries = [{"id": image["id"], "path": str((data / image["file_name"]).resolve())} for image in images]
        (self.folder / "evaluation.json").write_text(json.dumps(entries))
        threads = self.options.cores
        peer = self.machine.peer(self.options, "evaluate", threads, images=self.folder / "evaluation.json",
                                 weights=self.options.weights)
        result = {"peer": peer}
        for name, precision in (("ours", "float32"), ("ours_bfloat16", "bfloat16"))[:1 + HAS_BFLOAT16]:
            lines, memory = self.machine.run([PROGRAM, "evaluate", "--data", data, "--weights", self.weights, "--threads", threads,
                                              "--precision", precision, "--json"], threads)
            ours = json.loads(lines[-1][1])
            result[name] = {**{key: ours[key] for key in ("images_per_second", "detections")}, "peak_mb": memory}
        return result


def say(what, run):
    print(f"  {what}: {run['images_per_second']:.1f} images/s", file=sys.stderr, flush=True)


def row(title, peer, ours, ratio=None, goal=None, digits=1):
    ratio = ratio if ratio is not None else ours / peer
    met = "" if goal is None else f"  goal {goal:.2f}: " + ("met" if ratio >= goal else "NOT met")
    print(f"{title:44}{peer:10.{digits}f}{ours:10.{digits}f}{ratio:8.2f}x{met}")


def print_table(result, options, torch_version):
    print(f"{options.cores} core(s), batches of {options.batch}, {options.data}, Python's torch {torch_version}")
    print(f"{'':44}{'peer':>10}{'ours':>10}{'ratio':>9}")
    for crop, one in result["crops"].items():
        peer, ours, cached = one["peer"], one["ours"], one["ours_cached"]
        bare, our_bare = one["peer_bare"], one["our_bare"]
        print(f"crops of {crop} pixels (peer: {peer['threads']} threads, {peer['workers']} workers; "
              f"ours: {ours['threads']}, {ours['workers']})")
        row("  training, decoding each time, images/s", peer["images_per_second"], ours["images_per_second"], None,
            CROPS[crop][2])
        row("  training, as shipped, images/s", peer["images_per_second"], cached["images_per_second"])
        for name, variant in one["variants"].items():
            row(f"  training as shipped, {name}, images/s", peer["images_per_second"], variant["training"]["images_per_second"], None,
                CROPS[crop][2])
        row("  bare step, ms an image", bare["step_ms"], our_bare["step_ms"], bare["step_ms"] / our_bare["step_ms"])
        for name, variant in one["variants"].items():
            row(f"  bare step, {name}, ms an image", bare["step_ms"], variant["bare"]["step_ms"], bare["step_ms"] / variant["bare"]["step_ms"])
        row("  … the peer's network in channels-last", bare["channels_last_step_ms"], our_bare["step_ms"],
            bare["channels_last_step_ms"] / our_bare["step_ms"])
        row("  matching and loss, ms an image", bare["losses_ms"], our_bare["losses_ms"],
            bare["losses_ms"] / our_bare["losses_ms"], 3, 2)
        bound = 1000 / min(bare["step_ms"], bare["channels_last_step_ms"])
        for title, run in (("decoding each time", ours), ("as shipped", cached)):
            row(f"  share of the peer's best bare step, {title}", bound, run["images_per_second"], None, 0.95)
        print(f"{'  the training thread waits for data, %':44}{'':10}{100 * cached['waiting']:10.1f}  (goal 5 at most)")
        row("  start, s", peer["start_seconds"], ours["start_seconds"], peer["start_seconds"] / ours["start_seconds"],
            digits=2)
        row("  peak memory in training, MB", peer["peak_mb"], ours["peak_mb"], peer["peak_mb"] / ours["peak_mb"], digits=0)
    if "evaluation" in result:
        peer, ours = result["evaluation"]["peer"], result["evaluation"]["ours"]
        print("evaluation, images at their own size")
        row("  images/s", peer["images_per_second"], ours["images_per_second"], None, 3)
        if half := result["evaluation"].get("ours_bfloat16"):
            row("  images/s in bfloat16", peer["images_per_second"], half["images_per_second"], None, 3)
        row("  peak memory, MB", peer["peak_mb"], ours["peak_mb"], peer["peak_mb"] / ours["peak_mb"], digits=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_peer_options(parser)
    parser.add_argument("--data", default=ROOT.parent / "shared" / "data" / "mask", help="data set in our format")
    parser.add_argument("--weights", default=ROOT.parent / "shared/data/weights/retinaface_mobilenet0.25_Final.pth",
                        help="Pytorch_Retinaface's mobilenet0.25_Final.pth, for both")
    parser.add_argument("--crops", type=int, nargs="*", default=list(CROPS), choices=list(CROPS))
    parser.add_argument("--no-evaluation", action="store_true")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--cores", type=int, default=1, help="cores, and most threads that compute")
    parser.add_argument("--seconds", type=float, default=8, help="of the peer's training runs after warm-up")
    parser.add_argument("--json", help="file for all numbers")
    options = parser.parse_args()
    torch_version = check_peer(options)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, folder)
        result = {"cores": options.cores, "batch": options.batch, "crops": {crop: bench.crop(crop) for crop in options.crops}}
        if not options.no_evaluation:
            result["evaluation"] = bench.evaluation()
    print_table(result, options, torch_version)
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
