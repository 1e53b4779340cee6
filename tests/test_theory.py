"""Rules of the papers against their published numbers and by hand."""

import pytest

from jaxflow.theory import failure_bound, published_horizon, width_rule


def test_published_horizon_by_hand():
    assert published_horizon(300, 100) == 670.0  # 1.5 * 173.205 * 10.3090 / 4 + 1 = 670.6
    assert published_horizon(1700, 37) == 1040.0  # 1.5 * 250.799 * 11.0493 / 4 + 1 = 1040.2


def test_width_rule_gives_the_published_widths():
    """p(n, 0.05) = 36..38 over n = 1300..2100 (arXiv 2502.16977, experiment 1.0)."""
    widths = [width_rule(n, 0.05) for n in range(1300, 2101, 50)]
    assert sorted(set(widths)) == [36, 37, 38]
    for n in (1300, 2100):
        p = width_rule(n, 0.05)
        assert failure_bound(n, p) <= 0.05 < failure_bound(n, p - 1)


@pytest.mark.parametrize(("n", "failure"), [(0, 0.1), (5, 0.0), (5, 1.0)])
def test_width_rule_refuses_what_has_no_width(n, failure):
    with pytest.raises(ValueError, match="expected"):
        width_rule(n, failure)
