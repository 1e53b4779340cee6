"""The axes of a phase diagram, and the flow times that its trials are allowed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from math import prod

from jaxflow.core.checks import positive, size
from jaxflow.core.errors import mistake
from jaxflow.core.open_names import Unloaded
from jaxflow.core.types import SIZES, Point
from jaxflow.sampling.rules import SCHEMA, HorizonRule, StepsOfDescent, WidthRule

MOST_SLICES = 2000  # of one dynamics


@dataclass(frozen=True)
class Horizon:
    """The flow times allowed: multiples `factor` of the T0 of a `rule`, or `time` for every trial.

    Several may be given. A trial runs to the longest, and its convergence time answers all. If
    nothing is given, T0 is that of `StepsOfDescent`.
    """

    factor: tuple[float, ...] = ()
    time: tuple[float, ...] = ()
    rule: HorizonRule | None = None

    def __post_init__(self) -> None:
        SCHEMA.coerce(self)
        for name in ("factor", "time"):
            values = tuple(positive(f"{name} of the horizon", x) for x in getattr(self, name))
            object.__setattr__(self, name, tuple(sorted(set(values))))
        if self.time and (self.factor or self.rule is not None):
            got = "time beside factor or rule"
            raise mistake("a horizon by time, or by multiples of a rule", got, "leave one out")
        if not self.time:
            object.__setattr__(self, "factor", self.factor or (1.0,))
            object.__setattr__(self, "rule", self.rule or StepsOfDescent())

    @property
    def labels(self) -> tuple[str, ...]:
        """What each horizon is called, in increasing order."""
        if self.time:
            return tuple(f"T = {time:g}" for time in self.time)
        return tuple("T0" if x == 1 else f"{x:g} T0" for x in self.factor)

    @property
    def unit(self) -> str:
        """What the horizons are given in."""
        return "flow time" if self.time else "T0"

    @property
    def formula(self) -> str:
        """What T0 is, where the rule says so; else nothing."""
        formula = None if isinstance(self.rule, Unloaded) else getattr(self.rule, "formula", None)
        return f"T0 = {formula}" if isinstance(formula, str) else ""

    @property
    def multiples(self) -> tuple[float, ...]:
        """The horizons in their unit, in increasing order."""
        return self.time or self.factor

    def unit_at(self, point: Point) -> float:
        """The flow time that one unit is at a point."""
        return 1.0 if self.rule is None else self.rule(point)

    def times(self, point: Point) -> tuple[float, ...]:
        """Flow times allowed at a point, in increasing order."""
        unit = self.unit_at(point)
        return tuple(x * unit for x in self.multiples)


@dataclass(frozen=True)
class Axes:
    """The values of d, n, p and of parameters of laws, but for the axis that is scanned.

    A parameter goes by its dotted name in the study file. Those of a dynamics concern its own
    trials only. Instead of values of p there may be a rule by which it follows n. As
    `Axes(d=(10, 20), p=(50,), parameters={"problem.initialization.shrink": (0.1, 1.0)})`, whose
    four combinations are slices along n.
    """

    d: tuple[int, ...] = ()
    n: tuple[int, ...] = ()
    p: tuple[int, ...] | WidthRule = ()
    parameters: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        SCHEMA.coerce(self)
        if self.follows and self.n and not isinstance(self.p, Unloaded):
            self.widths(min(self.n))  # raises where the rule has none
        for name in SIZES:
            for x in self.values(name):
                size(name, x)
        for name in (*SIZES, *self.parameters):
            values = self.values(name)
            if len(set(values)) < len(values):
                raise mistake(f"distinct values of {name}", list(values), "list each once")
        for name, values in self.parameters.items():
            if not values:
                raise mistake(f"values of {name}", "none", "list some, or leave the axis out")
        count = prod(max(1, len(self.values(name))) for name in (*SIZES, *self.parameters))
        if count > MOST_SLICES:
            raise mistake(f"at most {MOST_SLICES} points on the axes", count, "list less values")

    def check(self, along: str) -> None:
        """Raise `ValueError` unless every size but the one scanned has values."""
        for name in SIZES:
            values = self.values(name)
            if name == along and values:
                remedy = f"leave {name} out of the axes: the plan chooses it"
                raise mistake(f"no values of {name}, which is scanned", list(values), remedy)
            if name != along and not values and not (name == "p" and self.follows):
                raise mistake(f"values of {name}", "none", f"list some under [axes], {name} = [..]")
        if self.follows and along in ("n", "p"):
            remedy = "list n under [axes] and scan another axis"
            raise mistake("a width that follows n with n listed", f"{along} scanned", remedy)
        if along in self.parameters:
            remedy = "leave it out of the axes: the plan chooses it"
            raise mistake(f"no values of {along}, which is scanned", self.parameters[along], remedy)

    @property
    def follows(self) -> bool:
        """Whether p follows n by a rule."""
        return not isinstance(self.p, tuple)

    def values(self, name: str) -> tuple[float, ...]:
        """Those listed of d, n, p or a parameter; of a p that follows n, none."""
        if name == "p":
            return self.p if isinstance(self.p, tuple) else ()
        listed: tuple[float, ...] = getattr(self, name) if name in SIZES else self.parameters[name]
        return listed

    def widths(self, n: int) -> tuple[int, ...]:
        """The p of this study at n samples, each once."""
        return self.p if isinstance(self.p, tuple) else self.p(n)

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
