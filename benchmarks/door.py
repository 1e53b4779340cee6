"""Experiment 1 written one sample at a time, beside the closed forms of the built-in network.

The same law of inputs, labels and first weights, but drawn by `jax.random` and differentiated by
JAX. Both run the flow on the same machine, interleaved; what is compared is the time of an
evaluation of the field, and how many trials converge.
"""

from dataclasses import dataclass
from statistics import median
from typing import Any

import jax
import jax.numpy as jnp
from scipy.stats import fisher_exact

from jaxflow.core.types import Outcome, Point, Trial
from jaxflow.engine.local import LocalRunner
from jaxflow.flow.events import Certificate
from jaxflow.flow.flow import GradientFlow
from jaxflow.papers import published_horizon
from jaxflow.problems.problem import Problem
from jaxflow.problems.shallow.shallow_network import ShallowNetwork
from jaxflow.problems.supervised import Supervised

PLACES = (Point(30, 300, 100), Point(30, 800, 100), Point(100, 1700, 37))
TRIALS = 200  # of each, for the comparison of counts
AT_ONCE = 20  # between the two


@dataclass(frozen=True, eq=False)
class Experiment1(Supervised):
    """The mean-field ReLU network of arXiv 2502.16977, experiment 1."""

    def start(self, key: Any, point: Any) -> dict[str, Any]:
        """|a_j| = |w_j| + Exp(1), random signs."""
        rows, sizes, signs = jax.random.split(key, 3)
        W = jax.random.uniform(rows, (point.p, point.d), minval=-1, maxval=1) / point.d**0.5
        length = jnp.linalg.norm(W, axis=1) + jax.random.exponential(sizes, (point.p,))
        return {"W": W, "a": jax.random.rademacher(signs, (point.p,)) * length}

    def sample(self, key: Any, nature: Any, point: Any) -> tuple[Any, Any]:
        """Norms uniform on [1, 2], labels random signs times another such number."""
        direction, radius, size, sign = jax.random.split(key, 4)
        x = jax.random.normal(direction, (point.d,))
        x = x / jnp.linalg.norm(x) * jax.random.uniform(radius, minval=1, maxval=2)
        y = jax.random.rademacher(sign) * jax.random.uniform(size, minval=1, maxval=2)
        return x, y

    def predict(self, parameters: dict[str, Any], x: Any) -> Any:
        """(1/p) sum_j a_j relu(w_j . x)."""
        a = parameters["a"]
        return jnp.dot(jax.nn.relu(parameters["W"] @ x), a) / len(a)

    def field(self, data: Any, parameters: Any) -> Any:
        """theta' = -p grad L."""
        p = len(parameters["a"])
        return jax.tree.map(lambda v: p * v, super().field(data, parameters))

    def decay(self, data: Any, velocity: Any) -> Any:
        """|theta'|^2 / p."""
        return super().decay(data, velocity) / len(velocity["a"])


def measure(trials: int = TRIALS) -> list[dict[str, Any]]:
    """A record a place: seconds an evaluation of both, their ratio, and the two counts."""
    return [_record(point, trials) for point in PLACES]


def _record(point: Point, trials: int) -> dict[str, Any]:
    problems = {"closed forms": ShallowNetwork(), "one sample": Experiment1()}
    runners = {name: _runner(problem) for name, problem in problems.items()}
    converged = dict.fromkeys(problems, 0)
    seconds: dict[str, list[float]] = {name: [] for name in problems}
    horizon = published_horizon(point.n, point.p)
    batches = [range(1), *(range(i, min(i + AT_ONCE, trials)) for i in range(1, trials, AT_ONCE))]
    for numbers in batches:
        for name, runner in runners.items():
            busy = runner.usage.busy
            rows = runner.run([Trial("flow", point, seed, horizon) for seed in numbers])
            converged[name] += sum(row.outcome is Outcome.CONVERGED for row in rows)
            if len(numbers) > 1:  # the first compiles
                evaluations = sum(row.evaluations for row in rows)
                seconds[name].append((runner.usage.busy - busy) / evaluations)
    utilization = {name: runner.usage.utilization for name, runner in runners.items()}
    for runner in runners.values():
        runner.close()
    built_in, own = (median(seconds[name]) for name in problems)
    counts = [[count, trials - count] for count in converged.values()]
    return {
        "case": f"d={point.d} p={point.p} n={point.n}",
        "closed_forms_us": 1e6 * built_in,
        "one_sample_us": 1e6 * own,
        "ratio": own / built_in,
        "converged": converged["closed forms"],
        "converged_one_sample": converged["one sample"],
        "fisher_p": float(fisher_exact(counts).pvalue),
        "lanes": utilization["closed forms"],
        "lanes_one_sample": utilization["one sample"],
    }


def _runner(problem: Problem) -> LocalRunner:
    return LocalRunner(problem, {"flow": GradientFlow()}, event=Certificate(1.0))
