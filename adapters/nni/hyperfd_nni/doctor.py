"""Checks everything between ``pip install`` and the first suggestion, and says what is wrong."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Callable, List, Tuple

from .client import Client
from .embedded import EmbeddedTuner, default_store, socket_directory
from .programs import find_program
from .registration import NAME, registered_class

ROUND_TRIP_SECONDS = 30.0


def run_checks(report: Callable[[bool, str, str], None]) -> bool:
    """Calls ``report(ok, what, detail)`` for every check; True if all are well."""
    checks: List[Tuple[str, Callable[[], str]]] = [
        ("NNI", _nni),
        ("hyperfd-tuner", lambda: _program("hyperfd-tuner")),
        ("hyperfd-trial", lambda: _program("hyperfd-trial")),
        ("registration", _registration),
        ("store folder", _store_folder),
        ("tuner round trip", _round_trip),
    ]
    healthy = True
    for what, check in checks:
        try:
            report(True, what, check())
        except Exception as error:
            healthy = False
            report(False, what, str(error) or repr(error))
    return healthy


def _nni() -> str:
    try:
        importlib.import_module("pkg_resources")
    except ImportError:
        raise RuntimeError("nnictl needs pkg_resources, which this environment lacks: pip install 'setuptools<81'") from None
    return importlib.metadata.version("nni")


def _program(name: str) -> str:
    program = find_program(name)
    done = subprocess.run([str(program), "--version"], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        lines = (done.stderr + done.stdout).strip().splitlines()
        raise RuntimeError(f"{program} --version ended with code {done.returncode}: {lines[-1] if lines else 'it printed nothing'}")
    return f"{program} ({done.stdout.strip()})"


def _registration() -> str:
    name = registered_class()
    if name is None:
        raise RuntimeError(f"NNI does not know the tuner {NAME} in this environment: run `hyperfd-nni register`")
    return name


def _store_folder() -> str:
    folder = default_store().parent
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass
    socket_directory()
    return str(folder)


def _round_trip() -> str:
    """One suggestion and one result through a tuner of its own, on a store that is thrown away."""
    find_program("hyperfd-tuner")
    with tempfile.TemporaryDirectory(prefix="hyperfd-doctor-") as folder:
        tuner = EmbeddedTuner(Path(folder) / "store.db", idle_exit=1)
        client = Client(tuner.endpoint, before_attempt=tuner.ensure)
        try:
            started = time.monotonic()

            def ask(kind: str, body: dict):
                return client.request("doctor", kind, {"run": "doctor", **body}, kind, time.monotonic() + ROUND_TRIP_SECONDS)

            space = json.dumps({"x": {"_type": "choice", "_value": [1, 2, 3]}})
            server = ask("IN", {"space": space, "optimize_mode": "maximize", "budget": 1, "policy": "random", "seed": 0}).body["server"]
            parameters = ask("GE", {"parameter_ids": [0]}).body["trials"][0]["parameters"]
            result = {"parameter_id": 0, "trial_job_id": "doctor", "kind": "FINAL", "sequence": 0, "value": "1", "parameters": ""}
            if ask("ME", result).body["counted"] != 1:
                raise RuntimeError("the tuner did not count a result")
            ask("TE", {})
            return f"{server} suggested {parameters} and stored a result in {time.monotonic() - started:.1f} s"
        finally:
            client.close()
