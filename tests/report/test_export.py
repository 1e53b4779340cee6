"""Tables and labelled arrays of trials, and their way through files and back."""

import csv
import json
import os
import signal
import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest
from stores import ROW, one_line

from jaxflow.core.types import Outcome, Row
from jaxflow.report import export

SHRINK = "problem.initialization.shrink"
ATTRIBUTES = {"study": json.dumps({"name": "tiny"}), "study_hash": "203dee"}
FAILED = {
    "outcome": Outcome.FAILED,
    "reason": "not_finite",
    "last_loss": np.inf,
    "curvature": np.nan,
}
TOLD = {"event_times": (("fits", 1.0),), "measured": (("norm", 2.0), ("test_loss", np.inf))}
ROWS = [
    replace(ROW, parameters=((SHRINK, 0.1),), **TOLD),
    replace(ROW, parameters=((SHRINK, 0.1),), seed=1, outcome=Outcome.UNDECIDED, reason="horizon"),
    replace(ROW, parameters=((SHRINK, 1 / 3),), n=16, **FAILED),
    replace(ROW, parameters=((SHRINK, 1 / 3),), dynamics="descent", d=3),
]
FIELDS = [field.name for field in fields(Row) if field.name not in export.NAMED]


def columns(rows) -> dict[str, list[object]]:
    found = {name: [getattr(row, name) for row in rows] for name in FIELDS}
    found["outcome"] = [row.outcome.value for row in rows]
    for kind, names in (("event_times", ["fits"]), ("measured", ["norm", "test_loss"])):
        for name in names:
            values = [dict(getattr(row, kind)).get(name, np.nan) for row in rows]
            found[f"{kind}.{name}"] = values
    return found | {SHRINK: [dict(row.parameters)[SHRINK] for row in rows]}


def same(found, wanted) -> bool:
    return all(a == b or (a != a and b != b) for a, b in zip(found, wanted, strict=True))


def assert_holds_rows(table, rows) -> None:
    """`table` gives a column by its name."""
    for name, wanted in columns(rows).items():
        found = np.asarray(table[name]).tolist()
        assert same(found, wanted), name
        assert {type(x) for x in found} == {type(x) for x in wanted}, name


@pytest.fixture
def dataset():
    pytest.importorskip("xarray")
    return export.to_xarray(ROWS, ATTRIBUTES)


def test_every_field_is_described():
    assert list(export.DESCRIPTIONS) == FIELDS


def test_a_data_frame_has_a_row_a_trial_and_a_column_a_parameter():
    pytest.importorskip("pandas")
    frame = export.to_pandas(ROWS)
    assert sorted(frame.columns) == sorted(columns(ROWS))
    assert_holds_rows(frame, ROWS)


def test_a_trial_without_a_parameter_has_nan():
    pytest.importorskip("pandas")
    frame = export.to_pandas([ROW, *ROWS])
    assert np.isnan(frame[SHRINK][0]) and frame[SHRINK][1] == 0.1


def test_a_data_set_has_the_trials_with_names_and_units(dataset):
    assert dataset.sizes["trial"] == len(ROWS)
    assert_holds_rows(dataset, ROWS)
    for name in dataset.data_vars:
        assert dataset[name].attrs["long_name"]
        assert ("units" in dataset[name].attrs) == (dataset[name].dtype.kind in "ifb"), name
    assert dataset.attrs.items() >= ATTRIBUTES.items()
    assert "jaxflow " in dataset.attrs["versions"]


def test_dense_counts_are_those_counted_by_hand(dataset):
    axes = ("dynamics", "d", "p", "n", SHRINK)
    assert dataset.trials_at.dims == tuple(f"{name}_at" for name in axes)
    assert dataset.trials_at.shape == (2, 2, 1, 2, 2)
    assert dataset.trials_at.sum() == len(ROWS)
    assert dataset.converged_at.sum() == 2

    def at(**place):
        found = dataset.sel({f"{name}_at": x for name, x in place.items()})
        return int(found.trials_at), int(found.converged_at)

    assert at(dynamics="flow", d=2, p=4, n=8, **{SHRINK: 0.1}) == (2, 1)
    assert at(dynamics="flow", d=2, p=4, n=16, **{SHRINK: 1 / 3}) == (1, 0)
    assert at(dynamics="descent", d=3, p=4, n=8, **{SHRINK: 1 / 3}) == (1, 1)
    assert at(dynamics="descent", d=3, p=4, n=16, **{SHRINK: 1 / 3}) == (0, 0)


def test_a_trial_without_a_parameter_is_counted(dataset):
    found = export.to_xarray([ROW, *ROWS]).trials_at
    assert found.sum() == len(ROWS) + 1
    assert found.sum(dim=[d for d in found.dims if d != f"{SHRINK}_at"]).values.tolist() == [
        2,
        2,
        1,
    ]


def test_counts_over_too_many_points_are_left_out(dataset, monkeypatch):
    monkeypatch.setattr(export, "MOST_SLICES", dataset.trials_at.size)
    found = export.to_xarray(ROWS)
    assert "trials_at" not in found
    assert set(found.dims) == {"trial"}


def test_a_store_without_trials_makes_empty_tables(tmp_path):
    pytest.importorskip("xarray")
    assert len(export.to_pandas([])) == 0
    assert export.to_xarray([]).sizes["trial"] == 0


@pytest.mark.parametrize("of", ["rows", "dataset"])
def test_netcdf_round_trip(tmp_path, dataset, of):
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    export.write(ROWS if of == "rows" else dataset, tmp_path / "trials.nc")
    with xarray.open_dataset(tmp_path / "trials.nc", engine="h5netcdf") as found:
        found.load()
    assert_holds_rows(found, ROWS)
    assert found.trials_at.equals(dataset.trials_at)
    assert found.converged_at.equals(dataset.converged_at)
    assert {name: v.attrs for name, v in found.items()} == {n: v.attrs for n, v in dataset.items()}
    if of == "dataset":
        assert found.attrs == dataset.attrs


@pytest.mark.parametrize("of", ["rows", "dataset"])
def test_parquet_round_trip(tmp_path, dataset, of):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    export.write(ROWS if of == "rows" else dataset, tmp_path / "trials.parquet")
    found = pandas.read_parquet(tmp_path / "trials.parquet", engine="pyarrow")
    assert sorted(found.columns) == sorted(columns(ROWS))
    assert_holds_rows(found, ROWS)
    if of == "dataset":
        assert found.attrs == dataset.attrs


def test_csv_needs_no_other_package(tmp_path, monkeypatch):
    for name in ("pandas", "xarray", "pyarrow", "h5netcdf"):
        monkeypatch.setitem(sys.modules, name, None)
    export.write(ROWS, tmp_path / "trials.csv")
    assert_csv(tmp_path / "trials.csv")


def test_csv_of_a_data_set(tmp_path, dataset):
    export.write(dataset, tmp_path / "trials.csv")
    assert_csv(tmp_path / "trials.csv")


def assert_csv(path) -> None:
    with path.open(newline="") as file:
        found = list(csv.DictReader(file))
    assert len(found) == len(ROWS)
    for name, wanted in columns(ROWS).items():
        assert [line[name] for line in found] == list(map(str, wanted))


def test_another_suffix_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(
        ValueError, match=r"\.csv, \.nc, \.parquet.*did you mean '\.parquet'"
    ) as error:
        export.write(ROWS, tmp_path / "trials.parq")
    one_line(error)


@pytest.mark.parametrize(
    ("missing", "suffix"),
    [("xarray", ".nc"), ("h5netcdf", ".nc"), ("pandas", ".parquet"), ("pyarrow", ".parquet")],
)
def test_a_missing_package_is_named_with_how_to_install_it(tmp_path, monkeypatch, missing, suffix):
    for name in {"pandas", "xarray", "pyarrow", "h5netcdf"} - {missing}:
        pytest.importorskip(name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ValueError, match=r"pip install 'jaxflow-phase\[export\]'") as error:
        export.write(ROWS, tmp_path / f"trials{suffix}")
    assert missing in one_line(error)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_whole_or_kept(tmp_path, monkeypatch):
    path = tmp_path / "trials.csv"
    export.write(ROWS, path)
    before = path.read_bytes()

    def broken(data, part):
        part.write_text("dynamics,d")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setitem(export._WRITERS, ".csv", broken)
        with pytest.raises(ValueError, match="No space left") as error:
            export.write(ROWS, path)
        one_line(error)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    export.write(ROWS[:1], path)
    assert len(path.read_text().splitlines()) == 2
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(ValueError, match="No such file") as error:
        export.write(ROWS, tmp_path / "runs" / "trials.csv")
    one_line(error)


def test_what_a_killed_export_left_is_cleared_by_the_next(tmp_path):
    """Its part, and neither that of one at work nor other files."""
    path = tmp_path / "[x].csv"
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from jaxflow.report import export\n"
        "export.csv.writer = lambda file: os.kill(os.getpid(), signal.SIGKILL)\n"
        "export.write([], Path(sys.argv[1]))\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".[x].csv.") and left.name.endswith(".part")
    dead = int(left.name.split(".")[-2])
    others = {f".[x].csv.{os.getppid()}.part", f".y.csv.{dead}.part", f".x.csv.{dead}.part"}
    others |= {".[x].csv.mine.part", f".[x].csv.{dead}.part.csv"}
    for name in others:
        (tmp_path / name).touch()
    export.write(ROWS, path)
    assert {found.name for found in tmp_path.iterdir()} == {path.name, *others}
