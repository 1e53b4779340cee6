"""The trials of a store as a table or as labelled arrays, for other programs.

Everything here but plain CSV needs `pip install 'jaxflow-phase[export]'`.
"""

import csv
import os
from collections.abc import Callable, Iterable, Mapping
from glob import escape
from importlib import import_module
from math import nan, prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxflow.core.errors import mistake, unknown_name
from jaxflow.core.machine import versions
from jaxflow.core.types import Outcome, Row
from jaxflow.store.reading import by_column
from jaxflow.store.table import AT_ONCE, Named, Rows, Words

if TYPE_CHECKING:
    import pandas
    import xarray

MOST_SLICES = 10**7  # of the dense counts; above it a data set has none
AXES = ("dynamics", "d", "p", "n")
_TIME = "flow time"  # that of theta' = -kappa grad L
NAMED = {"parameters": "", "event_times": "event_times.", "measured": "measured."}
DESCRIPTIONS = {  # long name and unit of every field
    "dynamics": ("name of the dynamics in the study", ""),
    "d": ("input dimension", "coordinates"),
    "n": ("number of samples", "samples"),
    "p": ("width of the network", "neurons"),
    "seed": ("number of the trial at its point", "1"),
    "horizon": ("flow time allowed", _TIME),
    "outcome": ("how the trial ended", ""),
    "reason": ("why it stopped", ""),
    "flow_time": ("flow time at which it stopped", _TIME),
    "steps": ("accepted steps", "steps"),
    "evaluations": ("evaluations of the field", "evaluations"),
    "rejections": ("rejected steps", "steps"),
    "first_loss": ("loss at the start", "1"),
    "last_loss": ("loss where it stopped", "1"),
    "well_initialized": ("every sample has an active neuron of its label's sign", "1"),
    "balancedness_drift": ("largest change of a_j^2 - |w_j|^2/degree over largest a_j^2", "1"),
    "curvature": ("-L'/L where it stopped", f"1/({_TIME})"),
    "dtype": ("floating-point type", ""),
    "device": ("device that ran it", ""),
    "program": ("compiled program that ran it", ""),
    "versions": ("versions of the packages that ran it", ""),
}


def to_pandas(rows: Iterable[Row]) -> "pandas.DataFrame":
    """One row a trial, one column a field and parameter; NaN where a trial has no such one."""
    return package("pandas").DataFrame(_columns(by_column(rows)), copy=False)


def to_xarray(rows: Iterable[Row], attributes: Mapping[str, str] | None = None) -> "xarray.Dataset":
    """The trials as variables along "trial", and how many ran and converged at every point.

    The counts are `trials_at` and `converged_at` over `dynamics_at`, `d_at`, `p_at`, `n_at` and one
    dimension a parameter, named likewise; they are left out above `MOST_SLICES`. `attributes`, as
    the study's JSON and hash, are kept beside the versions of the packages.
    """
    labelled, told = package("xarray"), by_column(rows)
    columns = _columns(told)
    trials = {  # as they are: else each trial has a copy of every text
        name: labelled.Variable("trial", column, described(name), fastpath=True)
        for name, column in columns.items()
    }
    counts, coordinates = _counts(told, columns)
    about = {"versions": versions(), **(attributes or {})}
    made: xarray.Dataset = labelled.Dataset({**trials, **counts}, coordinates, about)
    return made


def write(data: "xarray.Dataset | Iterable[Row]", path: Path) -> None:
    """Write trials, or the data set made of them, as netCDF, Parquet or CSV, by the suffix.

    The file is replaced at once or not at all. Raises `ValueError` for another suffix, where a
    package is missing, and where the file cannot be written.
    """
    if path.suffix not in _WRITERS:
        raise unknown_name("the suffix of a file to export", path.suffix, _WRITERS)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        _clear_left_over(path)
        _WRITERS[path.suffix](data, part)
        part.replace(path)
    except OSError as error:
        remedy = "choose another path, or make room"
        raise mistake(f"a file that can be written at {path}", str(error), remedy) from error
    finally:
        part.unlink(missing_ok=True)


def _clear_left_over(path: Path) -> None:
    """Remove the parts of a file whose writers were killed."""
    begins, ends = f".{path.name}.", ".part"
    for part in path.parent.glob(f"{escape(begins)}*{ends}"):
        writer = part.name.removeprefix(begins).removesuffix(ends)
        if writer.isascii() and writer.isdigit() and not _is_alive(int(writer)):
            part.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's
        return True
    return True


def _write_netcdf(data: Any, path: Path) -> None:
    package("h5netcdf")
    dataset = to_xarray(data) if _is_rows(data) else data
    packed = {name: {"zlib": True} for name in ("trials_at", "converged_at") if name in dataset}
    texts = [name for name, values in dataset.data_vars.items() if values.dtype == object]
    dataset.drop_vars(texts).to_netcdf(path, engine="h5netcdf", encoding=packed)
    for name in texts:  # one at a time, for a text takes much room on its way
        dataset[[name]].to_netcdf(path, mode="a", engine="h5netcdf")


def _write_parquet(data: Any, path: Path) -> None:
    package("pyarrow")
    frame = package("pandas").DataFrame(_table(data), copy=False)
    frame.attrs = {} if _is_rows(data) else dict(data.attrs)
    frame.to_parquet(path, engine="pyarrow", index=False)


def _write_csv(data: Any, path: Path) -> None:
    columns = _table(data)
    length = len(columns["seed"])
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for start in range(0, length, AT_ONCE):
            lists = (column[start : start + AT_ONCE].tolist() for column in columns.values())
            writer.writerows(zip(*lists, strict=True))


_WRITERS: dict[str, Callable[[Any, Path], None]] = {
    ".nc": _write_netcdf,
    ".parquet": _write_parquet,
    ".csv": _write_csv,
}


def _is_rows(data: Any) -> bool:
    return not hasattr(data, "data_vars")


def _table(data: Any) -> dict[str, np.ndarray]:
    """The columns of rows or of a data set."""
    if _is_rows(data):
        return _columns(by_column(data))
    return {name: v.values for name, v in data.data_vars.items() if v.dims == ("trial",)}


def _columns(rows: Rows) -> dict[str, np.ndarray]:
    """The fields by name, those of numbers by name as a column for each of their names.

    A parameter goes by its name, the time of an event as event_times.NAME, and likewise measured.
    """
    columns: dict[str, np.ndarray] = {}
    for name, column in rows.columns.items():
        if name == "parameters":
            columns |= _parameters(rows.words(name))
        elif isinstance(column, Named):
            columns |= {NAMED[name] + of: numbers for of, numbers in column.numbers.items()}
        elif isinstance(column, Words):
            columns[name] = column.of(np.array(list(map(str, column.words)), object))
        else:
            columns[name] = column
    return columns


def _parameters(words: Words) -> dict[str, np.ndarray]:
    values = list(map(dict, words.words))
    names = sorted({name for one in values for name in one})
    return {name: words.of([one.get(name, nan) for one in values]) for name in names}


def _counts(rows: Rows, columns: Mapping[str, np.ndarray]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Trials and converged trials over the axes, and the coordinates of these."""
    names = [*AXES, *_parameters(rows.words("parameters"))]
    found = [np.unique(columns[name], return_inverse=True) for name in names]
    shape = tuple(len(values) for values, _ in found)
    if prod(shape) >= MOST_SLICES:
        return {}, {}
    converged = rows.words("outcome").are(Outcome.CONVERGED).astype(np.int64)
    sums = {
        "trials_at": ("trials at the point", np.ones_like(converged)),
        "converged_at": ("trials at the point that converged", converged),
    }
    dims = [f"{name}_at" for name in names]
    counts = {}
    for name, (long_name, numbers) in sums.items():
        total = np.zeros(shape, np.int64)
        np.add.at(total, tuple(index for _, index in found), numbers)
        counts[name] = (dims, total, {"long_name": long_name, "units": "trials"})
    coordinates = {
        dim: (dim, values, described(name))
        for dim, name, (values, _) in zip(dims, names, found, strict=True)
    }
    return counts, coordinates


def described(name: str) -> dict[str, str]:
    """The long name and, of a number, the unit of a field; a parameter has that of its law."""
    kind, _, rest = name.partition(".")
    others = {
        "event_times": (f"flow time at which the event {rest} happened", _TIME),
        "measured": (f"{rest} where it stopped", "1"),
    }
    known = {**others, **DESCRIPTIONS}
    long_name, unit = known.get(name) or known.get(kind) or (f"{name} of the study", "1")
    return {"long_name": long_name} | ({"units": unit} if unit else {})


def package(name: str) -> Any:
    """An optional package; `ValueError` says how to install it."""
    try:
        return import_module(name)
    except ImportError as error:
        remedy = "pip install 'jaxflow-phase[export]'"
        raise mistake(f"the package {name} to export with", "none", remedy) from error
