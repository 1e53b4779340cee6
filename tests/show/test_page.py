"""A store as one HTML file: whole, safe, small, and with the numbers of the report."""

import json
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from urllib.parse import unquote

import numpy as np
import pages
import pytest
from stores import one_line, open_store

import jaxflow as jf
from jaxflow import report
from jaxflow.cli.parser import main
from jaxflow.core.types import Outcome
from jaxflow.report.horizons import ladder
from jaxflow.report.universality import compare
from jaxflow.show import panels, terminal
from jaxflow.show.lookup import stretch
from jaxflow.show.page import page, write
from jaxflow.show.question import provenance
from jaxflow.show.repeat import Origin, command, origin
from jaxflow.statistics.counts import wilson
from jaxflow.store.store import Store
from jaxflow.study.run import run
from jaxflow.study.study import Study

LARGEST = 3 * 2**20  # bytes


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    made = {
        name: getattr(pages, name)(folder / name) for name in ("grid", "along", "point", "events")
    }
    return made | {"plane": pages.plane(folder / "plane", pages.HOSTILE)}


@pytest.fixture(scope="module")
def read(stores):
    """The pages of all, each made once."""
    return {name: pages.Page(page(folder)) for name, folder in stores.items()}


@pytest.mark.parametrize("name", ["plane", "grid", "along", "point", "events"])
def test_a_page_is_whole_and_asks_for_nothing(read, name):
    found = read[name]
    for _, attributes in found.elements:
        for key in ("src", "href", "action", "data", "poster"):
            assert (attributes.get(key) or "#").startswith(("#", "data:"))
        assert not any(key.startswith("on") for key in attributes)
    assert found.all("html") == [{"lang": "en"}]
    policy = next(m for m in found.all("meta") if m.get("http-equiv"))
    assert policy["content"].startswith("default-src 'none'")
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert all(a["href"][1:] in ids for a in found.all("a") if a["href"].startswith("#"))
    assert f"Made by jaxflow {jf.__version__}." in found.text
    assert len(found.source) < LARGEST
    assert "url(http" not in found.source and "@import" not in found.source


def test_no_name_is_taken_for_markup(read):
    found = read["plane"]
    assert pages.HOSTILE in found.text
    assert not found.all("img") and len(found.all("script")) == 2
    assert any(pages.HOSTILE in point["at"] for point in found.data["points"])


@pytest.mark.parametrize("name", ["plane", "grid", "along", "events"])
def test_thresholds_are_those_of_the_report(stores, read, name):
    """At every horizon that was asked for, in the table and in what the slider looks up."""
    slices, data = report.slices(stores[name]), read[name].data
    expected = {
        (slice.horizon.labels[h], *terminal.estimate(slice.as_dict(h))[:2])
        for slice in slices
        for h in range(len(slice.horizon.labels))
        if slice.as_dict(h)["high"] - slice.as_dict(h)["low"] < slice.as_dict(h)["n50"]
    }
    shown = {
        (label, *threshold)
        for panel in data["panels"].values()
        for label, frame in zip(panel["labels"], panel["frames"], strict=True)
        for threshold in frame["text"]
    }
    assert expected and expected <= shown
    assert all(" ".join(entry[1:]).split()[0] in read[name].text for entry in expected)


@pytest.mark.parametrize("name", ["plane", "grid", "point", "events"])
def test_counts_are_those_of_the_report(stores, read, name):
    data, points = read[name].data, {}
    for entry in data["points"]:
        points.setdefault(entry["at"], entry)
    count = 0
    for slice in report.slices(stores[name]):
        for h, label in enumerate(slice.horizon.labels):
            for tally in slice.tallies(h):
                entry = points[f"{slice.title}, {slice.along} = {tally.x:g}"]
                ended = entry["counts"][data["labels"][entry["labels"]].index(label)]
                assert (ended[0], sum(ended)) == (tally.converged, tally.trials)
                low, high = wilson(tally.converged, tally.trials)
                told = data["intervals"][f"{tally.converged}/{tally.trials}"]
                np.testing.assert_allclose(told, [low, high], atol=1e-4)
                count += 1
    assert count >= len(data["points"])


def test_a_download_has_what_the_plot_shows(stores, read):
    link = next(a for a in read["grid"].all("a") if a.get("download") == "counts.csv")
    lines = unquote(link["href"].partition(",")[2]).strip().splitlines()
    slices = report.slices(stores["grid"])
    assert len(lines) == 1 + sum(len(s.tallies()) * len(s.horizon.labels) for s in slices)
    assert lines[0].split(",")[-3:] == ["P", "low", "high"]


def test_two_stores_are_compared(stores, tmp_path):
    other = pages.grid(tmp_path / "other", ratio=1.1, seed=1)
    text = pages.Page(page(stores["grid"], other)).text
    for one in compare([stores["grid"], other]).comparisons:
        assert one.verdict.text in text
        assert one.verdict.kind == "different"


def test_events_have_thresholds_and_means(read):
    text = read["events"].text
    assert "“fits” (loss falls below 0.3) or “learns” (test error falls below 0.15)" in text
    assert "What trials measured where they ended" in text and "mean norm" in text


def test_a_study_that_waits_for_nothing_has_means(tmp_path):
    folder = pages.ended(tmp_path, Outcome.UNDECIDED, event="never", measure=["loss"])
    found = pages.Page(page(folder))
    assert "what is measured where trials end" in found.text and "mean loss" in found.text
    assert not found.data["panels"] and "Precision asked for" not in found.text


def test_a_store_whose_trials_all_failed_says_so(tmp_path):
    text = pages.Page(page(pages.ended(tmp_path, Outcome.FAILED))).text
    assert "Health ✕ act" in text and "every trial of flow d=4 p=3 failed" in text


def test_the_question_is_said(read):
    text = read["grid"].text
    assert "with d = 20, 40 and 60 and p = 16, trained by flow (RKC2)" in text
    assert "looked for from 160 to 750" in text and "within T = 50 or T = 200" in text
    assert "width p, looked for from 4 to 32" in read["along"].text
    assert "p from 20 to 60" in read["plane"].text


def test_signals_have_a_word_and_a_sign(read):
    for found in read.values():
        lights = [a["class"] for a in found.all("span") if "light" in (a.get("class") or "")]
        assert len(lights) >= 7
        assert re.search(r"Failed ✓ good 0 of \d+ trials failed", found.text)


def test_stretches_of_many_places_keep_every_trial(stores, monkeypatch):
    monkeypatch.setattr(panels, "MOST_PLACES", 12)
    found = report.slices(stores["plane"])
    shown = panels.views(found, ladder(found))
    for view in shown:
        assert len(view.places.x) <= 8 < len(view.slice.tallies())
        assert view.places.trials.sum() == len(view.slice.rows)
    widest = shown[0].places.high - shown[0].places.low
    k = int(np.argmax(widest))
    low, high = shown[0].places.low[k], shown[0].places.high[k]
    assert stretch(found[0], low, high) == f"n from {low:g} to {high:g}"


@pytest.mark.slow
def test_a_command_repeats_its_trial(tmp_path, capsys, monkeypatch):
    """Where one parameter is an axis, and another is scanned."""
    monkeypatch.chdir(tmp_path)
    step, noise = "dynamics.gd.step", "problem.label_noise"
    table = {
        "name": "noisy",
        "problem": "perceptron",
        "event": {"kind": "below", "observable": "loss", "value": 0.1},
        "axes": {"d": [3], "n": [4], "parameters": {noise: [0.0, 0.5]}},
        "horizon": {"time": 10.0},
        "dynamics": {"gd": {"kind": "descent"}},
        "grid": {"along": step, "values": [0.5, 1.0], "repetitions": 1},
    }
    run(Study.from_table(table), tmp_path / "store")
    with Store.read(tmp_path / "store") as store:
        (row,) = (r for r in store.rows() if dict(r.parameters) == {step: 0.5, noise: 0.5})
    (slice,) = (found := [s for s in report.slices(tmp_path / "store") if s.place[noise] == 0.5])
    (tmp_path / "study.toml").write_text(provenance(tmp_path / "store", found).study)
    said = shlex.split(command(origin(tmp_path / "store"), slice, 0.5, row.seed))
    assert main([*said[1:], "--out", "x.png"]) == 0
    assert f"{row.outcome} at flow time {row.flow_time:.4g}" in capsys.readouterr().out


def test_the_command_writes_beside_the_store(stores, capsys, tmp_path):
    assert main(["report", str(stores["point"])]) == 0
    path = stores["point"] / "report.html"
    assert capsys.readouterr().out == f"page {path}\n" and path.stat().st_size > 10_000
    assert write(stores["point"], path=tmp_path / "x.html") == tmp_path / "x.html"


def test_mistakes_are_one_line(stores, capsys, tmp_path):
    open_store(tmp_path / "empty").close()
    with pytest.raises(ValueError, match="jaxflow run") as error:
        page(tmp_path / "empty")
    one_line(error)
    for arguments in (
        [str(tmp_path / "none")],
        [str(stores["grid"]), str(stores["along"])],
        [str(stores["point"]), "--out", str(tmp_path / "none" / "x.html")],
    ):
        assert main(["report", *arguments]) == 2
        (line,) = capsys.readouterr().err.strip().splitlines()
        assert line.startswith("jaxflow: expected")


def test_help_needs_no_page():
    code = "import sys; from jaxflow.cli import parser; print('jinja2' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_every_outcome_has_a_word(read):
    assert len(read["grid"].data["outcomes"]) == len(Outcome)
    assert json.dumps(read["grid"].data, allow_nan=False)


def test_a_problem_that_is_named_alone_is_given_whole(stores):
    (slice,) = report.slices(stores["along"])
    scanned = replace(slice, plan=replace(slice.plan, along="problem.label_noise"))
    study = Origin(("mine.toml",), {"problem": "perceptron"})
    said = shlex.split(command(study, scanned, 0.25, 3))
    assert '--problem={"kind" = "perceptron", "label_noise" = 0.25}' in said
    assert said[said.index("--trial-seed") + 1] == "3"
