"""Gradient descent by any optax optimizer: the published protocol, kept as the control.

One step of size eta is eta units of flow time. Plain descent with step 1 on p L is the published
protocol (arXiv 2502.16977, experiment 1); it runs at the edge of stability.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PyTree

from jaxflow.core.errors import mistake, unknown_name
from jaxflow.flow.flow import AdvanceBy, Attempt, Start
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
        if not self.step > 0:
            raise mistake("step > 0", self.step, "give the learning rate of descent")
        if self.max_steps < 1:
            raise mistake("max_steps >= 1", self.max_steps, "allow some steps")
        self.make_optimizer()

    @property
    def equivariant(self) -> bool:
        """Only updates linear in the gradients commute with a rotation of weight space."""
        return self.optimizer == "sgd"

    @property
    def slack(self) -> float | Float[Array, ""]:
        """A step, less rounding: a horizon T holds floor(T/step) whole steps."""
        return 0.999 * self.step

    def make_optimizer(self) -> optax.GradientTransformation:
        """The optimizer named, with its options."""
        known = {name for name in optax.__all__ if _is_optimizer(name)}
        if self.optimizer not in known:
            raise unknown_name("optimizer", self.optimizer, known)
        try:
            made: optax.GradientTransformation = getattr(optax, self.optimizer)(
                learning_rate=self.step, **dict(self.options)
            )
        except TypeError as error:
            raise mistake(
                f"options of optax.{self.optimizer}", dict(self.options), str(error)
            ) from error
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
