"""What a run gives back in Python: numbers, a table, a figure, and how it shows itself."""

import itertools
import re
from dataclasses import replace
from io import StringIO

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from rich.console import Console
from stores import ROW, open_store

from jaxflow import report
from jaxflow.core.types import Outcome
from jaxflow.show.result import Result
from jaxflow.store.store import Store
from jaxflow.study.study import Study

mpl.use("Agg")

NASTY = "$x_[red]"
TABLE = {
    "name": "x",
    "axes": {"d": [2], "p": [4, 5, 6]},
    "horizon": {"time": [100.0]},
    "dynamics": {NASTY: {"kind": "descent"}, "_adam": {"kind": "descent"}},
    "grid": {"values": [8, 16], "repetitions": 1},
}


def rows():
    for trial in itertools.product(TABLE["dynamics"], (4, 5, 6), (8, 16)):
        name, p, n = trial
        outcome = Outcome.CONVERGED if n == 8 else Outcome.UNDECIDED
        yield replace(ROW, dynamics=name, p=p, n=n, outcome=outcome)


@pytest.fixture
def result(tmp_path):
    study = Study.from_table(TABLE)
    with Store.open(tmp_path, study.protocol.hash, study.protocol.json) as store:
        store.begin(study.design.hash, study.design.json)
        store.ask(study.design.hash, [row.trial for row in rows()])
        store.insert(rows())
    return Result(str(tmp_path))


def test_numbers_are_those_of_the_report(result):
    assert result.thresholds() == report.thresholds(result.folder)
    assert len(result.rows()) == 12
    pytest.importorskip("pandas")
    assert len(result.to_pandas()) == 12
    assert result.to_xarray().sizes["trial"] == 12


def test_a_table_is_text_and_more(result):
    text = str(result.table())
    assert text.count(NASTY) == 3
    Console(file=(file := StringIO()), width=80).print(result.table())
    assert [x.rstrip() for x in file.getvalue().rstrip().splitlines()] == text.splitlines()


@pytest.mark.parametrize("kind", ["auto", "diagram", "times", "transitions"])
def test_figures_of_any_names(result, tmp_path, kind):
    made = result.plot(kind, tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 10_000
    assert made.number not in plt.get_fignums()  # a notebook would show it twice
    words = {text.get_text().strip() for text in made.findobj(mpl.text.Text)}
    if kind == "transitions":
        legend = [text.get_text().strip() for text in made.legends[0].get_texts()]
        assert legend == [r"\$x_[red], 6 trials", r"_adam, 6 trials"]
    else:
        assert any(word.startswith(r"\$x_[red], $d = 2$") for word in words)


def test_two_descents_differ(result):
    """In a figure as in a table."""
    (_, line, *_), (_, other, *_) = [
        [ax.lines[i] for i in range(3)] for ax in result.plot("transitions").axes[:2]
    ]
    colors = {x.get_color() for ax in result.plot("transitions").axes for x in ax.lines}
    assert {"#b3541e", "#2e7d4f"} <= colors
    assert line.get_color() == other.get_color()


def test_the_repr_is_a_few_lines(result):
    lines = repr(result).splitlines()
    assert re.search(r"Result\('.*'\): 12 trials", lines[0])
    assert len(lines) == 7
    assert NASTY in repr(result)


def test_html_has_the_table_and_the_figure(result):
    html = result._repr_html_()
    assert "<table class" in html and NASTY in html
    assert 'src="data:image/png;base64,iVBOR' in html


def test_a_folder_without_trials(tmp_path):
    assert "no store" in repr(Result(tmp_path / "none"))
    assert "&lt;b&gt;" in Result(tmp_path / "<b>")._repr_html_()
    open_store(tmp_path).close()
    with pytest.raises(ValueError, match="jaxflow run"):
        Result(tmp_path).table()
