"""A study in parts, for machines that share nothing: which trials are whose.

A part runs the protocol and the design of the whole, so that the stores of all parts join into one
of the whole. Searches are dealt to the parts in turn, the most expensive first. Where there are
more parts than searches, each search is split into m shares: share j has the trials of numbers j,
j + m, j + 2 m, ... A share of a grid runs those below the repetitions. A share of a search for a
threshold is a search of its own, to a half-width sqrt(m) times as large: trials are independent, so
that m shares tell together what is asked of one search.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from re import fullmatch
from typing import Self

from jaxflow.core.errors import mistake

_TEXT = r"([0-9]{1,9})/([0-9]{1,9})"


@dataclass(frozen=True)
class Share:
    """The trials of a search whose numbers are `first`, `first` + `of`, `first` + 2 `of`, ..."""

    first: int = 0
    of: int = 1

    def __iter__(self) -> Iterator[int]:
        return count(self.first, self.of)

    def __contains__(self, number: int) -> bool:
        return number % self.of == self.first


@dataclass(frozen=True)
class Part:
    """Part `number` of `of`, counted from 1; the whole by default."""

    number: int = 1
    of: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise _no_part(str(self))

    @classmethod
    def read(cls, text: str) -> Self:
        """That of a text such as "2/8"; `ValueError` where it is none."""
        found = fullmatch(_TEXT, text)
        if not found:
            raise _no_part(text)
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of_source(cls, source: str) -> Self:
        """The part that a store notes beside the study file that it was run from."""
        found = fullmatch(f".* {_TEXT}", source)
        return cls(int(found[1]), int(found[2])) if found else cls()

    def source(self, fingerprint: str) -> str:
        """What a store notes: the fingerprint of the study file, and the part if it is one."""
        return f"{fingerprint} {self}" if self.of > 1 else fingerprint

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def shares(self, costs: Sequence[float], most: int) -> dict[int, Share]:
        """Its searches, by their places in the order of `costs`, and its share of each.

        No search is split into more than `most` shares, and so a part may have none.
        """
        searches = len(costs)
        split = min(-(-self.of // max(searches, 1)), most)
        # to six digits, on which machines agree whose logarithms differ in the last bit
        by_cost = sorted(range(searches), key=lambda i: -float(f"{costs[i]:.6g}"))
        units = range(self.number - 1, searches * split, self.of)
        return dict(sorted((by_cost[u // split], Share(u % split, split)) for u in units))


def _no_part(got: str) -> ValueError:
    return mistake("a part i/k with 1 <= i <= k", got, "count the parts from 1, as in 1/4 to 4/4")
