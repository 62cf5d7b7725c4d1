"""What the process that NNI started for its tuner can know of the experiment."""

from __future__ import annotations

import base64
import json
import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import List, NamedTuple, Optional

_logger = logging.getLogger("hyperfd.nni_context")


class NniContext(NamedTuple):
    experiment: str
    checkpoint: Path  # folder for our files; NNI keeps it over stop and resume
    max_trial_number: int  # 0: not limited
    manager_url: Optional[str]  # base of the manager's REST API
    search_space_file: Optional[Path] = None  # the next two as the experiment's configuration names them
    code_directory: Optional[Path] = None


def read_nni_context(environment: Optional[dict] = None, arguments: Optional[List[str]] = None) -> NniContext:
    """From the environment and arguments that NNI's manager gives the dispatcher. Without a manager: a fresh folder and experiment id."""
    environment = os.environ if environment is None else environment
    checkpoint = environment.get("NNI_CHECKPOINT_DIRECTORY")
    if checkpoint:
        folder = Path(checkpoint)
        experiment = folder.resolve().parent.name  # NNI does not tell its tuner the id in any other way
    else:
        folder = Path(tempfile.mkdtemp(prefix="hyperfd-"))
        experiment = folder.name
    configuration = _configuration(sys.argv if arguments is None else arguments)
    return NniContext(
        experiment,
        folder,
        _max_trial_number(configuration),
        _rest_url(environment.get("NNI_TUNER_COMMAND_CHANNEL")),
        _path(configuration.get("searchSpaceFile")),
        _path(configuration.get("trialCodeDirectory")),
    )


def _configuration(arguments: List[str]) -> dict:
    try:
        text = base64.b64decode(arguments[arguments.index("--exp_params") + 1]).decode()
        configuration = json.loads(text)
        if isinstance(configuration, dict):
            return configuration
        problem: object = f"it is {configuration!r:.60}"
    except (ValueError, IndexError) as error:
        problem = error
    _logger.info("the experiment's configuration is not known (%s); give classArgs.budget to tell the tuner maxTrialNumber", problem)
    return {}


def _max_trial_number(configuration: dict) -> int:
    number = configuration.get("maxTrialNumber") or configuration.get("maxTrialNum") or 0
    return number if isinstance(number, int) and number > 0 else 0


def _path(value: object) -> Optional[Path]:
    return Path(value) if isinstance(value, str) and value else None


def _rest_url(channel: Optional[str]) -> Optional[str]:
    """``ws://localhost:8080/prefix/tuner`` → ``http://localhost:8080/prefix/api/v1/nni``"""
    if not channel or not channel.startswith("ws://") or not channel.endswith("/tuner"):
        return None
    return "http://" + channel[len("ws://") : -len("/tuner")] + "/api/v1/nni"
