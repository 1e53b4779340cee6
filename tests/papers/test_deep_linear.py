"""The time of escape against the flow of all matrices, by SciPy in float64."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from jaxflow.papers.deep_linear import escape_time


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_the_time_is_that_of_the_matrices(depth):
    """Layers of two dimensions whose singular values are equal, in bases at random."""
    rng, s, first, last = np.random.default_rng(depth), 1.5, 0.02, 0.75
    turns = [np.linalg.qr(rng.normal(size=(2, 2)))[0] for _ in range(depth + 1)]
    start = [first ** (1 / depth) * turns[i + 1] @ turns[i].T for i in range(depth)]
    wanted = s * turns[-1] @ turns[0].T

    def product(layers):
        found = np.eye(2)
        for layer in layers:
            found = layer @ found
        return found

    def field(_, flat):
        layers = flat.reshape(depth, 2, 2)
        error = product(layers) - wanted
        moves = [product(layers[i + 1 :]).T @ error @ product(layers[:i]).T for i in range(depth)]
        return -np.array(moves).ravel()

    def arrives(_, flat):
        return np.linalg.norm(product(flat.reshape(depth, 2, 2)), 2) - last

    arrives.terminal = True
    flow = solve_ivp(field, (0, 1e4), np.ravel(start), events=arrives, rtol=1e-10, atol=1e-12)
    assert escape_time(depth, s, first, last) == pytest.approx(flow.t[-1], rel=1e-6)


def test_what_is_no_way_has_no_time():
    with pytest.raises(ValueError, match="low < high"):
        escape_time(2, 1.0, 0.5, 0.5)
    with pytest.raises(ValueError, match="low < high"):
        escape_time(2, 1.0, 0.5, 1.0)
