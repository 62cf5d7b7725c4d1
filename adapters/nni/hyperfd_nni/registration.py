"""NNI's list of tuners: ``tuner: {name: HyperFD}`` works in an environment once the class is registered there."""

from __future__ import annotations

from typing import Optional

NAME = "HyperFD"


def register() -> None:
    """Writes NNI's registry of this Python environment. Registering again updates the entry."""
    import nni
    from nni.tools.package_utils import AlgoMeta, register_algo_meta

    register_algo_meta(
        AlgoMeta.load(
            {
                "algoType": "tuner",
                "builtinName": NAME,
                "className": "hyperfd_nni.tuner.HyperFDTuner",
                "classArgsValidator": "hyperfd_nni.class_args.HyperFDClassArgsValidator",
                "nniVersion": nni.__version__,
            }
        )
    )


def unregister() -> bool:
    """False if there was nothing to remove."""
    from nni.tools.package_utils import unregister_algo_meta

    if registered_class() is None:
        return False
    unregister_algo_meta(NAME)
    return True


def registered_class() -> Optional[str]:
    """The class that NNI would load, None if the name is not registered."""
    from nni.tools.package_utils import get_algo_meta

    meta = get_algo_meta(NAME)
    return None if meta is None else meta.class_name
