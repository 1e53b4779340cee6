"""The ladder of static shapes."""

from hypothesis import given
from hypothesis import strategies as st

from jaxflow.core.types import Point
from jaxflow.engine.buckets import bucket, rung


@given(st.integers(1, 10**7))
def test_a_rung_holds_its_size_and_wastes_little(size):
    found = rung(size)
    assert found >= size
    assert found % 8 == 0
    assert rung(found) == found
    assert found - size < max(8, size / 8)


def test_at_most_eight_rungs_an_octave():
    for low in (64, 1024, 4096):
        assert len({rung(size) for size in range(low + 1, 2 * low + 1)}) <= 8


def test_the_dimension_is_not_padded():
    assert bucket(Point(d=30, n=293, p=100)) == (30, 320, 104)


def test_few_samples_go_by_powers_of_two():
    buckets = [bucket(Point(3, n, 37)) for n in range(1, 65)]
    assert {shape.N for shape in buckets} == {16, 32, 64}
    assert all(n + 1 <= shape.N and shape.P == 40 for n, shape in enumerate(buckets))
