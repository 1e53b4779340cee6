"""The scripts in figures/: what each needs is there, and what they claim is written down."""

import importlib
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from jaxflow import Study, run
from jaxflow.study.files import presets

FOLDER = Path(__file__).resolve().parents[2] / "figures"
NAMES = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))


@pytest.fixture
def load(monkeypatch):
    """A script as a module."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module


def claims(name):
    return json.loads((FOLDER / "claims" / f"{name}.json").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_results_or_studies_with_a_small_size(load, name):
    assert load("_all").studies(name) or load(name).RESULTS.exists()
    for study in load(name).STUDIES:
        assert study in presets()
        Study.load(study, small=True)  # which refuses a study without a small size


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_is_drawn_and_claims_what_its_numbers_say(name):
    assert (FOLDER / f"{name}.png").stat().st_size > 10_000
    assert f"({name}.png)" in (FOLDER / "README.md").read_text()
    assert claims(name)
    for claim in claims(name):
        assert claim["low"] <= claim["ours"] <= claim["high"], claim["what"]
        published = claim["published"]
        if isinstance(published, int | float):
            assert claim["agrees"] is (claim["low"] <= published <= claim["high"])
        assert claim["trials"] > 0


def test_the_tables_of_claims_are_theirs(load):
    for page, lines in load("_all").tables():
        _, _, rest = page.read_text().partition("<!-- claims -->\n\n")
        written, _, _ = rest.partition("\n\n<!-- end of claims -->")
        assert written.split("\n") == list(lines), page
    assert {path.stem for path in (FOLDER / "claims").glob("*.json")} == set(NAMES)


def test_verdicts_are_what_intervals_say(load):
    """What is confirmed is in the interval; what is not supported is not."""
    statements = load("_verdicts").STATEMENTS
    assert len({statement.said for statement in statements}) == len(statements)
    for statement in statements:
        published = statement.published
        if published is None:
            continue
        claim = statement.claim()
        inside = claim["low"] <= published <= claim["high"]
        assert inside is (statement.verdict == "confirmed"), statement.said


def test_what_is_known_exactly_is_met():
    """By the interval and within 3 %."""
    exact = [claim for claim in claims("atlas") if claim["agrees"] is not None]
    assert len(exact) >= 18
    for claim in exact:
        known = np.mean(claim["published"])
        assert claim["agrees"], claim["what"]
        assert abs(claim["ours"] / known - 1) <= 0.03, claim["what"]


def test_descent_and_its_edge_flow_have_one_threshold():
    """Except at step 2 in narrow networks; and descent with step 1 has the one published."""
    held = {claim["what"]: claim["agrees"] for claim in claims("edge_flow") if claim["source"]}
    apart = {what for what, agrees in held.items() if not agrees}
    assert len(held) == 19
    assert apart == {
        f"{place}, step 2: that of the edge flow over that of descent"
        for place in ("N(50, 30)", "N(100, 37)")
    }


@pytest.mark.parametrize("small", [False, True])
def test_slices_are_asked_of_the_design_at_its_size(load, small):
    """A small study has a name of its own, which a script that names a design must use."""
    stores = load("_common").Stores(small)
    assert stores.design("lazy-scale") == Study.load("lazy-scale", small=small).name
    for script in FOLDER.glob("*.py"):
        named = re.findall(r"report\.slices\(stores\[(\w+)\], ([\w.]+\(?\w*)", script.read_text())
        assert all(design == f"stores.design({study}" for study, design in named), script


def test_in_whole_steps_the_edge_flow_has_the_thresholds_of_descent():
    """Within 3 % at every place; in narrow networks every interval holds 1. The flow has not."""
    found = {claim["what"]: claim for claim in claims("edge_steps") if claim["source"]}
    whole = [claim for what, claim in found.items() if "in whole steps" in what]
    assert (len(found), len(whole)) == (21, 12)
    assert all(abs(claim["ours"] - 1) < 0.03 for claim in whole)
    assert all(claim["agrees"] for claim in whole if "N(30, 100)" not in claim["what"])
    for place in ("50, 30", "100, 37"):
        assert (
            found[f"N({place}), step 2: that of the edge flow over that of descent"]["high"] < 0.96
        )


def test_a_figure_from_a_store_of_a_few_trials(load, tmp_path):
    changes = {"axes.n": [16], "grid.values": [2, 12], "grid.repetitions": 3}
    folder = tmp_path / "theorem-1"
    run(Study.load("theorem-1", changes), folder)
    script = load("theorem_1")
    found = script.draw({"theorem-1": folder}, tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 10_000
    assert sum("n = 16" in claim.what for claim in found) >= 1
    assert all(claim.low <= claim.ours <= claim.high for claim in found)
    correlations = [claim for claim in found if "largest correlation" in claim.what]
    assert all(0 < claim.ours <= 1 for claim in correlations)


@pytest.mark.parametrize("text", ["", "STUDIES = ['demo']"])
def test_a_script_that_does_not_name_its_studies_is_refused(load, tmp_path, monkeypatch, text):
    (tmp_path / "without_studies.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "without_studies", raising=False)
    with pytest.raises(SystemExit, match=re.escape("expected a tuple STUDIES in figures/")):
        load("_all").studies("without_studies")
