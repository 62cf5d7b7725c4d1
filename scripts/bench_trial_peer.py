"""Pytorch_Retinaface's side of bench_trial.py: its network, loss, loader and test loop, timed. Prints one JSON object.

    /usr/bin/python3 scripts/bench_trial_peer.py PEER train|bare|evaluate …

Its train.py and test_widerface.py need a GPU or their own folders, so their loops are repeated here, line by line; everything
that they call is the original. `cuda()`, which its loss calls, is made to do nothing."""

import argparse
import json
import math
import resource
import statistics
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import torch


def network(options, phase="train"):
    from data import cfg_mnet
    from models.retinaface import RetinaFace

    net = RetinaFace(cfg={**cfg_mnet, "pretrain": False}, phase=phase)
    if options.weights:
        weights = torch.load(options.weights, map_location="cpu")
        weights = {name.replace("module.", "", 1): tensor for name, tensor in weights.get("state_dict", weights).items()}
        if any(name.startswith("body.") for name in weights):
            net.load_state_dict(weights)
        else:  # the ImageNet backbone, as the original's `pretrain` loads it
            net.body.load_state_dict({name: tensor for name, tensor in weights.items() if name.startswith("stage")})
    return net


def training_parts(options):
    from data import cfg_mnet
    from layers.functions.prior_box import PriorBox
    from layers.modules import MultiBoxLoss

    net = network(options)
    net.train()
    optimizer = torch.optim.SGD(net.parameters(), lr=options.learning_rate, momentum=0.9, weight_decay=5e-4)
    criterion = MultiBoxLoss(2, 0.35, True, 0, True, 7, 0.35, False)
    with torch.no_grad():
        priors = PriorBox(cfg_mnet, image_size=(options.crop, options.crop)).forward()
    return net, optimizer, criterion, priors, cfg_mnet


def rate_at(epoch, options):
    """hyperfd-trial's schedule: a straight line from a tenth for one epoch, then a half cosine. Epochs may be fractions."""
    if epoch < 1:
        return options.learning_rate * (0.1 + 0.9 * epoch)
    return options.learning_rate * (0.01 + 0.99 * (1 + math.cos(math.pi * (epoch - 1) / (options.epochs - 1))) / 2)


def train(options):
    from data import WiderFaceDetection, detection_collate, preproc

    net, optimizer, criterion, priors, cfg = training_parts(options)
    dataset = WiderFaceDetection(options.labels, preproc(options.crop, (104, 117, 123)))
    steps = math.ceil(len(dataset) / options.batch)
    warmup = 3
    began, start, images = time.time(), None, 0
    for iteration in range(10**9 if options.seconds else options.epochs * steps):
        if iteration % steps == 0:
            loader = torch.utils.data.DataLoader(dataset, options.batch, shuffle=True, num_workers=options.workers,
                                                 collate_fn=detection_collate)
            batch_iterator = iter(loader)
        if not options.seconds:
            for group in optimizer.param_groups:
                group["lr"] = rate_at(iteration / steps, options)
        batch, targets = next(batch_iterator)
        out = net(batch)
        optimizer.zero_grad()
        loss_l, loss_c, loss_landm = criterion(out, priors, targets)
        loss = cfg["loc_weight"] * loss_l + loss_c + loss_landm
        loss.backward()
        optimizer.step()
        losses = [loss_l.item(), loss_c.item(), loss_landm.item()]  # printed by the original at every step
        if start is None:
            first = time.time()
        if iteration + 1 == warmup:
            start, images = time.time(), 0
        else:
            images += len(batch)
        if options.seconds and start and time.time() - start > options.seconds and iteration + 1 > warmup:
            break
    if options.out:
        torch.save(net.state_dict(), options.out)
    return {"images_per_second": images / (time.time() - start), "start_seconds": began - options.started,
            "first_step_seconds": first - options.started, "losses": losses}


def faces_for(options):
    """The faces that `hyperfd-trial profile --training` makes up: as many, of the same range of sizes."""
    rng = np.random.default_rng(1)
    sides = np.exp(rng.uniform(math.log(16), math.log(options.crop / 2), (options.batch, 5, 1))) / options.crop
    corner = rng.uniform(0, 1, (options.batch, 5, 2)) - sides / 2
    centre = np.tile(corner + sides / 2, (1, 1, 5))
    faces = np.concatenate([corner, corner + sides, centre, np.ones((options.batch, 5, 1))], 2)
    return [torch.from_numpy(image).float() for image in faces]


def median_milliseconds(runs, run):
    run()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def bare(options):
    net, optimizer, criterion, priors, cfg = training_parts(options)
    batch = torch.randint(0, 256, (options.batch, 3, options.crop, options.crop)).float() - 110
    targets = faces_for(options)

    def losses(out):
        loss_l, loss_c, loss_landm = criterion(out, priors, targets)
        return cfg["loc_weight"] * loss_l + loss_c + loss_landm

    def step():
        out = net(batch)
        optimizer.zero_grad()
        losses(out).backward()
        optimizer.step()

    result = {"step_ms": median_milliseconds(options.runs, step) / options.batch}
    out = [tensor.detach() for tensor in net(batch)]
    result["losses_ms"] = median_milliseconds(
        options.runs, lambda: losses([tensor.requires_grad_(True) for tensor in out]).backward()) / options.batch
    net.to(memory_format=torch.channels_last)
    batch = batch.contiguous(memory_format=torch.channels_last)
    result["channels_last_step_ms"] = median_milliseconds(options.runs, step) / options.batch
    return result


def evaluate(options):
    from data import cfg_mnet
    from layers.functions.prior_box import PriorBox
    from utils.box_utils import decode, decode_landm
    from utils.nms.py_cpu_nms import py_cpu_nms

    torch.set_grad_enabled(False)
    net = network(options, phase="test")
    net.eval()
    entries = json.loads(Path(options.images).read_text())
    detections = []
    start = time.time()
    for entry in entries:
        img = np.float32(cv2.imread(entry["path"], cv2.IMREAD_COLOR))
        im_height, im_width, _ = img.shape
        scale = torch.Tensor([im_width, im_height, im_width, im_height])
        img -= (104, 117, 123)
        img = torch.from_numpy(img.transpose(2, 0, 1)).unsqueeze(0)
        loc, conf, landms = net(img)
        priors = PriorBox(cfg_mnet, image_size=(im_height, im_width)).forward()
        boxes = (decode(loc.data.squeeze(0), priors, cfg_mnet["variance"]) * scale).cpu().numpy()
        scores = conf.squeeze(0).data.cpu().numpy()[:, 1]
        landms = decode_landm(landms.data.squeeze(0), priors, cfg_mnet["variance"])
        landms = (landms * torch.Tensor([im_width, im_height] * 5)).cpu().numpy()
        inds = np.where(scores > 0.02)[0]
        boxes, landms, scores = boxes[inds], landms[inds], scores[inds]
        order = scores.argsort()[::-1]
        boxes, landms, scores = boxes[order], landms[order], scores[order]
        dets = np.hstack((boxes, scores[:, np.newaxis])).astype(np.float32, copy=False)
        dets = dets[py_cpu_nms(dets, 0.4), :]
        detections += [{"image_id": entry["id"], "category_id": 1, "score": float(score),
                        "bbox": [float(x), float(y), float(right - x), float(bottom - y)]}
                       for x, y, right, bottom, score in dets]
    seconds = time.time() - start
    if options.out:
        Path(options.out).write_text(json.dumps(detections))
    return {"images_per_second": len(entries) / seconds, "detections": len(detections)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer")
    parser.add_argument("mode", choices=["train", "bare", "evaluate"])
    parser.add_argument("--weights", default="")
    parser.add_argument("--labels", help="label.txt, images beside it in images/")
    parser.add_argument("--images", help="evaluate: JSON list of {id, path}")
    parser.add_argument("--crop", type=int, default=160)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0, help="train: so long after three steps, instead of --epochs")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--started", type=float, default=0, help="when this process was started, seconds since 1970")
    parser.add_argument("--out", default="", help="train: weights; evaluate: COCO results")
    options = parser.parse_args()
    sys.path.insert(0, options.peer)
    torch.Tensor.cuda = lambda self, *_, **__: self
    from data.config import cfg_mnet

    cfg_mnet["gpu_train"] = False
    torch.set_num_threads(options.threads)
    import random

    random.seed(options.seed)
    torch.manual_seed(options.seed)
    result = {"train": train, "bare": bare, "evaluate": evaluate}[options.mode](options)
    result["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(result))


if __name__ == "__main__":
    main()
