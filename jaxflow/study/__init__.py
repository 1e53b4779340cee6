"""A study, and how it is run."""

from jaxflow.study.definition import Study
from jaxflow.study.drawing import drawn, inputs_of
from jaxflow.study.forecast import expected_trials
from jaxflow.study.running import Progress, run

__all__ = ["Progress", "Study", "drawn", "expected_trials", "inputs_of", "run"]
