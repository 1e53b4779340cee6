"""The health of a store in words: what is well, what to watch, and what to do about it."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from jaxflow.core.types import Outcome
from jaxflow.report.health import (
    initialization,
    largest_drift,
    misfits,
    moved_by_time,
    of_several_codes,
    recorded,
    too_wide,
)
from jaxflow.report.slices import SliceReport
from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.show.terminal import FAILED, meaningless
from jaxflow.show.text import counted

Level: TypeAlias = Literal["good", "watch", "act", "none"]

SIGNS: dict[Level, tuple[str, str]] = {
    "good": ("✓", "good"),
    "watch": ("!", "watch"),
    "act": ("✕", "act"),
    "none": ("–", "not applicable"),
}
SEVERITY: tuple[Level, ...] = ("none", "good", "watch", "act")
FEW, MANY = 0.05, 0.9  # of the trials, undecided
UNLIKELY, IMPOSSIBLE = 0.05, 0.001  # chances of a misfit, of all slices together
DRIFT = 0.05  # of an invariant of the flow
SLACK = 1.05  # times the half-width asked for
MISCOMPILES = "jaxlib 0.10.2"


class Light(NamedTuple):
    """A signal: its name, how it stands, what was found, and what to do."""

    name: str
    level: Level
    found: str
    advice: str

    @property
    def sign(self) -> str:
        """A sign that is read without its colour."""
        return SIGNS[self.level][0]

    @property
    def word(self) -> str:
        """How it stands, in a word."""
        return SIGNS[self.level][1]


def lights(found: Sequence[SliceReport], running: bool = False) -> list[Light]:
    """Every signal of the slices of a store."""
    counts = outcomes(found)
    made = [_failed(counts), _versions(found)]
    if found[0].waits:
        made = [_precision(found, running), _time(counts, found), *made[:1], _direction(found),
                _calibration(found), _initialization(found), *made[1:]]  # fmt: skip
    return made


def outcomes(found: Sequence[SliceReport]) -> Counter[Outcome]:
    """How trials ended, each counted once for each of several events."""
    counts: Counter[Outcome] = Counter()
    for slice in found:
        counts += slice.columns.outcomes
    return counts


def _precision(found: Sequence[SliceReport], running: bool) -> Light:
    name = "Precision asked for"
    planned = [s for s in found if isinstance(s.plan, ThresholdPlan)]
    if running:
        return Light(name, "watch", "a run is at work on this store", "make the report again")
    if not planned:
        return Light(name, "none", "a grid: so many trials a place, no interval asked for", "")
    wide = [s for s in planned if not _is_known(s)]
    said = f"{len(planned) - len(wide)} of {len(planned)} intervals are as narrow as asked"
    if not wide:
        return Light(name, "good", said, "")
    advice = "run the study on with jaxflow run, or give it more threshold.max_trials"
    return Light(name, "watch", said, advice)


def _is_known(slice: SliceReport) -> bool:
    """Whether the interval is as narrow as asked, or shorter than a sample, or out of the range."""
    assert isinstance(slice.plan, ThresholdPlan)
    posterior = slice.estimated()
    low, high = posterior.interval()
    narrow = posterior.relative_half_width <= SLACK * slice.plan.relative_half_width
    return narrow or (slice.along == "n" and high - low < 1) or bool(posterior.at_edge)


def _time(counts: Counter[Outcome], found: Sequence[SliceReport]) -> Light:
    """Whether the trials that the horizon cut off would have changed the thresholds."""
    name, share = "Time allowed", counts[Outcome.UNDECIDED] / counts.total()
    said = f"{_percent(share)} of the trials met the horizon before the event"
    if share <= FEW:
        return Light(name, "good", said, "")
    moved = moved_by_time(found)
    if moved is not None:
        said += f"; from half the time to the whole thresholds move by {moved:.1f} half-intervals"
        if moved <= 1 and share <= MANY:
            return Light(name, "good", said, "")
    level: Level = "act" if share > MANY else "watch"
    advice = (
        "they count as no event by then, so thresholds are those of the time allowed: ask for a "
        "longer horizon, and see with jaxflow times how they move"
    )
    return Light(name, level, said, advice)


def _failed(counts: Counter[Outcome]) -> Light:
    failed, total = counts[Outcome.FAILED], counts.total()
    said = f"{failed} of {total} trials failed"
    if not failed:
        return Light("Failed", "good", said, "")
    advice = "a number was not finite or steps ran out: repeat one with jaxflow trial"
    return Light("Failed", "act" if failed > FAILED * total else "watch", said, advice)


def _direction(found: Sequence[SliceReport]) -> Light:
    if said := meaningless(found):
        return Light("Direction", "act", said, "thresholds mean nothing before that is so")
    way = "grows" if found[0].rises else "falls"
    return Light("Direction", "good", f"P(event) {way} along the axis, as the plan says", "")


def _calibration(found: Sequence[SliceReport]) -> Light:
    known, name = misfits(found), "Calibration"
    if not known:
        return Light(name, "none", "no curve is fitted", "")
    worst = min(known, key=lambda one: one.p)
    p = min(1.0, worst.p * len(known))
    ratio = sum(one.chi2 for one in known) / sum(one.places for one in known)
    said = (
        f"chi² of the counts about their curves over the number of places: {ratio:.2f}; of the "
        f"farthest, {worst.title}, {worst.chi2 / worst.places:.2f}, p = {worst.p:.2g}"
    )
    if wide := too_wide(found):
        said += f"; the transition of {wide[0].title} is as wide as curves are looked for, or wider"
        return Light(name, "act", said, "trust counts first: its interval is too narrow")
    if p > UNLIKELY:
        return Light(name, "good", said, "")
    advice = "the curve is not of this kind there: look at its transition, and trust counts first"
    return Light(name, "act" if p < IMPOSSIBLE else "watch", said, advice)


def _initialization(found: Sequence[SliceReport]) -> Light:
    told, name = initialization(found), "Lapse and initialization"
    if told is None:
        return Light(name, "none", "the problem does not tell a good initialization", "")
    said = (
        f"{told.badly} of {told.of} trials were badly initialized, {told.nevertheless} of these "
        f"had the event; without them thresholds move by {told.moved:.2f} half-intervals at most"
    )
    if told.moved <= 1:
        return Light(name, "good", said, "")
    advice = "read the thresholds of the well initialized beside the raw ones, or take larger p"
    return Light(name, "watch", said, advice)


def _versions(found: Sequence[SliceReport]) -> Light:
    versions, drift = recorded(found, "versions"), largest_drift(found)
    said = f"every row is as it was written; versions: {counted(len(versions), 'set')}"
    if drift is not None:
        said += f"; the invariant of the flow drifts by {_percent(drift)} at most"
    advice = "jaxflow doctor holds the numerics of a machine against float64"
    if several := of_several_codes(found):
        said += f"; trials were run by several codes of {', '.join(several)}"
        return Light("Numerics", "act", said, "run each into a folder of its own")
    if any(MISCOMPILES in words for words in versions):
        return Light("Numerics", "act", said, f"{MISCOMPILES} miscompiles: run these trials again")
    is_loose = drift is not None and drift > DRIFT
    if is_loose:
        advice = "lower the tolerances of the flow and see whether thresholds move"
    is_good = len(versions) == 1 and not is_loose
    return Light("Numerics", "good" if is_good else "watch", said, advice)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
