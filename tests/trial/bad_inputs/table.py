"""All cases, in the order of the page."""

from data_set_cases import DATA_SETS, DERIVED, REPAIRED
from image_cases import IMAGES
from label_cases import LABELS_IMPORTED, RESULTS
from recipe_cases import OPTIONS, PARAMETERS, RECIPES
from tuner_cases import SPACES, STORES
from weights_cases import CHECKPOINTS, IMPORTED, WEIGHTS

SECTIONS = [DATA_SETS, REPAIRED, DERIVED, IMAGES, LABELS_IMPORTED, RESULTS, RECIPES, PARAMETERS, OPTIONS, WEIGHTS, IMPORTED, CHECKPOINTS, SPACES,
            STORES]
