"""A dynamics of one's own is tried before it is believed: a step of it, traced and taken twice."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxflow.core.errors import mistake, shortened
from jaxflow.core.keys import trial_keys
from jaxflow.core.types import Point
from jaxflow.flow.dynamics import Dynamics
from jaxflow.problems.problem import Problem, Sizes

UNKNOWN = (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError)


def check_dynamics(rule: Dynamics, problem: Problem, point: Point, seed: int = 0) -> None:
    """Raise a one-line `ValueError` where a rule cannot be traced, or is random beside its key."""
    name = type(rule).__name__
    keys = jax.tree.map(jnp.asarray, trial_keys(seed, point, 0))
    sizes = Sizes(*(jnp.int32(size) for size in (point.d, point.n, point.p)))
    data, theta = problem.prepare(keys, sizes, problem.shape(point), "float32")
    take = partial(_step, rule, problem)
    try:
        jax.eval_shape(take, data, theta, keys.start)
    except UNKNOWN as error:
        remedy = "use jnp.where, jax.lax.cond or jax.numpy in place of if, float() or numpy"
        expected = f"a step of {name} that does not depend on values"
        raise mistake(expected, shortened(_first_line(error)), remedy) from error
    except Exception as error:  # whatever the user's code raises
        if isinstance(error, ValueError) and str(error).startswith("expected "):
            raise
        got = f"{type(error).__name__}: {_first_line(error)}"
        raise mistake(f"a step of {name} that can be traced", got, "fix its update") from error
    with jax.disable_jit():
        one, two = (jax.tree.leaves(take(data, theta, keys.start)) for _ in range(2))
    if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, two, strict=True)):
        remedy = "draw with jax.random from the key that it is given, and from nothing else"
        raise mistake(f"the same step of {name} from the same key", "another", remedy)


def _step(rule: Dynamics, problem: Problem, data: Any, theta: Any, key: Any) -> Any:
    """The parameters after the first step, and what is carried on."""
    first = rule.start(problem, data, theta, key)
    velocity = rule.velocity(problem, data, theta, first.integrator)
    attempt = rule.attempt(problem, data, theta, velocity, first.integrator, first.dt)
    before, after = (str(jax.tree.structure(x)) for x in (first.integrator, attempt.integrator))
    if before != after:
        expected = f"a state of {type(rule).__name__} that stays of one form"
        raise mistake(expected, f"{after} after {before}", "begin with what update hands on")
    return attempt.theta, attempt.integrator


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
