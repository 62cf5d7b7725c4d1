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
    max_trial_number = _max_trial_number(sys.argv if arguments is None else arguments)
    return NniContext(experiment, folder, max_trial_number, _rest_url(environment.get("NNI_TUNER_COMMAND_CHANNEL")))


def _max_trial_number(arguments: List[str]) -> int:
    try:
        text = base64.b64decode(arguments[arguments.index("--exp_params") + 1]).decode()
        experiment = json.loads(text)
        number = experiment.get("maxTrialNumber") or experiment.get("maxTrialNum") or 0
        return number if isinstance(number, int) and number > 0 else 0
    except (ValueError, IndexError, AttributeError) as error:
        _logger.info("maxTrialNumber is not known (%s); give classArgs.budget to tell the tuner", error)
        return 0


def _rest_url(channel: Optional[str]) -> Optional[str]:
    """``ws://localhost:8080/prefix/tuner`` → ``http://localhost:8080/prefix/api/v1/nni``"""
    if not channel or not channel.startswith("ws://") or not channel.endswith("/tuner"):
        return None
    return "http://" + channel[len("ws://") : -len("/tuner")] + "/api/v1/nni"
