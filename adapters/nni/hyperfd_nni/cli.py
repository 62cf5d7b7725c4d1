"""The command ``hyperfd-nni``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import List, Optional

DELIVERY_ARGUMENTS = ("endpoint", "server_key", "client_key", "store", "privacy")  # of classArgs: which tuner it is
EXAMPLES = """\
examples:
  hyperfd-nni register                     make `tuner: {name: HyperFD}` known to this environment's NNI
  hyperfd-nni doctor                       check the installation, tuner round trip included
  hyperfd-nni deliver ~/nni-experiments/ID/checkpoint
                                           send results that could not be sent while the experiment ran
"""


def main(arguments: Optional[List[str]] = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except Exception as error:
        print(f"hyperfd-nni {options.command}: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hyperfd-nni", description="HyperFD for NNI.", epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, run, explanation in (
        ("register", _register, "tell NNI of the tuner HyperFD"),
        ("unregister", _unregister, "remove it from NNI's list"),
        ("doctor", _doctor, "check everything and say what is wrong"),
    ):
        commands.add_parser(name, help=explanation, description=explanation).set_defaults(run=run)
    explanation = "send what is left in an experiment's outbox"
    deliver = commands.add_parser(
        "deliver", help=explanation,
        description=explanation + ": with --endpoint, too, to the tuner on this machine if the experiment's privacy was pull",
    )
    deliver.add_argument("checkpoint", type=Path, help="folder checkpoint/ of the NNI experiment")
    for name in DELIVERY_ARGUMENTS:
        deliver.add_argument("--" + name.replace("_", "-"), help=f"as classArgs.{name} of the experiment")
    deliver.set_defaults(run=_deliver)
    return parser


def _register(_: argparse.Namespace) -> int:
    from .registration import NAME, register

    register()
    print(f"NNI now knows the tuner {NAME}.")
    return 0


def _unregister(_: argparse.Namespace) -> int:
    from .registration import NAME, unregister

    print(f"NNI no longer knows the tuner {NAME}." if unregister() else f"The tuner {NAME} was not registered.")
    return 0


def _doctor(_: argparse.Namespace) -> int:
    from .doctor import run_checks

    def report(ok: bool, what: str, detail: str) -> None:
        print(f"{'ok  ' if ok else 'FAIL'} {what}: {detail}")

    return 0 if run_checks(report) else 1


def _deliver(options: argparse.Namespace) -> int:
    from .class_args import read_class_args
    from .delivery import deliver

    settings, problems = read_class_args({name: getattr(options, name) for name in DELIVERY_ARGUMENTS})
    if problems:
        raise ValueError("; ".join(problems))
    # A tuner that starts for it needs no experience, and the store may be one that was kept without the bundle.
    delivered, refused = deliver(options.checkpoint, settings._replace(bundle="none"))
    print(f"{delivered} message(s) delivered" + (f", {refused} refused by the tuner (see above)." if refused else "."))
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
