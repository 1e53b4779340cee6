"""What the engine asks of a sampling plan."""

from collections.abc import Sequence
from typing import Protocol, Self

from jaxflow.sampling.part import Share
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.posterior import Guess, Posterior


def rises(plan: "Plan") -> bool:
    """Whether P(converged) grows along its axis; if it is not said, it does along d and p."""
    return plan.along in ("d", "p") if plan.rising is None else bool(plan.rising)


class Plan(Protocol):
    """Says which trials to run, round after round, given what is known.

    A plan is a pure function of the tallies, the round and a guess that is one of these: a study
    that is killed and resumed asks for the same trials.
    """

    @property
    def along(self) -> str:
        """The axis it scans: n, d, p or a parameter."""

    @property
    def rising(self) -> bool | dict[str, bool] | None:
        """Whether P(converged) grows along it, or of which of several events; None if not said."""

    @property
    def low(self) -> float:
        """The smallest n it can ask for."""

    @property
    def high(self) -> float:
        """The largest n it can ask for."""

    def of_event(self, name: str) -> Self:
        """The plan for one of several events."""

    @property
    def most_shares(self) -> int:
        """Into how many shares it can be split."""

    def of_share(self, share: Share) -> Self:
        """The plan of one of several shares, which together do what it asks."""

    def posterior(self, tallies: Sequence[Tally], guess: Guess | None = None) -> Posterior:
        """The threshold's posterior within low..high."""

    def locates(self, tallies: Sequence[Tally]) -> bool:
        """Whether the tallies tell enough to make a guess for a neighbour."""

    def reach(
        self, tallies: Sequence[Tally], guess: Guess | None = None
    ) -> tuple[float, int] | None:
        """How far along the axis trials go about the threshold, and about how many are to come.

        None while the threshold is not located.
        """

    def ask(
        self,
        tallies: Sequence[Tally],
        round: int,
        in_flight: int = 0,
        guess: Guess | None = None,
    ) -> tuple[tuple[float, int], ...]:
        """Pairs (n, number of new trials), in increasing n; empty when no more are needed.

        `in_flight` counts trials proposed of which the tallies know nothing yet. If there are any,
        a plan that wants no more is asked again when their results are known.
        """
