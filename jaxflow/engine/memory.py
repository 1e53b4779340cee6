"""How much memory a trial takes, estimated before anything is drawn or compiled.

XLA sets aside for a trial its state, twice since a loop passes it on, and the arrays made on the
way, of which about three of the largest are alive at a time. Both are read off the traced program,
for which nothing is allocated. The estimate is one to three times what the compiler plans.
"""

import os
from collections.abc import Iterable, Iterator
from functools import partial
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import jax
from jax.extend import core

from jaxflow.core.types import Point, Trial
from jaxflow.engine.batches import requests
from jaxflow.engine.settings import Lanes, Settings
from jaxflow.flow.state import Setting
from jaxflow.flow.trial import start, step

COPIES, ALIVE = 2, 3  # of the state, and of the largest array, that are there at a time
SHARE = 0.5  # of a device's memory that trials may take
GIB = 2**30


class Footprint(NamedTuple):
    """Bytes of a lane's state, and of the largest arrays made by its start and by its step."""

    state: int
    start: int
    step: int

    def total(self, width: int = 1, starting: int = 1) -> int:
        """Bytes that `width` lanes take side by side, of which so many start at once."""
        made = max(starting * self.start, width * self.step)
        return COPIES * width * self.state + ALIVE * made


def footprint(setting: Setting) -> Footprint:
    """What one lane of a program takes."""
    names = setting.parameters
    point = Point(1, 1, 1, tuple((name, 1.0) for name in names))
    request = requests(0, [Trial("", point, 0, 1.0)], 1, setting.dtype, names)
    one = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), request)
    first, state = jax.make_jaxpr(partial(start, setting), return_shape=True)(one)
    moved = jax.make_jaxpr(partial(step, setting))(state)
    return Footprint(
        sum(_bytes(leaf) for leaf in jax.tree.leaves(state)),
        max(_made(first.jaxpr), default=0),
        max(_made(moved.jaxpr), default=0),
    )


def budget(lanes: Lanes, device: jax.Device) -> float:
    """Bytes that a worker may fill: those of a CPU share its memory, whatever their devices."""
    devices = 1 if device.platform == "cpu" else len(lanes.on())
    return SHARE * memory(device) / -(-lanes.threads // devices)


def fitting(width: int, setting: Setting, limit: float) -> int:
    """`width`, halved until so many lanes side by side take `limit` bytes at most."""
    if _bound(setting) * width <= limit:
        return width
    lane = footprint(setting)
    while width > 1 and lane.total(width, starting=max(1, width // 8)) > limit:
        width //= 2
    return width


def check_memory(settings: Settings, trials: Iterable[Trial]) -> None:
    """Raise `ValueError` at the first trial whose memory no worker of this machine has.

    A batch that is too wide is no mistake: it is narrowed.
    """
    device = jax.local_devices()[0]
    limit = budget(settings.lanes, device)
    for key, trial in {settings.key(trial): trial for trial in trials}.items():
        setting = settings.setting(key)
        needed = 0 if _bound(setting) <= limit else footprint(setting).total()
        if needed > limit:
            raise _too_large(setting, trial.point, needed, limit, device)


def memory(device: jax.Device) -> int:
    """Bytes that a device has; of a CPU, those of the machine or of what it is confined to."""
    limit = (device.memory_stats() or {}).get("bytes_limit")
    if limit is not None:
        return int(limit)
    found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    confined = Path("/sys/fs/cgroup/memory.max")
    text = confined.read_text().strip() if confined.is_file() else "max"
    return found if text == "max" else min(found, int(text))


def _too_large(
    setting: Setting, point: Point, needed: int, limit: float, device: jax.Device
) -> ValueError:
    together = round(SHARE * memory(device) / limit)
    beside = f", {together} at once" if together > 1 else ""
    remedies = ["lower d, n or p"]
    remedies += ["use float32"] if setting.dtype == "float64" else []
    remedies += ["fewer threads"] if needed <= limit * together else []
    return ValueError(
        f"expected trials of at most {limit / GIB:.3g} GiB on {device.platform}{beside}, got "
        f"{needed / GIB:.3g} GiB at d={point.d}, n={point.n}, p={point.p}: {', '.join(remedies)} "
        "or use a machine with more memory"
    )


def _bound(setting: Setting) -> float:
    """An upper bound of a lane's bytes, from its shape alone: tracing takes a while."""
    entries = setting.problem.most_entries(setting.shape)
    return entries * jax.numpy.dtype(setting.dtype).itemsize


def _made(jaxpr: Any) -> Iterator[int]:
    """Bytes of every array that is made, in loops and branches too."""
    for equation in jaxpr.eqns:
        arrays = (made.aval for made in equation.outvars if hasattr(made.aval, "shape"))
        yield from map(_bytes, arrays)
        for inner in core.jaxprs_in_params(equation.params):
            yield from _made(inner)


def _bytes(leaf: Any) -> int:
    return prod(leaf.shape) * leaf.dtype.itemsize
