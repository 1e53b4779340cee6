"""Stores of ensembles whose truth is known, matched by place and held against the first."""

import json
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from simulated import stored

import jaxflow as jf
from jaxflow.cli.parser import main
from jaxflow.report.universality import compare
from jaxflow.show import universality
from jaxflow.statistics.universality import holm

STUDY = jf.Study(
    "ensembles",
    jf.Axes(d=(20, 40), p=(16, 32)),
    {"flow": jf.GradientFlow()},
    horizon=jf.Horizon(time=(50.0, 200.0)),
    grid=jf.GridPlan(tuple(np.linspace(8, 12.5, 10)), 40, per=("d",)),
)
RATIOS = {"sphere": 1.0, "rademacher": 1.0, "student": 1.05}
LAWS = {"sphere": jf.Sphere(), "rademacher": jf.Rademacher(), "student": jf.Student()}


def ensemble(law: str, **changes) -> jf.Study:
    seed = list(RATIOS).index(law)
    return replace(STUDY, problem=jf.ShallowNetwork(LAWS[law]), seed=seed, **changes)


def made(folder, law: str, **changes):
    """Thresholds at 10 d, times the ratio of a law."""
    study = ensemble(law, **changes)
    return stored(folder, study, lambda trial: 10 * trial.point.d * RATIOS[law], study.seed)


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ensembles")
    return [made(folder / law, law) for law in RATIOS]


def refused(capsys, *folders) -> str:
    assert main(["compare", *map(str, folders)]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


def test_every_ensemble_is_held_against_the_first(stores):
    found = compare(stores)
    assert found.names == tuple(RATIOS)
    named = [(one.first, one.other, one.horizon) for one in found.comparisons]
    horizons = ("T = 50", "T = 200")
    assert named == [("sphere", law, h) for law in ("rademacher", "student") for h in horizons]
    for one in found.comparisons:
        assert [p.first.base for p in one.places] == [p.other.base for p in one.places]
        assert len(one.places) == 4
        assert (one.along, one.alone, one.beyond) == ("d", 0, 0)
        expected = [
            np.log(place.other.posterior().median / place.first.posterior().median)
            for place in one.places
        ]
        np.testing.assert_allclose(one.differences.value, expected)
        assert one.verdict.kind == ("same" if one.other == "rademacher" else "different")
        assert one.differences.common.low < np.log(RATIOS[one.other]) < one.differences.common.high
    unadjusted = [one.differences.p for one in found.comparisons]
    assert [one.p for one in found.comparisons] == holm(unadjusted)


def test_the_keys_that_differ_are_named(stores):
    keys = compare(stores).keys
    assert keys["problem.inputs.law"] == ('"sphere"', '"rademacher"', '"student"')
    assert keys["problem.inputs.nu"] == ("absent", "absent", "3.0")
    assert keys["seed"] == ("0", "1", "2")
    assert "problem.inputs.low" not in keys
    twice = compare([stores[0], stores[0]])
    assert twice.keys == {}
    assert twice.names == (str(stores[0]), str(stores[0]))
    said = list(universality.sentences(twice))
    assert said[0] == "the protocols are the same"
    assert said[1].startswith("the seeds are the same")
    assert not any("seeds" in line for line in universality.sentences(compare(stores)))


def test_places_without_a_pair_of_thresholds_are_counted(stores, tmp_path):
    """One width less and one more, another dynamics, and at d = 40 no threshold within range."""
    changes = {
        "axes": jf.Axes(d=(20, 40), p=(32, 64)),
        "dynamics": {**STUDY.dynamics, "descent": jf.GradientDescent(1.0)},
        "horizon": jf.Horizon(time=(200.0,)),
    }
    study = ensemble("rademacher", **changes)
    stored(tmp_path / "other", study, lambda t: 200.0 if t.point.d == 20 else 2000.0)
    (found,) = compare([stores[0], tmp_path / "other"], ["one", "two"]).comparisons
    assert (found.first, found.other, found.horizons) == ("one", "two", (1, 0))
    assert [place.first.place for place in found.places] == [{"d": 20, "p": 32}]
    assert (found.alone, found.beyond) == (4, 1)
    text = " ".join(str(universality.table(found)).split())
    assert "left out: 4 places of one alone, 1 beyond the range" in text


def test_the_size_is_the_first_that_differs(tmp_path):
    for law in ("sphere", "student"):
        made(tmp_path / law, law, axes=jf.Axes(d=(20,), p=(16, 32)))
    found = compare([tmp_path / "sphere", tmp_path / "student"])
    assert {one.along for one in found.comparisons} == {"p"}
    assert found.comparisons[0].differences.size.tolist() == [16, 32]


def test_the_command_prints_tables_sentences_and_a_figure(stores, capsys, tmp_path):
    assert main(["compare", *map(str, stores), "--out", str(tmp_path / "x.png")]) == 0
    text = capsys.readouterr().out
    for one in compare(stores).comparisons:
        assert f"{one.title}: {one.verdict.text}" in text.replace("\n", " ")
    assert "seed: 0, 1, 2\n" in text
    assert "student against sphere" in text
    assert (tmp_path / "x.png").stat().st_size > 10_000


def test_a_table_fits_a_terminal_whatever_the_names(stores):
    names = [f"universality-of-{law}-{'x' * 20}" for law in RATIOS]
    for one in compare(stores, names).comparisons:
        text = str(universality.table(one))
        assert all(len(line) <= 80 for line in text.splitlines())
        assert "…" not in text


def test_the_command_prints_json(stores, capsys):
    assert main(["compare", *map(str, stores), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ensembles"] == list(RATIOS)
    assert len(found["comparisons"]) == 4
    for entry in found["comparisons"]:
        z = [place["difference"] / place["error"] for place in entry["places"]]
        assert entry["chi2"] == pytest.approx(np.sum(np.square(z)))
        assert entry["trend"]["along"] == "d"
        assert entry["text"]


def test_the_figure_has_a_column_for_each_dynamics(stores):
    found = compare(stores)
    shown = universality.figure(found)
    top, bottom = shown.axes
    named = {text.get_text() for text in shown.legends[0].get_texts()}
    assert {"rademacher", "student", "95 % by chance"} < named
    longest = [one for one in found.comparisons if one.horizon == "T = 200"]
    drawn = np.concatenate([marks.get_offsets()[:, 1] for marks in bottom.collections[1::2]])
    np.testing.assert_allclose(drawn, np.concatenate([one.differences.z for one in longest]))
    low, high = bottom.get_ylim()
    assert low < -1.96 and high > max(drawn.max(), 1.96)
    x = np.concatenate([marks.get_offsets()[:, 0] for marks in bottom.collections[1::2]])
    assert len(np.unique(x.round(6))) == 8  # no mark upon another
    assert len(top.containers) == 2
    plt.close(shown)


def test_mistakes_are_one_line(stores, capsys, tmp_path):
    elsewhere = made(tmp_path / "p", "student", axes=jf.Axes(d=(21,), p=(16,)))
    assert "at a place, dynamics and horizon of sphere" in refused(capsys, stores[0], elsewhere)
    grid = jf.GridPlan((4, 8, 16), 3, along="p", rising=True)
    along = ensemble("student", axes=jf.Axes(d=(20,), n=(200,)), grid=grid)
    stored(tmp_path / "along", along, lambda trial: 8.0)
    assert "expected one scanned axis, got 'n, p'" in refused(capsys, stores[0], tmp_path / "along")
    assert "a store" in refused(capsys, stores[0], tmp_path / "none")
    with pytest.raises(ValueError, match="two stores or more"):
        compare(stores[:1])
