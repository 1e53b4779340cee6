"""The only jit, vmap and map: how the lanes of one program share a device.

Two transforms of the same unbatched step. Lane-parallel (accelerators): `vmap` over a fixed
number of lanes, advanced in chunks, harvested and refilled between chunks. A lane advances by one
evaluation of the field at a time, for steps of different numbers of stages would wait for the
longest: at 256 lanes three quarters of the evaluations would be idle.
Lane-major (CPU cores): `lax.map` over the lanes of a batch, each run to its end, so that the
samples of one trial stay in the core's cache and no lane waits for another.

A trial's numbers are a function of the trial and the compiled program alone: lanes never mix.
"""

import threading
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from jaxflow._keys import Keys
from jaxflow._tree import select
from jaxflow.ensemble import Sizes
from jaxflow.flow.lane import LaneState, Order, Setting, Summary, finish, start, step
from jaxflow.flow.stopping import Reason

Transform = Literal["lane-major", "lane-parallel"]


class Program:
    """The compiled kernels of one setting at one batch width on one device.

    Every kernel is compiled ahead of time, once, by the first caller; `traces` counts the
    tracings by name. The orders of unused lanes are ignored.
    """

    def __init__(
        self, setting: Setting, transform: Transform, width: int, device: jax.Device
    ) -> None:
        self.setting, self.transform, self.width = setting, transform, width
        self.device = device
        self.group = max(1, width // 8)  # lanes refilled by one call
        self.traces: dict[str, int] = {}
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Bucket, batch width, transform and coordinates, as recorded with every trial."""
        D, N, P = self.setting.shape
        return f"D{D} N{N} P{P} B{self.width} {self.transform} {self.setting.coordinates}"

    def compile(self) -> None:
        """Compile every kernel of this transform now."""
        with self._lock:
            _ = self._solve if self.transform == "lane-major" else (self._place, self._advance)
            if self.transform == "lane-parallel":
                _ = self._finish, self._idle

    def solve(self, orders: Order, live: np.ndarray) -> Summary:
        """Lane-major: run the `width` orders to their ends; those not `live` are skipped."""
        return jax.device_get(self._solve(*self._put((orders, live))))

    def idle(self) -> LaneState:
        """Lane-parallel: `width` lanes without a trial."""
        return self._idle()

    def place(self, lanes: LaneState, orders: Order, where: np.ndarray) -> LaneState:
        """Start `group` orders in the lanes `where`; a lane number of `width` is ignored."""
        return self._place(lanes, *self._put((orders, where)))

    def advance(self, lanes: LaneState, chunk: int) -> tuple[LaneState, int, np.ndarray]:
        """Advance every running lane up to `chunk` times.

        Returns the lanes, the iterations it took, and each lane's `Reason`.
        """
        lanes, count = self._advance(lanes, self._put(np.int32(chunk)))
        return lanes, int(count), np.asarray(lanes.reason)

    def finish(self, lanes: LaneState) -> Summary:
        """The summaries of all lanes, of which those that have stopped have a meaning."""
        return jax.device_get(self._finish(lanes))

    # The kernels.

    def _put(self, tree: Any) -> Any:
        return jax.device_put(tree, self.device)

    def _compiled(
        self, name: str, kernel: Callable[..., Any], *shapes: Any, donate: int = -1
    ) -> Any:
        def traced(*args: Any) -> Any:
            self.traces[name] = self.traces.get(name, 0) + 1
            return kernel(*args)

        sharding = jax.sharding.SingleDeviceSharding(self.device)
        donated = (donate,) if donate >= 0 else ()
        jitted = jax.jit(
            traced, in_shardings=sharding, out_shardings=sharding, donate_argnums=donated
        )
        return jitted.lower(*shapes).compile()

    def _orders(self, lanes: int) -> Order:
        key: Any = jax.ShapeDtypeStruct((lanes, 2), np.uint32)
        size: Any = jax.ShapeDtypeStruct((lanes,), np.int32)
        horizon: Any = jax.ShapeDtypeStruct((lanes,), self.setting.dtype)
        return Order(Keys(key, key, key), Sizes(size, size, size), horizon)

    @cached_property
    def _lanes(self) -> LaneState:
        return jax.eval_shape(jax.vmap(partial(start, self.setting)), self._orders(self.width))

    @cached_property
    def _solve(self) -> Any:
        live = jax.ShapeDtypeStruct((self.width,), bool)
        return self._compiled("solve", self._solve_lanes, self._orders(self.width), live)

    @cached_property
    def _idle(self) -> Any:
        def make() -> LaneState:
            lanes = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), self._lanes)
            return lanes._replace(reason=jnp.full_like(lanes.reason, Reason.IDLE))

        return self._compiled("idle", make)

    @cached_property
    def _place(self) -> Any:
        where = jax.ShapeDtypeStruct((self.group,), np.int32)
        shapes = self._lanes, self._orders(self.group), where
        return self._compiled("place", self._place_lanes, *shapes, donate=0)

    @cached_property
    def _advance(self) -> Any:
        chunk = jax.ShapeDtypeStruct((), np.int32)
        return self._compiled("advance", self._advance_lanes, self._lanes, chunk, donate=0)

    @cached_property
    def _finish(self) -> Any:
        return self._compiled("finish", jax.vmap(partial(finish, self.setting)), self._lanes)

    def _solve_lanes(self, orders: Order, live: Array) -> Summary:
        def solve(lane: tuple[Order, Array]) -> Summary:
            order, is_live = lane
            first = start(self.setting, order)
            first = first._replace(reason=jnp.where(is_live, first.reason, Reason.IDLE))
            running = lambda state: state.reason == Reason.RUNNING  # noqa: E731
            last = jax.lax.while_loop(running, partial(step, self.setting), first)
            return finish(self.setting, last)

        return jax.lax.map(solve, (orders, live))

    def _place_lanes(self, lanes: LaneState, orders: Order, where: Array) -> LaneState:
        started = jax.vmap(partial(start, self.setting))(orders)
        put = lambda old, new: old.at[where].set(new, mode="drop")  # noqa: E731
        return jax.tree.map(put, lanes, started)

    def _advance_lanes(self, lanes: LaneState, chunk: Int[Array, ""]) -> tuple[LaneState, Array]:
        def attempt(lane: LaneState) -> LaneState:
            running = lane.reason == Reason.RUNNING
            # The data never change: they stay out of the select.
            moved = step(self.setting, lane)
            return select(running, moved, lane)._replace(data=lane.data)

        def busy(carry: tuple[LaneState, Array]) -> Array:
            lanes, count = carry
            return (count < chunk) & jnp.any(lanes.reason == Reason.RUNNING)

        def body(carry: tuple[LaneState, Array]) -> tuple[LaneState, Array]:
            return jax.vmap(attempt)(carry[0]), carry[1] + 1

        return jax.lax.while_loop(busy, body, (lanes, jnp.zeros((), jnp.int32)))
