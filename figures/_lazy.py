"""Trials of over-parameterized networks as recorded, each with the lambda_0 of its own inputs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from jaxflow import Study, papers, plot
from jaxflow.statistics.counts import wilson
from jaxflow.statistics.resamples import Interval, mean_interval
from jaxflow.store.store import Store
from jaxflow.study.drawing import inputs_of

Array = np.ndarray
LABELS = {
    "loss": "training loss $L\\,/\\,L(0)$",
    "flips": "fraction of activation signs flipped",
    "distance": "largest $|w_j - w_j(0)|$",
    "balancedness": "largest drift of $a_j^2 - |w_j|^2$",
}


@dataclass(frozen=True)
class Followed:
    """A trial: its sizes, the step of its descent (0 of the flow), what was recorded."""

    n: int
    d: int
    p: int
    step: float
    seen: dict[str, Array]
    X: Array  # its inputs (n, d)

    @cached_property
    def extremes(self) -> tuple[float, float]:
        """lambda_0 and lambda_max of the kernel of its inputs."""
        return papers.kernel_extremes(self.X)

    def sampled_lambda_0(self, p: int, seed: int) -> float:
        """The least eigenvalue of the kernel of its inputs from p random weights."""
        sampled, _ = papers.sampled_kernel(self.X, p, seed=seed)
        return float(np.linalg.eigvalsh(sampled)[0])

    @cached_property
    def first_misfit(self) -> float:
        """|y - f(0)|."""
        return float(np.sqrt(2 * self.n * self.seen["loss"][0]))

    @property
    def distance_bound(self) -> float:
        """The bound on how far any neuron moves."""
        return float(
            papers.lazy_distance_bound(self.n, self.p, self.first_misfit, self.extremes[0])
        )

    def keeps_to_its_rate(self) -> bool:
        """Whether the loss is below the bound of its dynamics wherever it was recorded."""
        time, loss = self.seen["time"], self.seen["loss"]
        if not self.step:
            return papers.keeps_to_lazy_bound(time, loss, self.n, self.extremes[0])
        steps = np.round(time / self.step)
        bound = papers.lazy_descent_bound(steps, self.step, self.n, self.extremes[0])
        return bool(np.all(loss <= loss[0] * bound * (1 + papers.overparameterized.ROUNDING)))


def followed(folder: Path, dynamics: str) -> dict[int, list[Followed]]:
    """The recorded trials of one dynamics in the store, by width."""
    study = Study.load(folder)
    found: dict[int, list[Followed]] = {}
    moved = study.dynamics[dynamics]
    step = moved.euler_step or 0.0
    with Store.read(folder) as store:
        for trial, seen in store.trajectories():
            if trial.dynamics == dynamics:
                d, n, p = trial.point.d, trial.point.n, trial.point.p
                X = inputs_of(study, trial)
                found.setdefault(p, []).append(Followed(n, d, p, step, seen, X))
    return dict(sorted(found.items()))


def keeping(trials: Sequence[Followed]) -> tuple[float, float, float]:
    """The part of trials that keep to their rate, with Wilson's interval."""
    kept = sum(trial.keeps_to_its_rate() for trial in trials)
    low, high = wilson(kept, len(trials))
    return kept / len(trials), float(low), float(high)


def at(trials: Sequence[Followed], name: str, times: Array) -> Array:
    """An observable of every trial at the times: (trials, times), linear in between.

    Of the loss it is the logarithm, relative to the first.
    """
    rows = []
    for trial in trials:
        seen = trial.seen[name]
        values = np.log(seen / seen[0]) if name == "loss" else seen
        rows.append(np.interp(times, trial.seen["time"], values))
    return np.array(rows)


def panel(
    ax: Axes,
    name: str,
    trials: dict[int, list[Followed]],
    x: Array,
    times: Array,
    labels: dict[int, str],
) -> None:
    """An observable at the times, drawn against x; a curve with its interval for every width."""
    for (p, here), look in zip(trials.items(), plot.family(len(trials)), strict=True):
        found = mean_interval(at(here, name, times))
        if name == "loss":
            found = Interval(*map(np.exp, found))
        plot.band(x, *found, ax=ax, series=look, label=labels.get(p), marks=len(x) // 5)
    ax.set_xlim(x[0], x[-1])
    ax.set_ylabel(LABELS[name])
