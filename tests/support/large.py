"""Large stores: a threshold study of many slices whose trials a coin decides, written as a run's.

A trial at n converges at the time t = T (n/n50)^(1/w) e^(S/w'), T the longest horizon, so that P
(converged by T) is logistic in log n, of 10-90 % width `WIDTH`, and by T/2 with a lesser n50.
"""

from collections.abc import Iterator
from dataclasses import replace
from math import ceil
from pathlib import Path

import numpy as np
from stores import ROW

from jaxflow.core.types import Outcome, Row
from jaxflow.store.store import Store
from jaxflow.study.study import Study

WIDTH = 0.15  # of a transition, 10-90 % in log n
SPREAD = 0.3  # of log t in units of S
LONGEST = 100.0  # flow time
HARVEST = 20_000  # trials a transaction
D = (200, 300, 400, 600, 800)


def study(slices: int = 40) -> Study:
    """The study of so many slices, rounded up to a number that five d share."""
    table = {
        "name": "large",
        "axes": {"d": list(D), "p": [8 * (k + 1) for k in range(ceil(slices / len(D)))]},
        "horizon": {"time": [LONGEST / 2, LONGEST]},
        "dynamics": {"flow": {"kind": "flow"}},
        "threshold": {
            "low": 100,
            "high": 40_000,
            "relative_half_width": 0.001,
            "batch": 500,
            "max_trials": 1_000_000,
        },
    }
    return Study.from_table(table)


def n50(d: int, p: int) -> float:
    """Where P(converged by the longest horizon) crosses one half."""
    return 3 * d * (p / 8) ** 0.3


def large(
    folder: Path, slices: int = 40, trials: int = 25_000, places: int = 40, seed: int = 0
) -> Path:
    """A store of slices with so many trials each, at so many n of each."""
    made, rng = study(slices), np.random.default_rng(seed)
    protocol, design = made.protocol, made.design
    with Store.open(folder, protocol.hash, protocol.json) as store:
        store.begin(design.hash, design.json)
        for harvest in _harvests(made, trials, places, rng):
            store.ask(design.hash, [row.trial for row in harvest])
            store.insert(harvest)
    return folder


def _harvests(
    study: Study, trials: int, places: int, rng: np.random.Generator
) -> Iterator[list[Row]]:
    """Every slice in every harvest, at all its places in turn."""
    slices = list(study.design.slices(study.protocol.outline))
    step = max(1, HARVEST // len(slices))
    for first in range(0, trials, step):
        numbers = np.arange(first, min(first + step, trials))
        yield [row for one in slices for row in _rows(one.base.d, one.base.p, numbers, places, rng)]


def _rows(
    d: int, p: int, numbers: np.ndarray, places: int, rng: np.random.Generator
) -> Iterator[Row]:
    middle = n50(d, p)
    grid = middle * np.exp(np.linspace(-1.5, 1.5, places) * WIDTH)
    n = np.unique(np.round(grid).astype(int))
    slope = 2 * np.log(9) / WIDTH
    at = n[numbers % len(n)]
    z = slope * np.log(at / middle) + rng.logistic(size=len(at))
    times = LONGEST * np.exp(SPREAD * z)
    losses, drifts = rng.random((2, len(at)))
    for k, (x, t) in enumerate(zip(at.tolist(), times.tolist(), strict=True)):
        ended = t < LONGEST
        yield replace(
            ROW,
            d=d,
            n=x,
            p=p,
            seed=int(numbers[k]) // len(n),
            outcome=Outcome.CONVERGED if ended else Outcome.UNDECIDED,
            reason="certificate" if ended else "horizon",
            flow_time=min(t, LONGEST),
            steps=40 + k % 100,
            evaluations=200 + 5 * (k % 100),
            last_loss=float(losses[k]) / (4 * x) if ended else float(1 + losses[k]),
            well_initialized=bool(losses[k] > 0.01),
            balancedness_drift=float(drifts[k]) * 1e-3,
            program=f"({d}, {x + -x % 64}, {p}) map 16",
        )
