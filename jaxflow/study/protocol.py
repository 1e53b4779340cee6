"""What decides the number in a row: the random problem, the dynamics, the event, seed, precision.

The canonical hash of a protocol is the identity of its store; what is run of it is a `Design`.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from jaxflow.core.errors import located, mistake
from jaxflow.core.schema import Choice, Schema, canonical, digest
from jaxflow.core.types import Outline
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.dynamics import Dynamics
from jaxflow.flow.edge import EdgeFlow
from jaxflow.flow.events import Above, Below, Certificate, Event, Never
from jaxflow.flow.flow import GradientFlow
from jaxflow.flow.linearized import LinearizedFlow
from jaxflow.problems.examples.committee import Committee
from jaxflow.problems.examples.deep_linear import DeepLinear
from jaxflow.problems.examples.deep_network import DeepNetwork
from jaxflow.problems.examples.jamming import Jamming
from jaxflow.problems.examples.least_squares import LeastSquares
from jaxflow.problems.examples.logistic_regression import LogisticRegression
from jaxflow.problems.examples.matrix_sensing import MatrixSensing
from jaxflow.problems.examples.perceptron import Perceptron
from jaxflow.problems.examples.phase_retrieval import PhaseRetrieval
from jaxflow.problems.examples.quadratic_network import QuadraticNetwork
from jaxflow.problems.examples.random_features import RandomFeatures
from jaxflow.problems.examples.spherical_perceptron import SphericalPerceptron
from jaxflow.problems.problem import Problem, declared
from jaxflow.problems.shallow import shallow_network
from jaxflow.problems.shallow.shallow_network import ShallowNetwork
from jaxflow.sampling import rules

PROBLEMS: dict[str, type] = {
    "shallow_network": ShallowNetwork,
    "committee": Committee,
    "deep_linear": DeepLinear,
    "deep_network": DeepNetwork,
    "jamming": Jamming,
    "least_squares": LeastSquares,
    "logistic_regression": LogisticRegression,
    "matrix_sensing": MatrixSensing,
    "perceptron": Perceptron,
    "phase_retrieval": PhaseRetrieval,
    "quadratic_network": QuadraticNetwork,
    "random_features": RandomFeatures,
    "spherical_perceptron": SphericalPerceptron,
}
EVENTS: dict[str, type] = {
    "certificate": Certificate,
    "below": Below,
    "above": Above,
    "never": Never,
}
DYNAMICS: dict[str, type] = {
    "flow": GradientFlow,
    "descent": GradientDescent,
    "edge_flow": EdgeFlow,
    "linearized_flow": LinearizedFlow,
}
SCHEMA = Schema(
    {
        **shallow_network.CHOICES,
        Problem: Choice("kind", PROBLEMS, default="shallow_network"),
        Event: Choice("kind", EVENTS, default="certificate"),
        Dynamics: Choice("kind", DYNAMICS),
        **rules.CHOICES,
    }
)


@dataclass(frozen=True)
class Protocol:
    """Dynamics by name, problem, event or events by name, what is measured, seed and precision.

    `measure` names observables that are kept of the end of every trial.
    """

    dynamics: dict[str, Dynamics]
    problem: Problem = field(default_factory=ShallowNetwork)
    event: Event | None = None
    events: dict[str, Event] | None = None
    measure: tuple[str, ...] | None = None
    seed: int = 0
    precision: Literal["float32", "float64"] = "float32"

    def __post_init__(self) -> None:
        SCHEMA.coerce(self)
        if not self.dynamics:
            raise mistake("at least one dynamics", "none", "add a table [dynamics.flow]")
        declared(type(self.problem))
        self._one_event_or_several()
        for name, event in self.by_name.items():
            with located(f"events.{name}.observable" if name else "event.observable"):
                self.problem.check_observables(event.observed)
        with located("measure"):
            self.problem.check_observables(self.measure or ())
        object.__setattr__(self, "measure", tuple(sorted(self.measure or ())) or None)
        if not 0 <= self.seed < 2**32:
            raise mistake("0 <= seed < 2**32", self.seed, "choose another")

    def _one_event_or_several(self) -> None:
        """The certificate if nothing is said; several have names, and one has none."""
        if self.events is None:
            object.__setattr__(self, "event", self.event or Certificate())
            return
        if self.event is not None:
            raise mistake("an event, or several by name", "both", "leave [event] or [events] out")
        if not self.events or "" in self.events:
            raise mistake("events by name", list(self.events), "name one or more")
        never = [name for name, event in self.events.items() if isinstance(event, Never)]
        if never:
            raise mistake("events that can happen", never, "leave it out")

    @property
    def by_name(self) -> dict[str, Event]:
        """The events; one alone has no name."""
        return self.events or {"": self.event or Certificate()}

    @cached_property
    def outline(self) -> Outline:
        """What a design must know of it."""
        return Outline.of(SCHEMA.write(self))

    @cached_property
    def json(self) -> str:
        """The protocol as canonical JSON: what is hashed and kept in the store."""
        return canonical(SCHEMA.write(self))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON; two ways to write one protocol hash equally."""
        return digest(self.json)
