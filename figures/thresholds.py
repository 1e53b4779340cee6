"""P(converged) against n: the published descent as the control, and the gradient flow itself.

Reads the store of the study `demo` (runs/demo) and writes figures/thresholds.png.
"""

import sys
from pathlib import Path

from jaxflow.figure import draw

ROOT = Path(__file__).resolve().parent.parent

if __name__ == "__main__":
    try:
        print(draw(ROOT / "runs" / "demo", ROOT / "figures" / "thresholds.png"))
    except ValueError as error:
        sys.exit(f"{error}; `make demo` makes it")
