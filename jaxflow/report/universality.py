"""Ensembles held against the first: the thresholds of several stores at the places they share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from jaxflow.core.errors import mistake
from jaxflow.report.slices import SliceReport, slices, waiting
from jaxflow.statistics.universality import Differences, Verdict, differences, holm, verdict
from jaxflow.store.identity import differing
from jaxflow.store.store import Store

SIZES = "d", "p", "n"  # what may be the size of a problem, the first that differs


class Place(NamedTuple):
    """A slice of an ensemble beside that of the first, both with a threshold."""

    first: SliceReport
    other: SliceReport


@dataclass(frozen=True, eq=False)
class Comparison:
    """An ensemble beside the first, of one dynamics and event at one horizon of each.

    `alone` counts the places that only one of them has, and `beyond` those where a threshold is out
    of its range; both are left out. `p` is that of the differences by Holm's correction for all the
    comparisons made together.
    """

    first: str
    other: str
    horizon: str
    horizons: tuple[int, int]  # their places among those of each
    places: tuple[Place, ...]
    alone: int
    beyond: int
    p: float = 1.0

    @property
    def name(self) -> str:
        """The dynamics, and which of several events."""
        return self.places[0].first.name

    @property
    def title(self) -> str:
        """Which ensembles, of which dynamics, by when."""
        return f"{self.other} against {self.first}: {self.name}, {self.horizon}"

    @property
    def along(self) -> str:
        """What a size of the problem is: the first of d, p and n that differs, else the first."""
        names = [name for name in SIZES if name != self.places[0].first.along]
        sizes = {name: {place.first.base[name] for place in self.places} for name in names}
        return next((name for name in names if len(sizes[name]) > 1), names[0])

    @cached_property
    def differences(self) -> Differences:
        """Those of the thresholds, in the order of the places."""
        sizes = [place.first.base[self.along] for place in self.places]
        sides = zip(*self.places, strict=True)
        posteriors = (
            [slice.posterior(h) for slice in side]
            for side, h in zip(sides, self.horizons, strict=True)
        )
        return differences(sizes, *posteriors)

    @cached_property
    def verdict(self) -> Verdict:
        """What the trials say of the difference."""
        return verdict(self.differences, self.along, p=self.p)

    def as_dict(self) -> dict[str, Any]:
        """All of it in numbers; differences are of log N, positive where N is above the first's."""
        found, common, trend = self.differences, self.differences.common, self.differences.trend
        return {
            "first": self.first,
            "other": self.other,
            "dynamics": self.places[0].first.dynamics,
            "event": self.places[0].first.event,
            "horizon": self.horizon,
            "verdict": self.verdict.kind,
            "text": self.verdict.text,
            "p": self.p,
            "p_unadjusted": found.p,
            "chi2": float(found.z @ found.z),
            "p_chi2": found.p_all,
            "p_normal": None if found.p_normal != found.p_normal else found.p_normal,
            "common": vars(common),
            "trend": None if trend is None else {"along": self.along, **vars(trend)},
            "places": list(self._places()),
            "left_out": {"alone": self.alone, "beyond": self.beyond},
        }

    def _places(self) -> Iterator[dict[str, Any]]:
        found = self.differences
        for place, value, error, z in zip(
            self.places, found.value, found.error, found.z, strict=True
        ):
            yield {
                **place.first.place,
                "difference": float(value),
                "error": float(error),
                "z": float(z),
            }


class Ensembles(NamedTuple):
    """The comparisons of several stores, and what their protocols do not share.

    `keys` has the value of every store by dotted name, as JSON.
    """

    names: tuple[str, ...]
    keys: dict[str, tuple[str, ...]]
    comparisons: list[Comparison]

    def as_dict(self) -> dict[str, Any]:
        """As printed by `jaxflow compare --json`."""
        made = [comparison.as_dict() for comparison in self.comparisons]
        return {"ensembles": self.names, "differing": self.keys, "comparisons": made}


def compare(folders: Sequence[str | Path], names: Sequence[str] | None = None) -> Ensembles:
    """Every ensemble against the first: a comparison for each dynamics, event and horizon.

    `names` are what the ensembles are called, their folders if not said. Slices are matched by
    dynamics, event, horizon and place; dynamics, events and horizons of one alone are passed over.
    Raises `ValueError` unless there are two folders or more,
    their stores scan one axis for an event, and each has a threshold at a place of the first.
    """
    if len(folders) < 2:
        raise mistake("two stores or more", len(folders), "name the folders of both")
    called = list(names or _names(folders))
    found = [waiting(slices(folder)) for folder in folders]
    axes = [of_one[0].along for of_one in found]
    if len(set(axes)) > 1:
        remedy = "compare stores that scan the same axis"
        raise mistake("one scanned axis", ", ".join(axes), remedy)
    protocols = []
    for folder in folders:
        with Store.read(folder) as store:
            protocols.append(store.protocol)
    made = [
        comparison
        for name, other in zip(called[1:], found[1:], strict=True)
        for comparison in _against(called[0], found[0], name, other)
    ]
    adjusted = holm([comparison.differences.p for comparison in made])
    comparisons = [replace(one, p=p) for one, p in zip(made, adjusted, strict=True)]
    return Ensembles(tuple(called), differing(protocols), comparisons)


def _names(folders: Sequence[str | Path]) -> list[str]:
    """The last parts of paths, or if two are alike, the paths."""
    names = [Path(folder).resolve().name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]


def _against(
    name: str, first: Sequence[SliceReport], other_name: str, other: Sequence[SliceReport]
) -> list[Comparison]:
    """The comparisons of one ensemble; `ValueError` where there is none."""
    ours, theirs = _by_horizon(first), _by_horizon(other)
    made: list[Comparison] = []
    for key in ours:
        if key not in theirs:
            continue
        (mine, h), (yours, k) = ours[key], theirs[key]
        shared = [Place(mine[base], yours[base]) for base in mine if base in yours]
        inside = [p for p in shared if _has(p.first, h) and _has(p.other, k)]
        alone, beyond = len(mine.keys() ^ yours.keys()), len(shared) - len(inside)
        if inside:
            horizon = key[-1]
            made.append(Comparison(name, other_name, horizon, (h, k), tuple(inside), alone, beyond))
    if not made:
        expected = f"a threshold of {other_name} at a place, dynamics and horizon of {name}"
        raise mistake(expected, "none", "run both at the same places")
    return made


def _by_horizon(
    found: Sequence[SliceReport],
) -> dict[tuple[str, str, str], tuple[dict[Any, SliceReport], int]]:
    """The slices by place, of every dynamics with its event, unit and horizon."""
    grouped: dict[tuple[str, str, str], tuple[dict[Any, SliceReport], int]] = {}
    for slice in found:
        for h, label in enumerate(slice.horizon.labels):
            here, _ = grouped.setdefault((slice.name, slice.unit_of_horizons, label), ({}, h))
            here[slice.base] = slice
    return grouped


def _has(slice: SliceReport, horizon: int) -> bool:
    return not (slice.is_point or slice.posterior(horizon).at_edge)
