"""Phase diagrams of gradient flow on shallow neural networks.

The public names are loaded when first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jaxflow import figure as figure
    from jaxflow import report as report
    from jaxflow._types import Outcome as Outcome
    from jaxflow._types import Point as Point
    from jaxflow._types import Row as Row
    from jaxflow._types import Trial as Trial
    from jaxflow.engine import Lanes as Lanes
    from jaxflow.engine import Runner as Runner
    from jaxflow.ensemble import Ensemble as Ensemble
    from jaxflow.flow import RKC2 as RKC2
    from jaxflow.flow import GradientDescent as GradientDescent
    from jaxflow.flow import GradientFlow as GradientFlow
    from jaxflow.network import Network as Network
    from jaxflow.store import Store as Store
    from jaxflow.study import Study as Study
    from jaxflow.study import run as run
    from jaxflow.sweep import Posterior as Posterior

_HOMES = {
    "Ensemble": "ensemble",
    "GradientDescent": "flow",
    "GradientFlow": "flow",
    "Lanes": "engine",
    "Network": "network",
    "Outcome": "_types",
    "Point": "_types",
    "Posterior": "sweep",
    "RKC2": "flow",
    "Row": "_types",
    "Runner": "engine",
    "Store": "store",
    "Study": "study",
    "Trial": "_types",
    "figure": "figure",
    "report": "report",
    "run": "study",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'jaxflow' has no attribute {name!r}")
    home = import_module(f"jaxflow.{_HOMES[name]}")
    return home if name == _HOMES[name] else getattr(home, name)
