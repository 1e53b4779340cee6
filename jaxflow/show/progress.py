"""How a run looks while it runs: bars on a terminal or in a notebook, text in a log."""

import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from math import isfinite
from typing import NamedTuple, Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bars
from rich.text import Text

from jaxflow.core.errors import printable
from jaxflow.sampling.plane_search import PlaneSearch
from jaxflow.sampling.search import Search
from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.show.text import counted, duration, sought
from jaxflow.study.forecast import expected_trials
from jaxflow.study.run import Progress

TERMINAL_INTERVAL = 0.5  # seconds between two updates
LOG_INTERVALS = 5.0, 60.0  # at first, and after an hour: a sixtieth of the time gone
RATE_WINDOW = 20.0  # seconds over which the rate is taken: compilation comes first and ends
RATE_TRIALS = 4  # and trials, where they take longer
RATE_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0}
MOST_BARS = 16  # on a terminal; beyond, a bar for all
MOST_TOLD = 4  # in a line of a log; beyond, how many have finished
MOST_WORKERS = 4  # whose rates are told each; beyond, the slowest and the fastest


class _Mark(NamedTuple):
    """Trials done by a time, and of each worker of a cluster."""

    time: float
    trials: int
    done: dict[str, int]


class _Bars(Bars):
    """Bars, and a line of text below them."""

    below = ""

    def get_renderables(self) -> Iterator[RenderableType]:
        yield self.make_tasks_table(self.tasks)
        yield Text(self.below)


class Monitor:
    """Listens to a run, inside a `with`: `with Monitor() as monitor: run(study, folder, ...)`.

    It writes to `console`, standard error if none is given.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self._is_live = self.console.is_terminal or _has_widgets(self.console)
        self._marks: deque[_Mark] = deque([_Mark(time.monotonic(), 0, {})])
        self._announced = False
        self._began = self._last = time.monotonic()  # it was last told where the run stands
        self._tasks: dict[int, TaskID] = {}
        self._bars = _Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[state]}", markup=False),
            console=self.console,
            transient=True,
            disable=not self._is_live,
        )

    def __enter__(self) -> Self:
        self._began = self._last = time.monotonic()
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_live:  # some versions of rich end bars that were never drawn with a line
            self._bars.stop()

    def __call__(self, progress: Progress) -> None:
        """Show where the run stands, if it is time to."""
        if not self._announced and not all(search.finished for search in progress.searches):
            self._announced = True
            known = counted(progress.known, "trial")
            self._say(f"{_searched(progress.searches)}, {known} known; compiling")
        now = time.monotonic()
        if not self._is_due(progress, now):
            return
        self._last = now
        tail = self._outlook(progress, now)
        if self._is_live:
            self._show(progress.searches, tail)
        else:
            self._say(f"{counted(progress.ended, 'trial')}: {_told(progress.searches)}; {tail}")

    def _say(self, text: str) -> None:
        self.console.print(text, soft_wrap=True, markup=False, highlight=False)

    def _is_due(self, progress: Progress, now: float) -> bool:
        """Whether it is time: at intervals, and as the first trials end."""
        is_first = progress.usage.trials > 0 and len(self._marks) == 1
        return is_first or now - self._last >= self._interval(now)

    def _interval(self, now: float) -> float:
        """Seconds between two updates; a log of many hours need not have thousands of lines."""
        if self._is_live:
            return TERMINAL_INTERVAL
        least, most = LOG_INTERVALS
        return min(max(least, (now - self._began) / 60), most)

    def _outlook(self, progress: Progress, now: float) -> str:
        """How fast trials end, and when all will have; before the first, what takes so long."""
        if not progress.usage.trials:
            doing = "running the first trials" if progress.usage.running else "compiling"
            return f"{doing}, {duration(now - self._began)} so far"
        self._mark(_Mark(now, progress.usage.trials, dict(progress.done)))
        left = progress.seconds_left - (now - self._marks[-1].time)
        known = f"about {duration(left)} left" if isfinite(left) else "too early to say how long"
        return f"{self._rates(now)}, {known}"

    def summary(self, progress: Progress) -> str:
        """What a run has done since the monitor was entered."""
        usage = progress.usage
        if not usage.trials:
            return f"finished already: {counted(progress.known, 'trial')}"
        wall, trials = time.monotonic() - self._began, counted(usage.trials, "trial")
        return (
            f"{trials} in {wall:.1f} s ({_rate(usage.trials / wall)}), "
            f"{usage.evaluations / usage.trials:.0f} evaluations a trial, lane utilization "
            f"{100 * usage.utilization:.0f} %, {counted(len(usage.programs), 'program')} compiled"
        )

    def _mark(self, mark: "_Mark") -> None:
        """Note where the run is if trials ended, and forget what the rate is not taken over."""
        marks = self._marks
        if mark.trials > marks[-1].trials:
            marks.append(mark)
        while (
            len(marks) > 2
            and mark.time - marks[1].time > RATE_WINDOW
            and mark.trials - marks[1].trials >= RATE_TRIALS
        ):
            marks.popleft()

    def _rates(self, now: float) -> str:
        """How fast trials end by now, and those of each worker."""
        first, last = self._marks[0], self._marks[-1]
        seconds = max(now - first.time, 1e-9)
        total = (last.trials - first.trials) / seconds
        of = {name: (n - first.done.get(name, 0)) / seconds for name, n in last.done.items()}
        if not of:
            return _rate(total)
        unit = _unit([total, *of.values()])
        scaled = {name: rate * RATE_UNITS[unit] for name, rate in sorted(of.items())}
        if len(of) > MOST_WORKERS:
            each = f"{min(scaled.values()):.1f} to {max(scaled.values()):.1f} each"
        else:
            each = ", ".join(f"{printable(name)} {rate:.1f}" for name, rate in scaled.items())
        return f"{_rate(total, unit)} by {counted(len(of), 'worker')} ({each})"

    def _show(self, searches: Sequence[Search | PlaneSearch], tail: str) -> None:
        self._bars.below = tail
        if len(searches) > MOST_BARS:
            total = sum(map(expected_trials, searches))
            ended = sum(len(search.ended) for search in searches)
            self._bar(0, _searched(searches), ended, total, _stages(searches))
            return
        for i, search in enumerate(searches):
            self._bar(i, title(search), len(search.ended), expected_trials(search), state(search))

    def _bar(self, i: int, name: str, completed: int, total: int, state: str) -> None:
        if i not in self._tasks:
            self._tasks[i] = self._bars.add_task(name, total=1, state="")
        self._bars.update(self._tasks[i], total=max(1, total), completed=completed, state=state)


def _told(searches: Sequence[Search | PlaneSearch]) -> str:
    """All searches in a line: each of a few, or counts of many."""
    if len(searches) > MOST_TOLD:
        return f"{_searched(searches)}, {_stages(searches)}"
    return "; ".join(f"{title(search)} {state(search)}" for search in searches)


def _stages(searches: Sequence[Search | PlaneSearch]) -> str:
    """How many have finished, have begun, and have not."""
    stages = Counter(
        "done" if search.finished else "under way" if search.rounds else "waiting"
        for search in searches
    )
    return ", ".join(f"{stages[name]} {name}" for name in ("done", "under way", "waiting"))


def _searched(searches: Sequence[Search | PlaneSearch]) -> str:
    """How many slices are searched, or planes."""
    what = "plane" if isinstance(searches[0], PlaneSearch) else "slice"
    return counted(len(searches), what)


def _has_widgets(console: Console) -> bool:
    """Whether a notebook can redraw what it shows."""
    return console.is_jupyter and find_spec("ipywidgets") is not None


def title(search: Search | PlaneSearch) -> str:
    """Which slice or plane is searched."""
    return printable(search.title)


def state(search: Search | PlaneSearch) -> str:
    """What is known by now: at the longest horizon, of the widest event."""
    if isinstance(search, PlaneSearch):
        return _band(search)
    if not isinstance(search.plan, ThresholdPlan) or not search.ended:
        return f"{len(search.ended)}/{expected_trials(search)}"
    last = [asked for asked in search.questions if asked.horizon == search.questions[-1].horizon]
    widest = max(last, key=lambda asked: search.posterior(asked).relative_half_width)
    posterior, name = (
        search.posterior(widest),
        f"{printable(widest.event)}: " if widest.event else "",
    )
    percent = 100 * posterior.relative_half_width
    return f"{name}{sought(search.plan.along)} = {posterior.median:.4g} ± {percent:.1f} %"


def _band(search: PlaneSearch) -> str:
    """How narrow the band of a boundary is, and at how many places trials ran."""
    if not search.ended:
        return f"{len(search.ended)}/{expected_trials(search)}"
    widest = max(search.widest(asked) for asked in search.questions)
    return f"{sought(search.along)} ± {100 * widest:.1f} % all over, {len(search.places)} slices"


def _unit(rates: Sequence[float]) -> str:
    """Of time, in which the least of these rates a second is shown as more than nothing."""
    least = min((rate for rate in rates if rate > 0), default=1.0)
    return next((name for name, unit in RATE_UNITS.items() if least * unit >= 0.1), "h")


def _rate(rate: float, unit: str = "") -> str:
    """Trials a second, or in a longer unit where they are slow."""
    unit = unit or _unit([rate])
    return f"{rate * RATE_UNITS[unit]:.1f} trials/{unit}"
