"""A study: a protocol, and the design that is run of it.

`Study` is a frozen dataclass, a TOML file, and the flags of a command line, by one definition.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from jaxflow.core.errors import located, mistake
from jaxflow.core.names import annotation, flattened, replaced
from jaxflow.core.types import SIZES, Point, Recording
from jaxflow.flow.dynamics import Dynamics
from jaxflow.flow.events import Event, Never
from jaxflow.flow.recording import check_recording
from jaxflow.problems.problem import Problem
from jaxflow.problems.shallow.shallow_network import ShallowNetwork
from jaxflow.sampling.axes import Axes, Horizon
from jaxflow.sampling.design import Design
from jaxflow.sampling.grid import GridPlan
from jaxflow.sampling.slice import Slice
from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.study import files
from jaxflow.study.direction import of_each
from jaxflow.study.protocol import SCHEMA, Protocol

if TYPE_CHECKING:
    from jaxflow.engine.settings import Lanes
    from jaxflow.show.result import Result
    from jaxflow.study.runners import Cluster


@dataclass(frozen=True)
class Study:
    """Problem, axes, dynamics, event, horizon, sampling plan and seed.

    The fields are those of its `protocol`, which decide the number in a row, and of its `design`,
    which says what is run. Exactly one of `threshold` and `grid` says how n, or another axis, is
    sampled. `event` is what a trial is followed for, or `events` are several by name. `measure`
    names observables whose values at the end of every trial are kept; `record` asks for
    trajectories of some trials. `seed` is that of all random numbers, `precision` that of the flow.
    """

    name: str
    axes: Axes
    dynamics: dict[str, Dynamics]
    problem: Problem = field(default_factory=ShallowNetwork)
    horizon: Horizon = Horizon()
    event: Event | None = None
    events: dict[str, Event] | None = None
    measure: tuple[str, ...] | None = None
    threshold: ThresholdPlan | None = None
    grid: GridPlan | None = None
    record: Recording | None = None
    seed: int = 0
    precision: Literal["float32", "float64"] = "float32"

    def __post_init__(self) -> None:
        SCHEMA.coerce(self)
        self._check_along()
        object.__setattr__(self, "axes", self._whole_axes())
        object.__setattr__(self, "threshold", self._threshold_in_few_programs())
        if not isinstance(self.problem, ShallowNetwork) and self.horizon == Horizon():
            expected = f"a horizon for {type(self.problem).__name__}"
            remedy = (
                "give the flow time, or the steps, that a trial is allowed: horizon.time = 1000"
            )
            raise mistake(expected, "none", remedy)
        protocol = self.protocol  # made here, so that it is checked
        object.__setattr__(self, "event", protocol.event)
        object.__setattr__(self, "measure", protocol.measure)
        for name in ("threshold", "grid"):
            plan = getattr(self, name)
            if plan is not None and plan.rising is None:
                if name == "threshold" and plan.along not in SIZES:
                    remedy = "say whether the event grows likelier along it: threshold.rising"
                    raise mistake(f"rising = true or false along {plan.along}", "none", remedy)
                rising = of_each(plan.along, protocol.by_name)
                object.__setattr__(self, name, replace(plan, rising=rising))
        self._check_plan(protocol)
        if self.record is not None:
            check_recording(self.record, protocol.problem)
        for name in self.design.parameters:
            annotation(self._root, name)
        for slice in self.slices():
            for x in (slice.plan.low, slice.plan.high):
                point = slice.base.moved(slice.along, x)
                self._check(point)
                batch = getattr(self.dynamics[slice.dynamics], "batch", None) or 1
                if batch > point.n:
                    remedy = "make the batch smaller, or raise n"
                    expected = f"n >= {batch}, the batch of {slice.dynamics}"
                    raise mistake(expected, point.n, remedy)
                if not isfinite(slice.times(point)[-1]):
                    raise mistake("a finite horizon", f"{self.horizon}", "lower its factor")

    @cached_property
    def protocol(self) -> Protocol:
        """What decides the number in a row."""
        return Protocol(**{f.name: getattr(self, f.name) for f in fields(Protocol)})

    @cached_property
    def design(self) -> Design:
        """What is to be run."""
        return Design(**{f.name: getattr(self, f.name) for f in fields(Design)})

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Self:
        """The study a table of plain values stands for; `ValueError` where it is none."""
        axes = table.get("axes")
        if isinstance(axes, Mapping) and isinstance(axes.get("parameters"), Mapping):
            flat = flattened(axes["parameters"], "axes.parameters")
            table = {**table, "axes": {**axes, "parameters": flat}}
        study: Self = SCHEMA.read(cls, table, "the study", load=True)
        return study

    @classmethod
    def load(
        cls, source: str | Path, changes: Mapping[str, Any] | None = None, *, small: bool = False
    ) -> Self:
        """The study of a TOML file, of a preset of that name, or of a folder with a store.

        `changes` are other values by dotted name, as {"axes.p": [50], "seed": 1}. A `small` study
        has the values of the file's table [small] and "-small" after its name.
        """
        return cls.from_table(files.table(source, changes, small=small))

    @property
    def table(self) -> dict[str, Any]:
        """The study as plain values, every default spelled out."""
        table: dict[str, Any] = SCHEMA.write(self)
        return table

    def to_toml(self) -> str:
        """The study as the text of a TOML file."""
        import tomli_w

        return tomli_w.dumps(self.table)

    def run(
        self,
        out: str | Path | None = None,
        *,
        part: tuple[int, int] = (1, 1),
        lanes: "Lanes | None" = None,
        cluster: "Cluster | None" = None,
        quiet: bool = False,
    ) -> "Result":
        """Run into the store in `out`, from where it stands, with progress unless `quiet`.

        With `part` (i, k) it is the i-th of k, each run into a folder of its own, on machines that
        share nothing; `jaxflow merge` joins their stores. Trials run on the threads of this
        process, or on the workers of a `cluster`, to the same rows. Without `out` they are kept as
        long as the result is. Raises `ValueError` for a store that cannot be used and for laws that
        break their word; what was computed before an error or an interruption is in the store.
        """
        from jaxflow.show.running import run

        return run(self, out, part=part, lanes=lanes, cluster=cluster, quiet=quiet)

    def _repr_html_(self) -> str:
        from jaxflow.show.question import asked

        return asked(self)

    def slices(self) -> Iterator[Slice]:
        """One slice for each dynamics and point off the scanned axis."""
        return self.design.slices(self.protocol.outline)

    @property
    def _root(self) -> dict[str, Any]:
        return {"problem": self.problem, "dynamics": self.dynamics}

    def _whole_axes(self) -> Axes:
        """The axes, with 1 for sizes that the problem does without."""
        plan = self.threshold or self.grid
        along = plan.along if plan else "n"
        free = [name for name in self.problem.optional if name != along]
        missing = [name for name in free if not (self.axes.values(name) or self.axes.follows)]
        ones: dict[str, Any] = {n: (1,) for n in missing if not self.problem.depends_on(n)}
        return replace(self.axes, **ones) if ones else self.axes

    def _threshold_in_few_programs(self) -> ThresholdPlan | None:
        """On the ladder along a size of which every value is a program of its own.

        Of shallow networks d is such a size, but their published studies are not on it.
        """
        plan = self.threshold
        if plan is None or plan.along not in SIZES or isinstance(self.problem, ShallowNetwork):
            return plan
        return plan if plan.along in self.problem.padded else replace(plan, lattice="ladder")

    def _check_plan(self, protocol: Protocol) -> None:
        """Raise `ValueError` where the plan is not one for the events."""
        if isinstance(protocol.event, Never):
            if self.threshold is not None:
                got = "a threshold of an event that never happens"
                raise mistake("a grid", got, "list the places under [grid], or name an event")
            if not self.measure:
                remedy = "name observables as measure, or an event"
                raise mistake("something to measure", "neither an event nor that", remedy)
        plan = self.threshold or self.grid
        if plan is not None and isinstance(plan.rising, dict):
            names = sorted(protocol.by_name)
            if sorted(plan.rising) != names:
                raise mistake(f"rising for each of {names}", plan.rising, "name every event once")

    def _check_along(self) -> None:
        """Raise `ValueError` where what is scanned is neither a size nor a parameter.

        Or an integer of which fractions would be tried.
        """
        plan = self.threshold or self.grid
        if plan is None or plan.along in SIZES:
            return
        if plan.along in {field.name for field in fields(self.problem)}:
            raise mistake("a dotted name", plan.along, f"write along = problem.{plan.along}")
        with located(f"along = {plan.along!r}, none of {', '.join(SIZES)}"):
            kind = annotation(self._root, plan.along)
        if kind is not int:
            return
        expected = f"whole numbers along {plan.along}"
        if isinstance(plan, ThresholdPlan):
            raise mistake(expected, "a search, which tries fractions", "list them under [grid]")
        if any(not x.is_integer() for x in plan.values):
            raise mistake(expected, plan.values, "give integers")

    def _check(self, point: Point) -> None:
        """Raise `ValueError` where the study has no trial."""
        root: Any = self._root
        for name, x in point.parameters:
            kind = annotation(root, name)
            if kind is int and not float(x).is_integer():
                raise mistake(f"whole numbers as {name}", x, "give integers")
            if kind not in (int, float):
                raise mistake("a parameter that is a number", name, "choose another as an axis")
            with located(name):
                root = replaced(root, name, int(x) if kind is int else x)
        root["problem"].check(point)
