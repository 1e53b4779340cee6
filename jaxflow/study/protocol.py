"""What decides the number in a row: the random problem, the dynamics, the event, seed, precision.

The canonical hash of a protocol is the identity of its store; what is run of it is a `Design`.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from jaxflow.core.errors import mistake
from jaxflow.core.schema import Choice, Schema, canonical, digest
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.dynamics import Dynamics
from jaxflow.flow.events import Above, Below, Certificate, Event
from jaxflow.flow.flow import GradientFlow
from jaxflow.problems.examples.deep_network import DeepNetwork
from jaxflow.problems.examples.perceptron import Perceptron
from jaxflow.problems.examples.phase_retrieval import PhaseRetrieval
from jaxflow.problems.examples.random_features import RandomFeatures
from jaxflow.problems.problem import Problem, declared
from jaxflow.problems.shallow import shallow_network
from jaxflow.problems.shallow.shallow_network import ShallowNetwork
from jaxflow.sampling import rules

PROBLEMS: dict[str, type] = {
    "shallow_network": ShallowNetwork,
    "deep_network": DeepNetwork,
    "perceptron": Perceptron,
    "phase_retrieval": PhaseRetrieval,
    "random_features": RandomFeatures,
}
EVENTS: dict[str, type] = {"certificate": Certificate, "below": Below, "above": Above}
SCHEMA = Schema(
    {
        **shallow_network.CHOICES,
        Problem: Choice("kind", PROBLEMS, default="shallow_network"),
        Event: Choice(
            "kind",
            {"certificate": Certificate, "below": Below, "above": Above},
            default="certificate",
        ),
        Dynamics: Choice("kind", {"flow": GradientFlow, "descent": GradientDescent}),
        **rules.CHOICES,
    }
)


@dataclass(frozen=True)
class Protocol:
    """Dynamics by name, problem, event, seed and precision."""

    dynamics: dict[str, Dynamics]
    problem: Problem = field(default_factory=ShallowNetwork)
    event: Event = Certificate()
    seed: int = 0
    precision: Literal["float32", "float64"] = "float32"

    def __post_init__(self) -> None:
        SCHEMA.coerce(self)
        if not self.dynamics:
            raise mistake("at least one dynamics", "none", "add a table [dynamics.flow]")
        declared(type(self.problem))
        try:
            self.problem.check_observables(self.event.observed)
        except ValueError as error:
            raise ValueError(f"event.observable: {error}") from error
        if not 0 <= self.seed < 2**32:
            raise mistake("0 <= seed < 2**32", self.seed, "choose another")

    @cached_property
    def json(self) -> str:
        """The protocol as canonical JSON: what is hashed and kept in the store."""
        return canonical(SCHEMA.write(self))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON; two ways to write one protocol hash equally."""
        return digest(self.json)
