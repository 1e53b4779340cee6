"""How the trials of a run share the machine, and from a trial to what is compiled for it.

Trials share a program if they have the same dynamics and bucket, and the same values of those
parameters that decide what is computed rather than with which number: an integer, such as a
teacher's rank. A parameter that is a real number is an input of the program.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import nan
from typing import Any, Literal, NamedTuple, Self, get_args

import jax

from jaxflow.core.code import codes
from jaxflow.core.errors import mistake, unknown_name
from jaxflow.core.machine import configure_once, versions
from jaxflow.core.names import annotation, replaced, with_traced
from jaxflow.core.types import ParameterValues, Row, Trial
from jaxflow.engine import batches
from jaxflow.engine.costs import Costs, cheapest
from jaxflow.flow.dynamics import Dynamics
from jaxflow.flow.events import Event
from jaxflow.flow.state import Setting
from jaxflow.problems.problem import Problem, Shape

Transform = Literal["map", "vmap"]


@dataclass(frozen=True)
class Lanes:
    """How trials share the machine, and in which coordinates; part of what names a program.

    `transform` "auto" is map on CPU and vmap elsewhere. `width` is the number of lanes of a batch,
    `chunk` the evaluations of the field between two harvests (vmap), `threads` those that run
    trials, one a core or a device; 0 chooses. `coordinates` "auto" are the cheapest for each
    shape. `devices` are the numbers of those of JAX that run trials, all if none is named.
    """

    transform: Transform | Literal["auto"] = "auto"
    width: int = 0
    chunk: int = 0
    threads: int = 0
    coordinates: str = "auto"
    devices: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        names = ("auto", *get_args(Transform))
        if self.transform not in names:
            raise mistake(f"transform in {names}", self.transform, "use one of these")
        if min(self.width, self.chunk, self.threads) < 0:
            got = (self.width, self.chunk, self.threads)
            raise mistake("width, chunk, threads >= 0", got, "use 0 to choose")

    def resolved(self) -> Self:
        """The lanes with every choice made for this machine, which starts JAX."""
        configure_once()
        on_cpu = jax.default_backend() == "cpu"
        transform = self.transform
        if transform == "auto":
            transform = "map" if on_cpu else "vmap"
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        width = self.width or ((2 if on_cpu else 256) if transform == "vmap" else 1)
        by_core = on_cpu and not self.devices
        threads = self.threads or ((cores or 1) if by_core else len(self.on()))
        chunk = self.chunk or (8 if on_cpu else 64)
        return replace(self, transform=transform, width=width, chunk=chunk, threads=threads)

    def on(self) -> list[jax.Device]:
        """The devices; `ValueError` for one that this machine does not have."""
        there = {device.id: device for device in jax.local_devices()}
        for number in self.devices:
            if number not in there:
                remedy = "name some of these: `jaxflow doctor` lists them"
                raise mistake(f"devices of {sorted(there)}", number, remedy)
        return [there[number] for number in self.devices or sorted(there)]


class ProgramKey(NamedTuple):
    """Trials of one key share a program; parameters go by their names in the study."""

    dynamics: str
    shape: Shape
    fixed: ParameterValues = ()  # compiled in
    inputs: tuple[str, ...] = ()  # a number for every trial
    recorded: bool = False


@dataclass(frozen=True)
class Settings:
    """What all trials of a run have in common, and from it the key and setting of each."""

    problem: Problem
    dynamics: Mapping[str, Dynamics]
    events: Mapping[str, Event]  # by name
    dtype: str
    lanes: Lanes = Lanes()  # resolved
    measured: tuple[str, ...] = ()

    @cached_property
    def _root(self) -> dict[str, Any]:
        return {"problem": self.problem, "dynamics": dict(self.dynamics)}

    @cached_property
    def versions(self) -> str:
        """What decides a row, as it says: packages, and the user's modules with their digests."""
        return " ".join([versions(), *codes((self.problem, self.dynamics, self.events))])

    def failed_row(self, trial: Trial, reason: str) -> Row:
        """The row of a trial that could not be run: it was "killed", or it "raised" an error."""
        return batches.failed_row(
            trial, reason, measured=self.measured, dtype=self.dtype, versions=self.versions
        )

    @cached_property
    def costs(self) -> Costs:
        """What trials cost, and their shapes."""
        return Costs(self.problem, self.dynamics)

    def key(self, trial: Trial, recorded: bool = False) -> ProgramKey:
        """The key of the program that runs a trial; `ValueError` for dynamics it does not have."""
        if trial.dynamics not in self.dynamics:
            raise unknown_name("dynamics", trial.dynamics, self.dynamics)
        values = trial.point.parameters
        inputs = tuple(name for name, _ in values if self._is_input(name))
        fixed = tuple((name, x) for name, x in values if name not in inputs)
        return ProgramKey(trial.dynamics, self.costs.shape(trial), fixed, inputs, recorded)

    def setting(self, key: ProgramKey) -> Setting:
        """What a program of this key is compiled from.

        A lane advances by an evaluation under vmap, where it would wait for steps of more stages
        beside it, and by a step where it runs alone.
        """
        root: Any = self._root
        for name, x in key.fixed:
            root = replaced(root, name, int(x) if annotation(root, name) is int else x)
        problem, dynamics = root["problem"], root["dynamics"][key.dynamics]
        own = f"dynamics.{key.dynamics}."
        varied = dynamics  # a number that the trials give it may be any
        for name in key.inputs:
            if name.startswith(own):
                varied = with_traced(varied, name.removeprefix(own), nan)
        is_alone = key.recorded or self.lanes.transform == "map"
        return Setting(
            problem,
            dynamics,
            tuple(self.events.values()),
            key.shape,
            self.dtype,
            cheapest(problem, varied, key.shape, self.lanes.coordinates),
            advance_by="step" if is_alone else "evaluation",
            parameters=tuple(
                f"dynamics.{name.removeprefix(own)}" if name.startswith(own) else name
                for name in key.inputs
            ),
            measured=self.measured,
        )

    def _is_input(self, name: str) -> bool:
        return annotation(self._root, name) is float
