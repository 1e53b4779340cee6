"""Names that a user may give reach a terminal, a notebook and a figure as what they are."""

from io import StringIO

import pytest
from rich.console import Console

from jaxflow.core.errors import printable
from jaxflow.report.compute import Compute
from jaxflow.show.text import Table, between, number, taken

NASTY = ["[red]x[/red]", "\x1b[31m", "a\nb", "[/]", "\u202eabc", "\udcff", "a\tb", "<b>&amp;</b>"]


def printed(table: Table) -> str:
    """What a terminal with colours gets, cursor movements included."""
    file = StringIO()
    Console(file=file, width=80, force_terminal=True, color_system="truecolor").print(table)
    return file.getvalue()


def test_what_a_terminal_would_obey_is_shown():
    assert printable("a\nb\x1b[31m\x07") == r"a\nb\x1b[31m\x07"
    assert printable("\u202eabc\udcff") == r"\u202eabc\udcff"
    assert printable("größe ± 中 \\") == "größe ± 中 \\"
    assert printable("\udcff").encode("utf-8")


@pytest.mark.parametrize("name", NASTY)
def test_a_name_is_no_markup_and_no_order(name):
    plain = Table("title", ("name", "N"), (("x" * len(printable(name)), "1"),), "caption")
    table = Table(name, (name, "N"), ((name, "1"),), name)
    assert str(table).count(printable(name)) == 4
    assert len(str(table).splitlines()) == len(str(plain).splitlines())
    escapes = {code for code in printed(table).split("\x1b")[1:] if not code.startswith("[")}
    assert not escapes
    assert printed(table).count("\x1b[31m") == printed(plain).count("\x1b[31m")


def test_what_runs_took_is_told_in_a_line():
    assert taken(Compute()) == ""
    told = "1 trial in 1 run: 4 s, 1 min 05 s summed over workers"
    assert taken(Compute(1, 1, 4.2, 65.0)) == told
    told = "300 trials in 2 runs: 1 h 01 min, 2 h 00 min summed over workers"
    assert taken(Compute(2, 300, 3660.0, 7200.0)) == told


def test_html_is_escaped():
    html = Table("<script>", ("<b>", "N"), (("a & b", "\x00"),), "<i>")._repr_html_()
    for raw in ("<script>", "<b>", "<i>", "\x00"):
        assert raw not in html
    assert "<td>a &amp; b</td><td>\\x00</td>" in html


def test_a_long_name_is_folded_and_no_number_is_cut():
    name = "n" * 100
    shown = str(Table("", ("dynamics", "N", "interval"), ((name, "1426", "[1401, 1459]"),)))
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "[1401, 1459]" in shown and "…" not in shown
    assert sum(line.count("n") for line in shown.splitlines()[2:]) == 100


def test_the_width_is_that_of_the_widest_cells():
    table = Table("", (("well", "initialized"), "N"), (("a", "12345"),))
    assert table.width == 1 + 12 + 6
    assert max(map(len, str(table).splitlines())) <= 80


@pytest.mark.parametrize(
    ("x", "text"), [(None, ""), (300.4, "300"), (21.16, "21.2"), (16, "16"), (float("inf"), "..")]
)
def test_numbers(x, text):
    assert number(x) == text


def test_an_open_interval():
    assert between(5068, float("inf")) == "[5068, ..)"
    assert between(14.5, 16.8) == "[14.5, 16.8]"
