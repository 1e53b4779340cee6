"""The nuclear norm's threshold against a simulated cone and against convex recovery by hand."""

import numpy as np
import pytest

from jaxflow.papers.sensing import degrees_of_freedom, nuclear_norm_threshold


@pytest.mark.parametrize(("d", "r"), [(10, 1), (10, 2), (30, 3)])
def test_it_is_the_mean_squared_distance_to_the_cone_of_subgradients(d, r):
    """At diag(I_r, 0) those are t (I_r + W) with |W| <= 1; the least over t of the mean."""
    rng = np.random.default_rng(0)
    G = rng.normal(size=(2000, d, d))
    corner, rest = G[:, :r, :r], np.linalg.svd(G[:, r:, r:], compute_uv=False)
    across = np.sum(G[:, :r, r:] ** 2, axis=(1, 2)) + np.sum(G[:, r:, :r] ** 2, axis=(1, 2))

    def distance(t):
        near = np.sum((corner - t * np.eye(r)) ** 2, axis=(1, 2))
        return np.mean(near + across + np.sum(np.maximum(rest - t, 0) ** 2, axis=1))

    simulated = min(distance(t) for t in np.linspace(0, 2 * np.sqrt(d), 200))
    assert nuclear_norm_threshold(d, r) == pytest.approx(simulated, rel=0.03)


def test_its_ends():
    """A matrix of full rank takes all d^2; any other more than its degrees of freedom."""
    assert nuclear_norm_threshold(7, 7) == pytest.approx(49)
    for d, r in ((5, 1), (20, 3), (50, 49)):
        assert degrees_of_freedom(d, r) < nuclear_norm_threshold(d, r) < d * d
    assert degrees_of_freedom(10, 2) == 36


def test_mistakes_are_told_in_a_line():
    with pytest.raises(ValueError, match="rank of at most 3, got 4"):
        nuclear_norm_threshold(3, 4)
    with pytest.raises(ValueError, match="d"):
        degrees_of_freedom(0, 1)
