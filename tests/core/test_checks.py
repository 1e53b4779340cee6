"""What single numbers and arrays are taken, and what is said of the others."""

import re
from fractions import Fraction

import numpy as np
import pytest

from jaxflow.core.checks import (
    fraction,
    fractions,
    matrix,
    nonnegatives,
    ordered,
    positive,
    positives,
    whole,
    wholes,
)


@pytest.mark.parametrize("value", [3, 3.0, np.int64(3), np.float32(3), Fraction(3)])
def test_a_number_of_any_type_is_converted(value):
    assert (whole("k", value, least=3), type(whole("k", value, least=3))) == (3, int)
    assert (positive("k", value), type(positive("k", value))) == (3.0, float)


@pytest.mark.parametrize("value", [True, "3", None, [3], np.array([3.0]), float("nan"), 3j])
def test_what_is_no_number_is_refused(value):
    for check in (lambda: whole("k", value, least=0), lambda: positive("k", value)):
        with pytest.raises(ValueError, match=r"expected a (whole|finite) number k .*: correct k"):
            check()


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (lambda: whole("k", 2.5, least=0), "a whole number k >= 0, got 2.5"),
        (lambda: whole("k", float("inf"), least=0), "a whole number k >= 0, got inf"),
        (lambda: whole("k", 1, least=2), "a whole number k >= 2, got 1"),
        (lambda: positive("x", 0), "a finite number x > 0, got 0"),
        (lambda: fraction("q", 1), "a number q below 1, got 1"),
        (lambda: fraction("q", 0), "a finite number q > 0, got 0"),
        (lambda: ordered(3, 3), "low < high, got (3, 3)"),
        (lambda: wholes("k", [1, 2.5], least=0), "whole k >= 0, got 2.5"),
        (lambda: wholes("k", [1, 0], least=1), "whole k >= 1, got 0.0"),
        (lambda: positives("x", [1, np.inf]), "finite x > 0, got inf"),
        (lambda: nonnegatives("x", -1), "finite x >= 0, got -1.0"),
        (lambda: fractions("q", [0.5, 1]), "0 < q < 1, got 1.0"),
        (lambda: positives("x", "many"), "finite x > 0, got 'str'"),
        (lambda: positives("x", [[1], [2, 3]]), "finite x > 0, got 'list'"),
        (lambda: matrix("X", [1, 2]), "X of two dimensions, not empty, got (2,)"),
        (lambda: matrix("X", [[1, np.nan]]), "finite entries of X, got 'others'"),
    ],
)
def test_mistakes(check, said):
    with pytest.raises(ValueError, match=re.escape(f"expected {said}: ")):
        check()


def test_arrays_keep_their_shape():
    for check in (positives, nonnegatives):
        assert check("x", np.ones((2, 3), np.float32)).shape == (2, 3)
        assert check("x", 2).dtype == float
    assert fractions("q", 0.5).shape == wholes("k", 4, least=0).shape == ()
    assert nonnegatives("x", 0) == 0
    assert matrix("X", [[1, 2]]).tolist() == [[1.0, 2.0]]
