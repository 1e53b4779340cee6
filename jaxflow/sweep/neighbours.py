"""Which cell tells which where to begin.

Cells of one dynamics form a tree. Its root is the cell in their middle; the others follow in the
order of their distance from those before, the farthest first, each below its nearest one. So few
cells wait, and not for long: for the few rounds in which the cell above finds where its threshold
is. Distances are those of the logarithms of the coordinates.

The guess for N(d, p) is the neighbour's threshold, times the ratio of the d (arXiv 2502.16977 reads
its thresholds as linear in d and slow in p), and is the less certain the farther the neighbour.
"""

from collections.abc import Sequence
from math import log

from jaxflow._types import SIZES, Point
from jaxflow.sweep.cell import Cell, Parent

LEAST_SPREAD = 0.1  # of a guess, in log N
SPREAD = 0.4  # more of it for every unit of distance
PARAMETER_WEIGHT = 0.3  # of a parameter's distance beside that of a size


def warm_start(cells: Sequence[Cell]) -> None:
    """Give every cell of a threshold search but the middle one of each dynamics its parent."""
    for dynamics in dict.fromkeys(cell.dynamics for cell in cells):
        family = [cell for cell in cells if cell.dynamics == dynamics]
        _plant(family)


def _plant(family: Sequence[Cell]) -> None:
    apart = [[distance(one.base, other.base) for other in family] for one in family]
    root = min(range(len(family)), key=lambda i: max(apart[i]))
    placed, waiting = [root], [i for i in range(len(family)) if i != root]
    while waiting:
        nearest = {i: min(placed, key=lambda k: apart[i][k]) for i in waiting}
        chosen = max(waiting, key=lambda i: apart[i][nearest[i]])
        parent = family[nearest[chosen]]
        family[chosen].parent = Parent(
            parent,
            _ratio(parent, family[chosen]),
            LEAST_SPREAD + SPREAD * apart[chosen][nearest[chosen]],
        )
        placed.append(chosen)
        waiting.remove(chosen)


def distance(one: Point, other: Point) -> float:
    """The distance of two cells: of the logarithms of their coordinates, added up."""
    values = dict(other.parameters)
    sizes = sum(_apart(one[name], other[name]) for name in SIZES)
    laws = sum(_apart(x, values[name]) for name, x in one.parameters)
    return sizes + PARAMETER_WEIGHT * laws


def _apart(x: float, y: float) -> float:
    if x == y:
        return 0.0
    return abs(log(x / y)) if x > 0 and y > 0 else 1.0


def _ratio(parent: Cell, child: Cell) -> float:
    scans_samples = parent.plan.along == "n"
    return child.base.d / parent.base.d if scans_samples and parent.base.d else 1.0
