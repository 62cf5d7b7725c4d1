"""Broken weights and checkpoints."""

import io
import json
import os
import pickle
import struct
import zipfile

from case import Case, Section, change_byte, copy, cut, link, make_folder, write
from recipe_cases import HUGE

EVALUATE = "hyperfd-trial evaluate --data faces --weights best.pt"
IMPORT = "hyperfd-trial import-weights w.pth --out out.pt"
RESUME = "hyperfd-trial train --data faces --recipe quick.yaml --set average=0.9 --out cut"
CHECKPOINT = "cut/checkpoint.pt"


class Call:
    """Pickles as a call of a global, which runs when Python loads it."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def zipped(records):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in records.items():
            archive.writestr(name, content)
    return stream.getvalue()


def rewrite(name, change):
    """`change` gets the records of a zip archive by name and changes them; checksums are right again."""
    def apply(folder):
        with zipfile.ZipFile(folder / name) as archive:
            records = {item: archive.read(item) for item in archive.namelist()}
        change(records)
        write(name, zipped(records))(folder)
    return apply


def in_pickle(old, new):
    def change(records):
        name = next(item for item in records if item.endswith("data.pkl"))
        assert old in records[name], old
        records[name] = records[name].replace(old, new, 1)
    return change


def with_text(change):
    """Changes the description: the pickle's only text of more than a few hundred bytes."""
    def apply(records):
        name = next(item for item in records if item.endswith("data.pkl"))
        content = records[name]
        at = content.index(b"description") + len(b"description")
        at = content.index(b"X", at)
        size = struct.unpack("<I", content[at + 1:at + 5])[0]
        text = change(content[at + 5:at + 5 + size].decode()).encode()
        records[name] = content[:at] + b"X" + struct.pack("<I", len(text)) + text + content[at + 5 + size:]
    return apply


def with_state(change):
    def edit(text):
        state = json.loads(text)
        change(state)
        return json.dumps(state)
    return rewrite(CHECKPOINT, with_text(edit))


def fill(number):
    """All numbers of the first tensor."""
    def change(records):
        name = next(item for item in records if "/data/" in item)
        records[name] = struct.pack("<f", number) * (len(records[name]) // 4)
    return change


def spoil_optimizer(records):
    """The one record that is itself an archive."""
    name = next(item for item, content in records.items() if "/data/" in item and content[:2] == b"PK")
    records[name] = bytes(len(records[name]))


def pickled(value):
    return write("w.pth", zipped({"archive/data.pkl": pickle.dumps(value, protocol=2)}))


WEIGHTS = Section(
    "Weights", "`evaluate`, `detect`, `clean`, `export` and trainings read weights in the same way.", EVALUATE,
    [
        Case("a missing file", "hyperfd-trial: nowhere.pt: cannot be read: No such file or directory",
             command="hyperfd-trial evaluate --data faces --weights nowhere.pt"),
        Case("a folder", "hyperfd-trial: best.pt: is a folder, expected a file", make_folder("best.pt")),
        Case("a link to itself", "hyperfd-trial: best.pt: cannot be read: Too many levels of symbolic links", link("best.pt", "best.pt")),
        Case("an empty file", "hyperfd-trial: best.pt: expected weights that PyTorch or `hyperfd-trial` saved", write("best.pt", b"")),
        Case("text", "hyperfd-trial: best.pt: expected weights that PyTorch or `hyperfd-trial` saved", write("best.pt", "weights")),
        Case("cut off in the middle", "hyperfd-trial: best.pt: the archive has no directory at its end: was it cut off?", cut("best.pt")),
        Case("its first two bytes", "hyperfd-trial: best.pt: the archive has no directory at its end: was it cut off?",
             write("best.pt", b"PK")),
        Case("a zip archive of something else", "hyperfd-trial: best.pt: the archive holds no data.pkl",
             write("best.pt", zipped({"readme.txt": "hello"}))),
        Case("one byte is wrong", "hyperfd-trial: best.pt: BboxHead.2.conv1x1.weight: record archive/data/5 is damaged (wrong checksum)",
             change_byte("best.pt", 5000)),
        Case("a tensor's bytes are missing", "hyperfd-trial: best.pt: BboxHead.0.conv1x1.bias: record archive/data/0 is missing",
             rewrite("best.pt", lambda records: records.pop(next(r for r in records if "/data/" in r)))),
        Case("a tensor has fewer bytes than its shape",
             "hyperfd-trial: best.pt: BboxHead.0.conv1x1.bias: the tensor has more elements than its storage",
             rewrite("best.pt", lambda records: records.update({next(r for r in records if "/data/" in r): b"1234"}))),
        Case("NaN", "hyperfd-trial: best.pt: BboxHead.0.conv1x1.bias: not all numbers are finite", rewrite("best.pt", fill(float("nan")))),
        Case("infinity", "hyperfd-trial: best.pt: BboxHead.0.conv1x1.bias: not all numbers are finite",
             rewrite("best.pt", fill(float("inf")))),
        Case("a tensor of another name", "hyperfd-trial: best.pt: tensor body.stage1.0.0.weight is missing",
             rewrite("best.pt", in_pickle(b"body.stage1", b"body.stageX"))),
        Case("a recipe that does not fit them",
             "hyperfd-trial: best.pt: tensor BboxHead.0.conv1x1.weight: expected shape [8, 32, 1, 1], got [8, 64, 1, 1]",
             rewrite("best.pt", with_text(lambda text: text.replace("channels: 64", "channels: 32")))),
        Case("a recipe with an unknown key", 'hyperfd-trial: best.pt: unknown key "colours"; did you mean "colour"?',
             rewrite("best.pt", with_text(lambda text: text + "colours: 3\n"))),
        Case("a recipe that is none", 'hyperfd-trial: best.pt: expected `key: value`, got "hello"',
             rewrite("best.pt", with_text(lambda text: "hello"))),
        Case("a recipe of an architecture larger than any machine",
             "hyperfd-trial: best.pt: backbone: expected a network of at most 250000000 parameters, got one of …",
             rewrite("best.pt", with_text(lambda text: text.replace("mobilenet_v1_x0.25", HUGE)))),
        Case("no recipe", "hyperfd-trial: best.pt: says nothing of the network it belongs to; `hyperfd-trial import-weights` finds out",
             rewrite("best.pt", with_text(lambda text: ""))),
        Case("initial weights of an unknown name",
             'hyperfd-trial: weights: no such file; unknown name "mobilenet_v9"; known: mobilenet_v1_x0.25…',
             command="hyperfd-trial train --data faces --weights mobilenet_v9 --out run"),
        Case("initial weights of another network than `--set` says",
             "hyperfd-trial: best.pt: weights of mobilenet_v1_x0.25 do not fit backbone mobilenet_v2_x0.5; choose others (--weights) or none (--set weights=)",
             command="hyperfd-trial train --data faces --weights best.pt --set backbone=mobilenet_v2_x0.5 --out run"),
        Case("initial weights that the run would remove at its beginning", "hyperfd-trial: --out: run/best.pt would replace the input run/best.pt; choose another",
             lambda folder: ((folder / "run").mkdir(), (folder / "best.pt").rename(folder / "run" / "best.pt")),
             "hyperfd-trial train --data faces --recipe quick.yaml --weights run/best.pt --out run"),
        Case("`import-weights` onto its input", "hyperfd-trial: --out: best.pt would replace the input best.pt; choose another",
             command="hyperfd-trial import-weights best.pt --out best.pt --half"),
        Case("`--out` of an export is a folder", "hyperfd-trial: out.onnx: is a folder, expected a file", make_folder("out.onnx"),
             "hyperfd-trial export --weights best.pt --out out.onnx"),
        Case("`--out` of an export is a pipe", "hyperfd-trial: out.onnx: is a pipe, expected a file",
             lambda folder: os.mkfifo(folder / "out.onnx"), "hyperfd-trial export --weights best.pt --out out.onnx"),
        Case("`--out` of an export is below a file", "hyperfd-trial: best.pt: cannot be created: Not a directory",
             command="hyperfd-trial export --weights best.pt --out best.pt/out.onnx", exit=1),
        Case("`--out` of an export is a link to itself", "hyperfd-trial: out.onnx: is a link to itself", link("out.onnx", "out.onnx"),
             "hyperfd-trial export --weights best.pt --out out.onnx"),
    ])

IMPORTED = Section(
    "Weights of PyTorch", "Pickles are programs. Ours are read by an interpreter that knows only what weights need, and calls nothing.", IMPORT,
    [
        Case("a missing file", "hyperfd-trial: nowhere.pth: cannot be read: No such file or directory",
             command="hyperfd-trial import-weights nowhere.pth --out out.pt"),
        Case("text", "hyperfd-trial: w.pth: expected weights that PyTorch or `hyperfd-trial` saved", write("w.pth", "weights")),
        Case("a pickle that runs a program", "hyperfd-trial: w.pth: the pickle calls __builtin__ print, which weights have no use for",
             pickled(Call(print, "gotcha"))),
        Case("a pickle that runs a program, without archive",
             "hyperfd-trial: w.pth: expected weights that PyTorch or `hyperfd-trial` saved",
             write("w.pth", pickle.dumps(Call(print, "gotcha"), protocol=2))),
        Case("a pickle of a protocol that weights do not have",
             "hyperfd-trial: w.pth: the pickle holds what weights do not (operation 149)",
             write("w.pth", zipped({"archive/data.pkl": pickle.dumps({"a": 1}, protocol=4)}))),
        Case("a pickle that is cut off", "hyperfd-trial: w.pth: the pickle ends in the middle",
             write("w.pth", zipped({"archive/data.pkl": pickle.dumps({"a": 1}, protocol=2)[:-3]}))),
        Case("a pickle that takes from an empty stack", "hyperfd-trial: w.pth: the pickle takes from an empty stack",
             write("w.pth", zipped({"archive/data.pkl": b"\x80\x02s."}))),
        Case("a dictionary without tensors", "hyperfd-trial: w.pth: epoch: expected a tensor", pickled({"epoch": 3})),
        Case("an empty dictionary", "hyperfd-trial: w.pth: holds no tensors", pickled({})),
        Case("a list", "hyperfd-trial: w.pth: expected a dictionary of named tensors", pickled([1, 2])),
        Case("a list that holds itself", "hyperfd-trial: w.pth: expected a dictionary of named tensors",
             write("w.pth", zipped({"archive/data.pkl": b"\x80\x02]q\x00h\x00a."}))),
        Case("a pickle of 100,000 lists in lists", "hyperfd-trial: w.pth: expected a dictionary of named tensors",
             write("w.pth", zipped({"archive/data.pkl": b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."}))),
        Case("a zip archive whose directory is elsewhere", "hyperfd-trial: w.pth: the archive ends in the middle",
             write("w.pth", b"PK\x05\x06" + bytes(8) + b"\x01\x00\x01\x00" + b"\xff" * 8 + bytes(2))),
        Case("the older format, cut off", "hyperfd-trial: w.pth: the pickle ends in the middle",
             write("w.pth", b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19." + b"\x80\x02M\xe9\x03.")),
        Case("`--out` is a folder", "hyperfd-trial: out.pt: is a folder, expected a file", make_folder("out.pt"),
             "hyperfd-trial import-weights best.pt --out out.pt"),
    ])

CHECKPOINTS = Section(
    "Checkpoints", "A training that was cut off goes on from its checkpoint. One that cannot be used costs the epochs it held, not the run: "
    "the one before it is used, or training starts anew. One of another version is whole, and an error.", RESUME,
    [
        Case("an empty file", "warning cut/checkpoint.pt: expected weights that PyTorch or `hyperfd-trial` saved; not used",
             write(CHECKPOINT, b""), exit=0),
        Case("cut off in the middle", "warning cut/checkpoint.pt: the archive has no directory at its end: was it cut off?; not used",
             cut(CHECKPOINT), exit=0),
        Case("a folder", "warning cut/checkpoint.pt: is a folder, expected a file; not used", make_folder(CHECKPOINT), exit=0),
        Case("weights of a detector",
             "warning cut/checkpoint.pt: parse error at line 1, column 1: syntax error while parsing value - invalid literal; last read: 'b'; not used",
             copy("best.pt", CHECKPOINT), exit=0),
        Case("of another recipe", "info cut/checkpoint.pt: of another recipe, data set, seed or initial weights; training starts anew",
             command=RESUME.replace("0.9", "0.8"), exit=0),
        Case("a field is missing", "warning cut/checkpoint.pt: the state of the training: key 'epochs' not found; not used",
             with_state(lambda state: state.pop("epochs")), exit=0),
        Case("a field has the wrong type", "warning cut/checkpoint.pt: the state of the training: cannot use at() with number; not used",
             with_state(lambda state: state.update(epochs=3)), exit=0),
        Case("an epoch has the wrong type", "warning cut/checkpoint.pt: the state of the training: cannot use at() with array; not used",
             with_state(lambda state: state.update(epochs=[[]])), exit=0),
        Case("the schedule has the wrong type",
             "warning cut/checkpoint.pt: the state of the training: cannot use at() with string; not used",
             with_state(lambda state: state.update(schedule="cosine")), exit=0),
        Case("of an older version",
             "hyperfd-trial: cut/checkpoint.pt: of another version of hyperfd-trial (format 1, expected 2); end the training with that version, "
             "or delete the file to start anew", with_state(lambda state: state.pop("format"))),
        Case("of a version that keeps the optimizer's state in another order",
             "hyperfd-trial: cut/checkpoint.pt: of another version of hyperfd-trial (another layout of the optimizer's state); end the training "
             "with that version, or delete the file to start anew", with_state(lambda state: state.update(layout="f" * 64))),
        Case("the optimizer's state is missing", "warning cut/checkpoint.pt: the optimizer's state is missing; not used",
             rewrite(CHECKPOINT, in_pickle(b"\x09\0\0\0optimizer", b"\x09\0\0\0optimisor")), exit=0),
        Case("the optimizer's state is damaged", "warning cut/checkpoint.pt: the optimizer's state cannot be read; not used",
             rewrite(CHECKPOINT, spoil_optimizer), exit=0),
        Case("a tensor of the network is missing", "warning cut/checkpoint.pt: tensor body.stage1.0.0.weight is missing; not used",
             rewrite(CHECKPOINT, in_pickle(b"network.body", b"netwirk.body")), exit=0),
        Case("a tensor of the best network is missing",
             "warning cut/checkpoint.pt: best: tensor body.stage1.0.0.weight is missing; not used",
             rewrite(CHECKPOINT, in_pickle(b"best.body", b"bost.body")), exit=0),
        Case("a moving average is missing", "warning cut/checkpoint.pt: moving average 0 is missing or has another shape; not used",
             rewrite(CHECKPOINT, in_pickle(b"average.0", b"average.x")), exit=0),
        Case("NaN in the network", "warning cut/checkpoint.pt: average.0: not all numbers are finite; not used",
             rewrite(CHECKPOINT, fill(float("nan"))), exit=0),
    ])
