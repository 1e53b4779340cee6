"""Points to static shapes: few compiled programs, little padding.

Samples and neurons are padded to a ladder of multiples of 8 with at most eight rungs an octave:
above 64 the waste is at most 12.5 %, below it a padded step is cheap. The dimension d is a
static fact of every product and takes few values in a study, so it is never padded.
"""

from jaxflow._types import Point
from jaxflow.ensemble import Shape


def rung(size: int) -> int:
    """The least rung of the ladder that holds `size`."""
    step = 8
    while size > 16 * step:
        step *= 2
    return -(-size // step) * step


def bucket(point: Point) -> Shape:
    """The static shape (D, N, P) that holds a point."""
    return Shape(D=point.d, N=rung(point.n), P=rung(point.p))
