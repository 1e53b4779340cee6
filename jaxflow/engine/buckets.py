"""Points to static shapes: few compiled programs, little padding.

Samples and neurons are padded to a ladder of multiples of 8 with at most eight rungs an octave,
which wastes at most 12.5 % above 64. A study visits many n and few p: below 64, where a padded
step costs little and a compilation seconds, n goes by powers of two. The dimension d is a static
fact of every product and takes few values in a study, so it is never padded.
"""

from jaxflow.core.types import Point
from jaxflow.problems.shallow.padding import Shape


def rung(size: int) -> int:
    """The least rung of the ladder that holds `size`."""
    step = 8
    while size > 16 * step:
        step *= 2
    return -(-size // step) * step


def bucket(point: Point) -> Shape:
    """The static shape (D, N, P) that holds a point."""
    N = rung(point.n) if point.n > 64 else max(16, 1 << (point.n - 1).bit_length())
    return Shape(D=point.d, N=N, P=rung(point.p))
