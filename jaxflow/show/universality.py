"""Ensembles held against the first: tables, sentences and a figure."""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from jaxflow import plot
from jaxflow.report.universality import Comparison, Ensembles
from jaxflow.show.text import Entry, Table, number, sought, symbol
from jaxflow.statistics.universality import NORMAL_END

ASIDE, SPREAD = 0.03, 0.3  # of the range of log size: from mark to mark at one size, and of all
NARROW = 14  # columns for the name of an ensemble
CURVE = 100  # points of a trend


def table(found: Comparison) -> Table:
    """The thresholds of both ensembles at every place, their difference and its score."""
    places, differences = found.places, found.differences
    every = [place.first.place for place in places]
    names = [name for name in every[0] if len({at[name] for at in every}) > 1] or list(every[0])
    half = NORMAL_END * differences.error
    ends = [differences.value - half, differences.value, differences.value + half]
    rows = tuple(
        (
            *(number(place.first.place[name]) for name in names),
            *(number(s.posterior(h).median) for s, h in zip(place, found.horizons, strict=True)),
            f"{value:.1f} %",
            f"[{low:.1f}, {high:.1f}]",
            f"{z:.1f}",
        )
        for place, low, value, high, z in zip(
            places, *map(_percent, ends), differences.z, strict=True
        )
    )
    sides = (tuple(wrap(name, NARROW)) for name in (found.first, found.other))
    headings: tuple[Entry, ...] = (*map(symbol, names), *sides, "difference", "interval", "Z")
    title = f"{sought(places[0].first.along)} of {found.title}"
    return Table(title, headings, rows, _tests(found), words=())


def sentences(found: Ensembles) -> Iterator[str]:
    """What the protocols do not share, a line each, and then one for every comparison."""
    yield from (f"{name}: {', '.join(values)}" for name, values in found.keys.items())
    if not found.keys:
        yield "the protocols are the same"
    if "seed" not in found.keys:
        yield "the seeds are the same: trials at one n share random numbers, so scores are smaller"
    yield from (f"{one.title}: {one.verdict.text}" for one in found.comparisons)


def figure(found: Ensembles) -> Figure:
    """Differences and scores against size, at the longest horizon; a column for each dynamics.

    A trend is drawn where sizes differ, with its 95 % band.
    """
    longest = {(one.name, one.other): one for one in found.comparisons}
    names = list(dict.fromkeys(name for name, _ in longest))
    others = list(dict.fromkeys(other for _, other in longest))
    looks = dict(zip(others, plot.by_dynamics([""] * len(others)), strict=True))
    made, axes = plt.subplots(
        2, len(names), sharex="col", sharey="row", squeeze=False,
        figsize=(max(6.4, 3.2 * len(names)), 5.2),
    )  # fmt: skip
    for name, column in zip(names, axes.T, strict=True):
        here = [one for (its, _), one in longest.items() if its == name]
        _column(column, here, looks)
        column[0].set_title(f"{plot.plain(name)}, {here[0].horizon}", loc="left")
        column[0].set_xlabel("")
    axes[0, 0].set_ylabel(f"difference from {plot.plain(found.names[0])} (%)")
    axes[1, 0].set_ylabel("score $Z$")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    of_chance, said = axes[1, 0].get_legend_handles_labels()
    made.legend(handles + of_chance, labels + said, loc="outside lower center", ncols=3)
    return made


def _column(
    axes: Sequence[Axes], here: Sequence[Comparison], looks: Mapping[str, plot.Series]
) -> None:
    """The differences and the scores of one dynamics, ensembles a little aside at each size."""
    (top, bottom), along = axes, here[0].along
    each = [np.array([place.first.base[along] for place in one.places], float) for one in here]
    sizes = np.concatenate(each)
    for one, x in zip(here, _aside(each), strict=True):
        found, look = one.differences, looks[one.other]
        half = NORMAL_END * found.error
        ends = map(_percent, (found.value, found.value - half, found.value + half))
        plot.points(x, *ends, ax=top, series=look, label=plot.plain(one.other))
        plot.scores(x, found.z, ax=bottom, series=look)
        if found.trend is not None and one.along == along:
            curve = np.geomspace(*found.trend.sizes, CURVE)
            plot.band(curve, *map(_percent, found.trend.at(curve)), ax=top, series=look)
    plot.sized_axes(top, sizes.tolist(), along)
    plot.score_axes(bottom, sizes.tolist(), along)
    if len(np.unique(sizes)) > 1:
        label = f"$D_\\infty + c\\,/\\sqrt{{{along}}}$, 95 % band"
        top.plot([], [], color="0.4", label=label)


def _aside(sizes: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Where ensembles are drawn, so that no two are at one place: around their sizes."""
    ranks = [np.sum(np.tril(own[:, None] == own, -1), axis=1) for own in sizes]
    room = 1 + max(int(rank.max()) for rank in ranks)
    every = np.log(np.concatenate(sizes))
    step = min(ASIDE, SPREAD / (room * len(sizes))) * max(np.ptp(every), 1.0)
    middle = (room * len(sizes) - 1) / 2
    return [
        own * np.exp(step * (room * k + rank - middle))
        for k, (own, rank) in enumerate(zip(sizes, ranks, strict=True))
    ]


def _tests(found: Comparison) -> str:
    """What the tests say, and what was left out."""
    differences = found.differences
    said = [
        f"chi2 = {differences.z @ differences.z:.1f} of {len(differences.z)}",
        f"p = {found.p:.2g} (Holm)",
    ]
    if not np.isnan(differences.p_normal):
        said.append(f"p = {differences.p_normal:.2g} (normal scores)")
    if differences.common.scatter:
        said.append(f"scatter {_percent(differences.common.scatter):.1f} %")
    counts = {"places of one alone": found.alone, "beyond the range": found.beyond}
    if left_out := ", ".join(f"{count} {what}" for what, count in counts.items() if count):
        said.append(f"left out: {left_out}")
    return "; ".join(said)


def _percent(log_ratio: ArrayLike) -> np.ndarray:
    """A ratio less 1, in percent."""
    return 100 * np.expm1(np.asarray(log_ratio))
