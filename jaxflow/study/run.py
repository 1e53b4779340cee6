"""Running a study: the sole place where sweep, engine and store meet."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxflow.core.types import Row, Trial
from jaxflow.engine.costs import check_coordinates, most_work
from jaxflow.engine.local import LocalRunner
from jaxflow.engine.reference import check_numerics
from jaxflow.engine.runner import Runner, Usage
from jaxflow.engine.settings import Lanes
from jaxflow.sampling.slice import Slice
from jaxflow.store.store import Store
from jaxflow.study.forecast import seconds_left, work
from jaxflow.study.study import Study


@dataclass
class Progress:
    """Where a run stands; handed to the listener after every harvest."""

    slices: list[Slice]
    usage: Usage
    workers: int
    known: int  # trials that were in the store before the run
    known_work: float = 0.0

    @property
    def ended(self) -> int:
        """Trials that have ended, those known before included."""
        return sum(len(slice.ended) for slice in self.slices)

    @property
    def proposed(self) -> int:
        """Trials proposed so far."""
        return sum(len(trials) for slice in self.slices for trials in slice.rounds)

    @property
    def seconds_left(self) -> float:
        """Expected wall-clock time until the end; infinite while nothing is known."""
        return seconds_left(self.slices, self.usage, self.known_work, self.workers)


def run(
    study: Study,
    folder: Path,
    lanes: Lanes = Lanes(),
    listener: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Run a study into its store, from where the store stands; a finished one ends at once.

    Every harvest is one transaction. Raises `ValueError` for a store that cannot be used; what
    was computed before an error or an interruption is in the store.
    """
    for dynamics in study.dynamics.values():
        check_coordinates(study.ensemble, dynamics, lanes.coordinates)
    with Store.open(folder, study.hash, study.json) as store:
        known = store.rows()
        board = _Board(study.slices())
        board.tell(known)
        progress = Progress(
            board.slices, Usage(), lanes.resolved().workers, len(known), sum(map(work, known))
        )
        waiting = board.propose()
        if waiting:
            check_numerics(study.precision)
            with LocalRunner(
                study.ensemble,
                study.dynamics,
                success=study.success,
                seed=study.seed,
                dtype=study.precision,
                lanes=lanes,
                recording=study.record,
            ) as runner:
                progress.usage = runner.usage
                _drive(runner, store, board, progress, waiting, listener)
        listener(progress)
    return progress


class _Board:
    """The slices of a run: rows in, trials out."""

    def __init__(self, slices: list[Slice]) -> None:
        self.slices = slices
        self._of = {(slice.dynamics, slice.base): slice for slice in slices}

    def tell(self, rows: Iterable[Row]) -> None:
        """Hand every row to its slice."""
        along = self.slices[0].plan.along
        mine: dict[Any, list[Row]] = defaultdict(list)
        for row in rows:
            mine[row.dynamics, row.point.moved(along, 0)].append(row)
        for place, found in mine.items():
            if place in self._of:
                self._of[place].tell(found)

    def propose(self) -> list[Trial]:
        """The new trials of all slices that have not ended yet, the most expensive first.

        A slice may propose once another has told it where to begin, so they are asked until no
        more comes.
        """
        trials: list[Trial] = []
        while new := [t for slice in self.slices for t in slice.propose()]:
            trials += [t for t in new if not self._of[self._place(t)].ended.get(t)]
        return sorted(trials, key=most_work, reverse=True)

    @property
    def finished(self) -> bool:
        """Whether nothing more is to come."""
        return all(slice.finished for slice in self.slices)

    def _place(self, trial: Trial) -> Any:
        return trial.dynamics, trial.point.moved(self.slices[0].plan.along, 0)


def _drive(
    runner: Runner,
    store: Store,
    board: _Board,
    progress: Progress,
    waiting: list[Trial],
    listener: Callable[[Progress], None],
) -> None:
    """Submit, harvest, store, propose, until every slice has finished."""
    runner.submit(waiting)
    while not board.finished:
        rows = runner.harvest(timeout=1.0)
        if rows:
            store.insert(rows, runner.trajectories(rows))
            board.tell(rows)
            runner.submit(board.propose())
        listener(progress)
