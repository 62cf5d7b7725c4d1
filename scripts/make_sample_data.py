"""Composes a small face detection data set from what scikit-image ships, so that the example needs no download.

    python scripts/make_sample_data.py OUT_DIR [--images 300] [--seed 1]

Face crops (lfw_subset.npy) are pasted at random place, size and brightness and with soft edges onto crops of photographs that show
no people. The crops of lfw_subset.npy that are no faces are pasted the same way and not annotated: what tells a face is the face.
The same seed gives the same data set. OUT_DIR appears only when it is complete; if it is there already, nothing is done.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import skimage
from PIL import Image

VERSION = 1  # raised whenever the same arguments make other pictures
# No astronaut, camera and coins: they show faces that nobody annotated.
SCENES = ["brick.png", "chelsea.png", "coffee.png", "grass.png", "gravel.png", "hubble_deep_field.jpg", "ihc.png", "moon.png",
          "motorcycle_left.png", "motorcycle_right.png", "page.png", "retina.jpg", "rocket.jpg", "text.png"]
FACES = range(100)  # of lfw_subset.npy; the other hundred are no faces, but these show parts of some:
PARTS_OF_FACES = {124, 125, 126, 127, 130, 142, 159, 193}
SMALLEST, LARGEST = 18, 90  # pixels, side of a pasted crop


def load_sources():
    folder = Path(skimage.__file__).parent / "data"
    missing = [name for name in ["lfw_subset.npy", *SCENES] if not (folder / name).is_file()]
    if missing:
        sys.exit(f"make_sample_data.py: this scikit-image ({skimage.__version__}) does not ship {', '.join(missing)}; "
                 "scripts/requirements.txt names a version that does")
    crops = (np.load(folder / "lfw_subset.npy") * 255).astype(np.uint8)
    faces = [crops[i] for i in FACES]
    others = [crops[i] for i in range(len(FACES), len(crops)) if i not in PARTS_OF_FACES]
    scenes = [Image.open(folder / name).convert("RGB") for name in SCENES]
    return faces, others, scenes


def soft_mask(side):
    """Opacity of a pasted crop, side × side in [0, 1]: a square with round corners that fades out at its edge."""
    axis = np.abs(np.linspace(-1, 1, side))
    distance = (axis[:, None] ** 4 + axis[None, :] ** 4) ** 0.25
    return np.clip((1 - distance) / 0.15, 0, 1)


def random_scene(rng, scenes):
    """A piece of a photograph, 256 × 192 to 400 × 300 pixels, as an array of floats."""
    width = int(rng.integers(256, 401))
    height = int(rng.integers(192, 301))
    scene = scenes[rng.integers(len(scenes))]
    largest = min(scene.width / width, scene.height / height)
    scale = largest * rng.uniform(0.6, 1)
    left = rng.uniform(0, scene.width - width * scale)
    top = rng.uniform(0, scene.height - height * scale)
    piece = scene.resize((width, height), Image.Resampling.BICUBIC,
                         box=(left, top, left + width * scale, top + height * scale))
    pixels = np.asarray(piece, dtype=np.float64)
    if rng.random() < 0.5:
        pixels = pixels[:, ::-1]
    return np.clip((pixels - 128) * rng.uniform(0.6, 1.1) + 128 + rng.uniform(-30, 30), 0, 255)


def free_place(rng, size, side, taken):
    """Left and top of a square inside the image that touches none of `taken`, or None."""
    height, width = size
    for _ in range(30):
        x, y = int(rng.integers(width - side + 1)), int(rng.integers(height - side + 1))
        if all(x >= left + other or left >= x + side or y >= top + other or top >= y + side for left, top, other in taken):
            return x, y
    return None


def paste(rng, pixels, crop, x, y, side):
    patch = np.asarray(Image.fromarray(crop).resize((side, side), Image.Resampling.BICUBIC), dtype=np.float64)
    if rng.random() < 0.5:
        patch = patch[:, ::-1]
    patch = (patch - patch.mean()) * rng.uniform(0.8, 1.25) + patch.mean() + rng.uniform(-35, 35)
    warmth = rng.uniform(0, 0.25)  # from grey to the colour of skin
    patch = patch[:, :, None] * np.array([1 + warmth / 2, 1 - warmth / 4, 1 - warmth])
    mask = soft_mask(side)[:, :, None]
    region = pixels[y:y + side, x:x + side]
    region[:] = region * (1 - mask) + patch * mask


def compose(rng, faces, others, scenes):
    """One picture and its face boxes [x, y, width, height]."""
    pixels = random_scene(rng, scenes).copy()
    face_count = int(rng.integers(1, 5)) if rng.random() < 0.85 else 0
    kinds = [True] * face_count + [False] * int(rng.integers(0, 4))
    taken, boxes = [], []
    for is_face in kinds:
        side = int(round(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST)))))
        place = free_place(rng, pixels.shape[:2], side, taken)
        if place is None:
            continue
        crop = (faces if is_face else others)[rng.integers(len(faces if is_face else others))]
        paste(rng, pixels, crop, *place, side)
        taken.append((*place, side))
        if is_face:
            boxes.append([*place, side, side])
    pixels += rng.normal(0, rng.uniform(1, 5), pixels.shape)  # a sensor's noise, over the seams too
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)), boxes


def write_dataset(folder, info, count, seed):
    faces, others, scenes = load_sources()
    (folder / "images").mkdir()
    images, annotations = [], []
    for i in range(count):
        picture, boxes = compose(np.random.default_rng([seed, i]), faces, others, scenes)
        name = f"images/sample_{i:05d}.jpg"
        picture.save(folder / name, quality=92)
        images.append({"id": i + 1, "file_name": name, "width": picture.width, "height": picture.height})
        for box in boxes:
            annotations.append({"id": len(annotations) + 1, "image_id": i + 1, "category_id": 1, "bbox": box,
                                "area": box[2] * box[3], "iscrowd": 0})
    content = {"info": info, "images": images, "annotations": annotations, "categories": [{"id": 1, "name": "face"}]}
    (folder / "annotations.json").write_text(json.dumps(content))
    return len(annotations)


def made_before(out):
    """The info of a sample data set in `out`; None when there is no such data set."""
    try:
        info = json.loads((out / "annotations.json").read_text())["info"]
        return info if info.get("description", "").startswith("HyperFD sample data") else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", metavar="OUT_DIR", type=Path)
    parser.add_argument("--images", type=int, default=300, help="how many pictures (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="which pictures (default: %(default)s)")
    arguments = parser.parse_args()
    if arguments.images < 1:
        parser.error(f"--images: expected a number > 0, got {arguments.images}")
    if arguments.seed < 0:
        parser.error(f"--seed: expected a number >= 0, got {arguments.seed}")

    out = arguments.out.resolve()
    info = {"description": "HyperFD sample data: LFW face crops pasted on photographs, both from scikit-image",
            "version": VERSION, "images": arguments.images, "seed": arguments.seed}
    existing = made_before(out)
    if existing == info:
        return
    if out.exists() and existing is None and (not out.is_dir() or any(out.iterdir())):
        sys.exit(f"make_sample_data.py: {out} exists and is not a sample data set; choose another folder")

    out.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        building.chmod(0o755)  # mkdtemp's folders are private
        faces = write_dataset(building, info, arguments.images, arguments.seed)
        if out.exists():
            shutil.rmtree(out)
        building.rename(out)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    print(f"{out}: {arguments.images} images with {faces} faces")


if __name__ == "__main__":
    main()
