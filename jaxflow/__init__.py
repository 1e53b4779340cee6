"""Phase diagrams of gradient flow on shallow neural networks.

The public names are loaded when first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jaxflow import report as report
    from jaxflow import show as show
    from jaxflow.core.machine import configure as configure
    from jaxflow.core.types import Outcome as Outcome
    from jaxflow.core.types import Point as Point
    from jaxflow.core.types import Row as Row
    from jaxflow.core.types import Trial as Trial
    from jaxflow.engine.local import LocalRunner as LocalRunner
    from jaxflow.engine.runner import Runner as Runner
    from jaxflow.engine.settings import Lanes as Lanes
    from jaxflow.flow.descent import GradientDescent as GradientDescent
    from jaxflow.flow.flow import GradientFlow as GradientFlow
    from jaxflow.flow.stabilized import RKC2 as RKC2
    from jaxflow.problems.shallow.ensemble import Ensemble as Ensemble
    from jaxflow.problems.shallow.network import Network as Network
    from jaxflow.show.result import Result as Result
    from jaxflow.statistics.posterior import Posterior as Posterior
    from jaxflow.store.store import Store as Store
    from jaxflow.study.run import run as run
    from jaxflow.study.study import Study as Study

_HOMES = {
    "Ensemble": "problems.shallow.ensemble",
    "GradientDescent": "flow.descent",
    "GradientFlow": "flow.flow",
    "Lanes": "engine.settings",
    "LocalRunner": "engine.local",
    "Network": "problems.shallow.network",
    "Outcome": "core.types",
    "Point": "core.types",
    "Posterior": "statistics.posterior",
    "RKC2": "flow.stabilized",
    "Result": "show.result",
    "Row": "core.types",
    "Runner": "engine.runner",
    "Store": "store.store",
    "Study": "study.study",
    "Trial": "core.types",
    "configure": "core.machine",
    "report": "report",
    "run": "study.run",
    "show": "show",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'jaxflow' has no attribute {name!r}")
    home = import_module(f"jaxflow.{_HOMES[name]}")
    return home if name == _HOMES[name] else getattr(home, name)
