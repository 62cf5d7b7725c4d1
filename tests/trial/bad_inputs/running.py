"""Runs a case's program, as a user would, in a folder of its own."""

import json
import os
import re
import resource
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import good_inputs

SOURCE = Path(__file__).resolve().parents[3]
PROGRAMS = Path(os.environ.get("HYPERFD_BIN_DIR") or SOURCE / "build" / "release" / "bin").resolve()
PRESET = PROGRAMS.parent.name
SANITIZED = PRESET in ("asan", "tsan")
MOST_MEMORY = 8 << 30  # bytes of address space, of which LibTorch takes two at once; sanitizers take far more
SECONDS = 600 if SANITIZED else 120
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} (.*)")


@dataclass(frozen=True)
class Outcome:
    exit: int
    lines: list  # of the error stream, without the log's times


def environment(folder):
    """Nothing of NNI's or of the user's; what the CMake preset sets for tests, e.g. the sanitizers' options."""
    presets = json.loads((SOURCE / "CMakePresets.json").read_text())["testPresets"]
    of_preset = next((preset.get("environment", {}) for preset in presets if preset["name"] == PRESET), {})
    variables = {"PATH": os.environ["PATH"], "HOME": str(folder), "TZ": "UTC", "LC_ALL": "C.UTF-8"}
    variables |= {name: value.replace("${sourceDir}", str(SOURCE)) for name, value in of_preset.items()}
    if "ASAN_OPTIONS" in variables:  # leaks are the unit tests' matter: those of OpenCV's video plugins, once unloaded, have no name to forgive
        variables["ASAN_OPTIONS"] += ":detect_leaks=0"
    return variables


def run(command, folder, output=subprocess.PIPE):
    program, *arguments = command.split(" ") if command.endswith("}") else shlex.split(command)  # JSON stands as it is
    with subprocess.Popen([PROGRAMS / program, *arguments], cwd=folder, env=environment(folder), stdin=subprocess.DEVNULL,
                          stdout=output, stderr=subprocess.PIPE) as process:
        if not SANITIZED:
            resource.prlimit(process.pid, resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        try:
            _, errors = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    lines = errors.decode(errors="backslashreplace").replace(str(folder.resolve()), "/here").splitlines()
    return Outcome(process.returncode, [LOG_LINE.sub(r"\1", line) for line in lines])


def make_good_inputs(folder):
    good_inputs.make(folder)
    good_inputs.make_store(PROGRAMS / "hyperfd-tuner", folder, environment(folder))
    good_inputs.make_checkpoint(PROGRAMS / "hyperfd-trial", folder, environment(folder))


def run_in_copy(command, good, change=lambda folder: None, output=subprocess.PIPE):
    """In a copy of the good inputs, after `change`."""
    with tempfile.TemporaryDirectory(prefix="bad_inputs") as name:
        folder = Path(name) / "here"
        shutil.copytree(good, folder)
        change(folder)
        return run(command, folder, output)


def run_case(section, case, good):
    return run_in_copy(case.command or section.command, good, case.breaks)
