"""P(recover) of a quadratic teacher against m/(d r), and where a loss of zero is not the teacher's.

A trial has recovered its teacher when the certificate of the loss holds and the relative error of
W^T W, measured at its end, is below 1e-3. It is given 3000 steps of the descent in this setting
or the flow time that these are: at r = 5 many trials of the transition are still on their way then.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _common import Claim, Stores, main
from _counts import against_count, all_counts
from matplotlib.axes import Axes

from jaxflow import Outcome, Posterior, Row, Trial, plot
from jaxflow.papers.quadratic import recoveries_at
from jaxflow.report.recorded import last_values
from jaxflow.report.slices import SliceReport, slices
from jaxflow.statistics.counts import Tally, wilson

STUDIES = ("quadratic-recovery-r1", "quadratic-recovery-r2", "quadratic-recovery-r5")
SAME = 1e-3  # between the errors of recovered trials and of others: the lowest row shows the gap


def draw(stores: Stores, path: Path) -> Sequence[Claim]:
    """A column for each rank: P(recover) of descent and of the flow, and the errors at the end."""
    figure, axes = plt.subplots(3, len(STUDIES), figsize=(9.2, 8.2), squeeze=False)
    claims, p_values, zero_loss = [], [], []
    for column, study in zip(axes.T, STUDIES, strict=True):
        errors = last_values(stores[study], "teacher_error")
        found = slices(stores[study])
        for ax, name in zip(column, ("descent", "flow"), strict=False):
            shown = [slice for slice in found if slice.dynamics == name]
            claims += list(_transitions(ax, shown, errors))
        claims += list(_against_counts(column[0], found, errors, p_values))
        _errors(column[2], found, errors)
        zero_loss += list(_zero_loss(found, errors))
        column[0].set_title(f"$r = {found[0].base.p}$", loc="left")
        for ax in column:
            plot.log_ticks(ax.xaxis, 0.3, 13)
            ax.set_xlim(0.3, 13)
    for ax, name in zip(axes[:, 0], ("descent", "gradient flow", "both dynamics"), strict=True):
        ax.set_ylabel(f"{name}\n{ax.get_ylabel()}")
    for ax in axes[:, 1:].flat:
        ax.set_ylabel("")
    known = axes[0, 0].scatter([], [], marker="x", s=22, color="0.2")
    text = "5 trials of an independent descent in the same setting, with Wilson intervals (dotted)"
    figure.legend([known], [text], loc="outside lower center")
    for ax in axes[2]:
        ax.set_xlabel("samples per unknown, $m/(dr)$")
    figure.savefig(path, dpi=140)
    plt.close(figure)
    return [*claims, all_counts("P(recover)", p_values), *_without_recovery(zero_loss)]


def unit(slice: SliceReport) -> int:
    """d r."""
    return slice.base.d * slice.base.p


def recoveries(slice: SliceReport, errors: dict[Trial, float]) -> tuple[Tally, ...]:
    """Counts of recovered teachers against m."""

    def recovered(row: Row) -> bool:
        return row.outcome is Outcome.CONVERGED and errors[row.trial] < SAME

    return slice.tallies_of(recovered)


def threshold(slice: SliceReport, errors: dict[Trial, float]) -> Posterior:
    """The m at which half of the teachers are recovered."""
    return slice.plan.posterior(recoveries(slice, errors))


def _transitions(
    ax: Axes, shown: Sequence[SliceReport], errors: dict[Trial, float]
) -> Iterator[Claim]:
    """One dynamics at one rank: proportions and curves at every d, and their thresholds."""
    plot.phase_axes(ax, (0.3, 12))
    ax.set_xlabel("")
    ax.set_ylabel("P(recover)")
    grid = np.geomspace(0.3, 12, 300)
    for i, slice in enumerate(shown):
        look = plot.by_size(i, len(shown))
        tallies = recoveries(slice, errors)
        x = np.array([tally.x for tally in tallies]) / unit(slice)
        good, trials = (np.array([getattr(t, k) for t in tallies]) for k in ("converged", "trials"))
        plot.proportions(x, good / trials, *wilson(good, trials), trials, ax=ax, series=look)
        posterior = threshold(slice, errors)
        middle, low, high = (m / unit(slice) for m in (posterior.median, *posterior.interval()))
        label = f"$d = {slice.base.d}$: {middle:.2f} [{low:.2f}, {high:.2f}]"
        curve = posterior.curve(grid * unit(slice))
        plot.band(grid, *curve, ax=ax, series=look, label=label)
        yield Claim(
            f"P(recover) = 1/2 at m/(dr), r = {slice.base.p}, d = {slice.base.d}, {slice.dynamics}",
            middle, low, high, int(trials.sum()),
        )  # fmt: skip
    ax.legend(loc="upper left", title="half recovered at $m/(dr)$", title_fontsize=8, fontsize=7)
    ax.set_ylim(-0.04, 1.75)
    ax.set_yticks([0, 0.5, 1])


def _against_counts(
    ax: Axes, found: Sequence[SliceReport], errors: dict[Trial, float], p_values: list[float]
) -> Iterator[Claim]:
    """The descent's counts beside those known, wherever both have trials."""
    shown = [slice for slice in found if slice.dynamics == "descent"]
    for i, slice in enumerate(shown):
        look, side = plot.by_size(i, len(shown)), 1.07 + 0.06 * (i % 2)
        known = recoveries_at(slice.base.d, slice.base.p)
        if known is None:
            continue
        ours = {round(tally.x / unit(slice), 6): tally for tally in recoveries(slice, errors)}
        for x, good in known.recovered.items():
            low, high = wilson(good, known.trials)
            ax.vlines(side * x, low, high, color=look.color, linewidth=0.7, linestyle=":")
            ax.scatter(side * x, good / known.trials, marker="x", s=22, color=look.color, zorder=4)
            if x not in ours:
                continue
            what = f"P(recover), r = {slice.base.p}, d = {slice.base.d}, m = {x:g} dr, descent"
            claim, p = against_count(what, ours[x], good, known.trials, known.source)
            p_values.append(p)
            if good < known.trials:
                yield claim


def _zero_loss(
    found: Sequence[SliceReport], errors: dict[Trial, float]
) -> Iterator[tuple[float, bool]]:
    """m/(d r), and whether it is the teacher, of every student that fits its samples."""
    for slice in found:
        for row in slice.rows:
            if row.outcome is Outcome.CONVERGED:
                yield row.n / unit(slice), errors[row.trial] < SAME


def _without_recovery(zero_loss: Sequence[tuple[float, bool]]) -> Iterator[Claim]:
    """How many students that fit their samples are not the teacher, of few samples and of many."""
    for what, low, high in (("m < dr", 0.0, 0.99), ("m >= 2 dr", 2.0, np.inf)):
        found = [same for x, same in zero_loss if low <= x <= high]
        other = len(found) - sum(found)
        ends = wilson(other, len(found))
        yield Claim(
            f"share of students of zero loss that are not the teacher, {what}, all r",
            other / max(len(found), 1), float(ends[0]), float(ends[1]), len(found),
        )  # fmt: skip


def _errors(ax: Axes, found: Sequence[SliceReport], errors: dict[Trial, float]) -> None:
    """The relative error of W^T W at the end of every trial."""
    rows = [(row, row.n / unit(slice)) for slice in found for row in slice.rows]
    plot.endings(
        [x for _, x in rows],
        [errors[row.trial] for row, _ in rows],
        [row.outcome is Outcome.CONVERGED for row, _ in rows],
        ax=ax,
        labels=("loss is zero", "loss is not zero"),
    )
    ax.axhline(SAME, color="0.5", linewidth=0.8, linestyle="--")
    plot.log_ticks(ax.yaxis, 1e-7, 10)
    ax.set_ylim(3e-7, 10)
    ax.set_ylabel(r"$|W^TW - V^TV|_F \,/\, |V^TV|_F$ at the end")
    ax.legend(loc="lower left", fontsize=7)


if __name__ == "__main__":
    main("quadratic_recovery", draw)
