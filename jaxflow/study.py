"""A study: what is swept, under which dynamics, how it is sampled; and how it is run.

`Study` is a frozen dataclass, a TOML file and a canonical hash, by one definition. `run` is the
sole place where sweep, engine and store meet.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any, Literal, Self

from jaxflow._errors import mistake
from jaxflow._files import parsed
from jaxflow._schema import Choice, Schema
from jaxflow._types import Point, Row, Trial
from jaxflow.engine import Lanes, Runner, Usage, check_coordinates, check_numerics
from jaxflow.ensemble import Ensemble, initialization, inputs, labels
from jaxflow.flow import Dynamics, GradientDescent, GradientFlow, Success
from jaxflow.network import ACTIVATIONS, Activation
from jaxflow.store import Store
from jaxflow.sweep import Cell, GridPlan, ThresholdPlan
from jaxflow.theory import published_horizon

SCHEMA = Schema(
    {
        inputs.InputLaw: Choice("law", inputs.LAWS),
        labels.LabelLaw: Choice("law", labels.LAWS),
        initialization.Initialization: Choice("law", initialization.LAWS),
        Activation: Choice("name", ACTIVATIONS),
        Dynamics: Choice("kind", {"flow": GradientFlow, "descent": GradientDescent}),
    }
)


@dataclass(frozen=True)
class Horizon:
    """The flow time allowed: `factor` times the published rule, or `time` for every trial."""

    factor: float = 1.0
    time: float | None = None

    def __post_init__(self) -> None:
        if not self.factor > 0 or (self.time is not None and not self.time > 0):
            raise mistake("factor > 0 and time > 0", (self.factor, self.time), "raise it")

    def __call__(self, n: int, p: int) -> float:
        """Flow time allowed at n samples and width p."""
        return self.factor * published_horizon(n, p) if self.time is None else self.time


@dataclass(frozen=True)
class Axes:
    """The values of d and p; every pair is a cell with a threshold in n of its own."""

    d: tuple[int, ...]
    p: tuple[int, ...]

    def __post_init__(self) -> None:
        for name, values in (("d", self.d), ("p", self.p)):
            if not values or min(values) < 1 or len(set(values)) < len(values):
                raise mistake(f"distinct {name} >= 1", list(values), f"list the values of {name}")


@dataclass(frozen=True)
class Study:
    """Ensemble, axes, dynamics, horizon, sampling plan and seed.

    Exactly one of `threshold` and `grid` says how n is sampled. `success` is the loss at which a
    trial has converged: c for L <= c/2n, or "signs" for the certificate L <= min y^2/2n.
    """

    name: str
    axes: Axes
    dynamics: dict[str, Dynamics]
    ensemble: Ensemble = field(default_factory=Ensemble)
    horizon: Horizon = Horizon()
    success: Success = "signs"
    threshold: ThresholdPlan | None = None
    grid: GridPlan | None = None
    seed: int = 0
    precision: Literal["float32", "float64"] = "float32"

    def __post_init__(self) -> None:
        if not self.dynamics:
            raise mistake("at least one dynamics", "none", "add a table [dynamics.flow]")
        if (self.threshold is None) == (self.grid is None):
            got = "both" if self.grid else "neither"
            raise mistake("either a threshold or a grid", got, "give one of the two tables")
        if self.success != "signs" and not self.success > 0:
            raise mistake("success > 0 or 'signs'", self.success, "give c of L <= c/2n")
        if not 0 <= self.seed < 2**32:
            raise mistake("0 <= seed < 2**32", self.seed, "choose another")
        for d, p in product(self.axes.d, self.axes.p):
            for n in (self.plan.low, self.plan.high):
                self.ensemble.check(Point(d, n, p))

    @property
    def plan(self) -> ThresholdPlan | GridPlan:
        """How n is sampled."""
        plan = self.threshold or self.grid
        assert plan is not None
        return plan

    @classmethod
    def from_table(cls, table: dict[str, Any]) -> Self:
        """The study a table of plain values stands for; `ValueError` where it is none."""
        study: Self = SCHEMA.read(cls, table, "the study")
        return study

    @classmethod
    def load(cls, source: str | Path) -> Self:
        """The study of a TOML file, or the preset of that name."""
        return cls.from_table(parsed(source))

    @cached_property
    def json(self) -> str:
        """The study as canonical JSON: what is hashed and kept in the store."""
        return json.dumps(SCHEMA.write(self), sort_keys=True, separators=(",", ":"))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON; two ways to write one study hash equally."""
        return hashlib.sha256(self.json.encode()).hexdigest()

    def cells(self) -> list[Cell]:
        """One cell for each dynamics, d and p."""
        return [
            Cell(name, d, p, self.plan, self.horizon)
            for name, d, p in product(self.dynamics, self.axes.d, self.axes.p)
        ]


@dataclass
class Progress:
    """Where a run stands; handed to the listener after every harvest."""

    cells: list[Cell]
    usage: Usage
    known: int  # trials that were in the store before the run

    @property
    def ended(self) -> int:
        """Trials that have ended, those known before included."""
        return sum(len(cell.converged) for cell in self.cells)

    @property
    def proposed(self) -> int:
        """Trials proposed so far."""
        return sum(len(trials) for cell in self.cells for trials in cell.rounds)


def run(
    study: Study,
    folder: Path,
    lanes: Lanes = Lanes(),
    listener: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Run a study into its store, from where the store stands; a finished one ends at once.

    Every harvest is one transaction. Raises `ValueError` for a store that cannot be used; what
    was computed before an error or an interruption is in the store.
    """
    for dynamics in study.dynamics.values():
        check_coordinates(study.ensemble, dynamics, lanes.coordinates)
    with Store.open(folder, study.hash, study.json) as store:
        cells = study.cells()
        known = store.rows()
        for cell in cells:
            cell.tell(known)
        progress = Progress(cells, Usage(), len(known))
        waiting = _propose(cells)
        if waiting:
            check_numerics(study.precision)
            with Runner(
                study.ensemble,
                study.dynamics,
                success=study.success,
                seed=study.seed,
                dtype=study.precision,
                lanes=lanes,
            ) as runner:
                progress.usage = runner.usage
                _drive(runner, store, progress, waiting, listener)
        listener(progress)
    return progress


def _drive(
    runner: Runner,
    store: Store,
    progress: Progress,
    waiting: list[Trial],
    listener: Callable[[Progress], None],
) -> None:
    """Submit, harvest, store, propose, until every cell has finished."""
    runner.submit(waiting)
    while not all(cell.finished for cell in progress.cells):
        rows: list[Row] = runner.harvest(timeout=1.0)
        if rows:
            store.insert(rows)
            for cell in progress.cells:
                cell.tell(rows)
            runner.submit(_propose(progress.cells))
        listener(progress)


def _propose(cells: list[Cell]) -> list[Trial]:
    """The new trials of all cells that have not ended yet, the dearest first."""
    trials = [t for cell in cells for t in cell.propose() if t not in cell.converged]
    return sorted(trials, key=lambda t: t.horizon * t.point.n, reverse=True)
