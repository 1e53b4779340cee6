"""docs/rkc.md: its code is run as it stands, and says what the solution must obey."""

import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "rkc.md"


@pytest.fixture(scope="module")
def page():
    """The names that its blocks leave behind."""
    names = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S):
        exec(block, names)
    return names


def test_the_flow_goes_down_in_few_steps(page):
    zero, w = jnp.zeros(10), page["w"]
    assert page["steps"] < 100
    assert page["loss"](w, 1.0) < page["loss"](zero, 1.0) / 2
    assert jnp.linalg.norm(jax.grad(page["loss"])(w, 1.0)) < 0.1


def test_the_slope_is_that_of_differences(page):
    value = lambda scale: jnp.sum(page["end"](jnp.zeros(10), scale)[0])  # noqa: E731
    np.testing.assert_allclose(page["slope"], (value(1.05) - value(0.95)) / 0.1, rtol=0.1)
