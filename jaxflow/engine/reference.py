"""Two oracles: one trial through plain `diffrax.diffeqsolve`, one batch of fields in NumPy.

The first shares nothing with the lanes but the draw, the field and the solver: diffrax steps,
adapts and stops by an event whose time a root finder places inside the last step. The second asks
whether this machine computes what it should: some releases of jaxlib miscompile fused reductions,
and an accelerator may round products to fewer bits than asked for. Both show in a single compiled
evaluation of the field and the loss.
"""

from typing import Any, NamedTuple

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import optimistix
from jaxtyping import PyTree

from jaxflow.core.machine import configure_once
from jaxflow.core.trees import norm
from jaxflow.core.types import Trial
from jaxflow.engine.batches import requests
from jaxflow.flow.events import Certificate
from jaxflow.flow.flow import FIRST_MOVE, GradientFlow
from jaxflow.problems.problem import Problem, Shape
from jaxflow.problems.shallow.coordinates import Ambient
from jaxflow.problems.shallow.network import Data, Network, Parameters, field, loss

LANES, N, D, P = 3, 200, 24, 40
TOLERANCE = {"float32": 2e-5, "float64": 1e-12}


class Reference(NamedTuple):
    """What the oracle says of a trial."""

    converged: bool
    flow_time: float
    losses: np.ndarray  # at the times asked for, infinite after the end


def reference(
    problem: Problem,
    dynamics: GradientFlow,
    trial: Trial,
    *,
    event: Certificate = Certificate(),
    seed: int = 0,
    dtype: str = "float32",
    times: tuple[float, ...] = (),
) -> Reference:
    """Integrate one trial of a study with that seed, unpadded, by `diffeqsolve`."""
    term, geometry = dynamics.term(problem), problem.geometry
    request = jax.tree.map(lambda leaf: jnp.asarray(leaf[0]), requests(seed, [trial], 1, dtype))
    shape = Shape(trial.point.d, trial.point.n, trial.point.p)
    data, theta = problem.prepare(request.keys, request.sizes, shape, dtype)
    target = problem.target(data, event.square)

    def excess(t: float, y: PyTree, args: object, **_: object) -> jax.Array:
        return problem.objective(data, y) - target

    finder: Any = optimistix.Bisection(1e-4, 1e-4)  # type: ignore[call-arg]
    first = FIRST_MOVE * norm(theta) / norm(problem.field(data, theta))
    solution = diffrax.diffeqsolve(
        term,
        dynamics.make_solver(geometry, problem.smooth),
        t0=0.0,
        t1=trial.horizon,
        dt0=dynamics.step or first,
        y0=theta,
        args=data,
        saveat=diffrax.SaveAt(
            t1=True, ts=list(times) or None, fn=lambda t, y, args: problem.objective(data, y)
        ),
        stepsize_controller=dynamics.make_controller(geometry),
        event=diffrax.Event(excess, finder),
        max_steps=dynamics.max_steps,
        throw=False,
    )
    converged = bool(solution.event_mask)
    losses = np.asarray(jnp.asarray(solution.ys))
    return Reference(converged, float(solution.ts[-1]), losses[:-1])


def numerics_error(dtype: str) -> float:
    """Largest error of a compiled batch of fields and losses, relative to its largest entry."""
    random = np.random.default_rng(0)
    X = random.standard_normal((LANES, N, D)).astype(np.float32)
    y = random.standard_normal((LANES, N)).astype(np.float32)
    W = random.standard_normal((LANES, P, D)).astype(np.float32)
    a = random.standard_normal((LANES, P)).astype(np.float32)

    def evaluate(X: jax.Array, y: jax.Array, W: jax.Array, a: jax.Array) -> tuple[jax.Array, ...]:
        data = Data(Ambient(X.T), y, jnp.asarray(D), jnp.asarray(N), jnp.asarray(P))
        theta = Parameters(W, a)
        return (*field(Network(), data, theta), loss(Network(), data, theta))

    arrays = [array.astype(dtype) for array in (X, y, W, a)]
    computed = jax.device_get(jax.jit(jax.vmap(evaluate))(*arrays))
    errors = []
    for lane in range(LANES):
        expected = _by_hand(*(array[lane].astype(np.float64) for array in (X, y, W, a)))
        for got, value in zip(computed, expected, strict=True):
            errors.append(np.max(np.abs(got[lane] - value)) / np.max(np.abs(value)))
    return float(np.max(errors))


def check_numerics(dtype: str) -> float:
    """The error of `numerics_error`; raises `ValueError` above the tolerance of the type."""
    configure_once()
    error = numerics_error(dtype)
    if not error <= TOLERANCE[dtype]:
        device = jax.devices()[0].device_kind
        raise ValueError(
            f"expected {dtype} products within {TOLERANCE[dtype]:g} on {device}, got an error of "
            f"{error:.2g}: use another jaxlib (0.10.2 is known to fail) or another backend"
        )
    return error


def _by_hand(
    X: np.ndarray, y: np.ndarray, W: np.ndarray, a: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """p grad with a minus sign, and L, of the mean-field ReLU network, from the formulas."""
    Z = X @ W.T
    S = np.maximum(Z, 0)
    r = y - S @ a / P
    W_velocity = ((r[:, None] * (Z > 0)).T @ X) * a[:, None] / N
    return W_velocity, S.T @ r / N, np.asarray(r @ r / (2 * N))
