"""What the engine asks of a sampling plan."""

from collections.abc import Sequence
from typing import Protocol

from jaxflow.sweep.statistics import Tally


class Plan(Protocol):
    """Says which trials to run, round after round, given what is known.

    A plan is a pure function of the tallies and the round: a study that is killed and resumed
    asks for the same trials.
    """

    @property
    def low(self) -> int:
        """The smallest n it can ask for."""

    @property
    def high(self) -> int:
        """The largest n it can ask for."""

    def ask(
        self, tallies: Sequence[Tally], round: int, in_flight: int = 0
    ) -> tuple[tuple[int, int], ...]:
        """Pairs (n, number of new trials), in increasing n; empty when no more are needed.

        `in_flight` counts trials proposed of which the tallies know nothing yet. If there are any,
        a plan that wants no more is asked again when their results are known.
        """
