"""Stores of earlier schemas brought up to date, one step a schema.

A step says in full what it changes: it must not follow the present columns, which change again.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from jaxflow.core.errors import mistake
from jaxflow.store.columns import digest
from jaxflow.store.file import RESTORE
from jaxflow.store.identity import hashed_table
from jaxflow.store.tables import SCHEMA, enter


def migrate(connection: sqlite3.Connection, schema: int) -> None:
    """Bring a store of that schema up to the present one, in the transaction that is under way.

    Raises `ValueError` where what it must read of the study is damaged.
    """
    for step in range(schema, SCHEMA):
        STEPS[step](connection)


def _from_1(connection: sqlite3.Connection) -> None:
    """Parameters joined the key; horizons became lists, n an axis, and plans name their axis."""
    for table in ("trials", "trajectories"):
        info = connection.execute(f"PRAGMA table_info({table})").fetchall()
        columns = [f"{name} {kind}{' NOT NULL' * said}" for _, name, kind, said, *_ in info]
        columns.insert(4, "parameters TEXT NOT NULL")
        key = "dynamics, d, n, p, parameters, seed, horizon"
        body = ", ".join([*columns, f"PRIMARY KEY ({key})"])
        names = ", ".join(name for _, name, *_ in info)
        connection.execute(f"ALTER TABLE {table} RENAME TO earlier")
        connection.execute(f"CREATE TABLE {table} ({body})")
        connection.execute(
            f"INSERT INTO {table} ({names}, parameters) SELECT {names}, '{{}}' FROM earlier"
        )
        connection.execute("DROP TABLE earlier")
    study, _ = _study(connection)
    try:
        _study_from_1(study)
    except (KeyError, TypeError, AttributeError) as error:
        raise _no_study(error) from error
    text, hashed = _canonical(study)
    connection.execute("UPDATE study SET hash = ?, json = ?, schema = 2", (hashed, text))


def _study_from_1(study: dict[str, Any]) -> None:
    horizon, axes = study["horizon"], study["axes"]
    time = [horizon["time"]] if "time" in horizon else []
    study["horizon"] = {"factor": [] if time else [horizon["factor"]], "time": time}
    study["axes"] = {"d": axes["d"], "n": [], "p": axes["p"], "parameters": {}}
    for plan in ("threshold", "grid"):
        if plan in study:
            study[plan] |= {"along": "n", "rising": False}


PROTOCOL = ("dynamics", "ensemble", "precision", "seed", "success")
DESIGN = ("axes", "grid", "horizon", "name", "record", "threshold")
_KEY = ("dynamics", "d", "n", "p", "parameters", "seed")
_REST = (
    "horizon, outcome, reason, flow_time, steps, evaluations, rejections, first_loss, last_loss, "
    "well_initialized, balancedness_drift, curvature, dtype, device, program, versions"
)
_KEY_OF_3 = (
    "dynamics TEXT NOT NULL, d INTEGER NOT NULL, n INTEGER NOT NULL, p INTEGER NOT NULL, "
    "parameters TEXT NOT NULL, seed INTEGER NOT NULL"
)
_TABLES_OF_3 = (
    "protocol (hash TEXT NOT NULL, json TEXT NOT NULL, schema INTEGER NOT NULL, "
    "created TEXT NOT NULL)",
    "designs (number INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, json TEXT NOT NULL, "
    "source TEXT NOT NULL, created TEXT NOT NULL, last_run TEXT NOT NULL, turn INTEGER NOT NULL)",
    f"trials ({_KEY_OF_3}, horizon , outcome TEXT, reason TEXT, flow_time , steps INTEGER, "
    "evaluations INTEGER, rejections INTEGER, first_loss , last_loss , well_initialized INTEGER, "
    "balancedness_drift , curvature , dtype TEXT, device TEXT, program TEXT, versions TEXT, "
    f"digest BLOB NOT NULL, PRIMARY KEY ({', '.join(_KEY)}))",
    f"trajectories ({_KEY_OF_3}, arrays BLOB NOT NULL, digest BLOB NOT NULL, "
    f"PRIMARY KEY ({', '.join(_KEY)}))",
    f"asked (design INTEGER NOT NULL, {_KEY_OF_3}, horizon  NOT NULL, "
    f"PRIMARY KEY (design, {', '.join(_KEY)}))",
    "sums (name TEXT NOT NULL PRIMARY KEY, entries INTEGER NOT NULL, total BLOB NOT NULL)",
)


def _from_2(connection: sqlite3.Connection) -> None:
    """The study became a protocol, the store's identity, and a design; horizon left the key.

    Every entry has a digest, and every table the sum of its entries' digests.
    """
    study, created = _study(connection)
    if not set(PROTOCOL) <= set(study) <= {*PROTOCOL, *DESIGN}:
        raise _no_study(sorted(study))
    for table in ("trials", "trajectories"):
        connection.execute(f"ALTER TABLE {table} RENAME TO earlier_{table}")
    for sql in _TABLES_OF_3:
        connection.execute(f"CREATE TABLE {sql}")
    for name in ("protocol", "designs", "trials", "trajectories", "asked"):
        connection.execute("INSERT INTO sums VALUES (?, 0, ?)", (name, bytes(16)))
    text, hashed = _canonical(_protocol_from_2(study))
    protocol = (hashed, text, 3, created)
    connection.execute("INSERT INTO protocol VALUES (?, ?, ?, ?)", protocol)
    enter(connection, "protocol", [digest("protocol", protocol)])
    text, hashed = _canonical(_design_from_2(study))
    design = (hashed, text, "", created, created, 0)
    connection.execute("INSERT INTO designs VALUES (1, ?, ?, ?, ?, ?, ?)", design)
    enter(connection, "designs", [digest("designs", design)])
    _trials_from_2(connection, hashed)
    for table in ("study", "earlier_trials", "earlier_trajectories"):
        connection.execute(f"DROP TABLE {table}")


def _protocol_from_2(study: dict[str, Any]) -> dict[str, Any]:
    """The protocol of a study; networks have biases, or say that they have none."""
    protocol = {name: study[name] for name in PROTOCOL}
    try:
        protocol["ensemble"].setdefault("network", {}).setdefault("biases", "none")
    except (KeyError, TypeError, AttributeError) as error:
        raise _no_study(error) from error
    return protocol


def _design_from_2(study: dict[str, Any]) -> dict[str, Any]:
    """The design of a study; rules by which horizons and widths follow the point have names now."""
    design = {name: study[name] for name in DESIGN if name in study}
    try:
        if not design["horizon"]["time"]:
            design["horizon"]["rule"] = {"rule": "steps_of_descent"}
        for name, rule in (("failure", "well_initialized"), ("alpha", "groups")):
            if values := design["axes"].pop(name, None):
                design["axes"]["p"] = {"rule": rule, name: values}
    except (KeyError, TypeError, AttributeError) as error:
        raise _no_study(error) from error
    return design


def _trials_from_2(connection: sqlite3.Connection, design: str) -> None:
    """Of rows that differ in their horizon alone, the decided one is kept, or else the longest."""
    size, kept = len(_KEY), dict[tuple[Any, ...], tuple[Any, ...]]()
    for record in connection.execute(f"SELECT {', '.join(_KEY)}, {_REST} FROM earlier_trials"):
        there = kept.get(record[:size])
        if there is None or _rank(*there[size : size + 2]) < _rank(*record[size : size + 2]):
            kept[record[:size]] = record
    records = [(*record, digest("trials", record)) for record in kept.values()]
    places = ", ".join("?" * len(records[0])) if records else ""
    connection.executemany(f"INSERT INTO trials VALUES ({places})", records)
    enter(connection, "trials", [record[-1] for record in records])
    asked = [(*key, record[size]) for key, record in kept.items()]
    connection.executemany("INSERT INTO asked VALUES (1, ?, ?, ?, ?, ?, ?, ?)", asked)
    enter(connection, "asked", [digest("asked", (design, *one)) for one in asked])
    digests = []
    for record in connection.execute(
        f"SELECT {', '.join(_KEY)}, horizon, arrays FROM earlier_trajectories"
    ):
        key, horizon, arrays = record[:size], record[size], record[size + 1]
        if key not in kept or kept[key][size] == horizon:
            digests.append(digest("trajectories", key, arrays))
            values = (*key, arrays, digests[-1])
            connection.execute("INSERT INTO trajectories VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    enter(connection, "trajectories", digests)


def _rank(horizon: Any, outcome: Any) -> tuple[bool, float]:
    return outcome != "UNDECIDED", horizon if isinstance(horizon, float) else 0.0


def _from_3(connection: sqlite3.Connection) -> None:
    """The ensemble became a kind of problem, success a kind of event; names of parameters follow.

    Flows have a clock and a weight decay, or say that they go by time and have none.
    What was damaged or lost is still found afterwards: a digest that was wrong stays, and sums
    change by what changes.
    """
    ((*before, created),) = connection.execute("SELECT * FROM protocol").fetchall()
    text, hashed = _canonical(_protocol_from_3(hashed_table("protocol", *before[:2])))
    connection.execute("UPDATE protocol SET hash = ?, json = ?, schema = 4", (hashed, text))
    after = digest("protocol", (hashed, text, 4, created))
    enter(connection, "protocol", [after], [digest("protocol", (*before, created))])
    hashes = _designs_from_3(connection)
    _trials_from_3(connection, "trials", _REST, lambda values: digest("trials", values))
    of_archive = lambda values: digest("trajectories", values[:-1], values[-1])  # noqa: E731
    _trials_from_3(connection, "trajectories", "arrays", of_archive)
    _asked_from_3(connection, hashes)


def _protocol_from_3(protocol: dict[str, Any]) -> dict[str, Any]:
    success, ensemble = protocol.pop("success", None), protocol.pop("ensemble", None)
    if not isinstance(ensemble, dict) or not (success == "signs" or isinstance(success, float)):
        raise _no_study([success, ensemble])
    try:
        for dynamics in protocol["dynamics"].values():
            if dynamics["kind"] == "flow":
                dynamics |= {"clock": "time", "weight_decay": 0.0}
    except (KeyError, TypeError, AttributeError) as error:
        raise _no_study(error) from error
    square = {} if success == "signs" else {"square": success}
    problem = {**ensemble, "kind": "shallow_network"}
    return {**protocol, "problem": problem, "event": {"kind": "certificate", **square}}


def _designs_from_3(connection: sqlite3.Connection) -> dict[Any, tuple[Any, Any]]:
    """By the number of each design, its hash before and after."""
    came, went, hashes = [], [], {}
    for number, hashed, text, *rest in connection.execute("SELECT * FROM designs").fetchall():
        design = hashed_table("design", hashed, text)
        try:
            parameters = design["axes"]["parameters"]
            design["axes"]["parameters"] = {_renamed(k): x for k, x in parameters.items()}
            for plan in (design[name] for name in ("grid", "threshold") if name in design):
                plan["along"] = _renamed(plan["along"])
        except (KeyError, TypeError, AttributeError) as error:
            raise _no_study(error) from error
        new = _canonical(design)
        sql = "UPDATE designs SET json = ?, hash = ? WHERE number = ?"
        connection.execute(sql, (*new, number))
        hashes[number] = hashed, new[1]
        went.append(digest("designs", (hashed, text, *rest)))
        came.append(digest("designs", (*new[::-1], *rest)))
    enter(connection, "designs", came, went)
    return hashes


def _renamed(name: str) -> str:
    is_of_problem = name.startswith("ensemble.")
    return f"problem.{name.removeprefix('ensemble.')}" if is_of_problem else name


@lru_cache(maxsize=4096, typed=True)
def _parameters_from_3(text: Any) -> Any:
    """What the column was; as it is where that was not canonical JSON, which is damage."""
    try:
        table = json.loads(text)
        new, _ = _canonical({_renamed(name): x for name, x in table.items()})
        return new if _canonical(table)[0] == text else text
    except (ValueError, TypeError, AttributeError, RecursionError):
        return text


def _key_from_3(key: tuple[Any, ...]) -> tuple[Any, ...]:
    at = _KEY.index("parameters")
    return (*key[:at], _parameters_from_3(key[at]), *key[at + 1 :])


def _trials_from_3(
    connection: sqlite3.Connection,
    table: str,
    rest: str,
    digest_of: Callable[[tuple[Any, ...]], bytes],
) -> None:
    came, went, at = [], [], _KEY.index("parameters")
    select = f"SELECT {', '.join(_KEY)}, {rest}, digest FROM {table} WHERE rowid = ?"
    update = f"UPDATE {table} SET parameters = ?, digest = ? WHERE rowid = ?"
    for place in connection.execute(f"SELECT rowid FROM {table}").fetchall():
        found = connection.execute(select, place).fetchone()
        if found is None:  # an index that is damaged lists rows which are not there
            raise mistake(
                f"the rows of {table} that its index lists", f"no row {place[0]}", RESTORE
            )
        *old, said = found
        new = _key_from_3(tuple(old))
        now = digest_of(new) if digest_of(tuple(old)) == said else said
        connection.execute(update, (new[at], now, *place))
        came.append(now)
        went.append(said)
    enter(connection, table, came, went)


def _asked_from_3(connection: sqlite3.Connection, hashes: dict[Any, tuple[Any, Any]]) -> None:
    came, went = [], []
    for place, number, *old in connection.execute("SELECT rowid, * FROM asked").fetchall():
        new = _key_from_3(tuple(old))
        values = (new[_KEY.index("parameters")], place)
        connection.execute("UPDATE asked SET parameters = ? WHERE rowid = ?", values)
        before, after = hashes.get(number, (None, None))
        went.append(digest("asked", (before, *old)))
        came.append(digest("asked", (after, *new)))
    enter(connection, "asked", came, went)


_COLUMNS_OF_5 = _TABLES_OF_3[2].replace(
    "curvature ,", "curvature , event_times TEXT, measured TEXT,"
)


def _from_4(connection: sqlite3.Connection) -> None:
    """Rows say when each of several events happened, and what was measured: here nothing."""
    ((*before, created),) = connection.execute("SELECT * FROM protocol").fetchall()
    connection.execute("UPDATE protocol SET schema = 5")
    after = digest("protocol", (*before[:2], 5, created))
    enter(connection, "protocol", [after], [digest("protocol", (*before, created))])
    connection.execute("ALTER TABLE trials RENAME TO earlier_trials")
    connection.execute(f"CREATE TABLE {_COLUMNS_OF_5}")
    at = len(_KEY) + _REST.split(", ").index("dtype")
    came, went = [], []
    for *old, said in connection.execute("SELECT * FROM earlier_trials NOT INDEXED"):
        new = (*old[:at], "{}", "{}", *old[at:])
        now = digest("trials", new) if digest("trials", old) == said else said
        connection.execute(
            f"INSERT INTO trials VALUES ({', '.join('?' * (len(new) + 1))})", (*new, now)
        )
        came.append(now)
        went.append(said)
    connection.execute("DROP TABLE earlier_trials")
    enter(connection, "trials", came, went)


def _from_5(connection: sqlite3.Connection) -> None:
    """Draws became a function of the problem's parameters, which are axes, as they are of sizes.

    Where there are trials of such parameters the protocol says that it draws as before: it can be
    read, and is not gone on with.
    """
    ((hashed, text, _, created),) = connection.execute("SELECT * FROM protocol").fetchall()
    before = digest("protocol", (hashed, text, 5, created))
    found = connection.execute("SELECT 1 FROM trials WHERE parameters LIKE '%\"problem.%' LIMIT 1")
    if found.fetchone():
        text, hashed = _canonical(hashed_table("protocol", hashed, text) | {"draws": "by sizes"})
    connection.execute("UPDATE protocol SET hash = ?, json = ?, schema = 6", (hashed, text))
    enter(connection, "protocol", [digest("protocol", (hashed, text, 6, created))], [before])


def _from_6(connection: sqlite3.Connection) -> None:
    """Runs are noted, with what they took; of those before nothing is known."""
    ((*before, created),) = connection.execute("SELECT * FROM protocol").fetchall()
    connection.execute("UPDATE protocol SET schema = 7")
    after = digest("protocol", (*before[:2], 7, created))
    enter(connection, "protocol", [after], [digest("protocol", (*before, created))])
    connection.execute(
        "CREATE TABLE runs (key TEXT NOT NULL PRIMARY KEY, design TEXT NOT NULL, "
        "began TEXT NOT NULL, seconds REAL NOT NULL, worker_seconds REAL NOT NULL, "
        "workers INTEGER NOT NULL, trials INTEGER NOT NULL)"
    )
    connection.execute("INSERT INTO sums VALUES ('runs', 0, ?)", (bytes(16),))


def _study(connection: sqlite3.Connection) -> tuple[dict[str, Any], Any]:
    """The study's table, and when its store was made."""
    found = connection.execute("SELECT hash, json, created FROM study").fetchall()
    if len(found) != 1:
        raise _no_study(f"{len(found)} of them")
    ((hashed, text, created),) = found
    return hashed_table("study", hashed, text), created


def _no_study(got: object) -> ValueError:
    return mistake("the study of a store", str(got)[:120], RESTORE)


def _canonical(table: dict[str, Any]) -> tuple[str, str]:
    """A table's canonical JSON, and its hash."""
    text = json.dumps(table, sort_keys=True, separators=(",", ":"))
    return text, hashlib.sha256(text.encode()).hexdigest()


STEPS: dict[int, Callable[[sqlite3.Connection], None]] = {
    1: _from_1,
    2: _from_2,
    3: _from_3,
    4: _from_4,
    5: _from_5,
    6: _from_6,
}
