"""NNI's BOHB and Hyperband as they are, but for an error that ends them in NNI 3.0 at their first result: they compare their
parameter ids, which are text, with the number of the last one of an earlier experiment (nni/recoverable.py)."""

from nni.algorithms.hpo.hyperband_advisor import Hyperband as NniHyperband

try:
    from nni.algorithms.hpo.bohb_advisor import BOHB as NniBohb  # needs ConfigSpace and statsmodels
except ImportError:
    NniBohb = None


class _TextIds:
    def is_created_in_previous_exp(self, param_id):
        return isinstance(param_id, int) and super().is_created_in_previous_exp(param_id)


class Hyperband(_TextIds, NniHyperband):
    pass


if NniBohb:

    class BOHB(_TextIds, NniBohb):
        pass
