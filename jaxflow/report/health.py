"""Whether the numbers of a store can be trusted, in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jaxflow.core.code import codes_in
from jaxflow.core.types import Outcome
from jaxflow.report.plane import Plane, sampled_as_one
from jaxflow.report.slices import SliceReport
from jaxflow.statistics.logistic import WIDTHS
from jaxflow.statistics.posterior import ThresholdPosterior

DRAWS = 1000
WIDE = 0.7  # of the widest transition that curves are looked for in
LEAST_VARIANCE = 1e-6


@dataclass(frozen=True)
class Misfit:
    """Pearson's chi^2 of the counts about the curve of the posterior mean, and its chance.

    `p` is how often counts drawn from that curve are as far from it: a chi^2 distribution does not
    hold where places have a trial or two. Of a plane it is that of draws from its posterior.
    """

    title: str
    chi2: float
    places: int
    p: float


@dataclass(frozen=True)
class Initialization:
    """Trials that were drawn badly initialized, and what they do to the thresholds.

    `moved` is the largest move of a threshold, relative to half its interval, where the badly
    initialized are left out.
    """

    badly: int
    of: int
    nevertheless: int  # badly initialized, and the event happened
    moved: float


def misfits(found: Sequence[SliceReport], seed: int = 0) -> list[Misfit]:
    """Those of every slice that has a curve, or of the plane that slices were sampled in."""
    alone = [s for s in found if s.together is None and not s.is_point and s.rows]
    return [*map(_of_plane, sampled_as_one(found)), *(_of_slice(s, seed) for s in alone)]


def _of_slice(slice: SliceReport, seed: int) -> Misfit:
    x, happened, trials = np.array([(t.x, t.converged, t.trials) for t in slice.tallies()]).T
    chance, _, _ = slice.estimated().curve(x)
    scale = np.sqrt(np.maximum(trials * chance * (1 - chance), LEAST_VARIANCE))
    chi2 = float(np.sum(((happened - trials * chance) / scale) ** 2))
    drawn = np.random.default_rng(seed).binomial(trials.astype(int), chance, (DRAWS, len(x)))
    again = np.sum(((drawn - trials * chance) / scale) ** 2, axis=1)
    return Misfit(slice.title, chi2, len(x), float(np.mean(again >= chi2)))


def _of_plane(plane: Plane) -> Misfit:
    chi2, places = 0.0, 0
    for slice in plane.slices:
        one = _of_slice(slice, 0)
        chi2, places = chi2 + one.chi2, places + one.places
    return Misfit(plane.name, chi2, places, plane.posterior().predictive())


def too_wide(found: Sequence[SliceReport]) -> list[SliceReport]:
    """Slices whose transition is, with 97.5 %, about as wide as curves are looked for, or wider.

    The interval of a threshold is too narrow there.
    """
    alone = (s for s in found if s.together is None and not s.is_point and s.rows)
    return [s for s in alone if s.posterior().width_interval()[0] > WIDE * WIDTHS[1]]


def initialization(found: Sequence[SliceReport]) -> Initialization | None:
    """What the law of well-initialized trials says; None where it has no meaning."""
    told = [slice for slice in found if slice.tells_initialization]
    if not told:
        return None
    badly = [~slice.columns.well_initialized for slice in told]
    happened = [slice.columns.rows.words("outcome").are(Outcome.CONVERGED) for slice in told]
    moved = (_moved(s) for s, bad in zip(told, badly, strict=True) if bad.any() and not s.is_point)
    return Initialization(
        sum(int(bad.sum()) for bad in badly),
        sum(map(len, badly)),
        sum(int((bad & good).sum()) for bad, good in zip(badly, happened, strict=True)),
        max(moved, default=0.0),
    )


def _moved(slice: SliceReport) -> float:
    """How far the threshold of the well initialized is from the raw one, in half its interval."""
    raw = slice.estimated()
    if raw.at_edge or not slice.tallies(conditional=True):
        return 0.0
    return _apart(slice.estimated(conditional=True).median, raw)


def _apart(threshold: float, known: ThresholdPosterior) -> float:
    """How far a threshold is from the one known, in half the interval of that."""
    low, high = np.log(known.interval())
    return float(2 * abs(np.log(threshold / known.median)) / (high - low))


def moved_by_time(found: Sequence[SliceReport]) -> float | None:
    """The largest move of a threshold from half the longest time to the whole.

    Relative to half its interval, each slice by its own trials; None where no slice tells.
    """
    moves = []
    for slice in (slice for slice in found if not slice.is_point):
        tallies = slice.tallies_within(slice.horizon.multiples[-1] / 2)
        known = slice.posterior()
        if tallies and not known.at_edge:
            moves.append(_apart(slice.plan.posterior(tallies).median, known))
    return max(moves, default=None)


def recorded(found: Sequence[SliceReport], column: str) -> list[str]:
    """The distinct texts of a column of rows."""
    words = (slice.columns.rows.words(column).counts().items() for slice in found)
    return sorted({str(word) for counts in words for word, count in counts if count})


def of_several_codes(found: Sequence[SliceReport]) -> list[str]:
    """The modules of the user's whose code was not the same for all rows."""
    digests: dict[str, set[str]] = {}
    for words in recorded(found, "versions"):
        for module, digest in codes_in(words).items():
            digests.setdefault(module, set()).add(digest)
    return [module for module, told in digests.items() if len(told) > 1]


def largest_drift(found: Sequence[SliceReport]) -> float | None:
    """The largest drift of the invariant of the flow, of trials that did not fail; None of none."""
    drifts = [
        slice.columns.rows.array("balancedness_drift")[
            ~slice.columns.rows.words("outcome").are(Outcome.FAILED)
        ]
        for slice in found
        if slice.kind == "flow"
    ]
    known = [drift[np.isfinite(drift)] for drift in drifts]
    return max((float(drift.max()) for drift in known if len(drift)), default=None)
