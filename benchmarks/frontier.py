"""Evaluations against bias: which solver, error norm and tolerance the flow should have.

`python -m benchmarks.frontier` runs the same trials of experiment 1.2 (arXiv 2502.16977, d = 30,
p = 100) at an easy n, a middle one and one near the threshold, under every variant, and compares
the logarithms of their convergence times, trial by trial, with those of a flow at a tolerance
small enough to be unbiased. It writes benchmarks/results/frontier.json and frontier.png; the
default of `GradientFlow` is the variant filled in black. Some ten minutes on two cores.
"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

if "xla_cpu_multi_thread_eigen" not in os.environ.get("XLA_FLAGS", ""):
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false"
    os.environ["XLA_FLAGS"] = flags.strip()

import diffrax
import jax.numpy as jnp
import numpy as np

from benchmarks.machine import description
from jaxflow import GradientFlow, LocalRunner, Outcome, Point, Row, Trial, plot
from jaxflow.core.trees import norm
from jaxflow.flow.controller import GroupWise
from jaxflow.flow.events import Certificate
from jaxflow.papers.bounds import published_horizon
from jaxflow.problems.geometry import ByRow, Geometry
from jaxflow.problems.shallow.network import Parameters
from jaxflow.problems.shallow.neurons import Neurons
from jaxflow.problems.shallow.shallow_network import ShallowNetwork

D, P = 30, 100
CASES = {300: 64, 800: 32, 1350: 16}  # n and trials
RESULTS = Path(__file__).parent / "results"


class LayersAlike(Neurons):
    """Errors of the output weights count as much as those of the others."""

    def weighed(self, squares: Parameters) -> Parameters:
        """As they are."""
        return squares


ALIKE = LayersAlike()


@dataclass(frozen=True)
class Variant(GradientFlow):
    """A flow whose step is judged in another norm."""

    judge: str = "neuron"

    def make_controller(self, geometry: Geometry = ByRow()) -> diffrax.AbstractStepSizeController:
        """The controller of the norm named."""
        if self.judge == "neuron":
            return GroupWise(self.rtol, self.atol, geometry)
        if self.judge == "neuron, layers alike":
            return GroupWise(self.rtol, self.atol, ALIKE)
        return Judge(self.rtol, self.atol, judge=self.judge)

    @property
    def label(self) -> str:
        """What is varied, without the tolerance."""
        return f"{self.solver}, per {self.judge}"


class Judge(GroupWise):
    """Errors per entry of theta, or of all theta at once."""

    judge: str = "entry"

    def adapt_step_size(self, t0, t1, y0, y1, data, error, order, state):  # type: ignore[no-untyped-def]
        """Keep or reject, and the next step."""
        count = (data.d + 1) * data.p if self.judge == "entry" else 1
        view = (lambda y: y) if self.judge == "entry" else norm
        pid = diffrax.PIDController(
            rtol=self.rtol,
            atol=self.atol,
            factormax=self.factormax,
            norm=lambda scaled: norm(scaled) / jnp.sqrt(jnp.asarray(count, jnp.float32)),
        )
        return pid.adapt_step_size(t0, t1, view(y0), view(y1), data, view(error), order, state)


REFERENCE = Variant("RKC2", 0.01, 0.001, judge="entry")
VARIANTS = [
    *(Variant("RKC2", rtol, rtol / 10) for rtol in (0.2, 0.1, 0.05)),
    *(Variant("RKC2", rtol, rtol / 10, judge="neuron, layers alike") for rtol in (0.06, 0.03)),
    *(Variant("RKC2", rtol, rtol / 10, judge="entry") for rtol in (0.2, 0.1, 0.05)),
    *(Variant("RKC2", rtol, 1e-6, judge="network") for rtol in (0.02, 0.01)),
    *(Variant("RKC1", rtol, rtol / 10) for rtol in (0.1, 0.05)),
]


def trials(n: int, count: int) -> list[Trial]:
    """The first trials of a point, with a horizon that most reach their end in."""
    return [Trial("flow", Point(D, n, P), i, 2 * published_horizon(n, P)) for i in range(count)]


def rows_of(variant: GradientFlow, n: int) -> list[Row]:
    """All trials of one n under one variant."""
    with LocalRunner(ShallowNetwork(), {"flow": variant}, event=Certificate(1.0)) as runner:
        return runner.run(trials(n, CASES[n]))


def compared(variant: Variant, n: int, rows: list[Row], exact: list[Row]) -> dict[str, object]:
    """Evaluations a trial and the bias of convergence times with its standard error, in percent."""
    ratios = [
        np.log(row.flow_time / reference.flow_time)
        for row, reference in zip(rows, exact, strict=True)
        if row.outcome is reference.outcome is Outcome.CONVERGED
    ]
    return {
        "n": n,
        "variant": variant.label,
        "rtol": variant.rtol,
        "evaluations": float(np.mean([row.evaluations for row in rows])),
        "bias_percent": 100 * float(np.mean(ratios)),
        "standard_error": 100 * float(np.std(ratios, ddof=1) / np.sqrt(len(ratios))),
        "converged": sum(row.outcome is Outcome.CONVERGED for row in rows),
        "converged_reference": sum(row.outcome is Outcome.CONVERGED for row in exact),
        "drift_percent": 100 * max(row.balancedness_drift for row in rows),
    }


def draw(records: list[dict[str, object]]) -> None:
    """Bias against evaluations, a panel for each n; lines join the tolerances of a variant."""
    import matplotlib.pyplot as plt

    default = GradientFlow()
    chosen = Variant(default.solver, default.rtol, default.atol)
    all_x = lambda n: [float(str(r["evaluations"])) for r in records if r["n"] == n]  # noqa: E731
    labels = list(dict.fromkeys(str(r["variant"]) for r in records))
    with plot.style():
        figure, axes = plt.subplots(1, len(CASES), figsize=(9, 3.4), sharey=True)
        for ax, n in zip(axes, CASES, strict=True):
            ax.axhspan(-2, 2, color="0.92", zorder=0)
            for marker, label in zip("os^Dv", labels, strict=False):
                here = [r for r in records if r["n"] == n and r["variant"] == label]
                x, y, e = (
                    [r[k] for r in here] for k in ("evaluations", "bias_percent", "standard_error")
                )
                e = 1.96 * np.array(e, float)
                ax.errorbar(x, y, e, marker=marker, capsize=2, lw=1, ms=5, mfc="white", label=label)
                for r in here:
                    if (label, r["rtol"]) == (chosen.label, chosen.rtol):
                        ax.plot(
                            r["evaluations"], r["bias_percent"], marker, color="black", zorder=5
                        )
            ax.set(title=f"n = {n}", xlabel="field evaluations a trial", xscale="log")
            ticks = [100 * k for k in (1, 2, 4, 8, 16) if 0.7 * min(all_x(n)) < 100 * k]
            ax.set_xticks(ticks, [str(tick) for tick in ticks])
            ax.minorticks_off()
        axes[0].set_ylabel("bias of the convergence time (%)")
        handles = axes[0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=3, title="black: the default")
        figure.savefig(RESULTS / "frontier.png")


def main() -> None:
    """Measure, write, draw; `--draw` draws what was measured before."""
    if "--draw" in sys.argv[1:]:
        draw(json.loads((RESULTS / "frontier.json").read_text())["measurements"])
        return
    records = []
    for n in CASES:
        exact = rows_of(REFERENCE, n)
        for variant in VARIANTS:
            records.append(compared(variant, n, rows_of(variant, n), exact))
            print(json.dumps(records[-1]), flush=True)
    written = {"machine": description(), "reference": REFERENCE.label, "measurements": records}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "frontier.json").write_text(json.dumps(written, indent=2) + "\n")
    draw(records)


if __name__ == "__main__":
    main()
