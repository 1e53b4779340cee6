"""What follows the point by a rule: the flow time allowed, and the width.

A rule is a frozen dataclass that is called; study files name it under the key `rule`.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from jaxflow.core.checks import fraction
from jaxflow.core.errors import mistake
from jaxflow.core.schema import Choice, Schema
from jaxflow.core.types import Point
from jaxflow.papers import group_count, published_horizon, width_rule


@runtime_checkable
class HorizonRule(Protocol):
    """A flow time T0 that follows the point; studies allow multiples of it."""

    def __call__(self, point: Point) -> float:
        """T0 at a point."""
        ...


@runtime_checkable
class WidthRule(Protocol):
    """Widths p that follow the number of samples."""

    def __call__(self, n: int) -> tuple[int, ...]:
        """The widths at n samples, each once."""
        ...


@dataclass(frozen=True)
class StepsOfDescent:
    """T0 = floor(1.5 sqrt(np) log(np)/4 + 1), the steps of arXiv 2502.16977, experiment 1."""

    formula: ClassVar[str] = "1.5 sqrt(np) log(np) / 4 + 1"

    def __call__(self, point: Point) -> float:
        """T0 at a point; descent of step 1 takes as many steps."""
        return published_horizon(point.n, point.p)


@dataclass(frozen=True)
class WellInitializedWidth:
    """p(n, epsilon) for every epsilon of `failure` (arXiv 2502.16977, section 3)."""

    failure: tuple[float, ...] = (0.05,)

    def __post_init__(self) -> None:
        for x in _distinct("failure", self.failure):
            fraction("failure", x)

    def __call__(self, n: int) -> tuple[int, ...]:
        """The widths at n samples at which initialization fails with probability below each."""
        return tuple(dict.fromkeys(width_rule(n, x) for x in self.failure))


@dataclass(frozen=True)
class GroupCount:
    """p = n^(2 alpha - 1) for every exponent of `alpha`.

    Groups of size n^(2 (1 - alpha)) make the rate n^-alpha (arXiv 2502.16977, section 3).
    """

    alpha: tuple[float, ...]

    def __post_init__(self) -> None:
        for x in _distinct("alpha", self.alpha):
            group_count(1, x)  # raises where it is none

    def __call__(self, n: int) -> tuple[int, ...]:
        """The numbers of groups at n samples."""
        return tuple(dict.fromkeys(group_count(n, x) for x in self.alpha))


def _distinct(name: str, values: tuple[float, ...]) -> tuple[float, ...]:
    if not values or len(set(values)) < len(values):
        raise mistake(f"distinct values of {name}", list(values), "list each once")
    return values


HORIZON_RULES: dict[str, type[HorizonRule]] = {"steps_of_descent": StepsOfDescent}
WIDTH_RULES: dict[str, type[WidthRule]] = {
    "well_initialized": WellInitializedWidth,
    "groups": GroupCount,
}

CHOICES: dict[type, Choice] = {
    HorizonRule: Choice("rule", HORIZON_RULES),
    WidthRule: Choice("rule", WIDTH_RULES),
}
SCHEMA = Schema(CHOICES)
