"""Which slice tells which where to begin.

The searches of one dynamics form a tree: each is below the nearest of those listed before it, the
first of equals. So a threshold is guessed from one that is close, and slices that are listed after
others, as a study grows, change nothing of what these propose. A search waits for the rounds in
which the one above finds where its threshold is. Distances are those of the logarithms of the
coordinates.

The guess for N(d, p) is the neighbour's threshold. Along a row of three slices it is multiplied by
the growth from the first to the second, carried on as a power; else by the ratio of the d (arXiv
2502.16977 reads its thresholds as linear in d and slow in p). It is the less certain the farther
the neighbour.
"""

from collections.abc import Sequence
from math import log

from jaxflow.core.types import SIZES, Point
from jaxflow.sampling.search import Parent, Search

LEAST_SPREAD = 0.1  # of a guess, in log N
SPREAD = 0.4  # more of it for every unit of distance
PARAMETER_WEIGHT = 0.3  # of a parameter's distance beside that of a size


def warm_start(searches: Sequence[Search]) -> None:
    """Give every search for a threshold but the first of each dynamics its parent."""
    for dynamics in dict.fromkeys(search.dynamics for search in searches):
        family = [search for search in searches if search.dynamics == dynamics]
        for i, child in enumerate(family[1:], 1):
            child.parent = _nearest(family[:i], child)


def _nearest(before: Sequence[Search], child: Search) -> Parent:
    apart = [distance(child.base, other.base) for other in before]
    least = min(apart)
    above = before[apart.index(least)]
    spread = LEAST_SPREAD + SPREAD * least
    ratio = growth(above.base, child.base, above.along)
    return Parent(above, ratio, spread, _power(above, child.base))


def distance(one: Point, other: Point) -> float:
    """The distance of two searches: of the logarithms of their coordinates, added up."""
    values = dict(other.parameters)
    sizes = sum(_apart(one[name], other[name]) for name in SIZES)
    laws = sum(_apart(x, values[name]) for name, x in one.parameters)
    return sizes + PARAMETER_WEIGHT * laws


def _apart(x: float, y: float) -> float:
    if x == y:
        return 0.0
    return abs(log(x / y)) if x > 0 and y > 0 else 1.0


def growth(one: Point, other: Point, along: str) -> float:
    """By what a threshold is taken to grow from a slice to another: as d does, along n."""
    return other.d / one.d if along == "n" and one.d else 1.0


def _power(parent: Search, child: Point) -> float | None:
    """The steps to the child in steps to its parent, where the two go the same way on one axis."""
    if parent.parent is None:
        return None
    first, second = parent.parent.search.base, parent.base
    names = [*SIZES, *(name for name, _ in child.parameters)]
    moved = {name for name in names if not first[name] == second[name] == child[name]}
    if len(moved) != 1:
        return None
    (axis,) = moved
    places = first[axis], second[axis], child[axis]
    if min(places) <= 0 or sorted(places) not in (list(places), list(places[::-1])):
        return None
    return log(places[2] / places[1]) / log(places[1] / places[0])
