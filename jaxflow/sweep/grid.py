"""A fixed number of trials at each of a list of n."""

from collections.abc import Sequence
from dataclasses import dataclass

from jaxflow._errors import mistake
from jaxflow.sweep._checks import whole
from jaxflow.sweep.statistics import Tally, merged


@dataclass(frozen=True)
class GridPlan:
    """`repetitions` trials at each n of `values`.

    Raises `ValueError` unless `values` are distinct whole numbers >= 1, at least one of them, and
    `repetitions` is a whole number >= 1.
    """

    values: tuple[int, ...]
    repetitions: int

    def __post_init__(self) -> None:
        if not isinstance(self.values, tuple | list):  # a TOML array is a list
            raise mistake("a list of n as values", self.values, "write values = [250, 260]")
        object.__setattr__(self, "values", tuple(self.values))
        for n in self.values:
            whole("n in values", n, least=1)
        if not self.values or len(set(self.values)) < len(self.values):
            raise mistake("distinct n as values", self.values, "list each n once")
        whole("repetitions", self.repetitions, least=1)

    @property
    def low(self) -> int:
        """The smallest n."""
        return min(self.values)

    @property
    def high(self) -> int:
        """The largest n."""
        return max(self.values)

    def ask(
        self, tallies: Sequence[Tally], round: int, in_flight: int = 0
    ) -> tuple[tuple[int, int], ...]:
        """Pairs (n, trials still missing) in round 0, nothing later."""
        if whole("round", round, least=0) > 0:
            return ()
        done = {tally.n: tally.trials for tally in merged(tallies)}
        missing = ((n, self.repetitions - done.get(n, 0)) for n in sorted(self.values))
        return tuple((n, trials) for n, trials in missing if trials > 0)
