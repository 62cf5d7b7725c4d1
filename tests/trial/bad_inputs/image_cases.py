"""Broken and unusual images."""

import struct
import zlib

from case import Case, Section, both, cut, link, make_folder, put, write
from good_inputs import encoded, picture

TRAIN = "hyperfd-trial train --data faces --recipe quick.yaml --out run"
DETECT = "hyperfd-trial detect --weights best.pt --json out.json"
IMAGE = "faces/images/2.jpg"
LABELS = "faces/annotations.json"


def png(width, height, rows=b""):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def jpeg_of_declared_size(width, height):
    content = bytearray(encoded(picture(2), "JPEG"))
    at = content.index(b"\xff\xc0")
    content[at + 5:at + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def bmp_of_declared_size(width, height):
    content = bytearray(encoded(picture(2), "BMP"))
    content[18:26] = struct.pack("<ii", width, height)
    return bytes(content)


def tiff_of_declared_size(width, height):
    content = encoded(picture(2), "TIFF")
    old = struct.pack("<HHII", 256, 4, 1, 64), struct.pack("<HHII", 257, 4, 1, 48)
    assert all(entry in content for entry in old)
    return content.replace(old[0], struct.pack("<HHII", 256, 4, 1, width)).replace(old[1], struct.pack("<HHII", 257, 4, 1, height))


def every_image(content):
    return both(*(write(f"faces/images/{n}.jpg", content) for n in range(8)))


IMAGES = Section(
    "Images",
    "One bad image costs a training that image, not the run: it is counted and named. `evaluate`, `clean`, `pretrain` and `import` do the same.",
    TRAIN,
    [
        Case("an empty file", "warning faces: 1 unreadable images, skipped (faces/images/2.jpg: expected an image, the file is empty)",
             write(IMAGE, b""), exit=0),
        Case("text in a file named .jpg",
             "warning faces: 1 unreadable images, skipped (faces/images/2.jpg: expected an image, the content cannot be decoded)",
             write(IMAGE, "no picture"), exit=0),
        Case("HTML in a file named .jpg",
             "warning faces: 1 unreadable images, skipped (faces/images/2.jpg: expected an image, the content cannot be decoded)",
             write(IMAGE, "<!doctype html><html>404"), exit=0),
        Case("a JPEG that is cut off",
             "warning faces: 1 unreadable images, skipped (faces/images/2.jpg: the JPEG data ends before the image does)", cut(IMAGE),
             exit=0),
        Case("a JPEG of its first two bytes",
             "warning faces: 1 unreadable images, skipped (faces/images/2.jpg: the JPEG data ends before the image does)",
             write(IMAGE, b"\xff\xd8"), exit=0),
        Case("a PNG that is cut off",
             "warning faces: 1 unreadable images, skipped (faces/images/2.jpg: expected an image, the content cannot be decoded)",
             both(write(IMAGE, encoded(picture(2), "PNG")), cut(IMAGE)), exit=0),
        Case("a PNG without any pixels",
             "warning faces: 1 unreadable images, skipped (faces/images/2.jpg: expected an image, the content cannot be decoded)",
             write(IMAGE, png(64, 48)), exit=0),
        Case("a small PNG of 60,000×60,000 pixels",
             "warning faces: 1 unreadable images, skipped (faces/images/2.jpg: expected at most 134217728 pixels, got 60000×60000)",
             write(IMAGE, png(60_000, 60_000)), exit=0),
        Case("a small PNG of 30,000×30,000 pixels",
             "warning faces: 1 unreadable images, skipped (faces/images/2.jpg: expected at most 134217728 pixels, got 30000×30000)",
             write(IMAGE, png(30_000, 30_000, bytes(90_001 * 300))), exit=0),
        Case("a small JPEG of 65,000×65,000 pixels",
             "warning faces: 1 unreadable images, skipped (faces/images/2.jpg: expected at most 134217728 pixels, got 65000×65000)",
             write(IMAGE, jpeg_of_declared_size(65_000, 65_000)), exit=0),
        Case("a small JPEG of 32,000×32,000 pixels",
             "warning faces: 1 unreadable images, skipped (faces/images/2.jpg: expected at most 134217728 pixels, got 32000×32000)",
             write(IMAGE, jpeg_of_declared_size(32_000, 32_000)), exit=0),
        Case("a small BMP of 30,000×30,000 pixels",
             "warning faces: 1 unreadable images, skipped (faces/images/2.jpg: expected an image, the content cannot be decoded)",
             write(IMAGE, bmp_of_declared_size(30_000, 30_000)), exit=0),
        Case("a small TIFF of 30,000×30,000 pixels",
             "warning faces: 1 unreadable images, skipped (faces/images/2.jpg: expected an image, the content cannot be decoded)",
             write(IMAGE, tiff_of_declared_size(30_000, 30_000)), exit=0),
        Case("a TIFF of floats",
             "warning faces: 1 unreadable images, skipped (faces/images/2.jpg: expected an image, the content cannot be decoded)",
             write(IMAGE, encoded(picture(2, "F"), "TIFF")), exit=0),
        Case("an image that is long and very narrow",
             "warning faces: 1 unreadable images left out of evaluation (faces/images/6.jpg: 100000×1 pixels are too many to detect faces in, with evaluation_side 32)",
             write("faces/images/6.jpg", encoded(picture(2, size=(100_000, 1)), "PNG")), exit=0),
        Case("another size than annotated",
             "warning faces: 1 images of another size than annotated, boxes may be off (images/2.jpg: 64x48, annotated 640x48)",
             put(LABELS, "images", 2, "width", value=640), exit=0),
        Case("all training images are text",
             "hyperfd-trial: none of the 4 training images can be read: 4 unreadable images, skipped (e.g. faces/images/0.jpg: expected an image, the content cannot be decoded; faces/images/2.jpg: expected an image, the content cannot be decoded; faces/images/3.jpg: expected an image, the content cannot be decoded)",
             every_image("no picture")),
        Case("all validation images are text",
             "hyperfd-trial: faces: none of the 2 images to evaluate can be read: faces/images/4.jpg: expected an image, the content cannot be decoded",
             both(write("faces/images/4.jpg", "no"), write("faces/images/5.jpg", "no"))),
        Case("`detect` on text", "hyperfd-trial: note.jpg: expected an image, the content cannot be decoded",
             write("note.jpg", "no picture"), DETECT + " note.jpg"),
        Case("`detect` on a missing file", "hyperfd-trial: nowhere.jpg: cannot be read: No such file or directory",
             command=DETECT + " nowhere.jpg"),
        Case("`detect` on files of which none is an image", "hyperfd-trial: none of the images can be read",
             both(write("a.jpg", ""), write("b.jpg", "")), DETECT + " a.jpg b.jpg"),
        Case("`detect` on a folder without images", "hyperfd-trial: labels: no images in this folder or below it", command=DETECT + " labels"),
        Case("`detect` on a folder of videos",
             "hyperfd-trial: films: no images in this folder or below it, but 1 videos, which are given by their own paths, as films/a.mp4",
             write("films/a.mp4", ""), DETECT + " films"),
        Case("`detect --out` is the folder of an image that the drawing would replace",
             "hyperfd-trial: --out: ./a.png would replace the input a.png; choose another", write("a.png", encoded(picture(2), "PNG")),
             DETECT + " --out . a.png"),
        Case("`detect --out` has a link to the image", "hyperfd-trial: --out: found/a.png would replace the input a.png; choose another",
             both(write("a.png", encoded(picture(2), "PNG")), make_folder("found"), link("found/a.png", "../a.png")),
             DETECT + " --out found a.png"),
        Case("`detect --out` is the folder of a video that the drawing would replace",
             "hyperfd-trial: --out: ./film.mp4 would replace the input film.mp4; choose another", write("film.mp4", "no film"),
             DETECT + " --out . film.mp4"),
        Case("`detect --json` is an image", "hyperfd-trial: --json: faces/images/../images/2.jpg would replace the input faces/images/2.jpg; choose another",
             command="hyperfd-trial detect --weights best.pt --json faces/images/../images/2.jpg faces/images"),
        Case("`detect --json` is where nobody can write", "hyperfd-trial: /proc/zz: cannot be created: No such file or directory",
             command="hyperfd-trial detect --weights best.pt --json /proc/zz/out.json faces/images", exit=1),
        Case("`detect --score` is no number", 'hyperfd-trial: --score: expected a number in [0, 1], got "nan"',
             command=DETECT + " --score nan faces/images"),
        Case("`detect` on a link to itself", "hyperfd-trial: loop.jpg: cannot be read: Too many levels of symbolic links",
             link("loop.jpg", "loop.jpg"), DETECT + " loop.jpg"),
        Case("`detect` on a file that is no video", "hyperfd-trial: film.mp4: expected a video, the content cannot be decoded",
             write("film.mp4", "no film"), DETECT + " film.mp4"),
        Case("`detect` on a missing video", "hyperfd-trial: nowhere.mp4: no such file", command=DETECT + " nowhere.mp4"),
        Case("`detect --annotations` with an image that is not in them",
             "hyperfd-trial: 77.jpg: expected an image that faces/annotations.json lists", write("77.jpg", encoded(picture(2), "JPEG")),
             DETECT + " --annotations faces/annotations.json 77.jpg"),
    ])

# No message: these must simply work.
UNUSUAL = {
    "1×1": encoded(picture(0, size=(1, 1)), "PNG"),
    "1×500": encoded(picture(0, size=(1, 500)), "PNG"),
    "16 bits a channel": encoded(picture(0, "I;16"), "PNG"),
    "grey JPEG": encoded(picture(0, "L"), "JPEG"),
    "grey and alpha": encoded(picture(0, "LA"), "PNG"),
    "alpha": encoded(picture(0, "RGBA"), "PNG"),
    "palette": encoded(picture(0, "P"), "PNG"),
    "black and white": encoded(picture(0, "1"), "PNG"),
    "CMYK JPEG": encoded(picture(0, "CMYK"), "JPEG"),
    "progressive JPEG": encoded(picture(0), "JPEG", progressive=True),
    "WebP": encoded(picture(0), "WEBP"),
}
