"""Where the microseconds of a step go, on one core: products, field, descent, flow, and the draw.

Each row of the table contains the one before it, so that their differences are what is added:

    products    the two products of a field, W X^T and M X, at the exact sizes
    field       residuals, M and both velocities besides
    padded      the field at the sizes that a trial of these is padded to
    descent     a step of descent as the engine runs it: the update, the loss, the event
    flow        an evaluation of RKC2: the combinations of a stage, and what a step of it costs

and `draw` is what a trial takes before its first step.
"""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks import machine
from benchmarks.contestants import DYNAMICS, EASY, MIDDLE, PUBLISHED, Case
from jaxflow import Lanes, LocalRunner, Trial
from jaxflow.core.keys import trial_keys
from jaxflow.core.types import Point
from jaxflow.problems.problem import Shape, Sizes
from jaxflow.problems.shallow.coordinates import product
from jaxflow.problems.shallow.network import Data, Parameters

CASES = (EASY, MIDDLE, PUBLISHED)
LOOP, REPETITIONS, TRIALS = 200, 7, 6
STEP = 1e-3


def measure() -> list[dict[str, Any]]:
    """A record a case: microseconds of each row, and GFLOP/s of the products."""
    with LocalRunner(EASY.problem, DYNAMICS, event=EASY.event, lanes=Lanes(threads=1)) as runner:
        return [_record(case, runner) for case in CASES]


def measure_alone() -> list[dict[str, Any]]:
    """The same in a process to which XLA gives one thread: by itself it takes all for a product."""
    found: list[dict[str, Any]] = machine.alone("steps.measure()", NPROC="1")
    return found


def _record(case: Case, runner: LocalRunner) -> dict[str, Any]:
    d, n, p = case.point.d, case.point.n, case.point.p
    exact = Shape(d, n, p)
    products = _loop(case, exact, _products)
    micro = {
        "products": products,
        "field": _loop(case, exact, lambda data, theta: case.problem.field(data, theta)),
        "padded": _loop(
            case,
            case.problem.shape(case.point),
            lambda data, theta: case.problem.field(data, theta),
        ),
    }
    draw = {}
    for name in DYNAMICS:
        micro[name], draw[name] = _engine(case, name, runner)
    gflops = 4e-3 * n * d * p / products
    return {"case": case.name, "products_gflops": gflops, "draw": draw["descent"], **micro}


def _products(data: Data, theta: Parameters) -> Parameters:
    """Both products, of Z itself instead of M."""
    Z = product(theta.W, data.inputs.XT)
    return Parameters(product(Z, data.inputs.XT.T), theta.a)


def _loop(case: Case, shape: Shape, velocity: Callable[[Data, Parameters], Parameters]) -> float:
    """Microseconds of one of many Euler steps in a loop."""
    d, n, p = case.point.d, case.point.n, case.point.p
    sizes = Sizes(*(jnp.asarray(size, jnp.int32) for size in (d, n, p)))
    data, theta = case.problem.prepare(trial_keys(0, Point(d, n, p), 0), sizes, shape, "float32")

    def run(data: Data, theta: Parameters) -> Parameters:
        def step(_: Any, theta: Parameters) -> Parameters:
            moved: Parameters = jax.tree.map(
                lambda y, v: y + STEP * v, theta, velocity(data, theta)
            )
            return moved

        return jax.lax.fori_loop(0, LOOP, step, theta)

    compiled = jax.jit(run)
    return 1e6 * _median(lambda: jax.block_until_ready(compiled(data, theta))) / LOOP


def _engine(case: Case, dynamics: str, runner: LocalRunner) -> tuple[float, float]:
    """Microseconds of an evaluation on the way, and of what comes before the first step."""
    whole = case.trials(dynamics, TRIALS)
    begun = [Trial(dynamics, case.point, trial.seed, 1e-3) for trial in whole]
    spent = []
    for trials in (whole, begun):
        evaluations = sum(row.evaluations for row in runner.run(trials))
        spent.append((evaluations, 1e6 * _median(lambda: runner.run(trials))))  # noqa: B023
    (many, long), (few, short) = spent
    return (long - short) / (many - few), short / TRIALS


def _median(work: Callable[[], Any]) -> float:
    work()
    walls = []
    for _ in range(REPETITIONS):
        began = time.perf_counter()
        work()
        walls.append(time.perf_counter() - began)
    return median(walls)
