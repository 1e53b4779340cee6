"""How the trials of a run share the machine."""

import os
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, Self, get_args

import jax

from jaxflow.core.errors import mistake
from jaxflow.core.types import Point, Trial
from jaxflow.engine.program import Transform
from jaxflow.engine.requests import requests
from jaxflow.flow.trial import Setting, start
from jaxflow.problems.shallow.coordinates import Name

WORKSPACE = 4  # times the state of a lane, for what a step makes on the way
SHARE = 0.5  # of the device's memory


@dataclass(frozen=True)
class Lanes:
    """How trials share the machine, and in which coordinates; part of what names a program.

    `transform` "auto" is map on CPU and vmap elsewhere; `width` the lanes of a
    batch, `chunk` the evaluations of the field between two harvests (vmap), `workers` the
    threads; 0 chooses. `coordinates` "auto" are the cheapest for each shape.
    """

    transform: Transform | Literal["auto"] = "auto"
    width: int = 0
    chunk: int = 0
    workers: int = 0
    coordinates: Name | Literal["auto"] = "auto"

    def __post_init__(self) -> None:
        names = ("auto", "map", "vmap")
        if self.transform not in names:
            raise mistake(f"transform in {names}", self.transform, "use one of these")
        spaces = ("auto", *get_args(Name))
        if self.coordinates not in spaces:
            raise mistake(f"coordinates in {spaces}", self.coordinates, "use one of these")
        if min(self.width, self.chunk, self.workers) < 0:
            got = (self.width, self.chunk, self.workers)
            raise mistake("width, chunk, workers >= 0", got, "use 0 to choose")

    def resolved(self) -> Self:
        """The lanes with every choice made for this machine."""
        on_cpu = jax.default_backend() == "cpu"
        transform = self.transform
        if transform == "auto":
            transform = "map" if on_cpu else "vmap"
        parallel = transform == "vmap"
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        width = self.width or ((2 if on_cpu else 256) if parallel else 1)
        workers = self.workers or ((cores or 1) if on_cpu else len(jax.local_devices()))
        chunk = self.chunk or (8 if on_cpu else 64)
        return replace(self, transform=transform, width=width, chunk=chunk, workers=workers)


def fitting(width: int, setting: Setting, device: jax.Device) -> int:
    """`width`, halved until a batch of lanes takes a share of the device's memory at most."""
    limit = (device.memory_stats() or {}).get("bytes_limit")
    if limit is None:  # a CPU does not say; its batches are small
        return width
    names = setting.parameters
    point = Point(1, 1, 1, tuple((name, 1.0) for name in names))
    request = requests(0, [Trial("", point, 0, 1.0)], 1, setting.dtype, names)
    one = jax.eval_shape(partial(start, setting), jax.tree.map(lambda leaf: leaf[0], request))
    lane = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(one))
    while width > 1 and WORKSPACE * lane * width > SHARE * limit:
        width //= 2
    return width
