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
from jaxflow.flow.flow import GradientFlow
from jaxflow.flow.stopping import Success
from jaxflow.problems.shallow import ensemble
from jaxflow.problems.shallow.ensemble import Ensemble
from jaxflow.sampling import rules

SCHEMA = Schema(
    {
        **ensemble.CHOICES,
        Dynamics: Choice("kind", {"flow": GradientFlow, "descent": GradientDescent}),
        **rules.CHOICES,
    }
)


@dataclass(frozen=True)
class Protocol:
    """Dynamics by name, ensemble, success, seed and precision.

    `success` is the loss at which a trial has converged: c for L <= c/2n, or "signs" for the
    certificate L <= min y^2/2n.
    """

    dynamics: dict[str, Dynamics]
    ensemble: Ensemble = field(default_factory=Ensemble)
    success: Success = "signs"
    seed: int = 0
    precision: Literal["float32", "float64"] = "float32"

    def __post_init__(self) -> None:
        SCHEMA.coerce(self)
        if not self.dynamics:
            raise mistake("at least one dynamics", "none", "add a table [dynamics.flow]")
        if self.success != "signs" and not self.success > 0:
            remedy = 'give c of L <= c/2n, or "signs" for L <= min y^2/2n'
            raise mistake("success > 0 or 'signs'", self.success, remedy)
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
