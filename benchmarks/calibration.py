"""Whether posteriors of thresholds and boundaries are calibrated, and hold the truth.

`python -m benchmarks.calibration` simulates studies whose truth is known and notes the posterior
mass below it. Where truths are drawn from the prior and counts from the model, this is uniform,
whatever chose the trials and ended them (S. Talts et al., "Validating Bayesian inference algorithms
with simulation-based calibration", arXiv 1804.06788); it is tested by the simultaneous band of
statistics/uniformity.py. Where the truths are others, or of another curve than the model's, the
coverage of the central intervals is what is asked for.

It writes benchmarks/results/calibration.json, which figures/calibration.py draws; a few minutes on
two cores. `--small` simulates a twentieth of the studies and writes nothing. Study number k has the
k-th seed in every simulator.

To calibrate another posterior, add a `Simulator`.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.machine import description
from benchmarks.simulated import BOUNDARIES, SHAPES, boundary_of, drive, proportion, searched
from benchmarks.simulated import plane as simulated_plane
from jaxflow.core.types import Point
from jaxflow.sampling.axes import Axes, Range
from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.statistics.boundary import BoundaryPosterior, Counts
from jaxflow.statistics.counts import Tally
from jaxflow.statistics.logistic import Model
from jaxflow.statistics.plane_prior import Axis, Prior
from jaxflow.statistics.posterior import Posterior
from jaxflow.statistics.uniformity import coverage, histogram, uniformity

RESULTS = Path(__file__).parent / "results" / "calibration.json"
BINS = 200  # of a posterior mass; a 95 % interval leaves 5 of them at either end
LEVEL = 0.01  # of the test of one parameter
NOMINAL = 0.5, 0.8, 0.9, 0.95, 0.99
SMALL = 20  # a --small run simulates one study of so many
PLAN = ThresholdPlan(600, 3600)
FEW = ThresholdPlan(4, 40)  # where an interval may end at one sample
SHRINK = ThresholdPlan(0.01, 1.0, along="problem.initialization.shrink", rising=True)
ROUGH = 0.1  # half-width for curves of the prior, the flattest of which take hundreds of trials
PLACES, TRIALS = 13, 20  # of a fixed design
WIDTHS = 0.05, 0.4  # of truths that are not from the prior, log-uniform
LAPSES = 0.0, 0.2  # uniform

Masses = dict[str, float]


@dataclass(frozen=True)
class Simulator:
    """`masses` draws a truth and its counts; the posterior mass below each true parameter.

    It is a function that processes can share. `exact` says that the truths are drawn from the
    prior and the counts from the model, so that the masses are uniform if the posterior is right.
    """

    name: str
    masses: Callable[[np.random.Generator], Masses]
    studies: int
    exact: bool = True


def fixed(rng: np.random.Generator) -> Masses:
    """A curve from the prior, the same trials at every place of a range."""
    truth = Model(PLAN.low, PLAN.high).draw(rng)
    n = np.geomspace(PLAN.low, PLAN.high, PLACES)
    converged = rng.binomial(TRIALS, proportion(n, truth))
    tallies = [Tally(float(x), int(c), TRIALS) for x, c in zip(n, converged, strict=True)]
    return _below(PLAN.posterior(tallies), truth)


def adaptive(rng: np.random.Generator, plan: ThresholdPlan) -> Masses:
    """A curve from the prior, trials chosen and ended by the plan at a half-width of `ROUGH`."""
    plan = replace(plan, relative_half_width=ROUGH)
    truth = Model(plan.low, plan.high, rising=bool(plan.rising)).draw(rng)
    return _below(searched(plan, truth, rng).posterior(), truth)


def given(rng: np.random.Generator, plan: ThresholdPlan, shape: str) -> Masses:
    """A curve of this shape well inside the range, trials chosen and ended by the plan."""
    third = np.log(4 / 3)
    n50 = np.exp(rng.uniform(np.log(plan.low) + third, np.log(plan.high) - third))
    width = np.exp(rng.uniform(*np.log(WIDTHS)))
    truth = float(n50), float(width), float(rng.uniform(*LAPSES))
    return {"n50": searched(plan, truth, rng, shape).posterior().mass_below(truth[0])}


def plane(rng: np.random.Generator) -> Masses:
    """A plane from the prior of planes, the same trials at four of its places, asked at a fifth."""
    prior = Prior((Axis("p", 10, 40),), PLAN.low, PLAN.high)
    places = [(10.0,), (16.0,), (25.0,), (40.0,), (rng.uniform(10, 40),)]
    truths = list(zip(*prior.draw(places, rng), strict=True))
    n = np.geomspace(PLAN.low, PLAN.high, PLACES)
    counts = []
    for place, truth in zip(places[:-1], truths, strict=False):
        converged = rng.binomial(TRIALS, proportion(n, truth))
        tallies = [Tally(float(x), int(c), TRIALS) for x, c in zip(n, converged, strict=True)]
        counts.append(Counts(place, tallies))
    posterior = BoundaryPosterior(counts, prior)
    n50 = truths[-1][0]
    return {"n50": float(posterior.at(places[-1:]).mass_below(n50)[0])}


def boundary(rng: np.random.Generator, kind: str) -> Masses:
    """A boundary of this kind over a decade, trials chosen and ended all over it; at one place."""
    truth, axes = boundary_of(kind, rng), Axes(d=(10,), p=Range(10, 100))
    search = simulated_plane(ThresholdPlan(10, 20000, 0.05), axes)
    drive(search, truth, int(rng.integers(2**31)))
    p = float(np.exp(rng.uniform(np.log(10), np.log(100))))
    v = Point(10, 0, round(p))
    return {"n50": float(search.posterior().at([(v.p,)]).mass_below(truth(v)[0])[0])}


def _below(posterior: Posterior, truth: tuple[float, float, float]) -> Masses:
    n50, width, _ = truth
    return {"n50": posterior.mass_below(n50), "width": posterior.width_mass_below(width)}


SIMULATORS = (
    Simulator("fixed design", fixed, 4000),
    Simulator("adaptive", partial(adaptive, plan=PLAN), 1000),
    Simulator("adaptive, small n", partial(adaptive, plan=FEW), 1000),
    Simulator("adaptive, rising", partial(adaptive, plan=SHRINK), 1000),
    *(
        Simulator(shape, partial(given, plan=PLAN, shape=shape), 500, exact=False)
        for shape in SHAPES
    ),
    Simulator("logistic, small n", partial(given, plan=FEW, shape="logistic"), 500, exact=False),
    Simulator("plane", plane, 1000),
    *(
        Simulator(f"plane, {kind}", partial(boundary, kind=kind), 100, exact=False)
        for kind in BOUNDARIES
    ),
)


def study(simulator: Simulator, number: int) -> Masses:
    """One of its studies."""
    return simulator.masses(np.random.default_rng(number))


def record(simulator: Simulator, found: Iterable[Masses]) -> dict[str, Any]:
    """What its studies say: of each parameter the counts of masses, the test, the coverage."""
    masses = list(found)
    return {
        "simulator": simulator.name,
        "exact": simulator.exact,
        "studies": len(masses),
        "parameters": {
            name: _told([m[name] for m in masses], simulator.exact) for name in masses[0]
        },
    }


def _told(masses: Sequence[float], exact: bool) -> dict[str, Any]:
    counts = histogram(masses, BINS)
    p_value = uniformity(counts).p_value
    held = {str(level): coverage(counts, round(BINS * (1 - level) / 2)) for level in NOMINAL}
    verdict = {"uniform": p_value >= LEVEL} if exact else {}
    return {"p_value": p_value, **verdict, "coverage": held, "counts": counts.tolist()}


def table(records: Sequence[dict[str, Any]]) -> Table:
    """Uniformity and the coverage of 95 % intervals."""
    made = Table(box=None)
    for title in ("simulator", "parameter", "studies", "p", "uniform", "held by 95 %", ""):
        made.add_column(title)
    for each in records:
        for name, told in each["parameters"].items():
            share, low, high = told["coverage"]["0.95"]
            verdict = {True: "yes", False: "no", None: ""}[told.get("uniform")]
            p_value = f"{told['p_value']:.3g}"
            shares = f"{share:.3f}", f"[{low:.3f}, {high:.3f}]"
            made.add_row(each["simulator"], name, f"{each['studies']}", p_value, verdict, *shares)
    return made


def main(arguments: Sequence[str]) -> None:
    """Simulate, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="few studies, nothing written")
    small = parser.parse_args(arguments).small
    began, records = time.perf_counter(), []
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        for simulator in SIMULATORS:
            numbers = range(simulator.studies // (SMALL if small else 1))
            found = pool.map(partial(study, simulator), numbers, chunksize=10)
            records.append(record(simulator, found))
    Console(width=120).print(table(records))
    if not small:
        host = description() | {"seconds": round(time.perf_counter() - began, 1)}
        lines = ",\n".join(json.dumps(each) for each in records)
        RESULTS.write_text(f'{{"machine": {json.dumps(host)},\n"records": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main(sys.argv[1:])
