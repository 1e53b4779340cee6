"""A problem of the atlas: what was measured of it, its code and its study, as in the files."""

from typing import NamedTuple

import gallery

ROOT = gallery.FIGURES.parent


class Measured(NamedTuple):
    """A problem's study, and the figure and the words with which its claims begin."""

    study: str
    claims: str
    figure: str = "atlas"


PROBLEMS = {
    "least_squares": Measured("atlas-least-squares", "least squares: "),
    "random_features": Measured("atlas-random-features", "random features: "),
    "quadratic_network": Measured("atlas-quadratic", "quadratic network: "),
    "perceptron": Measured("perceptron", "", "perceptron"),
    "logistic_regression": Measured("atlas-logistic", "logistic regression: "),
    "spherical_perceptron": Measured("atlas-margin", "perceptron with a margin, N/d: "),
    "deep_linear": Measured("atlas-deep-linear", "deep linear network, scale: "),
    "matrix_sensing": Measured("atlas-sensing", "matrix sensing over the nuclear norm's: "),
    "phase_retrieval": Measured("atlas-phase-retrieval", "phase retrieval over d: "),
    "committee": Measured("atlas-committee", "committee of two over 2d: "),
    "jamming": Measured("atlas-jamming", "ReLU network over p(d + 1): "),
}


def text(name: str) -> str:
    """The sections that follow what the page of a problem says of it."""
    found = PROBLEMS[name]
    rows = [row for row in gallery.rows()[found.figure] if row.startswith(f"| {found.claims}")]
    rows = [row.replace(f"| {found.claims}", "| ", 1) for row in rows]
    table = "\n".join([*gallery.head(), *rows])
    return "\n\n".join(
        [
            f"## Measured\n\n{table}\n\n[The figure](../../figures/{found.figure}.png) was drawn by"
            f" `python figures/_all.py --only {found.figure}`.",
            f"## The problem\n\n{_file(f'jaxflow/problems/examples/{name}.py', 'python')}",
            f"## The study\n\n{_file(f'jaxflow/presets/{found.study}.toml', 'toml')}\n\n"
            f"`jaxflow run {found.study}` runs it, and with `--small` a smaller one.",
        ]
    )


def _file(path: str, language: str) -> str:
    """A file as it stands."""
    return f"`{path}`\n\n```{language}\n{(ROOT / path).read_text().rstrip()}\n```"
