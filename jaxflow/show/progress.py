"""How a run looks while it runs: a bar a slice on a terminal, a line every few seconds in a log."""

import time
from collections import Counter, deque
from math import isinf
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from jaxflow.sampling.search import Search
from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.study.forecast import expected_trials
from jaxflow.study.run import Progress

TERMINAL_INTERVAL = 0.5  # seconds between two updates
LOG_INTERVAL = 5.0
RATE_WINDOW = 20.0  # seconds over which the rate is taken: compilation comes first and ends
MOST_BARS = 16  # on a terminal; beyond, a bar for all


class Monitor:
    """Listens to a run; a context manager."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._marks: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])
        self._announced = False
        self._last = float("-inf")
        self._tasks: dict[int, TaskID] = {}
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[state]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def __call__(self, progress: Progress) -> None:
        """Show where the run stands, if it is time to."""
        if not self._announced and not all(search.finished for search in progress.searches):
            self._announced = True
            self.console.print(
                f"{len(progress.searches)} thresholds, {progress.known} trials known; compiling"
            )
        now = time.monotonic()
        interval = TERMINAL_INTERVAL if self.console.is_terminal else LOG_INTERVAL
        if now - self._last < interval or progress.usage.trials == 0:
            return
        self._last = now
        rate = self._rate(now, progress.usage.trials)
        tail = f"{rate:.1f} trials/s, about {_duration(progress.seconds_left)} left"
        if self.console.is_terminal:
            self._show(progress.searches, tail)
        else:
            self.console.print(
                f"{progress.ended} trials: {self._summary(progress.searches)}; {tail}",
                soft_wrap=True,
            )

    def _rate(self, now: float, trials: int) -> float:
        """Trials a second over the last RATE_WINDOW seconds."""
        self._marks.append((now, trials))
        while len(self._marks) > 2 and now - self._marks[1][0] > RATE_WINDOW:
            self._marks.popleft()
        began, known = self._marks[0]
        return (trials - known) / max(now - began, 1e-9)

    def _show(self, searches: list[Search], tail: str) -> None:
        if len(searches) > MOST_BARS:
            line = f"{self._summary(searches)}  |  {tail}"
            total = sum(map(expected_trials, searches))
            self._bar(
                0, f"{len(searches)} thresholds", sum(len(c.ended) for c in searches), total, line
            )
            return
        for i, search in enumerate(searches):
            last = f"  |  {tail}" if i == len(searches) - 1 else ""
            total = expected_trials(search)
            self._bar(i, search.slice.title, len(search.ended), total, state(search) + last)

    def _bar(self, i: int, name: str, completed: int, total: int, state: str) -> None:
        if i not in self._tasks:
            self._tasks[i] = self._bars.add_task(name, total=1, state="")
        self._bars.update(self._tasks[i], total=max(1, total), completed=completed, state=state)

    def _summary(self, searches: list[Search]) -> str:
        """All searches in a line: each of a few, or counts of many."""
        if len(searches) <= 4:
            return "; ".join(f"{search.slice.title} {state(search)}" for search in searches)
        stages = Counter(
            "done" if search.finished else "under way" if search.rounds else "waiting"
            for search in searches
        )
        return ", ".join(f"{stages[name]} {name}" for name in ("done", "under way", "waiting"))


def state(search: Search) -> str:
    """What is known of a search's threshold by now: at the longest horizon."""
    if not isinstance(search.plan, ThresholdPlan) or not search.ended:
        return f"{len(search.ended)}/{expected_trials(search)}"
    posterior = search.posterior()
    symbol = "N" if search.plan.along == "n" else search.plan.along.rpartition(".")[2]
    return f"{symbol} = {posterior.median:.4g} ± {100 * posterior.relative_half_width:.1f} %"


def _duration(seconds: float) -> str:
    if isinf(seconds):
        return "some time"
    seconds = max(0, round(seconds))
    if seconds >= 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"
    return f"{seconds // 60} min {seconds % 60:02d} s" if seconds >= 60 else f"{seconds} s"
