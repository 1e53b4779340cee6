"""Random laws of a trial: inputs, labels, network and initialization."""

from jaxflow.ensemble._sizes import Shape, Sizes
from jaxflow.ensemble.trial import Ensemble, draw, smallest_label, well_initialized

__all__ = ["Ensemble", "Shape", "Sizes", "draw", "smallest_label", "well_initialized"]
