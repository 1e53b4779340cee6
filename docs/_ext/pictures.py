"""The small pictures of docs/concepts.md, as SVG in the colours of the text around them."""

from collections.abc import Callable
from io import StringIO

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

BLUE, RED, GREEN, GREY = "#2a78b5", "#c8553d", "#4c9a5b", "#888888"


def outcomes(ax: Axes) -> None:
    """The loss of four trials against time, with the event's level and the horizon."""
    t, level = np.linspace(0, 1, 200), 0.1
    steep = np.exp(-5 * t)
    curves = {
        "CONVERGED": (t[steep > level], steep[steep > level], BLUE),
        "STALLED": (t[:120], 0.55 + 0.45 * np.exp(-14 * t[:120]), RED),
        "UNDECIDED": (t, np.exp(-1.3 * t), GREEN),
        "FAILED": (t[:30], 1 - t[:30] + 0.05 * np.sinh(20 * t[:30]), GREY),
    }
    for name, (x, y, colour) in curves.items():
        ax.plot(x, y, color=colour)
        ax.plot(x[-1], y[-1], "o", color=colour, ms=4)
        side = "right" if x[-1] > 0.9 else "left"
        ax.annotate(
            name,
            (x[-1], y[-1]),
            (-2, 9) if side == "right" else (6, 4),
            ha=side,
            textcoords="offset points",
            color=colour,
            fontsize=8,
        )
    ax.axhline(level, color="black", lw=0.8, ls="--")
    ax.axvline(1, color="black", lw=0.8)
    ax.text(0.02, level, "level of the event", va="bottom", fontsize=8)
    ax.text(0.99, 1.5, "horizon T", ha="right", va="top", fontsize=8)
    ax.set(xlabel="flow time", ylabel="loss", xlim=(0, 1.01), ylim=(0, 1.6))


def event(ax: Axes) -> None:
    """An observable at the ends of steps, and where between them it crosses a value."""
    t = np.array([0.0, 0.12, 0.27, 0.45, 0.66, 0.9])
    y = 1 - 1.6 * np.exp(-2.2 * t)
    ax.plot(t, y, "o-", color=BLUE, ms=4)
    ax.axhline(0, color="black", lw=0.8, ls="--")
    cross = t[1] + (t[2] - t[1]) * -y[1] / (y[2] - y[1])
    ax.plot(cross, 0, "D", color=RED, ms=6)
    ax.annotate("the event", (cross, 0), (10, -14), textcoords="offset points", color=RED)
    ax.set(xlabel="flow time, at the ends of steps", ylabel="margin")


def horizon(ax: Axes) -> None:
    """The transition by two times allowed."""
    n = np.geomspace(10, 400, 300)
    for N, name, colour, line in ((60, "by T", BLUE, "-"), (120, "by 4 T", RED, (0, (5, 2)))):
        ax.plot(n, 1 / (1 + (n / N) ** 6), color=colour, ls=line, label=name)
        ax.plot([N, N], [0, 0.5], color=colour, lw=0.8, ls=":")
    ax.axhline(0.5, color="black", lw=0.8, ls="--")
    ax.legend(frameon=False)
    _transition(ax)


def lapse(ax: Axes) -> None:
    """Threshold, slope and lapse of one curve."""
    n, N, s, lapse = np.geomspace(10, 400, 300), 70.0, 5.0, 0.12
    n50 = N * (1 - 2 * lapse) ** (1 / s)
    ax.plot(n, (1 - lapse) / (1 + (n / N) ** s), color=BLUE)
    ax.axhline(0.5, color="black", lw=0.8, ls="--")
    ax.plot([n50, n50], [0, 0.5], color="black", lw=0.8, ls=":")
    ax.text(n50 * 0.96, 0.03, "N", ha="right")
    ax.annotate("", (14, 1), (14, 1 - lapse), arrowprops={"arrowstyle": "<->", "color": RED})
    ax.text(15, 1 - lapse / 2, "lapse", va="center", color=RED)
    low, high = N * 9 ** (-1 / s), N * 9 ** (1 / s)
    ax.annotate("", (low, 0.22), (high, 0.22), arrowprops={"arrowstyle": "<->", "color": GREEN})
    ax.text(high * 1.05, 0.22, "4.4 / slope, in log n", va="center", color=GREEN)
    _transition(ax)


def lanes(ax: Axes) -> None:
    """Trials on the lanes of a core, one after the other, and of an accelerator, refilled."""
    rng = np.random.default_rng(3)
    for lane in range(3):
        _bars(ax, 5.4 - lane, rng.uniform(0.6, 3.2, 8), 0.0)
    for lane in range(3):
        _bars(ax, 1.6 - lane, np.ceil(rng.uniform(0.3, 3.2, 9)), 0.0)
    for t in range(1, 11):
        ax.plot([t, t], [-0.8, 2.0], color="black", lw=0.6, ls=":")
    ax.text(0, 6.15, "map: a core each, a trial to its end, then the next", fontsize=8)
    ax.text(0, 2.35, "vmap: side by side, refilled between chunks (dotted)", fontsize=8)
    ax.set(xlim=(0, 10), ylim=(-0.8, 6.8), xlabel="time of the machine", yticks=[])


def _bars(ax: Axes, y: float, lengths: np.ndarray, start: float) -> None:
    for i, length in enumerate(lengths):
        if start < 10:
            colour = (BLUE, RED, GREEN)[i % 3]
            ax.barh(y, min(length, 10 - start) - 0.06, 0.7, start, color=colour, alpha=0.75)
        start += length


def _transition(ax: Axes) -> None:
    ax.set(xscale="log", xlabel="n", ylabel="P(event)", ylim=(0, 1.03), xlim=(10, 400))
    ticks = [10, 30, 100, 300]
    ax.set_xticks(ticks, [str(x) for x in ticks])
    ax.minorticks_off()


def drawn(draw: Callable[[Axes], None]) -> str:
    """A picture as raw HTML for a page of Markdown."""
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": draw.__name__}):
        figure = Figure((5.2, 2.5), layout="constrained")
        ax = figure.add_subplot()
        ax.spines[["top", "right"]].set_visible(False)
        draw(ax)
        text = StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    svg = text.getvalue().partition("<svg")[2]
    said = (draw.__doc__ or "").strip()
    for black in ("#000000", "black"):
        svg = svg.replace(f"stroke: {black}", "stroke: currentColor")
    svg = f'<svg role="img" aria-label="{said}" style="max-width: 100%" fill="currentColor"{svg}'
    return f"```{{raw}} html\n{svg}\n```"
