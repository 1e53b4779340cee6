"""The threshold of anything that can be tried: another framework, a simulation, an experiment.

    box = BlackBox(low=50, high=1000, relative_half_width=0.1)
    while trials := box.ask():
        for x in trials:
            box.tell(x, happened=my_experiment(x))
    print(box)
    box.plot("threshold.png")

What comes out is what a study gives: the same posterior, interval and picture.
"""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from jaxflow import plot
from jaxflow.core.checks import whole
from jaxflow.core.errors import mistake
from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.show.figures import drawn, save
from jaxflow.statistics.counts import Tally, wilson
from jaxflow.statistics.posterior import Posterior


class BlackBox:
    """Says where to try next, is told what happened, and knows where P(event) crosses one half.

    `low` and `high` bound what is scanned, whole numbers if `along` is "n"; the other arguments are
    those of `ThresholdPlan`. `counts` are trials made before: by place, how often the event
    happened of how many. What is asked for is a function of what was told, whatever the order.
    """

    def __init__(
        self,
        low: float,
        high: float,
        relative_half_width: float = 0.05,
        *,
        along: str = "n",
        rising: bool = False,
        batch: int = 24,
        max_trials: int = 2000,
        counts: Mapping[float, tuple[int, int]] | None = None,
    ) -> None:
        self.plan = ThresholdPlan(low, high, relative_half_width, batch, max_trials, along, rising)
        self._counts: dict[float, tuple[int, int]] = {}
        for x, (happened, trials) in (counts or {}).items():
            self.tell(x, happened, trials)

    def ask(self) -> list[float]:
        """Where to try next, an entry a trial; nothing when the interval is as narrow as asked.

        Asked again without being told anything, it says the same.
        """
        known = sum(trials for _, trials in self._counts.values())
        asked = self.plan.ask(self.counts, known)
        return [x for x, trials in asked for _ in range(trials)]

    def tell(self, x: float, happened: bool | int, trials: int = 1) -> None:
        """That the event happened, or so often of so many `trials`, at x.

        Raises `ValueError` for an x outside the range, or more events than trials.
        """
        trials, count = whole("trials", trials, least=1), whole("happened", int(happened), least=0)
        if not self.plan.low <= x <= self.plan.high:
            expected = f"x from {self.plan.low:g} to {self.plan.high:g}"
            raise mistake(expected, x, "widen the range of the BlackBox")
        if count > trials:
            raise mistake(f"happened <= {trials} trials", count, "count each trial once")
        before = self._counts.get(x, (0, 0))
        self._counts[float(x)] = before[0] + count, before[1] + trials

    @property
    def counts(self) -> tuple[Tally, ...]:
        """What was told, by place."""
        return tuple(Tally(x, *count) for x, count in sorted(self._counts.items()))

    @property
    def posterior(self) -> Posterior:
        """Of the threshold: `.median`, `.interval()`, `.curve(x)`."""
        return self.plan.posterior(self.counts)

    def plot(self, path: str | PathLike[str] | None = None) -> Figure:
        """P(event) along what is scanned, with its band and the threshold."""
        with drawn(self._figure) as made:
            if path is not None:
                save(made, Path(path))
            return made

    def _figure(self) -> Figure:
        import matplotlib.pyplot as plt

        figure, ax = plt.subplots(figsize=(6.4, 3.8))
        extent = (self.plan.low, self.plan.high)
        plot.phase_axes(ax, extent, self.plan.along)
        ax.set_ylabel("P(event)")
        if self.counts:
            x, happened, trials = np.array([(t.x, t.converged, t.trials) for t in self.counts]).T
            lows, highs = wilson(happened, trials)
            label = f"{trials.sum():g} trials"
            plot.proportions(
                x, happened / trials, lows, highs, trials, ax=ax, series=plot.FLOW, label=label
            )
            grid = np.geomspace(*extent, 300)
            plot.band(grid, *self.posterior.curve(grid), ax=ax, series=plot.FLOW)
            if not self.posterior.at_edge:
                median = self.posterior.median
                low, high = self.posterior.interval()
                said = f"{median:.3g} [{low:.3g}, {high:.3g}]"
                plot.threshold(median, low, high, ax=ax, series=plot.FLOW, label=said)
            figure.legend(loc="outside lower center")
        return figure

    def __repr__(self) -> str:
        trials = sum(trials for _, trials in self._counts.values())
        if not trials:
            return f"BlackBox({self.plan.low:g} to {self.plan.high:g}): nothing told yet"
        low, high = self.posterior.interval()
        where = {"above": f"> {self.plan.high:g}", "below": f"< {self.plan.low:g}"}
        said = where.get(
            self.posterior.at_edge, f"{self.posterior.median:.4g} [{low:.4g}, {high:.4g}]"
        )
        return f"BlackBox: P(event) crosses 1/2 at {said}, after {trials} trials"
