"""Pictures and numbers of meta-features: do data sets of one domain lie together, and how steady is φ?

    .venv/bin/python scripts/plot_meta_features.py DOMAIN.features… --out docs/meta_features.png

Reads the feature files that `hyperfd-trial describe` writes (one FILE.features a domain), draws 30 samples of each
domain's images, and makes one vector of each sample: φ of an extractor G with random weights, φ of a bundle's G
(--bundle), and the plain mean of the image features. Prints the silhouette score by domain and how far φ moves when the
sample changes; draws t-SNE of each.
"""

import argparse
import numpy
from PIL import Image, ImageDraw, ImageFont
from sklearn.manifold import TSNE
from sklearn.metrics import silhouette_score

from meta_features import Extractor, Features


def distance_table(extractor, domains, sizes, random):
    """How far two disjoint samples of a domain are, in units of the mean distance between domains."""
    centres = [extractor(d.images, d.statistics) for d in domains]
    between = numpy.mean([numpy.linalg.norm(a - b) for i, a in enumerate(centres) for b in centres[:i]])
    rows = []
    for size in sizes:
        moved = []
        for d in domains:
            if len(d.images) < 2 * size:
                continue
            for _ in range(10):
                order = random.permutation(len(d.images))
                first, second = (extractor(d.images[order[i * size:(i + 1) * size]], d.statistics) for i in (0, 1))
                moved.append(numpy.linalg.norm(first - second) / between)
        if moved:
            rows.append((size, len(moved) // 10, float(numpy.mean(moved))))
    return rows


def draw(file, names, labels, vectors, seed):
    """One t-SNE panel for each kind of vector, coloured by domain."""
    side, margin, legend, zoom = 420, 24, 190, 2  # drawn larger, then made smaller: smooth edges
    canvas = Image.new("RGB", (zoom * (len(vectors) * side + legend), zoom * side), "white")
    pen = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(14 * zoom)
    colours = ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22",
               "#17becf", "#000000", "#ffbb78"]

    def dot(x, y, label):
        radius = 3.5 * zoom
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colours[label % len(colours)])

    for panel, (name, rows) in enumerate(vectors.items()):
        points = TSNE(perplexity=min(30, (len(rows) - 1) / 3), init="pca", random_state=seed).fit_transform(rows)
        points = (points - points.min(0)) / (points.max(0) - points.min(0))
        left = panel * side
        pen.rectangle([zoom * (left + 4), zoom * 4, zoom * (left + side - 4), zoom * (side - 4)], outline="#c0c0c0")
        pen.text((zoom * (left + margin), zoom * 10), name, fill="black", font=font)
        for (x, y), label in zip(points, labels):
            dot(zoom * (left + margin + x * (side - 2 * margin)), zoom * (2 * margin + y * (side - 3 * margin)), label)
    for label, name in enumerate(names):
        y = zoom * (2 * margin + 22 * label)
        dot(zoom * (len(vectors) * side + 10), y, label)
        pen.text((zoom * (len(vectors) * side + 22), y - 9 * zoom), name, fill="black", font=font)
    canvas.resize((canvas.width // zoom, canvas.height // zoom), Image.LANCZOS).save(file)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("features", nargs="+", help="files of hyperfd-trial describe, one a domain")
    parser.add_argument("--bundle", help="store with a ranker whose G has learned, such as models/faces.sqlite")
    parser.add_argument("--out", help="picture, PNG")
    parser.add_argument("--samples", type=int, default=30, help="of each domain")
    parser.add_argument("--images", type=int, default=32, help="in a sample")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    domains = [Features(file) for file in options.features]
    if len({d.extractor for d in domains}) > 1:
        raise SystemExit("the files are of different extractors; describe them again with the same options")
    random = numpy.random.default_rng(options.seed)
    width = domains[0].images.shape[1]
    everything = numpy.vstack([numpy.hstack([d.images, numpy.tile(d.statistics, (len(d.images), 1))])
                               for d in domains])
    extractor = Extractor(everything, 64, random)
    # Statistics name the data set, all its samples alike: they are held at one value to see what the images say.
    typical = everything[:, width:].mean(0)

    with_statistics, without, means = "G", "G, the same statistics for all", "means of image features"
    labels, vectors = [], {with_statistics: [], without: [], means: []}
    if options.bundle:
        trained, frozen = Extractor.of_bundle(options.bundle)
        if frozen != domains[0].extractor:
            raise SystemExit(f"{options.bundle}: learned from features of another extractor than {options.features[0]}")
        vectors["G as it learned"] = []
    scale = numpy.where(everything[:, :width].std(0) > 1e-6, everything[:, :width].std(0), 1)
    for index, d in enumerate(domains):
        for _ in range(options.samples):
            sample = d.images[random.choice(len(d.images), min(options.images, len(d.images) // 2), replace=False)]
            labels.append(index)
            vectors[with_statistics].append(extractor(sample, d.statistics))
            vectors[without].append(extractor(sample, typical))
            vectors[means].append(sample.mean(0) / scale)
            if options.bundle:
                vectors["G as it learned"].append(trained(sample, d.statistics))
    labels = numpy.array(labels)
    chosen = domains[0]
    order = random.permutation(len(chosen.images))
    shuffled = extractor(chosen.images[order], chosen.statistics)
    plain = extractor(chosen.images, chosen.statistics)

    print(f"{len(domains)} domains × {options.samples} samples of {options.images} images (half a domain if fewer)")
    for name, rows in vectors.items():
        vectors[name] = rows = numpy.array(rows)
        print(f"silhouette by domain, {name}: {silhouette_score(rows, labels):.3f}")
    print(f"permuting a domain's images moves φ by {numpy.abs(shuffled - plain).max():.1e}")
    print("distance of φ of two disjoint samples, relative to the mean distance between domains:")
    for size, count, moved in distance_table(extractor, domains, (4, 8, 16, 32, 64, 128), random):
        print(f"  {size:4d} images: {moved:.3f}  ({count} domains)")
    if options.out:
        draw(options.out, [d.name for d in domains], labels, vectors, options.seed)


if __name__ == "__main__":
    main()
