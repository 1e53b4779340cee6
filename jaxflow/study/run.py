"""Running a study: the sole place where sampling, engine and store meet."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from jaxflow.core.machine import configure_once
from jaxflow.core.types import Trial
from jaxflow.engine.costs import check_coordinates, most_work
from jaxflow.engine.local import LocalRunner
from jaxflow.engine.reference import check_numerics
from jaxflow.engine.runner import Usage
from jaxflow.engine.settings import Lanes
from jaxflow.problems.shallow.trying import try_laws
from jaxflow.sampling.design import Board
from jaxflow.sampling.search import Search
from jaxflow.store.store import Store
from jaxflow.study.drawing import ensemble_of
from jaxflow.study.files import STUDY, write
from jaxflow.study.forecast import seconds_left, work
from jaxflow.study.protocol import SCHEMA
from jaxflow.study.study import Study


@dataclass
class Progress:
    """Where a run stands; handed to the listener after every harvest."""

    searches: list[Search]
    workers: int
    usage: Usage = field(default_factory=Usage)
    known: int = 0  # trials that were in the store before the run
    known_work: float = 0.0

    @property
    def ended(self) -> int:
        """Trials that have ended, those known before included."""
        return sum(len(search.ended) for search in self.searches)

    @property
    def proposed(self) -> int:
        """Trials proposed so far."""
        return sum(len(search.proposed) for search in self.searches)

    @property
    def seconds_left(self) -> float:
        """Expected wall-clock time until the end; infinite while nothing is known."""
        return seconds_left(self.searches, self.usage, self.known_work, self.workers)


def run(
    study: Study,
    folder: Path,
    lanes: Lanes = Lanes(),
    listener: Callable[[Progress], None] = lambda progress: None,
    *,
    fingerprint: str = "",
    is_kept: bool = True,
) -> Progress:
    """Run a study into its store, from where the store stands; a finished one ends at once.

    The store may hold trials of other designs of the same protocol: those that this one asks for
    are not run again, but for undecided ones that are allowed more time now. Every harvest is one
    transaction. Raises `ValueError` for a store that cannot be used, for a study that means nothing
    outside this process, unless its store is not to be kept, and for laws that break their word;
    what was computed before an error or an interruption is in the store.

    `fingerprint` tells the study file from others, as `study.files.fingerprint` makes it.
    """
    configure_once()
    for dynamics in study.dynamics.values():
        check_coordinates(study.ensemble, dynamics, lanes.coordinates)
    if is_kept:
        SCHEMA.check_storable(study)
    with Store.open(folder, study.protocol.hash, study.protocol.json) as store:
        store.begin(study.design.hash, study.design.json, fingerprint)
        write(folder / STUDY, study.to_toml())
        board = Board(study.design.searches(study.dynamics), study.design.along)
        board.tell(store.rows())
        progress = Progress(board.searches, lanes.resolved().workers)
        waiting = _ask(store, board, study.design.hash)
        progress.known = progress.ended
        progress.known_work = sum(work(row) for s in board.searches for row in s.ended.values())
        if waiting:
            check_numerics(study.precision)
            try_laws(ensemble_of(study, waiting[0]), waiting[0].point, study.seed)
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
                runner.submit(waiting)
                while not board.finished:
                    rows = runner.harvest(timeout=1.0)
                    if rows:
                        store.insert(rows, runner.trajectories(rows))
                        board.tell(rows)
                        runner.submit(_ask(store, board, study.design.hash))
                    listener(progress)
        listener(progress)
    return progress


def _ask(store: Store, board: Board, design_hash: str) -> list[Trial]:
    """Propose, note what is asked for, and give what has to be run, the most expensive first."""
    asked = board.propose()
    if asked:
        store.ask(design_hash, asked)
    return sorted(board.missing(asked), key=most_work, reverse=True)
