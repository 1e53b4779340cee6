"""The tables of a store: its thresholds, its means, and where its study stands."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isinf, isnan
from typing import Any

from jaxflow.core.types import SIZES, Outcome
from jaxflow.engine.runner import Usage
from jaxflow.report.health import of_several_codes, too_wide
from jaxflow.report.means import Profile, every_profile, profiles
from jaxflow.report.slices import SliceReport, entries, waiting
from jaxflow.report.status import Status
from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.show.text import WIDTH, Entry, Table, between, beyond, number, sought, symbol, taken
from jaxflow.statistics.counts import wilson

INITIALIZED = "well", "initialized"
FAILED = 0.01  # of the trials, from which it is remarked
ENDS = "a trial ends when all its events have happened, or at its horizon"


def summary(found: Sequence[SliceReport]) -> Table:
    """The thresholds, or of a study that waits for no event the means of what it measured."""
    return thresholds(found) if found[0].waits else means(found)


def thresholds(found: Sequence[SliceReport]) -> Table:
    """The thresholds at every horizon, with what all share in the title, and what T0 is.

    Where a grid has a single value, P(converged) at it. Outcomes are counted in columns of their
    own, or where these are too many for 80 columns, in one. Raises `ValueError` for a study that
    waits for no event.
    """
    reports = entries(waiting(found))
    places = [place(report) for report in reports]
    names = list(dict.fromkeys(name for at in places for name in at))
    values = {name: {at.get(name, "") for at in places} for name in names}
    shared = {name: values[name].pop() for name in names if len(values[name]) == 1}
    units = {report["unit"] for report in reports}
    own = sorted(
        (name for name in names if name not in shared), key={"horizon", *units}.__contains__
    )
    along = reports[0]["along"]
    points = "proportion" in reports[0]
    tells = any("conditional" in report for report in reports)
    together = ["all places together"] if found[0].together else []
    across = f"Threshold in {symbol(along)}: where P(converged) crosses 1/2"
    title = (
        f"{'P(converged)' if points else across}, with its 95 % interval",
        ", ".join([*(f"{k} = {x}" for k, x in shared.items()), *together]),
    )
    first = "P" if points else sought(along)
    events = ("event",) if any("event" in report for report in reports) else ()
    headings: tuple[Entry, ...] = ("dynamics", *events, *map(_narrow, own), first, "interval")
    headings += (INITIALIZED,) if tells else ()
    rows = [
        (
            report["dynamics"],
            *(report[name] for name in events),
            *(at.get(name, "") for name in own),
            *estimate(report, tells),
        )
        for report, at in zip(reports, places, strict=True)
    ]
    caption = remark(found) or found[0].horizon.formula
    counted = _with_outcomes(Table(title, headings, (), caption), rows, reports)
    return counted if counted.width <= WIDTH else _with_outcomes_as_words(counted, len(headings))


def _narrow(name: str) -> Entry:
    """A heading, word below word."""
    return tuple(name.split()) if " " in name else name


def remark(found: Sequence[SliceReport]) -> str:
    """What is to be known before thresholds are believed; nothing where all is well."""
    said = [meaningless(found)]
    of_one_event = [slice for slice in found if slice.event == found[0].event]
    failed = sum(slice.columns.outcomes[Outcome.FAILED] for slice in of_one_event)
    trials = sum(len(slice.rows) for slice in of_one_event)
    if failed > FAILED * trials and not said[0]:
        said.append(f"{failed} of {trials} trials failed, which counts as no event")
    if several := of_several_codes(found):
        said.append(f"trials were run by several codes of {', '.join(several)}")
    if wide := too_wide(found):
        said.append(f"the transition of {wide[0].title} is so wide that its interval is too narrow")
    return "; ".join(filter(None, said))


def meaningless(found: Sequence[SliceReport]) -> str:
    """Why thresholds mean nothing, if they do not: all trials failed, or P changes otherwise."""
    failed = next((s for s in found if s.columns.outcomes[Outcome.FAILED] == len(s.rows)), None)
    if failed is not None:
        reason = "a number was not finite, or the steps ran out"
        return f"every trial of {failed.title} failed: {reason}"
    wrong = next((slice for slice in found if slice.runs_against_plan), None)
    if wrong is None:
        return ""
    way, said = ("falls", "false") if wrong.rises else ("grows", "true")
    where = symbol(wrong.along)
    return f"P(converged) {way} along {where}, not as the plan says: set rising = {said}"


def means(found: Sequence[SliceReport]) -> Table:
    """The mean of every observable measured, at every place, with its 95 % interval.

    Raises `ValueError` where the trials measured nothing.
    """
    shown = every_profile(found)
    rows = [(entry, _place_of(profile)) for profile in shown for entry in profile.entries()]
    every = {name: {at[name] for _, at in rows} for name in rows[0][1]}
    own = [name for name, values in every.items() if len(values) > 1]
    shared = ", ".join(f"{name} = {x}" for name, (x, *more) in every.items() if not more)
    along = found[0].along
    left_out = sum(sum(profile.left_out) for profile in shown)
    remarks = [f"{left_out} values that are not finite are left out"] if left_out else []
    return Table(
        ("Means where trials ended, with their 95 % intervals by the bootstrap", shared),
        (*own, symbol(along), "mean", "interval", "trials"),
        tuple(
            (
                *(at[name] for name in own),
                number(entry[along]),
                f"{entry['mean']:.4g}",
                _interval(entry["low"], entry["high"]),
                str(entry["trials"]),
            )
            for entry, at in rows
        ),
        "; ".join([*([ENDS] if found[0].waits else []), *remarks]),
    )


def _place_of(profile: Profile) -> dict[str, str]:
    places = {symbol(name): number(x) for name, x in profile.slice.place.items()}
    return {"observable": profile.observable, "dynamics": profile.slice.dynamics, **places}


def crossings(found: Sequence[SliceReport], levels: Mapping[str, float]) -> Table:
    """Where the mean of each observable crosses its level, by slice."""
    along = symbol(found[0].along)
    rows = []
    for name, level in levels.items():
        for profile in profiles(found, name):
            value, low, high = map(float, profile.crossing(level))
            rows.append(
                (profile.title, f"{name} = {level:g}", *_crossing(profile, value, low, high))
            )
    title = f"Where the mean crosses a level: {along}, with its 95 % interval"
    return Table(title, ("slice", "level", along, "interval"), tuple(rows), words=(0, 1))


def _crossing(profile: Profile, value: float, low: float, high: float) -> tuple[str, str]:
    """A crossing; one beyond the places measured is on that side of them."""
    first, last = number(float(profile.x[0])), number(float(profile.x[-1]))
    if isnan(value):
        return "", ""
    if value == 0 or isinf(value):
        return (f"< {first}" if value == 0 else f"> {last}"), ""
    return number(value), between(low, high) if low > 0 else f"[.., {number(high)}]"


def _interval(low: float, high: float) -> str:
    return "" if isnan(low) else f"[{low:.4g}, {high:.4g}]"


def status(found: Status) -> Table:
    """A row a slice: its trials and how well its threshold is known at the longest horizon.

    Below, what the runs took.
    """
    headings = ("slice", "trials", "threshold", "half-width", "asked for")
    rows = tuple((s.title, str(len(s.rows)), *_knowledge(s)) for s in found.slices)
    return Table("", headings, rows, caption=taken(found.compute))


def profile(seconds: Mapping[str, float], usage: Usage | None) -> Table:
    """Where the seconds of a run went: of the thread that proposes, and of the workers together."""
    rows = [("this thread", name, f"{spent:.1f}") for name, spent in seconds.items()]
    if usage is not None:
        of_workers = {
            "compiling": usage.compiling,
            "trials": usage.busy,
            "without work": usage.waiting,
        }
        rows += [("workers, together", name, f"{spent:.1f}") for name, spent in of_workers.items()]
    return Table("Where the seconds went", ("who", "what", "seconds"), tuple(rows), words=(0, 1))


def place(report: dict[str, Any]) -> dict[str, str]:
    """Sizes, parameters by their last words, the only value of a grid, and the horizon, as text.

    The horizon goes by its unit.
    """
    sizes = {name: str(report[name]) for name in SIZES if name in report}
    parameters = {symbol(name): number(x) for name, x in report["parameters"].items()}
    only = {symbol(report["along"]): number(report["at"])} if "at" in report else {}
    horizon, unit = report["horizon"], report["unit"]
    allowed = {"horizon": horizon} if isinstance(horizon, str) else {unit: number(horizon)}
    return {**sizes, **parameters, **only, **allowed}


def estimate(report: dict[str, Any], tells: bool = False) -> tuple[str, ...]:
    """The threshold or P(converged), its interval, and where it `tells`, the well initialized.

    Of a threshold that is out of its range, on which side.
    """
    key = "proportion" if "proportion" in report else "n50"
    given = report.get("conditional")
    conditional = [number(given[key]) if given else ""] if tells else []
    if edge := report.get("at_edge"):
        return beyond(edge, report["range"]), "", *conditional
    return number(report[key]), between(report["low"], report["high"]), *conditional


def _with_outcomes(
    table: Table, rows: Sequence[tuple[str, ...]], reports: Sequence[dict[str, Any]]
) -> Table:
    """The table with a column for every outcome that there is."""
    seen = [name for name in Outcome if any(report["outcomes"][name] for report in reports)]
    counts = [tuple(str(report["outcomes"][name]) for name in seen) for report in reports]
    return replace(
        table,
        headings=(*table.headings, *(name.lower() for name in seen)),
        rows=tuple((*row, *count) for row, count in zip(rows, counts, strict=True)),
    )


def _with_outcomes_as_words(table: Table, k: int) -> Table:
    """The table with its columns from the k-th on said in one."""
    outcomes = table.headings[k:]

    def said(counts: Sequence[Entry]) -> str:
        return ", ".join(
            f"{n} {name}" for n, name in zip(counts, outcomes, strict=True) if n != "0"
        )

    rows = tuple((*row[:k], said(row[k:])) for row in table.rows)
    return replace(table, headings=(*table.headings[:k], "trials"), rows=rows, words=(0, k))


def _knowledge(slice: SliceReport) -> tuple[str, str, str]:
    """The threshold or P(converged), half its interval, and the half asked for."""
    if not slice.waits:
        return "", "", ""
    if slice.is_point:
        (tally,) = slice.tallies()
        low, high = wilson(tally.converged, tally.trials)
        return f"P = {tally.converged / tally.trials:.3g}", f"{50 * (high - low):.1f} %", ""
    posterior = slice.posterior()
    asked = ""
    if isinstance(slice.plan, ThresholdPlan):
        asked = f"{100 * slice.plan.relative_half_width:.1f} %"
    return f"{posterior.median:.4g}", f"{100 * posterior.relative_half_width:.1f} %", asked
