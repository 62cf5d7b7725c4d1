"""AP of hyperfd-trial and of Pytorch_Retinaface after the same training: initial weights, images, epochs, learning rates, SGD.

    /usr/bin/python3 scripts/bench_trial_ap.py [--data DIR] [--epochs 10] [--seeds 3]

Each trains with its own augmentation, matching and loss, then detects on the images kept apart (at their own size, score > .02,
non-maximum suppression at .4) into a COCO results file; `hyperfd-trial evaluate --detections` scores both."""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from retinaface_peer import PROGRAM, ROOT, Machine, add_peer_options, check_peer, read_images, write_dataset, write_labels


def score(machine, detections, data, options):
    lines, _ = machine.run([PROGRAM, "evaluate", "--detections", detections, "--annotations", data / "annotations.json",
                            "--minimum-face", options.minimum_face, "--json"], 1)
    return json.loads(lines[-1][1])["ap50_area"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_peer_options(parser)
    parser.add_argument("--data", default=ROOT.parent / "shared" / "data" / "mask", help="data set in our format")
    parser.add_argument("--weights", default=ROOT.parent / "shared/data/weights/retinaface_mobilenet0.25_Final.pth",
                        help="initial weights of Pytorch_Retinaface's mobilenet0.25 or of its ImageNet backbone")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--crop", type=int, default=160)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--minimum-face", type=int, default=12, help="smaller faces in the test images are ignored")
    options = parser.parse_args()
    check_peer(options)
    machine = Machine()
    images = read_images(options.data)
    train = [image for i, image in enumerate(images) if i % 10 < 6]
    validation = [image for i, image in enumerate(images) if i % 10 == 6]
    test = [image for i, image in enumerate(images) if i % 10 > 6]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        labels = write_labels(folder / "peer", train, options.data)
        data = write_dataset(folder / "data", options.data, train, validation, test)
        truth = write_dataset(folder / "test", options.data, [], [], test)
        entries = [{"id": image["id"], "path": str((data / image["file_name"]).resolve())} for image in test]
        (folder / "test.json").write_text(json.dumps(entries))
        initial = folder / "initial.pt"
        machine.run([PROGRAM, "import-weights", options.weights, "--out", initial], 1)

        def peer(weights, name):
            machine.peer(options, "evaluate", 1, images=folder / "test.json", weights=weights, out=folder / name)
            return score(machine, folder / name, truth, options)

        def ours(weights, name):
            machine.run([PROGRAM, "detect", *[entry["path"] for entry in entries], "--weights", weights, "--annotations",
                         truth / "annotations.json", "--json", folder / name, "--score", 0.02], 1)
            return score(machine, folder / name, truth, options)

        if "Final" in Path(options.weights).name:
            print(f"before training: Pytorch_Retinaface {peer(options.weights, 'peer.json'):.4f}, "
                  f"hyperfd-trial {ours(initial, 'ours.json'):.4f}", flush=True)
        results = []
        for seed in range(1, options.seeds + 1):
            trained = folder / f"peer_{seed}.pth"
            machine.peer(options, "train", 1, labels=labels, crop=options.crop, batch=options.batch, epochs=options.epochs,
                         learning_rate=options.learning_rate, seed=seed, weights=options.weights, out=trained)
            out = folder / f"ours_{seed}"
            settings = {"optimizer": "sgd", "learning_rate": options.learning_rate, "weight_decay": 5e-4, "momentum": 0.9,
                        "batch_size": options.batch, "crop_size": options.crop, "epochs": options.epochs,
                        "warmup_epochs": 1, "schedule": "cosine", "validate_every": options.epochs, "gradient_clip": 0,
                        "minimum_negatives": 0, "evaluation_side": 0, "minimum_face": options.minimum_face}
            machine.run([PROGRAM, "train", "--data", data, "--weights", initial, "--seed", seed, "--out", out,
                         *[part for key, value in settings.items() for part in ("--set", f"{key}={value}")]], 1)
            results.append((peer(trained, "peer.json"), ours(out / "best.pt", "ours.json")))
            print(f"seed {seed}: Pytorch_Retinaface {results[-1][0]:.4f}, hyperfd-trial {results[-1][1]:.4f}", flush=True)
    peer_mean, our_mean = (statistics.mean(values) for values in zip(*results))
    print(f"AP@50 on {len(test)} images after {options.epochs} epochs on {len(train)}, mean of {options.seeds} seeds: "
          f"Pytorch_Retinaface {peer_mean:.4f}, hyperfd-trial {our_mean:.4f}")


if __name__ == "__main__":
    main()
