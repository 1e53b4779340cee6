"""How a run looks while it runs: bars on a terminal or in a notebook, text in a log."""

import time
from collections import Counter, deque
from collections.abc import Iterator
from importlib.util import find_spec
from math import isinf
from typing import Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bars
from rich.text import Text

from jaxflow.core.errors import printable
from jaxflow.core.types import SIZES
from jaxflow.sampling.slice import Slice
from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.study.forecast import expected_trials
from jaxflow.study.run import Progress

TERMINAL_INTERVAL = 0.5  # seconds between two updates
LOG_INTERVAL = 5.0
RATE_WINDOW = 20.0  # seconds over which the rate is taken: compilation comes first and ends
MOST_BARS = 16  # on a terminal; beyond, a bar for all


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
        self._marks: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])
        self._announced = False
        self._last = float("-inf")
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
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def __call__(self, progress: Progress) -> None:
        """Show where the run stands, if it is time to."""
        if not self._announced and not all(slice.finished for slice in progress.slices):
            self._announced = True
            self._say(f"{len(progress.slices)} slices, {progress.known} trials known; compiling")
        now = time.monotonic()
        interval = TERMINAL_INTERVAL if self._is_live else LOG_INTERVAL
        if now - self._last < interval or progress.usage.trials == 0:
            return
        self._last = now
        rate = self._rate(now, progress.usage.trials)
        tail = f"{rate:.1f} trials/s, about {_duration(progress.seconds_left)} left"
        if self._is_live:
            self._show(progress.slices, tail)
        else:
            self._say(f"{progress.ended} trials: {self._summary(progress.slices)}; {tail}")

    def _say(self, text: str) -> None:
        self.console.print(text, soft_wrap=True, markup=False, highlight=False)

    def _rate(self, now: float, trials: int) -> float:
        """Trials a second over the last RATE_WINDOW seconds."""
        self._marks.append((now, trials))
        while len(self._marks) > 2 and now - self._marks[1][0] > RATE_WINDOW:
            self._marks.popleft()
        began, known = self._marks[0]
        return (trials - known) / max(now - began, 1e-9)

    def _show(self, slices: list[Slice], tail: str) -> None:
        self._bars.below = tail
        if len(slices) > MOST_BARS:
            total = sum(map(expected_trials, slices))
            ended = sum(len(slice.ended) for slice in slices)
            self._bar(0, f"{len(slices)} slices", ended, total, self._summary(slices))
            return
        for i, slice in enumerate(slices):
            self._bar(i, title(slice), len(slice.ended), expected_trials(slice), state(slice))

    def _bar(self, i: int, name: str, completed: int, total: int, state: str) -> None:
        if i not in self._tasks:
            self._tasks[i] = self._bars.add_task(name, total=1, state="")
        self._bars.update(self._tasks[i], total=max(1, total), completed=completed, state=state)

    def _summary(self, slices: list[Slice]) -> str:
        """All slices in a line: each of a few, or counts of many."""
        if len(slices) <= 4:
            return "; ".join(f"{title(slice)} {state(slice)}" for slice in slices)
        stages = Counter(
            "done" if slice.finished else "under way" if slice.rounds else "waiting"
            for slice in slices
        )
        return ", ".join(f"{stages[name]} {name}" for name in ("done", "under way", "waiting"))


def _has_widgets(console: Console) -> bool:
    """Whether a notebook can redraw what it shows."""
    return console.is_jupyter and find_spec("ipywidgets") is not None


def title(slice: Slice) -> str:
    """Which slice it is."""
    along = slice.plan.along
    sizes = [f"{name}={slice.base[name]}" for name in SIZES if name != along]
    laws = [f"{k.rpartition('.')[2]}={x:g}" for k, x in slice.base.parameters if k != along]
    return printable(" ".join([slice.dynamics, *sizes, *laws]))


def state(slice: Slice) -> str:
    """What is known of a slice's threshold by now: at the longest horizon."""
    if not isinstance(slice.plan, ThresholdPlan) or not slice.ended:
        return f"{len(slice.ended)}/{expected_trials(slice)}"
    posterior = slice.posterior()
    symbol = "N" if slice.plan.along == "n" else slice.plan.along.rpartition(".")[2]
    return f"{symbol} = {posterior.median:.4g} ± {100 * posterior.relative_half_width:.1f} %"


def _duration(seconds: float) -> str:
    if isinf(seconds):
        return "some time"
    seconds = max(0, round(seconds))
    if seconds >= 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"
    return f"{seconds // 60} min {seconds % 60:02d} s" if seconds >= 60 else f"{seconds} s"
