"""The observables that every problem has: scalars of one state, by name.

    loss            L
    curvature       -L'/L along the flow, the local Polyak-Lojasiewicz curvature
    gradient_norm   |theta'|, the speed of the flow
    distance        |theta - theta(0)|
    norm            |theta|
    sharpness       largest and smallest eigenvalue of the Hessian of L, times what makes the flow
    flattest        of its gradient; by Lanczos

Times are flow times. Sharpness and flattest cost about 64 evaluations of the field together, and
32 times the memory of the parameters; the others next to nothing.
"""

from collections.abc import Mapping
from types import MappingProxyType

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxflow.core.keys import Uniforms
from jaxflow.core.trees import inner
from jaxflow.problems.lanczos import ITERATIONS, START, extremes
from jaxflow.problems.problem import Observable, Problem, State


def hessian_extremes(problem: Problem, state: State) -> tuple[Array, Array]:
    """The smallest and largest eigenvalue of - d theta' / d theta."""
    _, push = jax.linearize(lambda theta: problem.field(state.data, theta), state.parameters)
    leaves, tree = jax.tree.flatten(state.parameters)
    signs = [
        2 * Uniforms(START + i, 1, leaf.size).entries.astype(leaf.dtype).reshape(leaf.shape) - 1
        for i, leaf in enumerate(leaves)
    ]
    first = jax.tree.unflatten(tree, signs)
    return extremes(lambda v: jax.tree.map(jnp.negative, push(v)), inner, first, ITERATIONS)


def _distance(problem: Problem, state: State) -> Float[Array, ""]:
    moved = jax.tree.map(jnp.subtract, state.parameters, state.first)
    return jnp.sqrt(inner(moved, moved))


def _curvature(problem: Problem, state: State) -> Float[Array, ""]:
    return problem.decay(state.data, state.velocity) / problem.objective(
        state.data, state.parameters
    )


ALWAYS: Mapping[str, Observable] = MappingProxyType(
    {
        "loss": lambda problem, state: problem.objective(state.data, state.parameters),
        "curvature": _curvature,
        "gradient_norm": lambda _, state: jnp.sqrt(inner(state.velocity, state.velocity)),
        "distance": _distance,
        "norm": lambda _, state: jnp.sqrt(inner(state.parameters, state.parameters)),
        "sharpness": lambda problem, state: hessian_extremes(problem, state)[1],
        "flattest": lambda problem, state: hessian_extremes(problem, state)[0],
    }
)
