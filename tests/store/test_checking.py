"""Everything that can be wrong with a store is found, and nothing in a sound one."""

import hashlib
import json

import pytest
from stores import execute, one_line, sound

from jaxflow.papers.rules import width_rule
from jaxflow.store.checking import check, gaps
from jaxflow.store.files import FILE
from jaxflow.store.store import Store

SHRINK = "ensemble.initialization.shrink"
STEP = "dynamics.control.step"


@pytest.fixture
def folder(tmp_path):
    return sound(tmp_path)


def update(folder, change: str, where: str = "dynamics = 'flow' AND n = 6") -> None:
    execute(folder, f"UPDATE trials SET {change} WHERE {where}")


def change_study(folder, change) -> None:
    """Another study in place of the one there, hash and all."""
    ((text,),) = execute(folder, "SELECT json FROM study")
    study = json.loads(text)
    change(study)
    text = json.dumps(study)
    hashed = hashlib.sha256(text.encode()).hexdigest()
    execute(folder, "UPDATE study SET json = ?, hash = ?", (text, hashed))


def test_a_sound_store_has_no_findings(folder):
    before = (folder / FILE).read_bytes()
    assert check(folder) == []
    assert gaps(folder) == []
    assert (folder / FILE).read_bytes() == before


def test_it_is_checked_while_a_writer_is_at_work(folder):
    with Store.read(folder) as store:
        study = store.study_hash, store.study_json
    with Store.open(folder, *study) as writer:
        assert check(folder) == []
        writer._connection.execute("BEGIN IMMEDIATE")
        writer._connection.execute("UPDATE trials SET seed = 7, steps = -1 WHERE n = 6")
        assert check(folder) == []
        writer._connection.execute("ROLLBACK")


def test_widths_that_follow_n_are_those_of_their_rule(folder):
    """The store has p = 8 throughout, which is no width of the published rule."""
    with Store.read(folder) as store:
        sizes = {(row.n, row.p) for row in store.rows()}
    assert len(sizes) > 1
    change_study(folder, lambda study: study["axes"].update(p=[], failure=[0.05]))
    found = check(folder)
    assert sum("p = 8 is not asked for by the study" in line for line in found) >= len(sizes)
    for n, p in sizes:
        update(folder, f"p = {width_rule(n, 0.05)}", f"n = {n} AND p = {p}")
    assert not any("asked for" in line for line in check(folder))


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ("outcome = 'UNDECIDED'", "UNDECIDED does not go with the reason 'certificate'"),
        ("reason = 'stationary'", "CONVERGED does not go with the reason 'stationary'"),
        ("reason = 'running'", "CONVERGED does not go with the reason 'running'"),
        ("outcome = 'BORED'", "cannot be read: 'BORED' is not a valid Outcome"),
        ("steps = NULL", "cannot be read"),
        ("parameters = '[1]'", "cannot be read"),
        ("flow_time = -1.0", "flow time -1 is outside the horizon"),
        ("flow_time = 60.001", "flow time 60.001 is outside the horizon"),
        ("flow_time = NULL", "flow time nan is outside the horizon"),
        ("horizon = 9e999", "the horizon is no flow time"),
        ("steps = -1", "steps = -1 is negative"),
        ("evaluations = 12", "12 evaluations are too few for 13 steps"),
        ("rejections = -2", "rejections = -2 is negative"),
        ("seed = -1", "seed = -1 is negative"),
        ("last_loss = 9e999", "last_loss = inf is no loss"),
        ("last_loss = NULL", "last_loss = nan is no loss"),
        ("first_loss = -1.0", "first_loss = -1.0 is no loss"),
        ("dynamics = 'jump'", "the study has no such dynamics"),
        ("d = 4", "d = 4 is not asked for by the study"),
        ("p = 9", "p = 9 is not asked for by the study"),
        ("n = 41", "n = 41 is not asked for by the study"),
        (f"parameters = '{{\"{SHRINK}\":1.0}}'", f"{SHRINK} is no axis of the study"),
        ("dtype = 'float64'", "ran in float64, not in the study's float32"),
    ],
)
def test_a_value_that_no_trial_has_is_found(folder, change, finding):
    execute(folder, "DELETE FROM trajectories")
    update(folder, change)
    (found,) = check(folder)
    assert finding in found
    assert found.startswith("dynamics=") and "\n" not in found
    assert "seed=" in found


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ("flow_time = 60.00005", "dynamics = 'flow' AND n = 6"),  # rounding
        ("flow_time = 60.001", "dynamics = 'control' AND n = 12"),  # less than a step left
        ("curvature = NULL, balancedness_drift = NULL", "dynamics = 'flow' AND n = 6"),
        ("flow_time = NULL, first_loss = 9e999", "outcome = 'FAILED'"),
    ],
)
def test_what_a_trial_can_say_is_no_finding(folder, change, where):
    update(folder, change, where)
    assert check(folder) == []


def test_descent_takes_one_step_at_least_of_its_own_length(folder):
    control = "dynamics = 'control' AND n = 12"
    execute(folder, f"DELETE FROM trials WHERE NOT ({control})")
    execute(folder, "DELETE FROM trajectories")
    update(folder, "horizon = 0.25, flow_time = 1.0", control)
    assert check(folder) == []
    change_study(folder, lambda study: study["axes"]["parameters"].update({STEP: [0.5]}))
    assert all("step is missing" in line for line in check(folder))
    update(folder, f"parameters = '{{\"{STEP}\":0.5}}'", control)
    assert all("flow time 1 is outside the horizon" in line for line in check(folder))
    update(folder, "flow_time = 0.5", control)
    assert check(folder) == []


def test_parameters_are_those_of_the_axes_and_the_one_scanned(folder):
    def scan_shrink(study):
        study["axes"] = {"d": [3], "n": [3, 6, 12], "p": [8], "parameters": {STEP: [1.0, 2.0]}}
        study["threshold"] |= {"along": SHRINK, "low": 0.01, "high": 1.0}

    execute(folder, "DELETE FROM trajectories")
    change_study(folder, scan_shrink)
    own = json.dumps({STEP: 2.0, SHRINK: 0.5}, separators=(",", ":"))
    update(folder, f"parameters = '{{\"{SHRINK}\":0.5}}'", "dynamics = 'flow'")
    update(folder, f"parameters = '{own}'", "dynamics = 'control'")
    assert check(folder) == []
    update(folder, f"parameters = '{own}'")
    assert [line.split(": ")[1] for line in check(folder)] == [f"{STEP} is no axis of the study"]
    update(folder, f"parameters = '{{\"{SHRINK}\":2.0}}'")
    assert [line.split(": ")[1] for line in check(folder)] == [
        f"{SHRINK} = 2 is not asked for by the study"
    ]
    update(folder, "parameters = '{}'")
    assert [line.split(": ")[1] for line in check(folder)] == [f"{SHRINK} is missing"]


def test_a_grid_asks_for_its_values_only(folder):
    def to_grid(study):
        del study["threshold"]
        values = {"values": [3, 6], "repetitions": 2}
        study["grid"] = {**values, "along": "n", "rising": False}

    change_study(folder, to_grid)
    found = check(folder)
    assert len(found) == 5 and all("n = 12 is not asked for" in line for line in found)


def test_a_study_that_was_tampered_with_is_found(folder):
    execute(folder, "UPDATE study SET json = replace(json, '\"seed\":0', '\"seed\":1')")
    assert check(folder) == ["the study's hash is not that of its JSON"]
    change_study(folder, lambda study: study.pop("dynamics"))
    assert check(folder) == ["the study's JSON is no study: KeyError('dynamics')"]


def test_trajectories_belong_to_a_trial_and_can_be_read(folder):
    execute(folder, "DELETE FROM trials WHERE dynamics = 'flow' AND n = 6")
    (found,) = check(folder)
    assert found == "dynamics=flow d=3 n=6 p=8 seed=0 horizon=60.0: a trajectory of no trial"
    for archive in (b"", b"arrays", b"PK\x03\x04" + 100 * b"x"):
        execute(folder, "UPDATE trajectories SET arrays = ?", (archive,))
        assert "a trajectory that cannot be read" in check(folder)[1]
    ((packed,),) = execute(sound(folder / "other"), "SELECT arrays FROM trajectories")
    damaged = packed[:60] + bytes([packed[60] ^ 255]) + packed[61:]
    execute(folder, "UPDATE trajectories SET arrays = ?", (damaged,))
    assert "a trajectory that cannot be read" in check(folder)[1]


def test_gaps_are_told_apart_from_faults(folder):
    execute(folder, "DELETE FROM trials WHERE dynamics = 'flow' AND n = 12 AND seed = 1")
    assert check(folder) == []
    assert gaps(folder) == ["dynamics=flow d=3 n=12 p=8 horizon=60.0: 2 of 3 seeds"]


def test_a_damaged_file_is_found(folder):
    data = bytearray((folder / FILE).read_bytes())
    middle = len(data) // 2
    data[middle - 2048 : middle + 2048] = bytes(range(256)) * 16
    (folder / FILE).write_bytes(data)
    found = check(folder)
    assert found and all("\n" not in line for line in found)
    (folder / FILE).write_text("a letter\n" * 100)
    (found,) = check(folder)
    assert "not a database" in found


def test_where_there_is_no_store_there_is_nothing_to_check(tmp_path):
    with pytest.raises(ValueError, match="jaxflow run") as error:
        check(tmp_path)
    one_line(error)
