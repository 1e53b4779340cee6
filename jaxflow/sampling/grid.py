"""A fixed number of trials at each of a list of n, or of values along another axis."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Self

from jaxflow.core.checks import positive, size, whole
from jaxflow.core.errors import mistake
from jaxflow.core.schema import PLAIN
from jaxflow.core.types import SIZES, Point
from jaxflow.sampling.part import Share
from jaxflow.sampling.plan import rises
from jaxflow.sampling.threshold import MOST_TRIALS
from jaxflow.statistics.counts import Tally, merged
from jaxflow.statistics.posterior import Guess, Posterior

ALIKE = 0.88  # of a size to the next, at which the smaller is not worth a program of its own


@dataclass(frozen=True)
class GridPlan:
    """`repetitions` trials at each n of `values`.

    `along` names another axis than n and `rising` says that P(converged) grows along it, as in
    `ThresholdPlan`. With sizes `per`, as ("d", "p"), the values are multiples of their product:
    every slice has a list of its own. Raises `ValueError` unless `values` are distinct, at least
    one of them, whole numbers >= 1 along n, d and p if not `per` a size and positive elsewhere, and
    `repetitions` is a whole number >= 1.
    """

    values: tuple[float, ...]
    repetitions: int
    along: str = "n"
    rising: bool | dict[str, bool] | None = None
    per: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        PLAIN.coerce(self)
        name = f"{self.along} in values"
        self._check_per()
        is_whole = self.along in SIZES and not self.per
        values: list[float] = [
            size(name, x) if is_whole else positive(name, x) for x in self.values
        ]
        if not values or len(set(values)) < len(values):
            raise mistake(f"distinct {name}", self.values, "list each once")
        object.__setattr__(self, "values", tuple(values))
        whole("repetitions", self.repetitions, least=1, most=MOST_TRIALS // len(values))

    def _check_per(self) -> None:
        per = tuple(self.per or ())
        others = [name for name in SIZES if name != self.along]
        if self.along not in SIZES and per:
            raise mistake("no `per` along a parameter", list(per), "leave it out")
        if len(set(per)) < len(per) or not set(per) <= set(others):
            raise mistake(f"sizes of {others} as per", self.per, "name each once")
        object.__setattr__(self, "per", per or None)

    def at(self, base: Point) -> Self:
        """The plan of the slice at a base: values per its sizes are rounded to whole numbers."""
        if not self.per:
            return self
        unit = prod(int(base[name]) for name in self.per)
        values = tuple(float(max(1, round(x * unit))) for x in self.values)
        return replace(self, values=values, per=None)

    @property
    def most_shares(self) -> int:
        """Into how many shares it can be split: each has a trial at every value at least."""
        return self.repetitions

    def of_share(self, share: Share) -> Self:
        """The plan of one of several shares: its numbers below the repetitions."""
        return replace(self, repetitions=len(range(share.first, self.repetitions, share.of)))

    @property
    def low(self) -> float:
        """The smallest n."""
        return min(self.values)

    @property
    def high(self) -> float:
        """The largest n."""
        return max(self.values)

    def of_event(self, name: str) -> Self:
        """The plan for one of several events, where these grow likelier different ways."""
        return replace(self, rising=self.rising[name]) if isinstance(self.rising, dict) else self

    def posterior(self, tallies: Sequence[Tally], guess: Guess | None = None) -> Posterior:
        """The threshold's posterior within the range of the values."""
        high = self.high if self.high > self.low else self.low + 1
        return Posterior(tallies, self.low, high, rising=rises(self), guess=guess)

    def locates(self, tallies: Sequence[Tally]) -> bool:
        """Nothing is looked for, so nothing is to be waited for."""
        return True

    def reach(self, tallies: Sequence[Tally], guess: Guess | None = None) -> None:
        """Nothing is looked for: see `groups`."""

    @property
    def groups(self) -> list[tuple[float, int]]:
        """Values that those a little smaller may share programs with, and how many trials do."""
        made: list[tuple[float, int]] = []
        for x in sorted(self.values, reverse=True):
            if not made or x < ALIKE * made[-1][0]:
                made.append((x, 0))
            made[-1] = made[-1][0], made[-1][1] + self.repetitions
        return made

    def ask(
        self,
        tallies: Sequence[Tally],
        round: int,
        in_flight: int = 0,
        guess: Guess | None = None,
    ) -> tuple[tuple[float, int], ...]:
        """Pairs (n, trials still missing) in round 0, nothing later."""
        if whole("round", round, least=0) > 0:
            return ()
        done = {tally.x: tally.trials for tally in merged(tallies)}
        missing = ((n, self.repetitions - done.get(n, 0)) for n in sorted(self.values))
        return tuple((n, trials) for n, trials in missing if trials > 0)
