"""The axes of a phase diagram, and the flow times that its trials are allowed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from math import prod
from typing import Self

import numpy as np

from jaxflow.core.checks import positive, size, whole
from jaxflow.core.errors import mistake
from jaxflow.core.open_names import Unloaded
from jaxflow.core.schema import PLAIN
from jaxflow.core.types import SIZES, Pace, Point
from jaxflow.sampling.rules import SCHEMA, HorizonRule, StepsOfDescent, WidthRule

MOST_SLICES = 2000  # of one dynamics
DEPTHS = 4, 3, 2  # by how many halvings a range has its places, of one, two and three ranges


@dataclass(frozen=True)
class Range:
    """All of an axis between two ends, instead of values: `{from = 10, to = 400}` in a file.

    The places of a plane are on a lattice that is even in the logarithm, if both ends are positive.
    Raises `ValueError` unless low < high.
    """

    low: float = field(metadata={"key": "from"})
    high: float = field(metadata={"key": "to"})

    def __post_init__(self) -> None:
        PLAIN.coerce(self)
        if not self.low < self.high:
            raise mistake("from < to", (self.low, self.high), "widen the range")

    def lattice(self, depth: int, *, whole: bool) -> tuple[float, ...]:
        """Its values, by so many halvings; each once where they are whole numbers."""
        scale = np.geomspace if self.low > 0 else np.linspace
        found = scale(self.low, self.high, 2**depth + 1).tolist()
        found[0], found[-1] = self.low, self.high
        return tuple(sorted({round(x) for x in found} if whole else found))


@dataclass(frozen=True)
class Horizon:
    """How far trials are followed: multiples `factor` of the T0 of a `rule`, or flow times `time`.

    A dynamics that takes steps of one size may be allowed `steps` of them instead, or `epochs`,
    passes over the n samples in its batches; beside them `time` or `factor` is for the others.
    Several of each may be given. A trial runs to the longest, and the times of its events answer
    all. If nothing is given, T0 is that of `StepsOfDescent`.
    """

    factor: tuple[float, ...] = ()
    time: tuple[float, ...] = ()
    rule: HorizonRule | None = None
    steps: tuple[int, ...] | None = None
    epochs: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        SCHEMA.coerce(self)
        for name in ("factor", "time", "steps", "epochs"):
            given = getattr(self, name)
            said = f"{name} of the horizon"
            number = partial(whole, least=1) if name == "steps" else positive
            kept = tuple(sorted({number(said, x) for x in given or ()}))
            object.__setattr__(self, name, kept if kept or given is not None else None)
        if self.time and (self.factor or self.rule is not None):
            got = "time beside factor or rule"
            raise mistake("a horizon by time, or by multiples of a rule", got, "leave one out")
        if self.steps and self.epochs:
            raise mistake("a horizon in steps, or in epochs", "both", "leave one out")
        is_counted = self.steps or self.epochs
        if not self.time and (self.factor or self.rule is not None or not is_counted):
            object.__setattr__(self, "factor", self.factor or (1.0,))
            object.__setattr__(self, "rule", self.rule or StepsOfDescent())

    def of(self, dynamics: str, pace: Pace) -> Self:
        """What of it is for a dynamics of that pace; `ValueError` where that is nothing."""
        if not (self.steps or self.epochs):
            return self
        if pace.step is not None:
            return replace(self, factor=(), time=(), rule=None)
        if not self.multiples_of_time:
            expected = f"a horizon in flow time for {dynamics}, which has no steps of one size"
            got = self.labels[0]
            raise mistake(expected, got, "add horizon.time beside it")
        return replace(self, steps=None, epochs=None)

    @property
    def labels(self) -> tuple[str, ...]:
        """What each horizon is called, in increasing order."""
        if self.unit == "T0":
            return tuple("T0" if x == 1 else f"{x:g} T0" for x in self.factor)
        if self.unit == "flow time":
            return tuple(f"T = {time:g}" for time in self.time)
        return tuple(f"{count:g} {self.unit}" for count in self.multiples)

    @property
    def unit(self) -> str:
        """What the horizons are given in."""
        named = {"steps": self.steps, "epochs": self.epochs, "flow time": self.time}
        return next((name for name, values in named.items() if values), "T0")

    @property
    def formula(self) -> str:
        """What T0 is, where the rule says so; else nothing."""
        formula = None if isinstance(self.rule, Unloaded) else getattr(self.rule, "formula", None)
        return f"T0 = {formula}" if isinstance(formula, str) else ""

    @property
    def multiples(self) -> tuple[float, ...]:
        """The horizons in their unit, in increasing order."""
        return self.steps or self.epochs or self.multiples_of_time

    @property
    def multiples_of_time(self) -> tuple[float, ...]:
        """Those that are not counted in steps."""
        return self.time or self.factor

    def unit_at(self, point: Point, dynamics: str = "", pace: Pace = Pace()) -> float:
        """The flow time that one unit is at a point."""
        if self.steps or self.epochs:
            step = pace.step_at(point, dynamics)
            return step * max(1, point.n // (pace.batch or point.n)) if self.epochs else step
        return 1.0 if self.rule is None else self.rule(point)

    def times(self, point: Point, dynamics: str = "", pace: Pace = Pace()) -> tuple[float, ...]:
        """Flow times allowed at a point, in increasing order."""
        unit = self.unit_at(point, dynamics, pace)
        return tuple(x * unit for x in self.multiples)


@dataclass(frozen=True)
class Axes:
    """The values of d, n, p and of parameters of laws, but for the axis that is scanned.

    A parameter goes by its dotted name in the study file. Those of a dynamics concern its own
    trials only. Instead of values there may be a range, and then the boundary is looked for all
    over the plane at once; instead of values of p, a rule by which it follows n. As
    `Axes(d=(10, 20), p=(50,), parameters={"problem.initialization.shrink": (0.1, 1.0)})`, whose
    four combinations are slices along n.
    """

    d: tuple[int, ...] | Range = ()
    n: tuple[int, ...] | Range = ()
    p: tuple[int, ...] | Range | WidthRule = ()
    parameters: dict[str, tuple[float, ...] | Range] = field(default_factory=dict)

    def __post_init__(self) -> None:
        SCHEMA.coerce(self)
        for name, given in self._given.items():
            if isinstance(given, Range) and name in SIZES:
                for end, x in (("from", given.low), ("to", given.high)):
                    size(f"{name}.{end}", x)
        if self.follows and self.ranges:
            got = f"a range of {self.ranges[0]}"
            raise mistake("values beside a width that follows n", got, "list them")
        if self.follows and self.values("n") and not isinstance(self.p, Unloaded):
            self.widths(int(min(self.values("n"))))  # raises where the rule has none
        for name in SIZES:
            for x in self.values(name):
                size(name, x)
        for name in (*SIZES, *self.parameters):
            values = self.values(name)
            if len(set(values)) < len(values):
                raise mistake(f"distinct values of {name}", list(values), "list each once")
        for name in self.parameters:
            if not self.values(name):
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
        return not isinstance(self.p, tuple | Range)

    @property
    def ranges(self) -> list[str]:
        """The axes of which a range is given."""
        return [name for name, given in self._given.items() if isinstance(given, Range)]

    @property
    def extents(self) -> dict[str, tuple[float, float]]:
        """The smallest and the largest value of the axes that have several."""
        values = {name: self.values(name) for name in self._given}
        return {name: (min(x), max(x)) for name, x in values.items() if len(x) > 1}

    @property
    def _given(self) -> dict[str, object]:
        return {**{name: getattr(self, name) for name in SIZES}, **self.parameters}

    def values(self, name: str) -> tuple[float, ...]:
        """Those listed of an axis, or of its range; of a p that follows n, none."""
        given = self._given[name]
        if isinstance(given, Range):
            depth = DEPTHS[min(len(self.ranges), len(DEPTHS)) - 1]
            return given.lattice(depth, whole=name in SIZES)
        return given if isinstance(given, tuple) else ()

    def widths(self, n: int) -> tuple[int, ...]:
        """The p of this study at n samples, each once."""
        if isinstance(self.p, tuple | Range):
            return tuple(map(int, self.values("p")))
        return self.p(n)

    def points(self, along: str, dynamics: str) -> Iterator[Point]:
        """The points of a dynamics' slices, whose coordinate along the scanned axis is 0."""
        names = sorted(concerning(self.parameters, dynamics))
        for d, n in product(self.values("d") or (0,), self.values("n") or (0,)):
            d, n = int(d), int(n)
            for p in self.widths(n) or (0,):
                for values in product(*map(self.values, names)):
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
