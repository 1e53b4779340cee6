"""The only jit, vmap and map: how the lanes of one program share a device.

Two transforms of the same unbatched step. vmap (accelerators): `vmap` over a fixed
number of lanes, advanced in chunks, harvested and refilled between chunks. A lane advances by one
evaluation of the field at a time, for steps of different numbers of stages would wait for the
longest: at 256 lanes three quarters of the evaluations would be idle.
map (CPU cores): `lax.map` over the lanes of a batch, each run to its end, so that the
samples of one trial stay in the core's cache and no lane waits for another.

A trial's numbers are a function of the trial and the compiled program alone: lanes never mix.
"""

import threading
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from jaxflow.core.keys import Keys
from jaxflow.core.trees import select
from jaxflow.flow.recording import Recording, Trajectory, solve_recorded
from jaxflow.flow.stopping import Reason
from jaxflow.flow.trial import Request, Setting, Summary, TrialState, finish, start, step
from jaxflow.problems.shallow.padding import Sizes

Transform = Literal["map", "vmap"]


class Kernel(NamedTuple):
    """A function to compile: what it takes, and which argument it may overwrite."""

    function: Callable[..., Any]
    shapes: tuple[Any, ...]
    donated: tuple[int, ...] = ()


class Program:
    """The compiled kernels of one setting at one batch width on one device.

    Every kernel is compiled ahead of time, once, by the first caller; `traces` counts the
    tracings by name. The requests of unused lanes are ignored. With a `recording` it runs map
    and observes the trials on their way.
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

    @property
    def name(self) -> str:
        """Bucket, batch width, transform and coordinates, as recorded with every trial."""
        D, N, P = self.setting.shape
        return f"D{D} N{N} P{P} B{self.width} {self.transform} {self.setting.coordinates}"

    def compile(self) -> None:
        """Compile every kernel of this transform now."""
        with self._lock:
            sharding = jax.sharding.SingleDeviceSharding(self.device)
            for name, kernel in self.kernels().items():
                if name not in self._compiled:
                    jitted = jax.jit(
                        self._counted(name, kernel.function),
                        in_shardings=sharding,
                        out_shardings=sharding,
                        donate_argnums=kernel.donated,
                    )
                    self._compiled[name] = jitted.lower(*kernel.shapes).compile()

    def solve(self, requests: Request, live: np.ndarray) -> Summary:
        """map: run the `width` requests to their ends; those not `live` are skipped."""
        return jax.device_get(self._run("solve", requests, live))

    def record(
        self, requests: Request, live: np.ndarray, times: np.ndarray
    ) -> tuple[Summary, Trajectory]:
        """The same, with the trajectories observed at the `times` (lanes, K)."""
        return jax.device_get(self._run("record", requests, live, times))

    def idle(self) -> TrialState:
        """vmap: `width` lanes without a trial."""
        return self._run("idle")

    def place(self, lanes: TrialState, requests: Request, where: np.ndarray) -> TrialState:
        """Start `group` requests in the lanes `where`; a lane number of `width` is ignored."""
        return self._run("place", lanes, requests, where)

    def advance(self, lanes: TrialState, chunk: int) -> tuple[TrialState, int, np.ndarray]:
        """Advance every running lane up to `chunk` times.

        Returns the lanes, the iterations it took, and each lane's `Reason`.
        """
        lanes, count = self._run("advance", lanes, np.int32(chunk))
        return lanes, int(count), np.asarray(lanes.reason)

    def finish(self, lanes: TrialState) -> Summary:
        """The summaries of all lanes, of which those that have stopped have a meaning."""
        return jax.device_get(self._run("finish", lanes))

    def kernels(self) -> dict[str, Kernel]:
        """The kernels of this transform by name."""
        if self.recording is not None:
            live = jax.ShapeDtypeStruct((self.width,), bool)
            times = jax.ShapeDtypeStruct((self.width, self.recording.count), self.setting.dtype)
            return {"record": Kernel(self._record_lanes, (self._requests(self.width), live, times))}
        if self.transform == "map":
            live = jax.ShapeDtypeStruct((self.width,), bool)
            return {"solve": Kernel(self._solve_lanes, (self._requests(self.width), live))}
        where = jax.ShapeDtypeStruct((self.group,), np.int32)
        chunk = jax.ShapeDtypeStruct((), np.int32)
        lanes = self._lanes
        return {
            "idle": Kernel(self._idle_lanes, ()),
            "place": Kernel(self._place_lanes, (lanes, self._requests(self.group), where), (0,)),
            "advance": Kernel(self._advance_lanes, (lanes, chunk), (0,)),
            "finish": Kernel(jax.vmap(partial(finish, self.setting)), (lanes,)),
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

    # What the kernels compute.

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
