"""From a trial to what is compiled for it.

Trials share a program if they have the same dynamics and bucket, and the same values of those
parameters that decide what is computed rather than with which number: an integer, such as a
teacher's rank. A parameter that is a real number is an input of the program.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

from jaxflow.core.names import annotation, replaced
from jaxflow.core.types import ParameterValues, Trial
from jaxflow.engine.buckets import bucket
from jaxflow.engine.costs import cheapest
from jaxflow.flow.flow import AdvanceBy, Dynamics
from jaxflow.flow.stopping import Success
from jaxflow.flow.trial import Setting
from jaxflow.problems.shallow.coordinates import Name
from jaxflow.problems.shallow.ensemble import Ensemble
from jaxflow.problems.shallow.padding import Shape


class ProgramKey(NamedTuple):
    """Trials of one key share a program; parameters go by their names in the study."""

    dynamics: str
    shape: Shape
    fixed: ParameterValues = ()  # compiled in
    inputs: tuple[str, ...] = ()  # a number for every trial
    recorded: bool = False


@dataclass(frozen=True)
class Settings:
    """What all trials of a run have in common, and from it the key and setting of each."""

    ensemble: Ensemble
    dynamics: Mapping[str, Dynamics]
    success: Success
    dtype: str
    coordinates: Name | Literal["auto"]
    advance_by: AdvanceBy

    @cached_property
    def _root(self) -> dict[str, Any]:
        return {"ensemble": self.ensemble, "dynamics": dict(self.dynamics)}

    def key(self, trial: Trial, recorded: bool = False) -> ProgramKey:
        """The key of the program that runs a trial."""
        values = trial.point.parameters
        inputs = tuple(name for name, _ in values if self._is_input(name))
        fixed = tuple((name, x) for name, x in values if name not in inputs)
        return ProgramKey(trial.dynamics, bucket(trial.point), fixed, inputs, recorded)

    def setting(self, key: ProgramKey) -> Setting:
        """What a program of this key is compiled from."""
        root: Any = self._root
        for name, x in key.fixed:
            root = replaced(root, name, int(x) if annotation(root, name) is int else x)
        ensemble, dynamics = root["ensemble"], root["dynamics"][key.dynamics]
        own = f"dynamics.{key.dynamics}."
        return Setting(
            ensemble,
            dynamics,
            self.success,
            key.shape,
            self.dtype,
            cheapest(ensemble, dynamics, key.shape, self.coordinates),
            advance_by="step" if key.recorded else self.advance_by,
            parameters=tuple(
                f"dynamics.{name.removeprefix(own)}" if name.startswith(own) else name
                for name in key.inputs
            ),
        )

    def _is_input(self, name: str) -> bool:
        return annotation(self._root, name) is float
