"""Running a study: the sole place where sampling, engine and store meet."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from jaxflow.core.code import codes, codes_in
from jaxflow.core.machine import check_precision, configure_once, leave_accelerators
from jaxflow.core.types import Row, Trial
from jaxflow.engine.costs import Costs, check_coordinates
from jaxflow.engine.runner import Runner, Stopwatch, Usage
from jaxflow.engine.settings import Lanes
from jaxflow.sampling.design import Board, resumed
from jaxflow.sampling.part import Part
from jaxflow.sampling.plane_search import PlaneSearch
from jaxflow.sampling.search import Search
from jaxflow.store.file import FILE
from jaxflow.store.store import Store
from jaxflow.study.files import STUDY, write
from jaxflow.study.forecast import seconds_left
from jaxflow.study.keeping import Keeper
from jaxflow.study.protocol import SCHEMA
from jaxflow.study.runners import Cluster, runner_of
from jaxflow.study.stopping import Stopping
from jaxflow.study.study import Study
from jaxflow.study.trying import try_problem

log = logging.getLogger(__name__)
PATIENCE = 0.2  # seconds between two looks at whether a signal has come


@dataclass
class Progress:
    """Where a run stands; handed to the listener after every harvest."""

    searches: Sequence[Search | PlaneSearch]
    costs: Costs
    workers: int = 1
    usage: Usage = field(default_factory=Usage)
    done: Mapping[str, int] = field(default_factory=dict)  # trials by process of a cluster
    watch: Stopwatch = field(default_factory=Stopwatch)
    known: int = 0  # trials that were in the store before the run
    known_work: float = 0.0

    def note(self, runner: Runner) -> None:
        """Note what a runner has done by now, and with how many workers."""
        self.workers, self.usage, self.done = runner.parallel, runner.usage, runner.done

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
        return seconds_left(self.searches, self.costs, self.usage, self.known_work, self.workers)


def run(
    study: Study,
    folder: str | Path,
    lanes: Lanes = Lanes(),
    listener: Callable[[Progress], None] = lambda progress: None,
    *,
    part: Part = Part(),
    cluster: Cluster | None = None,
    fingerprint: str = "",
    is_kept: bool = True,
) -> Progress:
    """Run a study into its store, from where the store stands; a finished one ends at once.

    Or a part of it, to be merged with the others; one of many parts may have no trials. The store
    may hold trials of other designs of the same protocol: those that this one asks for are not run
    again, but for undecided ones that are allowed more time now. Raises `ValueError` for a store
    that cannot be used, for a study that means nothing outside this process, unless its store is
    not to be kept, and for laws that break their word; what was computed before an error is in the
    store, but for a last moment. Ctrl-C and SIGTERM end it as stopping.py says, by `Stopped`, a
    `KeyboardInterrupt`.

    Trials run on the threads of this process, or on the processes of a `cluster`, to the same rows.
    `fingerprint` tells the study file from others, as `study.files.fingerprint` makes it.
    """
    folder = Path(folder)
    if cluster is not None:
        leave_accelerators()
    configure_once()
    check_precision(study.precision)
    for dynamics in study.dynamics.values():
        dynamics.check_precision(study.precision)
        check_coordinates(study.problem, dynamics, lanes.coordinates)
    if is_kept:
        SCHEMA.check_storable(study)
    watch = Stopwatch()
    is_new = not (folder / FILE).exists()
    if is_new:
        with watch.of("checks"):
            try_problem(study)
    with Store.open(folder, study.protocol.hash, study.protocol.json) as store:
        store.begin(study.design.hash, study.design.json, part.source(fingerprint))
        write(folder / STUDY, study.to_toml())
        with watch.of("statistics"):
            asked = partial(store.asked, study.design.hash)
            outline, rows = study.protocol.outline, store.rows()
            _tell_of_other_code(study, rows)
            board, proposed = resumed(study.design, outline, rows, asked, part)
        costs = Costs(study.problem, study.dynamics)
        progress = Progress(board.searches, costs, watch=watch)
        store.ask(study.design.hash, proposed)
        waiting = board.missing(proposed)
        progress.known = progress.ended
        progress.known_work = sum(
            costs.spent(row) for s in board.searches for row in s.ended.values()
        )
        if waiting and not is_new:
            with watch.of("checks"):
                try_problem(study)
        if waiting:
            with (
                runner_of(study, lanes, cluster) as runner,
                Keeper(store, study.design.hash, runner, watch) as keeper,
            ):
                _drive(keeper, board, runner, waiting, progress, listener)
        listener(progress)
    return progress


def _tell_of_other_code(study: Study, rows: Sequence[Row]) -> None:
    """Warn where trials of the store were run by another code of the user's modules."""
    now = codes_in(" ".join(codes((study.problem, study.dynamics, study.protocol.by_name))))
    others: Counter[str] = Counter()
    for words, count in Counter(row.versions for row in rows).items():
        then = codes_in(words)
        others.update({m: count for m in now.keys() & then.keys() if then[m] != now[m]})
    for module, count in others.items():
        log.warning(
            "%s is not the code that ran %d trials of this store: if it decides otherwise now, run "
            "into another folder, or give the class another `version`", module, count,
        )  # fmt: skip


def _drive(
    keeper: Keeper,
    board: Board,
    runner: Runner,
    waiting: list[Trial],
    progress: Progress,
    listener: Callable[[Progress], None],
) -> None:
    """Submit, harvest, keep, propose, until every search has finished, or a signal comes."""

    def told(rows: list[Row]) -> list[Row]:
        keeper.add(rows)
        board.tell(rows)
        return rows

    def submit(trials: list[Trial]) -> None:
        runner.submit(sorted(trials, key=progress.costs.most, reverse=True))

    with Stopping() as stopping:  # left before the runner: what it waits for can be interrupted
        submit(waiting)
        while not board.finished and not stopping.look():
            with progress.watch.of("waiting for trials"):
                rows = runner.harvest(PATIENCE)
            progress.note(runner)
            if told(rows):
                with progress.watch.of("statistics"):
                    proposed = board.propose()
                keeper.ask(proposed)
                submit(board.missing(proposed))
            keeper.write()
            listener(progress)
        if stopping.look():
            for rows in runner.drain(PATIENCE):
                told(rows)
                keeper.write()
                if stopping.look() > 1:
                    break
            stopping.check()
