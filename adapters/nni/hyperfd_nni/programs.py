"""Where the two C++ programs are."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path


def find_program(name: str) -> Path:
    """``hyperfd-tuner`` or ``hyperfd-trial``: in ``$HYPERFD_BIN_DIR``, else beside this Python (where the wheel puts them), else on PATH.

    Raises FileNotFoundError that lists the places.
    """
    chosen = os.environ.get("HYPERFD_BIN_DIR")
    # A user who names a folder means that one only.
    places = [chosen] if chosen else list(dict.fromkeys([sysconfig.get_path("scripts"), str(Path(sys.executable).parent)]))
    for place in places:
        program = Path(place) / name
        if os.access(program, os.X_OK):
            return program
    on_path = None if chosen else shutil.which(name)
    if on_path:
        return Path(on_path)
    searched = ", ".join(places if chosen else [*places, "PATH"])
    raise FileNotFoundError(f"{name} not found in {searched}; set HYPERFD_BIN_DIR to the folder that holds it")
