"""What counts: the event, or the events, that a trial is followed for.

Of several events each has the time at which it first happened, and the trial goes on until all
have, or until something else ends it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Protocol, runtime_checkable

from jaxflow.core.errors import mistake


@runtime_checkable
class Event(Protocol):
    """Static and hashable, part of a result's identity."""

    @property
    def observed(self) -> tuple[str, ...]:
        """The observable that it is decided by; none for a certificate."""
        ...


@dataclass(frozen=True)
class Certificate:
    """The problem's own: a loss below which the outcome is certain.

    Of shallow networks L <= min_i y_i^2 / 2n, at which every sample is fitted with the right sign
    and stays so; with a `square` instead L <= square / 2n, at which no residual exceeds its root.
    The logarithm of the loss is interpolated inside a step by a cubic.
    """

    square: float | None = None

    def __post_init__(self) -> None:
        if self.square is not None and not self.square > 0:
            remedy = "give c of L <= c/2n, or leave it out for L <= min y^2/2n"
            raise mistake("square > 0", self.square, remedy)

    @property
    def observed(self) -> tuple[str, ...]:
        """None."""
        return ()


@dataclass(frozen=True)
class _Level:
    """An observable of the problem and a value of it, interpolated linearly inside a step."""

    observable: str
    value: float

    def __post_init__(self) -> None:
        if not isfinite(self.value):
            raise mistake("a finite value of the event", self.value, "give a number")

    @property
    def observed(self) -> tuple[str, ...]:
        """Its observable."""
        return (self.observable,)


@dataclass(frozen=True)
class Below(_Level):
    """An observable falls below a value: Below("test_error", 0.1)."""

    sign = -1


@dataclass(frozen=True)
class Above(_Level):
    """An observable rises above a value: Above("margin", 0)."""

    sign = 1


@dataclass(frozen=True)
class Never:
    """Nothing is waited for: every trial runs to its horizon, unless it stalls or fails before.

    For studies of what is measured at the end of trials.
    """

    @property
    def observed(self) -> tuple[str, ...]:
        """None."""
        return ()


def by_name(event: Event | Mapping[str, Event]) -> dict[str, Event]:
    """Several events as they are; one alone has no name."""
    return dict(event) if isinstance(event, Mapping) else {"": event}
