"""Numbers, arrays and what else a table holds, however they are written."""

import copy
import hashlib
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxflow.core.values import constant, plain, scalar

INTEGERS = [int, float, np.int8, np.uint16, np.int64, np.float32, np.array, jnp.asarray]


@given(st.integers(-100, 100), st.sampled_from(INTEGERS), st.sampled_from([int, float]))
def test_a_whole_number_is_one_number_however_it_is_written(x, make, kind):
    written = make(abs(x) if make is np.uint16 else x)
    read = scalar(kind, written, "x")
    assert type(read) is kind
    assert read == written


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (int, 20.5, "an integer at x, got 20.5"),
        (int, True, "an integer"),
        (int, np.True_, "an integer"),
        (int, 2**63, "below 2^63"),
        (int, float("nan"), "a finite number"),
        (int, "3", "an integer"),
        (int, np.array([3]), "an integer"),
        (float, False, "a number"),
        (float, 10**400, "a number below 1e308"),
        (float, np.float32("inf"), "a finite number"),
        (float, 1j, "a number"),
        (str, 3, "a text"),
        (str, b"x", "a text"),
        (bool, 1, "true or false"),
    ],
)
def test_what_is_no_such_value_is_refused_in_one_line(kind, value, words):
    with pytest.raises(ValueError, match=r"^expected ") as caught:
        scalar(kind, value, "x")
    assert words in str(caught.value)


def test_a_constant_has_the_digest_of_its_bytes():
    array = constant(np.arange(6, dtype=">f8").reshape(2, 3))
    text = b"<f8 (2, 3) " + np.arange(6, dtype="<f8").tobytes()
    assert array.digest == hashlib.sha256(text).hexdigest()


def test_constants_are_equal_by_content_and_cannot_be_written_to():
    source = np.arange(4.0)
    array = constant(source)
    source[0] = 7
    assert array.tolist() == [0, 1, 2, 3]
    assert array == constant([0.0, 1.0, 2.0, 3.0])
    assert array != constant([0, 1, 2, 3])  # of another dtype
    assert array != constant(np.arange(4.0).reshape(2, 2))
    assert len({array, constant(np.arange(4.0)), constant(np.arange(5.0))}) == 2
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(array)[0] = 1
    assert pickle.loads(pickle.dumps(array)) == array
    assert copy.deepcopy(array) == array


def test_a_constant_computes_like_any_array():
    values = np.array([[1.0, 2.0], [3.0, 4.0]])
    array, x = constant(values), np.array([0.5, -1.0])
    for made, wanted in [
        (array @ x, values @ x),
        (array + x, values + x),
        (array.sum(0), values.sum(0)),
        (array[1], values[1]),
        (array == 2 * x[0], values == 1.0),
        (array.T, values.T),
    ]:
        np.testing.assert_array_equal(np.asarray(made), wanted)
    assert type(array + x) is np.ndarray
    inside = jax.jit(lambda x: array @ x + jnp.sum(array) + x * array[0])
    np.testing.assert_allclose(inside(jnp.asarray(x)), values @ x + 10 + x * values[0], rtol=1e-6)


@pytest.mark.parametrize("value", [[[1, 2], [3]], ["x"], [float("inf")], {"a": 1}, object(), [1j]])
def test_what_is_no_array_is_refused(value):
    with pytest.raises(ValueError, match=r"^expected .* at x"):
        constant(value, "x")


def test_plain_values_are_immutable_lists_and_python_numbers():
    read = plain([np.int8(1), [2.5, "a"], {"k": (True, None)}, range(2)], "x")
    assert read == (1, (2.5, "a"), {"k": (True, None)}, (0, 1))
    for value in [{1: 2}, float("nan"), [1j], b"x", 2**70, object()]:
        with pytest.raises(ValueError, match=r"^expected "):
            plain(value, "x")
