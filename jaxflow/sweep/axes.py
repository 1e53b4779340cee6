"""The axes of a phase diagram, and the flow times that its trials are allowed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product

from jaxflow._errors import mistake
from jaxflow._types import SIZES, Point
from jaxflow.sweep._checks import positive, whole
from jaxflow.theory import published_horizon


@dataclass(frozen=True)
class Horizon:
    """The flow times allowed: multiples `factor` of the published rule, or `time` for every trial.

    Several may be given. A trial runs to the longest, and its convergence time answers all.
    """

    factor: tuple[float, ...] = (1.0,)
    time: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for name in ("factor", "time"):
            values = tuple(positive(f"{name} of the horizon", x) for x in getattr(self, name))
            object.__setattr__(self, name, tuple(sorted(set(values))))
        if not (self.factor or self.time):
            raise mistake("a horizon", "none", "give factor = [1.0] or time = [100.0]")
        if self.time:
            object.__setattr__(self, "factor", ())

    @property
    def labels(self) -> tuple[str, ...]:
        """What each horizon is called, in increasing order."""
        if self.time:
            return tuple(f"T = {time:g}" for time in self.time)
        return tuple("published" if x == 1 else f"{x:g} x published" for x in self.factor)

    @property
    def unit(self) -> str:
        """What the horizons are given in."""
        return "flow time" if self.time else "published horizons"

    def unit_at(self, n: int, p: int) -> float:
        """The flow time that one unit is at n samples and width p."""
        return 1.0 if self.time else published_horizon(n, p)

    def times(self, n: int, p: int) -> tuple[float, ...]:
        """Flow times allowed at n samples and width p, in increasing order."""
        return self.time or tuple(x * published_horizon(n, p) for x in self.factor)


@dataclass(frozen=True)
class Axes:
    """The values of d, n, p and of parameters of laws, but for the axis that is scanned.

    A parameter goes by its dotted name in the study file. Those of a dynamics concern its own
    trials only.
    """

    d: tuple[int, ...] = ()
    n: tuple[int, ...] = ()
    p: tuple[int, ...] = ()
    parameters: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in SIZES:
            for x in getattr(self, name):
                whole(name, x, least=1)
        for name, values in (*((s, getattr(self, s)) for s in SIZES), *self.parameters.items()):
            if len(set(values)) < len(values):
                raise mistake(f"distinct values of {name}", list(values), "list each once")
        for name, values in self.parameters.items():
            if not values:
                raise mistake(f"values of {name}", "none", "list some, or leave the axis out")

    def check(self, along: str) -> None:
        """Raise `ValueError` unless every size but the one scanned has values."""
        for name in SIZES:
            values = getattr(self, name)
            if name == along and values:
                remedy = f"leave {name} out of the axes: the plan chooses it"
                raise mistake(f"no values of {name}, which is scanned", list(values), remedy)
            if name != along and not values:
                raise mistake(f"values of {name}", "none", f"list some under [axes], {name} = [..]")
        if along in self.parameters:
            remedy = "leave it out of the axes: the plan chooses it"
            raise mistake(f"no values of {along}, which is scanned", self.parameters[along], remedy)

    def points(self, along: str, dynamics: str) -> Iterator[Point]:
        """The points of a dynamics' cells, whose coordinate along the scanned axis is 0."""
        sizes = [getattr(self, name) or (0,) for name in SIZES]
        names = sorted(concerning(self.parameters, dynamics))
        for d, n, p in product(*sizes):
            for values in product(*(self.parameters[name] for name in names)):
                point = Point(d, n, p, tuple(zip(names, map(float, values), strict=True)))
                yield point.moved(along, 0)


def concerning(parameters: Iterable[str], dynamics: str) -> list[str]:
    """Those of the parameters that trials of a dynamics have."""
    others = "dynamics."
    return [
        name
        for name in parameters
        if not name.startswith(others) or name.startswith(f"{others}{dynamics}.")
    ]
