"""What a study is: an ensemble, what is swept, under which dynamics, and how it is sampled.

`Study` is a frozen dataclass, a TOML file, the flags of a command line and a canonical hash, by one
definition.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from jaxflow.core.errors import mistake
from jaxflow.core.names import annotation, changed, flattened, replaced
from jaxflow.core.schema import Choice, Schema
from jaxflow.core.types import SIZES, Point
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.flow import Dynamics, GradientFlow
from jaxflow.flow.recording import Recording
from jaxflow.flow.stopping import Success
from jaxflow.problems.shallow import initialization, inputs, labels
from jaxflow.problems.shallow.ensemble import Ensemble
from jaxflow.problems.shallow.network import ACTIVATIONS, Activation
from jaxflow.sampling.axes import Axes, Horizon, concerning
from jaxflow.sampling.grid import GridPlan
from jaxflow.sampling.neighbours import warm_start
from jaxflow.sampling.slice import Slice
from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.store.files import FILE
from jaxflow.store.store import Store
from jaxflow.study.files import parsed

if TYPE_CHECKING:
    import pandas
    import xarray

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
class Study:
    """Ensemble, axes, dynamics, horizon, sampling plan and seed.

    Exactly one of `threshold` and `grid` says how n, or another axis, is sampled. `success` is the
    loss at which a trial has converged: c for L <= c/2n, or "signs" for the certificate
    L <= min y^2/2n. `record` asks for trajectories of some trials. A study that was loaded from a
    store knows its `folder`, which is no part of its identity.
    """

    name: str
    axes: Axes
    dynamics: dict[str, Dynamics]
    ensemble: Ensemble = field(default_factory=Ensemble)
    horizon: Horizon = Horizon()
    success: Success = "signs"
    threshold: ThresholdPlan | None = None
    grid: GridPlan | None = None
    record: Recording | None = None
    seed: int = 0
    precision: Literal["float32", "float64"] = "float32"
    folder: Path | None = field(default=None, compare=False, repr=False, metadata={"said": False})

    def __post_init__(self) -> None:
        SCHEMA.coerce(self)
        if not self.dynamics:
            raise mistake("at least one dynamics", "none", "add a table [dynamics.flow]")
        if (self.threshold is None) == (self.grid is None):
            got = "both" if self.grid else "neither"
            raise mistake("either a threshold or a grid", got, "give one of the two tables")
        if self.success != "signs" and not self.success > 0:
            raise mistake("success > 0 or 'signs'", self.success, "give c of L <= c/2n")
        if not 0 <= self.seed < 2**32:
            raise mistake("0 <= seed < 2**32", self.seed, "choose another")
        if self.record is not None:
            self.record.check(self.ensemble)
        self.axes.check(self.along)
        for name in self._parameters:
            annotation(self._root, name)
        for dynamics, base in self._lines():
            plan = self._plan_at(base)
            for x in (plan.low, plan.high):
                self._check(dynamics, base.moved(self.along, x))

    @property
    def plan(self) -> ThresholdPlan | GridPlan:
        """How the scanned axis is sampled."""
        plan = self.threshold or self.grid
        assert plan is not None
        return plan

    @property
    def along(self) -> str:
        """The axis that is scanned: n, d, p or a parameter."""
        return self.plan.along

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Self:
        """The study a table of plain values stands for; `ValueError` where it is none."""
        axes = table.get("axes")
        if isinstance(axes, Mapping) and isinstance(axes.get("parameters"), Mapping):
            flat = flattened(axes["parameters"], "axes.parameters")
            table = {**table, "axes": {**axes, "parameters": flat}}
        study: Self = SCHEMA.read(cls, table, "the study")
        return study

    @classmethod
    def load(
        cls, source: str | Path, changes: Mapping[str, Any] | None = None, *, small: bool = False
    ) -> Self:
        """The study of a TOML file, of a preset of that name, or of the store in a folder.

        `changes` are other values by dotted name, as {"axes.p": [50], "seed": 1}. A `small` study
        has the values of the file's table [small] and "-small" after its name.
        """
        if (Path(source) / FILE).exists():
            with Store.read(Path(source)) as store:
                table = json.loads(store.study_json)
            return replace(cls.from_table(changed(table, changes or {})), folder=Path(source))
        table = parsed(source)
        fewer = flattened(table.pop("small", {}), "the table [small]")
        if small:
            if not fewer:
                remedy = "run it whole, or add a table of other values by dotted name"
                raise mistake("a study with a table [small]", str(source), remedy)
            table = changed({**table, "name": f"{table.get('name')}-small"}, fewer)
        return cls.from_table(changed(table, changes or {}))

    @property
    def table(self) -> dict[str, Any]:
        """The study as plain values, every default spelled out."""
        table: dict[str, Any] = SCHEMA.write(self)
        return table

    def to_toml(self) -> str:
        """The study as the text of a TOML file."""
        import tomli_w

        return tomli_w.dumps(self.table)

    @cached_property
    def json(self) -> str:
        """The study as canonical JSON: what is hashed and kept in the store."""
        return json.dumps(self.table, sort_keys=True, separators=(",", ":"))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON; two ways to write one study hash equally."""
        return hashlib.sha256(self.json.encode()).hexdigest()

    def slices(self) -> list[Slice]:
        """One slice for each dynamics and point off the scanned axis."""
        slices = [Slice(at, base, self._plan_at(base), self.horizon) for at, base in self._lines()]
        if self.threshold is not None:
            warm_start(slices)
        return slices

    def to_pandas(self) -> "pandas.DataFrame":
        """The trials of the store this was loaded from, one row each; needs `jaxflow[export]`."""
        from jaxflow.report import export

        with Store.read(self._folder) as store:
            return export.to_pandas(store.rows())

    def to_xarray(self) -> "xarray.Dataset":
        """The trials and their counts over the axes as labelled arrays; needs `jaxflow[export]`."""
        from jaxflow.report import export

        with Store.read(self._folder) as store:
            return export.to_xarray(store.rows(), {"study": self.json, "study_hash": self.hash})

    @property
    def _folder(self) -> Path:
        if self.folder is None:
            raise mistake("a study loaded from its store", self.name, "use Study.load(folder)")
        return self.folder

    @property
    def _parameters(self) -> list[str]:
        scanned = [] if self.along in SIZES else [self.along]
        return [*self.axes.parameters, *scanned]

    @property
    def _root(self) -> dict[str, Any]:
        return {"ensemble": self.ensemble, "dynamics": self.dynamics}

    def _plan_at(self, base: Point) -> ThresholdPlan | GridPlan:
        return self.grid.at(base) if self.grid else self.plan

    def _lines(self) -> Iterator[tuple[str, Point]]:
        """The dynamics and point, at 0 of the scanned axis, of every slice."""
        for name in self.dynamics:
            if self.along in SIZES or concerning([self.along], name):
                for base in self.axes.points(self.along, name):
                    yield name, base

    def _check(self, dynamics: str, point: Point) -> None:
        """Raise `ValueError` where the study has no trial."""
        root: Any = self._root
        for name, x in point.parameters:
            kind = annotation(root, name)
            if kind is int and not float(x).is_integer():
                raise mistake(f"whole numbers as {name}", x, "give integers")
            if kind not in (int, float):
                raise mistake("a parameter that is a number", name, "choose another as an axis")
            try:
                root = replaced(root, name, int(x) if kind is int else x)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
        root["ensemble"].check(point)
