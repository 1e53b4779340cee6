"""One trial at a time through plain `diffrax.diffeqsolve`: the oracle of the runner.

Nothing is shared with the lanes but the draw, the field and the solver: diffrax steps, adapts
and stops by an event whose time a root finder places inside the last step.
"""

from typing import Any, NamedTuple

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import optimistix

from jaxflow.core.trees import norm
from jaxflow.core.types import Trial
from jaxflow.engine.requests import requests
from jaxflow.flow.flow import FIRST_MOVE, GradientFlow
from jaxflow.flow.stopping import Success, target_loss
from jaxflow.problems.shallow.ensemble import Ensemble, draw
from jaxflow.problems.shallow.network import Parameters, field, loss
from jaxflow.problems.shallow.padding import Shape


class Reference(NamedTuple):
    """What the oracle says of a trial."""

    converged: bool
    flow_time: float
    losses: np.ndarray  # at the times asked for, infinite after the end


def reference(
    ensemble: Ensemble,
    dynamics: GradientFlow,
    trial: Trial,
    *,
    success: Success = "signs",
    seed: int = 0,
    dtype: str = "float32",
    times: tuple[float, ...] = (),
) -> Reference:
    """Integrate one trial of a study with that seed, unpadded, by `diffeqsolve`."""
    network, term = ensemble.network, dynamics.term(ensemble.network)
    request = jax.tree.map(lambda leaf: jnp.asarray(leaf[0]), requests(seed, [trial], 1, dtype))
    shape = Shape(trial.point.d, trial.point.n, trial.point.p)
    data, theta = draw(ensemble, request.keys, request.sizes, shape, dtype)
    target = target_loss(success, data)

    def excess(t: float, y: Parameters, args: object, **_: object) -> jax.Array:
        return loss(network, data, y) - target

    finder: Any = optimistix.Bisection(1e-4, 1e-4)  # type: ignore[call-arg]
    first = FIRST_MOVE * norm(theta) / norm(field(network, data, theta))
    solution = diffrax.diffeqsolve(
        term,
        dynamics.make_solver(),
        t0=0.0,
        t1=trial.horizon,
        dt0=dynamics.step or first,
        y0=theta,
        args=data,
        saveat=diffrax.SaveAt(
            t1=True, ts=list(times) or None, fn=lambda t, y, args: loss(network, data, y)
        ),
        stepsize_controller=dynamics.make_controller(),
        event=diffrax.Event(excess, finder),
        max_steps=dynamics.max_steps,
        throw=False,
    )
    converged = bool(solution.event_mask)
    losses = np.asarray(jnp.asarray(solution.ys))
    return Reference(converged, float(solution.ts[-1]), losses[:-1])
