"""How a run looks: bars on a terminal, text in a log, whatever the names."""

import time
from dataclasses import dataclass, field
from io import StringIO

import pytest
from rich.console import Console
from simulated import base_point, row

from jaxflow.sampling.axes import Horizon
from jaxflow.sampling.search import Search
from jaxflow.sampling.slice import Slice
from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.show.progress import Monitor


@dataclass
class Usage:
    trials: int = 3
    running: int = 0


@dataclass
class Progress:
    """Where a run stands."""

    searches: list[Search]
    usage: Usage = field(default_factory=Usage)
    known: int = 0
    ended: int = 3
    seconds_left: float = 90.0
    done: dict[str, int] = field(default_factory=dict)


def under_way(name: str) -> Search:
    plan = ThresholdPlan(low=10, high=1000)
    search = Search(Slice(name, base_point("n"), plan, Horizon()))
    search.tell([row(trial, trial.point.n < 100) for trial in search.propose()])
    return search


def shown(console: Console, *names: str) -> str:
    with Monitor(console) as monitor:
        monitor(Progress([under_way(name) for name in names]))
    return console.file.getvalue()


def test_a_log_has_a_line_for_what_is_known():
    text = shown(Console(file=StringIO(), width=80), "flow", "[red]a\nb")
    first, second = text.splitlines()
    assert first == "2 slices, 0 trials known; compiling"
    assert second.startswith("3 trials: flow d=100 p=37 N = ")
    assert r"[red]a\nb d=100 p=37" in second and second.endswith("about 1 min 30 s left")


def test_a_log_counts_the_stages_of_many():
    text = shown(Console(file=StringIO(), width=80), *"abcde")
    assert "\n3 trials: 5 slices, 0 done, 5 under way, 0 waiting; " in text


def test_before_the_first_trial_ends_a_log_tells_what_is_done(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    console, searches = Console(file=StringIO(), width=200), [under_way("flow")]
    with Monitor(console) as monitor:
        for second in range(12):
            clock[0] = float(second)
            monitor(Progress(searches, Usage(trials=0, running=int(second > 7))))
    first, *others = console.file.getvalue().splitlines()
    assert first.endswith("0 trials known; compiling")
    assert [line.split("; ")[-1] for line in others] == [
        "compiling, 5 s so far",
        "running the first trials, 10 s so far",
    ]


def test_a_terminal_of_80_columns_has_bars_and_what_is_left_below():
    console = Console(file=StringIO(), width=80, force_terminal=True, color_system=None)
    text = shown(console, "flow", "[red]a\x1b[31m")
    assert "about 1 min 30 s left" in text
    assert r"[red]a\x1b[31m d=100 p=37" in text
    assert "…" not in text


def test_a_console_need_not_be_given(capsys):
    with Monitor() as monitor:
        monitor(Progress([under_way("flow")]))
    assert "1 slice," in capsys.readouterr().err


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([30, 10], "4.0 trials/s by 2 workers (0 3.0, [b]1\\x1b 1.0), about"),
        ([20] * 4 + [10], "9.0 trials/s by 5 workers (1.0 to 2.0 each), about"),
        ([40], "4.0 trials/s by 1 worker (0 4.0), about"),
    ],
)
def test_of_a_cluster_the_rates_of_the_workers_are_told(counts, said):
    done = {f"[b]{i}\x1b" if i == 1 else str(i): n for i, n in enumerate(counts)}
    console = Console(file=StringIO(), width=200)
    with Monitor(console) as monitor:
        monitor._marks[0] = monitor._marks[0]._replace(time=time.monotonic() - 10)
        monitor(Progress([under_way("flow")], Usage(trials=sum(counts)), done=done))
    assert said in console.file.getvalue()


def test_a_forecast_that_is_none_says_so():
    console = Console(file=StringIO(), width=200)
    with Monitor(console) as monitor:
        monitor(Progress([under_way("flow")], seconds_left=float("inf")))
    assert console.file.getvalue().endswith(" trials/s, too early to say how long\n")


def test_slow_trials_have_a_rate_and_the_time_left_runs_down(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    console, searches = Console(file=StringIO(), width=200), [under_way("flow")]
    with Monitor(console) as monitor:
        for second in range(0, 7205, 5):  # a trial ends every 100 s
            clock[0] = float(second)
            monitor(Progress(searches, Usage(trials=second // 100), seconds_left=3600.0))
    lines = [line for line in console.file.getvalue().splitlines() if "trials/" in line]
    assert lines[0].endswith("; 0.6 trials/min, about 1 h 00 min left")
    assert lines[1].endswith("; 0.6 trials/min, about 59 min 55 s left")
    rates = [float(line.split("; ")[-1].split(" trials/min")[0]) for line in lines]
    assert all(0.5 <= rate <= 0.7 for rate in rates[100:])
    assert len(lines) < 360  # 1421 at the first interval
