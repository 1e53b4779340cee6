"""Gradient descent by any optax optimizer, on all samples or on minibatches.

One step of size eta is eta units of flow time. Plain descent with step 1 on p L is the published
protocol (arXiv 2502.16977, experiment 1); it runs at the edge of stability.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, PyTree, UInt32

from jaxflow.core.errors import mistake, unknown_name
from jaxflow.flow.dynamics import named
from jaxflow.flow.iteration import Iteration
from jaxflow.problems.problem import Problem


@dataclass(frozen=True)
class Optax:
    """A function of optax by its name, with its options."""

    name: str
    options: tuple[tuple[str, Any], ...] = ()

    def __post_init__(self) -> None:
        named("a function of optax", self.name, "clip_by_global_norm")
        object.__setattr__(self, "options", _plain_options(self.options))

    def made(self, kind: str, known: set[str], **fixed: Any) -> Any:
        """What optax.<name> makes of its options; `ValueError` for a name not known to be one."""
        if self.name not in known:
            raise unknown_name(kind, self.name, known)
        try:
            return getattr(optax, self.name)(**fixed, **dict(self.options))
        except (TypeError, ValueError) as error:
            why, got = str(error).partition("\n")[0], dict(self.options)
            raise mistake(f"options of optax.{self.name}", got, why) from error


@dataclass(frozen=True)
class GradientDescent(Iteration):
    """theta <- theta + update(kappa grad L) by the optax optimizer named.

    `step` is the learning rate, or what the `schedule` of optax begins with, and the flow time that
    a step counts. `before` are transformations of optax that the gradient goes through first, such
    as clip_by_global_norm. `options` are those of the optimizer, pairs such as ("momentum", 0.9).
    For `batch`, `replacement` and `max_steps` see `Iteration`.
    """

    optimizer: str = "sgd"
    options: tuple[tuple[str, Any], ...] = ()
    schedule: Optax | None = None
    before: tuple[Optax, ...] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        named("an optimizer", self.optimizer, "adam")
        object.__setattr__(self, "options", _plain_options(self.options))
        self.make_optimizer()

    @property
    def equivariant(self) -> bool:
        """Only updates linear in the gradients commute with a rotation of weight space."""
        return self.optimizer == "sgd" and not self.before and self.batch is None

    @property
    def euler_step(self) -> float | None:
        """The step of plain descent; momentum and other optimizers are no Euler's method."""
        is_plain = self.optimizer == "sgd" and not (self.options or self.schedule or self.before)
        return self.step if is_plain and self.batch is None else None

    def make_optimizer(self) -> optax.GradientTransformation:
        """The optimizer named, with its options, its schedule and what comes before it."""
        rate: Any = self.step
        if self.schedule is not None:
            rate = self.schedule.made("schedule", _SCHEDULES, init_value=self.step)
        optimizer = Optax(self.optimizer, self.options)
        made = optimizer.made("optimizer", _OPTIMIZERS, learning_rate=rate)
        first = [one.made("transformation", _TRANSFORMATIONS) for one in self.before or ()]
        return optax.chain(*first, made) if first else made

    def first_state(self, parameters: PyTree) -> PyTree:
        """The optimizer's."""
        return self.make_optimizer().init(parameters)

    def update(
        self,
        problem: Problem,
        data: Any,
        parameters: PyTree,
        velocity: PyTree,
        state: PyTree,
        key: UInt32[Array, "2"],
    ) -> tuple[PyTree, PyTree]:
        """What the optimizer makes of minus the velocity, added."""
        gradient = jax.tree.map(jnp.negative, velocity)
        updates, state = self.make_optimizer().update(gradient, state, parameters)
        return optax.apply_updates(parameters, updates), state


def _first_argument(name: str) -> str | None:
    code = getattr(getattr(optax, name), "__code__", None)
    return code.co_varnames[0] if code is not None and code.co_argcount else None


def _is_optimizer(name: str) -> bool:
    """Whether optax.<name> makes an optimizer from a learning rate and needs gradients only."""
    first = _first_argument(name) == "learning_rate"
    return first and not name.startswith("scale_by_") and name != "lbfgs"


def _plain_options(options: Any) -> tuple[tuple[str, Any], ...]:
    """Pairs of a name and a plain value; NumPy scalars become Python's, lists become tuples."""
    pairs = options.items() if isinstance(options, Mapping) else options
    try:
        made = tuple((str(name), _plain(value)) for name, value in pairs)
        hash(made)
    except (TypeError, ValueError) as error:
        expected = "options of plain values by name"
        raise mistake(expected, options, "give pairs such as ('momentum', 0.9)") from error
    if len({name for name, _ in made}) < len(made):
        raise mistake("every option once", [name for name, _ in made], "drop the repeated one")
    return made


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return tuple(map(_plain, value)) if isinstance(value, list | tuple) else value


_OPTIMIZERS = {name for name in optax.__all__ if _is_optimizer(name)}
_SCHEDULES = {name for name in optax.__all__ if _first_argument(name) == "init_value"}
_TRANSFORMATIONS = {
    "adaptive_grad_clip", "add_decayed_weights", "centralize", "clip", "clip_by_block_rms",
    "clip_by_global_norm", "normalize_by_update_norm", "scale", "scale_by_sign", "trace",
}  # fmt: skip
