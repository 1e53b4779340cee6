"""The axes of a phase diagram, and the flow times that its trials are allowed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product

from jaxflow.core.checks import positive, whole
from jaxflow.core.errors import mistake
from jaxflow.core.schema import PLAIN
from jaxflow.core.types import SIZES, Point
from jaxflow.papers.group import group_count
from jaxflow.papers.rules import published_horizon, width_rule


@dataclass(frozen=True)
class Horizon:
    """The flow times allowed: multiples `factor` of the published rule, or `time` for every trial.

    Several may be given. A trial runs to the longest, and its convergence time answers all.
    """

    factor: tuple[float, ...] = (1.0,)
    time: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        PLAIN.coerce(self)
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
    trials only. Instead of p there may be a rule that follows n: `failure`, probabilities epsilon
    of the width rule p(n, epsilon), or `alpha`, exponents of p = n^(2 alpha - 1), the groups of
    size n^(2 (1 - alpha)) that make the rate n^-alpha (arXiv 2502.16977, section 3).
    """

    d: tuple[int, ...] = ()
    n: tuple[int, ...] = ()
    p: tuple[int, ...] = ()
    failure: tuple[float, ...] | None = None  # None, not (): it is no part of others' identity
    alpha: tuple[float, ...] | None = None
    parameters: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        PLAIN.coerce(self)
        rules = [name for name in ("p", "failure", "alpha") if getattr(self, name)]
        if len(rules) > 1:
            raise mistake("one of p, failure and alpha", rules, "leave the others out")
        if rules and self.n:
            self.widths(min(self.n))  # raises where the rule has none
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
            if name != along and not values and not (name == "p" and self._follows):
                raise mistake(f"values of {name}", "none", f"list some under [axes], {name} = [..]")
        if self._follows and along in ("n", "p"):
            remedy = "list n under [axes] and scan another axis"
            raise mistake("a width that follows n with n listed", f"{along} scanned", remedy)
        if along in self.parameters:
            remedy = "leave it out of the axes: the plan chooses it"
            raise mistake(f"no values of {along}, which is scanned", self.parameters[along], remedy)

    @property
    def _follows(self) -> bool:
        return bool(self.failure or self.alpha)

    def widths(self, n: int) -> tuple[int, ...]:
        """The p of this study at n samples, each once."""
        if self.failure:
            return tuple(dict.fromkeys(width_rule(n, x) for x in self.failure))
        if self.alpha:
            return tuple(dict.fromkeys(group_count(n, x) for x in self.alpha))
        return self.p

    def points(self, along: str, dynamics: str) -> Iterator[Point]:
        """The points of a dynamics' slices, whose coordinate along the scanned axis is 0."""
        names = sorted(concerning(self.parameters, dynamics))
        for d, n in product(self.d or (0,), self.n or (0,)):
            for p in self.widths(n) or (0,):
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
