"""Gradient descent by any optax optimizer: the published protocol, kept as the control.

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
from jaxtyping import Array, Float, PyTree

from jaxflow.core.checks import positive, whole
from jaxflow.core.errors import mistake, unknown_name
from jaxflow.flow.dynamics import AdvanceBy, Attempt, Start, check_step, named
from jaxflow.problems.shallow.network import Data, Network, Parameters


@dataclass(frozen=True)
class GradientDescent:
    """theta <- theta + update(kappa grad L) by the optax optimizer named."""

    step: float = 1.0
    optimizer: str = "sgd"
    options: tuple[tuple[str, Any], ...] = ()
    max_steps: int = 100_000_000

    interpolates = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "step", positive("step", self.step))
        named("an optimizer", self.optimizer, "adam")
        object.__setattr__(self, "options", _plain_options(self.options))
        object.__setattr__(self, "max_steps", whole("max_steps", self.max_steps, least=1))
        self.make_optimizer()

    @property
    def equivariant(self) -> bool:
        """Only updates linear in the gradients commute with a rotation of weight space."""
        return self.optimizer == "sgd"

    @property
    def euler_step(self) -> float | None:
        """The step of plain descent; momentum and other optimizers are no Euler's method."""
        return self.step if self.optimizer == "sgd" and not self.options else None

    @property
    def slack(self) -> float | Float[Array, ""]:
        """A step, less rounding: a horizon T holds floor(T/step) whole steps."""
        return 0.999 * self.step

    def check_precision(self, dtype: str) -> None:
        """Raise `ValueError` for a step that overflows or underflows in this type of float."""
        check_step(self.step, dtype)

    def make_optimizer(self) -> optax.GradientTransformation:
        """The optimizer named, with its options."""
        known = {name for name in optax.__all__ if _is_optimizer(name)}
        if self.optimizer not in known:
            raise unknown_name("optimizer", self.optimizer, known)
        try:
            made: optax.GradientTransformation = getattr(optax, self.optimizer)(
                learning_rate=self.step, **dict(self.options)
            )
        except (TypeError, ValueError) as error:
            why = str(error).partition("\n")[0]
            got = dict(self.options)
            raise mistake(f"options of optax.{self.optimizer}", got, why) from error
        return made

    def start(
        self,
        network: Network,
        data: Data,
        theta: Parameters,
        velocity: Parameters,
        advance_by: AdvanceBy = "step",
    ) -> Start:
        """The optimizer's first state."""
        dt = jnp.asarray(self.step, theta.a.dtype)
        return Start(self.make_optimizer().init(theta), dt, 1)

    def attempt(
        self,
        network: Network,
        data: Data,
        theta: Parameters,
        velocity: Parameters,
        integrator: PyTree,
        dt: Float[Array, ""],
        advance_by: AdvanceBy = "step",
    ) -> Attempt:
        """One update, always kept."""
        gradient = jax.tree.map(jnp.negative, velocity)
        updates, integrator = self.make_optimizer().update(gradient, integrator, theta)
        moved: Parameters = optax.apply_updates(theta, updates)
        yes, one = jnp.asarray(True), jnp.asarray(1, jnp.int32)
        return Attempt(moved, integrator, dt, complete=yes, keep=yes, evaluations=one)


def _is_optimizer(name: str) -> bool:
    """Whether optax.<name> makes an optimizer from a learning rate and needs gradients only."""
    code = getattr(getattr(optax, name), "__code__", None)
    first = code is not None and code.co_varnames[:1] == ("learning_rate",)
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
