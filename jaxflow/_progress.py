"""How a run looks while it runs: a bar a cell on a terminal, a line every few seconds in a log."""

import time
from collections import deque
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from jaxflow.study import Progress
from jaxflow.sweep import EXPLORING, Cell, Posterior, ThresholdPlan

TERMINAL_INTERVAL = 0.5  # seconds between two updates
LOG_INTERVAL = 5.0
RATE_WINDOW = 20.0  # seconds over which the rate is taken: compilation comes first and ends
TYPICAL_TRIALS = 48  # to find the order of magnitude and some of the shape


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
        if not self._announced and not all(cell.finished for cell in progress.cells):
            self._announced = True
            self.console.print(
                f"{len(progress.cells)} thresholds, {progress.known} trials known; compiling"
            )
        now = time.monotonic()
        interval = TERMINAL_INTERVAL if self.console.is_terminal else LOG_INTERVAL
        if now - self._last < interval or progress.usage.trials == 0:
            return
        self._last = now
        total = sum(expected_trials(cell) for cell in progress.cells)
        rate = self._rate(now, progress.usage.trials)
        left = _duration((total - progress.ended) / rate) if rate else "some time"
        tail = f"{rate:.1f} trials/s, about {left} left"
        if self.console.is_terminal:
            self._show(progress.cells, tail)
        else:
            cells = "; ".join(f"{title(cell)} {state(cell)}" for cell in progress.cells)
            self.console.print(f"{progress.ended} trials: {cells}; {tail}", soft_wrap=True)

    def _rate(self, now: float, trials: int) -> float:
        """Trials a second over the last RATE_WINDOW seconds."""
        self._marks.append((now, trials))
        while len(self._marks) > 2 and now - self._marks[1][0] > RATE_WINDOW:
            self._marks.popleft()
        began, known = self._marks[0]
        return (trials - known) / max(now - began, 1e-9)

    def _show(self, cells: list[Cell], tail: str) -> None:
        for i, cell in enumerate(cells):
            if i not in self._tasks:
                self._tasks[i] = self._bars.add_task(title(cell), total=1, state="")
            last = i == len(cells) - 1
            self._bars.update(
                self._tasks[i],
                total=max(1, expected_trials(cell)),
                completed=len(cell.converged),
                state=state(cell) + (f"  |  {tail}" if last else ""),
            )


def title(cell: Cell) -> str:
    """Which cell it is."""
    return f"{cell.dynamics} d={cell.d} p={cell.p}"


def state(cell: Cell) -> str:
    """What is known of a cell's threshold by now."""
    tallies = cell.tallies()
    if not isinstance(cell.plan, ThresholdPlan) or not tallies:
        return f"{len(cell.converged)}/{expected_trials(cell)}"
    posterior = Posterior(tallies, cell.plan.low, cell.plan.high)
    return f"N = {posterior.median:.0f} ± {100 * posterior.relative_half_width:.1f} %"


def expected_trials(cell: Cell) -> int:
    """A guess of how many trials the cell takes: its interval shrinks like 1/sqrt(trials)."""
    proposed = sum(map(len, cell.rounds))
    tallies = cell.tallies()
    if cell.exhausted or not isinstance(cell.plan, ThresholdPlan) or not tallies:
        return proposed
    posterior = Posterior(tallies, cell.plan.low, cell.plan.high)
    width, wanted = posterior.relative_half_width, cell.plan.relative_half_width
    ended = sum(tally.trials for tally in tallies)
    if width > EXPLORING / 4:  # too early for the law
        guess = TYPICAL_TRIALS * max(1.0, 0.04 / wanted) ** 2
    else:
        guess = ended * max(1.0, width / wanted) ** 2
    return int(min(max(guess, proposed), cell.plan.max_trials))


def _duration(seconds: float) -> str:
    seconds = max(0, round(seconds))
    return f"{seconds // 60} min {seconds % 60:02d} s" if seconds >= 60 else f"{seconds} s"
