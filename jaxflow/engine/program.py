"""The only jit, vmap and map: how the lanes of one program share a device.

Two transforms of the same unbatched step. Under map (CPU cores) `lax.map` runs the lanes of a batch
one after the other, each to its end, so that the samples of one trial stay in the core's cache and
no lane waits for another. Under vmap (accelerators) a fixed number of lanes is advanced side by
side in chunks, harvested and refilled between chunks. There a lane advances by one evaluation of
the field at a time, for steps of different numbers of stages would wait for the longest: at 256
lanes three quarters of the evaluations would be idle.

A trial's numbers are a function of the trial and the compiled program alone: lanes never mix.
"""

import threading
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from jaxflow.core.keys import Keys
from jaxflow.core.machine import is_single_threaded
from jaxflow.core.trees import select
from jaxflow.core.types import Recording
from jaxflow.engine.memory import budget, fitting
from jaxflow.engine.settings import Lanes, ProgramKey, Settings, Transform
from jaxflow.flow.recording import Trajectory, solve_recorded
from jaxflow.flow.state import Request, Setting, Summary, TrialState
from jaxflow.flow.stopping import Reason
from jaxflow.flow.trial import finish, start, step
from jaxflow.problems.problem import Sizes


class Part(NamedTuple):
    """A function to compile: what it takes, and which argument it may overwrite."""

    function: Callable[..., Any]
    shapes: tuple[Any, ...]
    donated: tuple[int, ...] = ()


class Program:
    """What is compiled for one setting, at one batch width, on one device.

    Under map it has the part `solve`; under vmap `idle`, `place`, `advance` and `finish`; with a
    `recording`, which is always mapped, `record`. Every part is compiled ahead of time, once, by
    the first caller; `traces` counts the tracings by name.
    """

    def __init__(
        self,
        setting: Setting,
        transform: Transform,
        width: int,
        device: jax.Device,
        recording: Recording | None = None,
    ) -> None:
        self.setting, self.transform, self.width = setting, transform, width
        self.device, self.recording = device, recording
        self.group = max(1, width // 8)  # lanes refilled by one call
        self.traces: dict[str, int] = {}
        self._compiled: dict[str, Any] = {}
        self._lock = threading.Lock()

    @cached_property
    def name(self) -> str:
        """Bucket, batch width, transform and coordinates, as recorded with every trial.

        And whether products have several threads, for they sum in another order then.
        """
        D, N, P = self.setting.shape
        threads = "" if is_single_threaded() else " threads"
        return f"D{D} N{N} P{P} B{self.width} {self.transform} {self.setting.coordinates}{threads}"

    def compile(self) -> None:
        """Compile every part now."""
        with self._lock:
            sharding = jax.sharding.SingleDeviceSharding(self.device)
            for name, part in self.parts().items():
                if name not in self._compiled:
                    jitted = jax.jit(
                        self._counted(name, part.function),
                        in_shardings=sharding,
                        out_shardings=sharding,
                        donate_argnums=part.donated,
                    )
                    self._compiled[name] = jitted.lower(*part.shapes).compile()

    def solve(self, requests: Request, live: np.ndarray) -> Summary:
        """Map: the summaries of `width` requests run to their ends; those not `live` are idle."""
        return jax.device_get(self._run("solve", requests, live))

    def record(
        self, requests: Request, live: np.ndarray, times: np.ndarray
    ) -> tuple[Summary, Trajectory]:
        """The same with a recording: the trials are observed at the `times` (width, K) too."""
        return jax.device_get(self._run("record", requests, live, times))

    def idle(self) -> TrialState:
        """Vmap: `width` lanes without a trial."""
        return self._run("idle")

    def place(self, lanes: TrialState, requests: Request, where: np.ndarray) -> TrialState:
        """Vmap: start `group` requests in the lanes `where`; one whose lane is `width` is not."""
        return self._run("place", lanes, requests, where)

    def advance(self, lanes: TrialState, chunk: int) -> tuple[TrialState, int, np.ndarray]:
        """Vmap: advance every running lane up to `chunk` times.

        Returns the lanes, how many times it took, and the `Reason` of each lane (width,).
        """
        lanes, count = self._run("advance", lanes, np.int32(chunk))
        return lanes, int(count), np.asarray(lanes.reason)

    def finish(self, lanes: TrialState) -> Summary:
        """Vmap: the summaries of all lanes; those of lanes that have stopped have a meaning."""
        return jax.device_get(self._run("finish", lanes))

    def parts(self) -> dict[str, Part]:
        """The parts of this program by name."""
        if self.recording is not None:
            live = jax.ShapeDtypeStruct((self.width,), bool)
            times = jax.ShapeDtypeStruct((self.width, self.recording.count), self.setting.dtype)
            return {"record": Part(self._record_lanes, (self._requests(self.width), live, times))}
        if self.transform == "map":
            live = jax.ShapeDtypeStruct((self.width,), bool)
            return {"solve": Part(self._solve_lanes, (self._requests(self.width), live))}
        where = jax.ShapeDtypeStruct((self.group,), np.int32)
        chunk = jax.ShapeDtypeStruct((), np.int32)
        lanes = self._lanes
        return {
            "idle": Part(self._idle_lanes, ()),
            "place": Part(self._place_lanes, (lanes, self._requests(self.group), where), (0,)),
            "advance": Part(self._advance_lanes, (lanes, chunk), (0,)),
            "finish": Part(jax.vmap(partial(finish, self.setting)), (lanes,)),
        }

    def _run(self, name: str, *arguments: Any) -> Any:
        if name not in self._compiled:
            self.compile()
        return self._compiled[name](*arguments)

    def _counted(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def traced(*args: Any) -> Any:
            self.traces[name] = self.traces.get(name, 0) + 1
            return function(*args)

        return traced

    def _requests(self, lanes: int) -> Request:
        key: Any = jax.ShapeDtypeStruct((lanes, 2), np.uint32)
        size: Any = jax.ShapeDtypeStruct((lanes,), np.int32)
        horizon: Any = jax.ShapeDtypeStruct((lanes,), self.setting.dtype)
        values: Any = jax.ShapeDtypeStruct(
            (lanes, len(self.setting.parameters)), self.setting.dtype
        )
        return Request(Keys(key, key, key), Sizes(size, size, size), horizon, values)

    @cached_property
    def _lanes(self) -> TrialState:
        return jax.eval_shape(jax.vmap(partial(start, self.setting)), self._requests(self.width))

    # What the parts compute.

    def _idle_lanes(self) -> TrialState:
        lanes = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), self._lanes)
        return lanes._replace(reason=jnp.full_like(lanes.reason, Reason.IDLE))

    def _solve_lanes(self, requests: Request, live: Array) -> Summary:
        def solve(lane: tuple[Request, Array]) -> Summary:
            request, is_live = lane
            first = start(self.setting, request)
            first = first._replace(reason=jnp.where(is_live, first.reason, Reason.IDLE))
            running = lambda state: state.reason == Reason.RUNNING  # noqa: E731
            last = jax.lax.while_loop(running, partial(step, self.setting), first)
            return finish(self.setting, last)

        return jax.lax.map(solve, (requests, live))

    def _record_lanes(
        self, requests: Request, live: Array, times: Array
    ) -> tuple[Summary, Trajectory]:
        names = self.recording.observables if self.recording is not None else ()

        def solve(lane: tuple[Request, Array, Array]) -> tuple[Summary, Trajectory]:
            request, is_live, at = lane
            return solve_recorded(self.setting, names, request, is_live, at)

        return jax.lax.map(solve, (requests, live, times))

    def _place_lanes(self, lanes: TrialState, requests: Request, where: Array) -> TrialState:
        started = jax.vmap(partial(start, self.setting))(requests)
        put = lambda old, new: old.at[where].set(new, mode="drop")  # noqa: E731
        return jax.tree.map(put, lanes, started)

    def _advance_lanes(self, lanes: TrialState, chunk: Int[Array, ""]) -> tuple[TrialState, Array]:
        def attempt(lane: TrialState) -> TrialState:
            running = lane.reason == Reason.RUNNING
            # The data never change: they stay out of the select.
            moved = step(self.setting, lane)
            return select(running, moved, lane)._replace(data=lane.data)

        def busy(carry: tuple[TrialState, Array]) -> Array:
            lanes, count = carry
            return (count < chunk) & jnp.any(lanes.reason == Reason.RUNNING)

        def body(carry: tuple[TrialState, Array]) -> tuple[TrialState, Array]:
            return jax.vmap(attempt)(carry[0]), carry[1] + 1

        return jax.lax.while_loop(busy, body, (lanes, jnp.zeros((), jnp.int32)))


class Programs:
    """The programs of a run, each made when it is first asked for; safe to call from any thread.

    A width that the user has given is taken as it is; one that was chosen is narrowed to memory.
    """

    def __init__(
        self, settings: Settings, wanted: Lanes, recording: Recording | None = None
    ) -> None:
        self.settings, self.recording = settings, recording
        self._width_is_given = wanted.width > 0
        self._made: dict[tuple[ProgramKey, int], Program] = {}
        self._lock = threading.Lock()

    def of(self, key: ProgramKey, device: jax.Device) -> Program:
        """The program of a key on a device, not compiled yet if it is new."""
        with self._lock:
            if (key, device.id) not in self._made:
                self._made[key, device.id] = self._make(key, device)
            return self._made[key, device.id]

    def narrow(self, key: ProgramKey, device: jax.Device) -> bool:
        """Put a program of half the width in place of one; whether it had more than one lane."""
        with self._lock:
            wide = self._made[key, device.id]
            if wide.width == 1:
                return False
            self._made[key, device.id] = Program(
                wide.setting, wide.transform, wide.width // 2, device, wide.recording
            )
            return True

    def made(self) -> dict[tuple[ProgramKey, int], Program]:
        """Those made by now, by key and number of the device."""
        with self._lock:
            return dict(self._made)

    def _make(self, key: ProgramKey, device: jax.Device) -> Program:
        setting, lanes = self.settings.setting(key), self.settings.lanes
        if key.recorded:
            return Program(setting, "map", 1, device, self.recording)
        width = lanes.width
        if lanes.transform == "vmap" and not self._width_is_given:
            width = fitting(width, setting, budget(lanes, device))
        assert lanes.transform != "auto"
        return Program(setting, lanes.transform, width, device)
