"""What a case of the table is, and how good inputs are broken. Paths are relative to the folder that a case runs in."""

import json
import shutil
from dataclasses import dataclass, field
from typing import Callable


@dataclass(frozen=True)
class Case:
    broken: str                         # what is wrong, for a reader
    message: str                        # the line that a user sees; … stands for what depends on versions of libraries
    breaks: Callable = lambda folder: None
    command: str = ""                   # "": its section's
    exit: int = 2                       # 0: the program goes on, the message is a warning


@dataclass(frozen=True)
class Section:
    title: str
    text: str
    command: str
    cases: list = field(default_factory=list)


def both(*steps):
    def apply(folder):
        for step in steps:
            step(folder)
    return apply


def write(name, content):
    def apply(folder):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return apply


def remove(name):
    def apply(folder):
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return apply


def link(name, target):
    def apply(folder):
        if (folder / name).exists():
            remove(name)(folder)
        (folder / name).symlink_to(target)
    return apply


def make_folder(name):
    def apply(folder):
        if (folder / name).exists():
            remove(name)(folder)
        (folder / name).mkdir(parents=True)
    return apply


def cut(name, share=0.5):
    def apply(folder):
        content = (folder / name).read_bytes()
        write(name, content[: int(len(content) * share)])(folder)
    return apply


def copy(source, name):
    return lambda folder: write(name, (folder / source).read_bytes())(folder)


def change_byte(name, at):
    def apply(folder):
        content = bytearray((folder / name).read_bytes())
        content[at] ^= 0xFF
        write(name, bytes(content))(folder)
    return apply


def replace(name, old, new):
    """Of a text file; `old` must be there."""
    def apply(folder):
        text = (folder / name).read_text()
        assert old in text, (name, old)
        write(name, text.replace(old, new, 1))(folder)
    return apply


def edit(name, change):
    """Of a JSON file: `change` gets its content and changes it in place."""
    def apply(folder):
        content = json.loads((folder / name).read_text())
        change(content)
        write(name, json.dumps(content))(folder)
    return apply


def put(name, *path, value):
    """Sets one value in a JSON file: put(file, "images", 0, "width", value=3)."""
    def change(content):
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = value
    return edit(name, change)


def drop(name, *path):
    def change(content):
        for key in path[:-1]:
            content = content[key]
        del content[path[-1]]
    return edit(name, change)
