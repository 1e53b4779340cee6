"""RKC2 beside Tsit5, Kvaerno5 and SciPy's Radau on stiff problems and one that is not.

`python -m benchmarks.rkc` solves each in float64 at one tolerance and writes steps, evaluations,
seconds and errors to benchmarks/results/rkc.json and the table of docs/rkc.md. A Jacobian counts as
one evaluation. Seconds are those of one core, without compilation: medians of repetitions in turn.
"""

import json
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

# Read when JAX and SciPy start: one thread.
if "xla_cpu_multi_thread_eigen" not in os.environ.get("XLA_FLAGS", ""):
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false"
    os.environ["XLA_FLAGS"] = flags.strip()
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import eigh_tridiagonal

from benchmarks.marked import between, rows
from jaxflow import RKC2

RTOL, ATOL = 1e-4, 1e-6
REPETITIONS = 5
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
RESULT = Path(__file__).parent / "results" / "rkc.json"
PAGE = Path(__file__).parents[1] / "docs" / "rkc.md"
SOLVERS: dict[str, diffrax.AbstractSolver | None] = {
    "RKC2": RKC2(probe="jvp", memory=0.9),
    "Tsit5": diffrax.Tsit5(),
    "Kvaerno5": diffrax.Kvaerno5(),
    "Radau": None,  # of SciPy
}


class Problem(NamedTuple):
    """y' = field(y) from y0 for a time, and its end."""

    field: Callable[[Any], Any]
    y0: np.ndarray
    horizon: float
    end: np.ndarray


def diffusion(points: int = 200) -> Problem:
    """u_t = u_xx from a rough start: the gradient flow of a quadratic, exact by eigenvectors."""
    scale = (points + 1.0) ** 2
    x = np.arange(1, points + 1) / (points + 1)
    y0 = np.sin(np.pi * x) + 0.3 * np.sign(x - 0.5)
    rates, modes = eigh_tridiagonal(np.full(points, -2 * scale), np.full(points - 1, scale))
    end = modes @ (np.exp(0.1 * rates) * (modes.T @ y0))

    def field(u: jax.Array) -> jax.Array:
        wide = jnp.pad(u, 1)
        return scale * (wide[2:] - 2 * u + wide[:-2])

    return Problem(field, y0, 0.1, end)


def logistic(features: int, samples: int = 400) -> Problem:
    """Gradient flow of logistic regression on features of very different sizes."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((samples, features)) * np.logspace(-1.5, 1.5, features)
    y = np.where(rng.random(samples) < 1 / (1 + np.exp(-X[:, :10].sum(axis=1))), 1.0, -1.0)
    loss = lambda w: jnp.mean(jnp.logaddexp(0, -y * (X @ w)))  # noqa: E731
    field, y0 = (lambda w: -jax.grad(loss)(w)), np.zeros(features)
    return Problem(field, y0, 100.0, _reference(field, y0, 100.0, "Radau"))


def predators() -> Problem:
    """Lotka and Volterra's: not stiff, and its spectrum is not real."""
    field = lambda y: jnp.stack([y[0] * (1 - y[1]), y[1] * (y[0] - 1)])  # noqa: E731
    y0 = np.array([2.0, 1.0])
    return Problem(field, y0, 20.0, _reference(field, y0, 20.0, "DOP853"))


PROBLEMS = {
    "diffusion on 200 points": diffusion,
    "logistic regression, 20 features over 3 decades": partial(logistic, 20),
    "logistic regression, 200 features": partial(logistic, 200),
    "Lotka and Volterra, not stiff": predators,
}


def _reference(field: Callable, y0: np.ndarray, horizon: float, method: str) -> np.ndarray:
    """The end, at a tolerance a million times finer."""
    f, jacobian = jax.jit(field), jax.jit(jax.jacfwd(field))
    more = {"jac": lambda _, y: np.asarray(jacobian(y))} if method == "Radau" else {}
    made = solve_ivp(
        lambda _, y: np.asarray(f(y)), (0, horizon), y0, method, rtol=1e-10, atol=1e-12, **more
    )
    return made.y[:, -1]


def solution(field: Callable, solver: diffrax.AbstractSolver, horizon: float, y0: Any) -> Any:
    """What diffrax finds."""
    return diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, y, args: field(y)),
        solver,
        0.0,
        horizon,
        None,
        y0,
        stepsize_controller=diffrax.PIDController(rtol=RTOL, atol=ATOL),
        max_steps=10**6,
    )


def by_diffrax(
    problem: Problem, solver: diffrax.AbstractSolver
) -> tuple[Callable[[], np.ndarray], int, int]:
    """What solves it; steps and evaluations."""
    calls: list[None] = []

    def counted(y: Any) -> Any:
        jax.debug.callback(lambda: calls.append(None))
        return problem.field(y)

    found = jax.block_until_ready(solution(counted, solver, problem.horizon, problem.y0))
    jax.effects_barrier()
    end = jax.jit(lambda y0: solution(problem.field, solver, problem.horizon, y0).ys[-1])
    return lambda: np.asarray(end(problem.y0)), int(found.stats["num_steps"]), len(calls)


def by_radau(problem: Problem) -> tuple[Callable[[], np.ndarray], int, int]:
    """The same by SciPy; field and Jacobian are compiled by JAX."""
    f, jacobian = jax.jit(problem.field), jax.jit(jax.jacfwd(problem.field))
    solved = partial(
        solve_ivp,
        lambda _, y: np.asarray(f(y)),
        (0, problem.horizon),
        problem.y0,
        "Radau",
        rtol=RTOL,
        atol=ATOL,
        jac=lambda _, y: np.asarray(jacobian(y)),
    )
    found = solved()
    return lambda: solved().y[:, -1], len(found.t) - 1, int(found.nfev + found.njev)


def measured(problem: Problem) -> dict[str, dict[str, float]]:
    """Of every solver: steps, evaluations, median seconds and the largest error of the end."""
    made = {
        name: by_radau(problem) if solver is None else by_diffrax(problem, solver)
        for name, solver in SOLVERS.items()
    }
    seconds: dict[str, list[float]] = {name: [] for name in made}
    errors = {name: np.max(np.abs(solve() - problem.end)) for name, (solve, *_) in made.items()}
    for _ in range(REPETITIONS):
        for name, (solve, *_) in made.items():
            began = time.process_time()
            solve()
            seconds[name].append(time.process_time() - began)
    size = np.max(np.abs(problem.end))
    return {
        name: {
            "steps": steps,
            "evaluations": evaluations,
            "seconds": float(f"{median(seconds[name]):.3g}"),
            "error": float(f"{errors[name] / size:.3g}"),
        }
        for name, (_, steps, evaluations) in made.items()
    }


def table(found: dict[str, dict[str, dict[str, float]]]) -> str:
    """The result in Markdown; seconds relative to those of RKC2."""
    body = [
        [
            problem,
            name,
            f"{row['steps']}",
            f"{row['evaluations']}",
            f"{row['seconds'] / solvers['RKC2']['seconds']:.2g}",
            _power(row["error"]),
        ]
        for problem, solvers in found.items()
        for name, row in solvers.items()
    ]
    return rows(["problem", "solver", "steps", "evaluations", "seconds over RKC2's", "error"], body)


def _power(x: float) -> str:
    """A number to one digit, without a hyphen, at which a line may break."""
    digit, _, exponent = f"{x:.0e}".partition("e")
    return f"{digit}·10{str(int(exponent)).translate(SUPERSCRIPT)}"


def page(text: str, found: dict[str, dict[str, dict[str, float]]]) -> str:
    """The page with the table between its two marks."""
    return between(text, "rkc", table(found))


def main() -> None:
    """Measure, and write what was found beside the other results and into the page."""
    jax.config.update("jax_enable_x64", True)
    found = {name: measured(make()) for name, make in PROBLEMS.items()}
    print(table(found))
    RESULT.write_text(json.dumps(found, indent=2) + "\n")
    PAGE.write_text(page(PAGE.read_text(), found))


if __name__ == "__main__":
    main()
