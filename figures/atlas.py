"""The atlas: thresholds of small problems beside the places that theory knows.

Left those that are known exactly, at every size or for sizes to infinity; right those of which it
is known how many samples it takes at least, or what the number of unknowns is.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _common import Claim, Stores, main
from matplotlib.axes import Axes
from scipy.optimize import brentq

from jaxflow import plot, report
from jaxflow.papers.deep_linear import escape_time
from jaxflow.papers.perceptron import capacity
from jaxflow.papers.sensing import nuclear_norm_threshold
from jaxflow.report.collapse import limit_of
from jaxflow.report.slices import SliceReport

COVER = "Cover, IEEE Trans. Electronic Computers 14 (1965) 326"
GARDNER = "Gardner, J. Phys. A 21 (1988) 257, d to infinity"
NUCLEAR = "Amelunxen et al. 2014: of least nuclear norm, d to infinity"
SAXE = "Saxe et al., ICLR 2014"
EQUATIONS = "as many equations as unknowns"
FITTED = "P = 1 at the first n, 0 at the second"
Z = 1.96


@dataclass(frozen=True)
class Place:
    """A threshold that was measured, with its interval, and the number to hold it against."""

    where: str
    ours: float
    low: float
    high: float
    trials: int
    known: float | tuple[float, float]  # a pair: anywhere between
    remark: str = ""

    @property
    def ratios(self) -> tuple[float, float, float]:
        """The interval's lower end, the threshold and the upper end, over what is known."""
        known = float(np.mean(self.known))
        return self.low / known, self.ours / known, self.high / known


Measure = Callable[[Sequence[SliceReport]], Iterator[Place]]


@dataclass(frozen=True)
class Entry:
    """A problem of the atlas: its study, the source of what is known, and how it is measured."""

    title: str
    study: str
    source: str
    places: Measure


def at_longest(known: Callable[[SliceReport], float]) -> Measure:
    """Every slice at its longest horizon, beside a number."""

    def measure(slices: Sequence[SliceReport]) -> Iterator[Place]:
        for slice in slices:
            posterior = slice.posterior()
            interval = posterior.interval()
            trials = len(slice.rows)
            yield Place(_where(slice), posterior.median, *interval, trials, known(slice))

    return measure


def by_equations(unknowns: Callable[[SliceReport], float]) -> Measure:
    """Every slice at its longest horizon: as many samples are fitted as there are unknowns."""

    def measure(slices: Sequence[SliceReport]) -> Iterator[Place]:
        for place, slice in zip(at_longest(unknowns)(slices), slices, strict=True):
            last = unknowns(slice)
            yield replace(place, known=(last, last + 1), remark=FITTED)

    return measure


def in_the_limit(known: Callable[[SliceReport], float]) -> Measure:
    """Every slice for times to infinity, by the law of slowing."""

    def measure(slices: Sequence[SliceReport]) -> Iterator[Place]:
        for slice in slices:
            law = limit_of(slice)
            if law is not None:
                found = law.threshold, law.low, law.high
                remark = "in the limit of long times"
                yield Place(_where(slice), *found, len(slice.rows), known(slice), remark)

    return measure


def margins(slices: Sequence[SliceReport]) -> Iterator[Place]:
    """N / d of each margin for d to infinity, by N = alpha d + c."""
    by_margin: dict[float, list[SliceReport]] = {}
    for slice in slices:
        by_margin.setdefault(slice.base["problem.kappa"], []).append(slice)
    for kappa, group in by_margin.items():
        d = np.array([slice.base.d for slice in group], float)
        found = np.array([(s.posterior().median, *s.posterior().interval()) for s in group])
        errors = (found[:, 2] - found[:, 1]) / 2 / Z
        (alpha, _), covariance = np.polyfit(d, found[:, 0], 1, w=1 / errors, cov="unscaled")
        half = Z * covariance[0, 0] ** 0.5
        trials = sum(len(slice.rows) for slice in group)
        remark = f"slope of N over d = {', '.join(f'{x:g}' for x in d)}"
        known = float(capacity(kappa))
        yield Place(
            f"$\\kappa = {kappa:g}$", alpha, alpha - half, alpha + half, trials, known, remark
        )


def scales(slices: Sequence[SliceReport]) -> Iterator[Place]:
    """The smallest scale from which half of the way is done by each horizon."""
    for slice in slices:
        depth = int(slice.base["problem.depth"])
        for horizon, time in enumerate(slice.horizon.multiples):
            posterior = slice.posterior(horizon)

            def late(log_scale: float, depth: int = depth, time: float = time) -> float:
                return escape_time(depth, 1.0, float(np.exp(log_scale)), 0.5) - time

            known = float(np.exp(brentq(late, np.log(slice.plan.low), np.log(slice.plan.high))))
            where = f"$L = {depth}$, $T = {time:g}$"
            yield Place(where, posterior.median, *posterior.interval(), len(slice.rows), known)


def _where(slice: SliceReport) -> str:
    """The size that matters, and the parameters."""
    shown = {"d": slice.base.d, "p": slice.base.p} | {
        name.rpartition(".")[2]: x for name, x in slice.base.parameters
    }
    return ", ".join(f"${name} = {x:g}$" for name, x in shown.items() if name != "p" or x > 1)


EXACT = (
    Entry("least squares", "atlas-least-squares", EQUATIONS,
          by_equations(lambda s: s.base.d)),
    Entry("random features", "atlas-random-features", EQUATIONS,
          by_equations(lambda s: s.base.p)),
    Entry("quadratic network", "atlas-quadratic", EQUATIONS,
          by_equations(lambda s: s.base.d * (s.base.d + 1) / 2)),
    Entry("logistic regression", "atlas-logistic", COVER, in_the_limit(lambda s: 2.0 * s.base.d)),
    Entry("perceptron with a margin, $N/d$", "atlas-margin", GARDNER, margins),
    Entry("deep linear network, scale", "atlas-deep-linear", SAXE, scales),
)  # fmt: skip
BOUNDS = (
    Entry("matrix sensing over the nuclear norm's", "atlas-sensing", NUCLEAR,
          at_longest(lambda s: nuclear_norm_threshold(s.base.d, int(s.base["problem.rank"])))),
    Entry("phase retrieval over $d$", "atlas-phase-retrieval", "unknowns, from below",
          at_longest(lambda s: s.base.d)),
    Entry("committee of two over $2d$", "atlas-committee", "unknowns, from below",
          at_longest(lambda s: 2 * s.base.d)),
    Entry("ReLU network over $p(d + 1)$", "atlas-jamming", "parameters",
          at_longest(lambda s: s.base.p * (s.base.d + 1))),
)  # fmt: skip
STUDIES = tuple(entry.study for entry in EXACT + BOUNDS)


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """What was measured over what is known, place by place."""
    found = [
        [(entry, list(entry.places(report.slices(stores[entry.study])))) for entry in entries]
        for entries in (EXACT, BOUNDS)
    ]
    figure, axes = plt.subplots(1, 2, figsize=(8.6, 6.4))
    for ax, entries in zip(axes, found, strict=True):
        _forest(ax, entries)
    left, right = axes
    left.axvspan(0.97, 1.03, color="0.93", zorder=-1)
    left.set_xlabel("measured over known")
    left.set_title("known exactly; grey: 3 %", loc="left")
    right.set_xscale("log")
    ticks = [0.5, 1, 2, 4]
    right.set_xticks(ticks, [f"{x:g}" for x in ticks])
    right.minorticks_off()
    right.set_xlabel("threshold over the number named")
    right.set_title("known from below, or open", loc="left")
    figure.savefig(path)
    plt.close(figure)
    return [
        _claim(entry, place, entries is found[0])
        for entries in found
        for entry, places in entries
        for place in places
    ]


def _forest(ax: Axes, entries: Sequence[tuple[Entry, Sequence[Place]]]) -> None:
    """A line for each place, under the title of its problem."""
    labels: list[str] = []
    for (entry, places), series in zip(entries, plot.family(len(entries)), strict=True):
        labels.append(entry.title)
        for place in places:
            y = len(labels)
            labels.append(place.where)
            low, x, high = place.ratios
            ax.plot([low, high], [y, y], color=series.color, linewidth=1.4)
            ax.plot([x], [y], series.marker, color=series.color, markersize=4)
    ax.axvline(1, color="0.45", linestyle="--", linewidth=0.9, zorder=0)
    ax.set_yticks(range(len(labels)), labels, fontsize=7)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    titles = {entry.title for entry, _ in entries}
    for label in ax.get_yticklabels():
        if label.get_text() in titles:
            label.set_fontweight("bold")


def _claim(entry: Entry, place: Place, is_exact: bool) -> Claim:
    """A number of the table; a bound is told in words, for none is to be met."""
    what = f"{entry.title}: {place.where}".replace("$", "").replace("\\kappa", "kappa")
    known = place.known if is_exact else f"{place.known:g}"
    found = map(float, (place.ours, place.low, place.high))
    return Claim(what, *found, place.trials, known, entry.source, place.remark)


if __name__ == "__main__":
    main("atlas", draw)
