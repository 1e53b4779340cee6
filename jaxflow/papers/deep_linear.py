"""When a deep linear network leaves its plateau: A. Saxe, J. McClelland and S. Ganguli, "Exact
solutions to the nonlinear dynamics of learning in deep linear neural networks", ICLR 2014.
"""

from math import exp, log

from scipy.integrate import quad

from jaxflow.core.checks import ordered, whole


def escape_time(depth: int, strength: float, first: float, last: float) -> float:
    """The flow time in which a singular value of the product goes from `first` to `last`.

    u' = L u^(2 - 2/L) (s - u) of L = `depth` balanced layers, where s = `strength` is that of
    what is learnt; 0 < first < last < s. Raises `ValueError` otherwise.
    """
    whole("depth", depth, least=1)
    ordered(first, last)
    ordered(last, strength)

    def slowness(x: float) -> float:
        """dt / d log u where u is exp(x) times the first."""
        u = first * exp(x)
        return u ** (2 / depth - 1) / (depth * (strength - u))

    time, _ = quad(slowness, 0.0, log(last / first), limit=200)
    return float(time)
