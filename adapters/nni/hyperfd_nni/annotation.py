"""What annotates the search space (docs/search_spaces.md): NNI never sees it, the tuner gets it with the space."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Optional

import yaml

from .nni_context import NniContext

_logger = logging.getLogger("hyperfd.annotation")

SUFFIXES = (".hyperfd.yaml", ".hyperfd.yml", ".hyperfd.json")


def read_annotation(setting: Any, context: NniContext) -> Optional[dict]:
    """``classArgs.space``: the annotation itself, or its file (relative to trialCodeDirectory). Without it, the file beside the search
    space, if there is one. Raises ValueError that names the file."""
    if isinstance(setting, dict):
        return setting
    if setting is None:
        file = _beside(context.search_space_file)
        if file is None:
            return None
    else:
        file = (context.code_directory or Path.cwd()) / Path(setting).expanduser()
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))  # also JSON
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}: not YAML or JSON ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict):
        raise ValueError(f"{file}: expected an object, got {content!r:.60}")
    _logger.info("%s annotates the search space", file)
    return content


def _beside(space_file: Optional[Path]) -> Optional[Path]:
    files = [space_file.with_suffix(suffix) for suffix in SUFFIXES] if space_file else []
    return next((file for file in files if file.is_file()), None)
