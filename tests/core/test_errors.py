"""A message is one line of bounded length that no terminal acts upon, whatever it quotes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxflow.core.errors import mistake, shortened, shown, unknown_name


class Nameless:
    def __repr__(self):
        raise RuntimeError("no")


nested: list = []
nested.append(nested)

AWFUL = [
    *("x" * 10**6, "a\nb\r\n\tc", "\x1b[31mred\x1b[0m", "\u202egnirts", "\ud800", 10**5000),
    *(
        Nameless(),
        nested,
        {f"k{i}": i for i in range(10**4)},
        np.zeros((99, 99)),
        np.arange(5),
        dict,
    ),
]


@pytest.mark.parametrize("value", AWFUL, ids=lambda value: type(value).__name__)
def test_any_value_can_be_quoted(value):
    for text in (value, str(shown(value))) if isinstance(value, str) else (shown(value),):
        message = str(mistake(f"good {text}", value, f"fix {text}"))
        assert len(message) < 1100
        assert message.isprintable()
        assert message.startswith("expected good ")


@given(st.text(), st.integers(20, 60))
def test_a_line_keeps_its_ends(text, width):
    line = shortened(text, width)
    assert len(line) <= width
    assert line.isprintable()
    words = " ".join(text.split())
    if words.isprintable():
        assert line == words if len(words) <= width else line[:5] == words[:5]


def test_the_nearest_name_is_suggested():
    names = ["sphere", "gaussian"]
    assert "did you mean 'sphere'?" in str(unknown_name("law", "spere", names))
    assert str(unknown_name("law", "q", names, "see the list")).endswith("got 'q': see the list")
    assert len(str(unknown_name("law", "q" * 10**6, map(str, range(10**4))))) < 1100
