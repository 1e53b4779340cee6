"""A panel of a phase diagram as SVG, and what of it changes with the horizon."""

from base64 import b64encode
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.image import imsave

from jaxflow.plot.plane import COLORS
from jaxflow.report.horizons import Frame
from jaxflow.show import canvas
from jaxflow.show.canvas import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Scale, tag
from jaxflow.show.panels import Panel, across, is_told, rows

GRID = 33  # points of a boundary
ROWS, COLUMNS = 40, 24  # of a map of P(event)
ABOUT = 1.8  # times the thresholds, that is shown
SHADES = 33  # of the palette of P(event)
NAME = 12  # letters of a name below the axis
HIDDEN = "scale(0)"


def palette() -> list[str]:
    """Colours of P(event) from 0 to 1."""
    shades = mpl.colormaps[COLORS](np.linspace(0, 1, SHADES))
    return [mpl.colors.to_hex(shade) for shade in shades]


def drawn(panel: Panel, key: str) -> tuple[Markup, dict[str, Any]]:
    """A panel at the longest horizon, and what changes with the horizon."""
    x, y = _scales(panel)
    made = [_changing(panel, k, x, y) for k in range(len(panel.frames))]
    last, series = made[-1], panel.views[0].series
    area = {"x": LEFT, "y": TOP, "width": WIDTH - LEFT - RIGHT, "height": HEIGHT - BOTTOM - TOP}
    inside = tag("clipPath", tag("rect", **area), id=f"{key}-area")
    image = {"href": last["map"] or "data:,", "preserveAspectRatio": "none", "data_part": "map"}
    boundary = (
        tag("image", **area, **image),
        canvas.band(last["band"], series, data_part="band"),
        tag("path", d=last["line"], class_="rim", data_part="line"),
        canvas.line(last["line"], series, data_part="line"),
        tag("path", d=last["bars"], class_="bars", data_part="bars"),
    )
    marks = [
        canvas.shape(view.series, at, class_="threshold", data_part="mark")
        for view, at in zip(panel.views, last["marks"], strict=True)
    ]
    clipped = {"aria_hidden": "true", "clip_path": f"url(#{key}-area)"}
    svg = canvas.figure(
        f"Phase diagram: {panel.title}. Arrow keys go from place to place.",
        inside,
        canvas.axes(x, y, _names(panel), None if panel.along else _columns(panel)),
        tag("g", *boundary, **clipped),
        tag("g", *_cells(panel, x, y), class_="cells"),
        tag("g", *marks, **clipped),
        role="group", class_="plot", data_key=key,
    )  # fmt: skip
    return svg, {"labels": panel.views[0].labels, "frames": made}


def _scales(panel: Panel) -> tuple[Scale, Scale]:
    y = canvas.upwards(_extent(panel))
    if not panel.along:
        return Scale(-0.5, len(panel.views) - 0.5, LEFT, WIDTH - RIGHT, logarithmic=False), y
    at = panel.x
    return canvas.across(at, logarithmic=min(at) > 0 and max(at) > 1.5 * min(at)), y


def _extent(panel: Panel) -> tuple[float, float]:
    """From where to where the scanned axis is shown: about the thresholds told at any horizon."""
    tried = np.concatenate([view.places.x for view in panel.views])
    every = [frame.thresholds for frame in panel.frames if frame.thresholds is not None]
    ends = np.concatenate([np.zeros(0), *(one.n50[is_told(one)] for one in every)])
    if not len(ends):
        return float(tried.min()), float(tried.max())
    low, high = max(tried.min(), ends.min() / ABOUT), min(tried.max(), ends.max() * ABOUT)
    return float(min(low, ends.min())), float(max(high, ends.max()))


def _names(panel: Panel) -> tuple[str, str]:
    along = canvas.spoken(panel.along) if panel.along else "dynamics and place"
    return along, canvas.spoken(panel.views[0].slice.along)


def _columns(panel: Panel) -> list[tuple[float, str]]:
    """Names of views that stand side by side, or where these are alike, their numbers."""
    names = [view.slice.name for view in panel.views]
    if len(set(names)) < len(names):
        names = [str(k + 1) for k in range(len(names))]
    return [(float(k), name[:NAME]) for k, name in enumerate(names)]


def _changing(panel: Panel, k: int, x: Scale, y: Scale) -> dict[str, Any]:
    """What a panel shows at the k-th horizon: coordinates, and thresholds as text."""
    frame, text = panel.frames[k], [found[1:] for found in rows(panel, k)]
    made = {"map": "", "band": "", "line": "", **_thresholds(panel, frame, x, y), "text": text}
    if frame.boundary is not None and panel.plane is not None:
        grid = x.at(np.linspace(0, 1, GRID))
        median, low, high = frame.boundary.band(across(panel, grid))
        made["band"] = canvas.ribbon(x(grid), y(low), y(high))
        made["line"] = canvas.path(x(grid), y(median))
        made["map"] = _map(panel, frame, x, y)
    return made


def _thresholds(panel: Panel, frame: Frame, x: Scale, y: Scale) -> dict[str, Any]:
    """Bars and marks of the thresholds that trials tell of, and a line from each to the next."""
    if frame.thresholds is None:
        return {"bars": "", "marks": [HIDDEN] * len(panel.views)}
    kept = is_told(frame.thresholds)
    _, n50, low, high, _ = frame.thresholds
    at, middle = x(panel.x), y(n50)
    bars = zip(at[kept], y(low[kept]), y(high[kept]), strict=True)
    return {
        "bars": "".join(
            f"M{a:.1f} {b:.1f}V{c:.1f}M{a - 3:.1f} {b:.1f}h6M{a - 3:.1f} {c:.1f}h6"
            for a, b, c in bars
        ),
        "marks": [
            canvas.placed(a, b, 4) if told else HIDDEN
            for a, b, told in zip(at, middle, kept, strict=True)
        ],
        "line": canvas.path(at[kept], middle[kept]) if panel.along and kept.sum() > 1 else "",
    }


def _map(panel: Panel, frame: Frame, x: Scale, y: Scale) -> str:
    """P(event) behind a panel, as an image of few pixels."""
    assert frame.boundary is not None
    right, up = ((np.arange(size) + 0.5) / size for size in (COLUMNS, ROWS))
    chance = frame.boundary.at(across(panel, x.at(right))).chance(y.at(up))
    file = BytesIO()
    imsave(file, chance.T[::-1], vmin=0, vmax=1, cmap=COLORS, format="png")
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"


def _cells(panel: Panel, x: Scale, y: Scale) -> Iterator[Markup]:
    """A mark for every place, in the colour of P(event)."""
    shades = palette()
    for at, view in zip(x(panel.x).tolist(), panel.views, strict=True):
        found = view.places
        share = found.happened[-1] / found.trials
        for k, (height, p, trials) in enumerate(
            zip(y(found.x).tolist(), share.tolist(), found.trials.tolist(), strict=True)
        ):
            radius = 2.4 + 2.6 * min(trials / 16, 1) ** 0.5
            if TOP <= height <= HEIGHT - BOTTOM:
                yield tag(
                    "path", d=canvas.CIRCLE, transform=canvas.placed(at, height, radius),
                    fill=shades[round(p * (SHADES - 1))], data_point=view.first + k,
                )  # fmt: skip
