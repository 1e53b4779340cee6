"""Disks that are full and disks that are read-only: one clear line, and a sound store."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from stores import FILE, ROW, earlier, open_store, sound

from jaxflow.store.file import LOCK
from jaxflow.store.store import Store

PREPARE = """
import os, resource, sys
from dataclasses import replace
from pathlib import Path
import numpy as np
from stores import ROW, open_store
from jaxflow.store import FILE, Store
from jaxflow.store.checking import check
folder = Path(sys.argv[1])
"""

FULL = """
store = open_store(folder)
store.insert([ROW])
size = (folder / FILE).stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 40_000, resource.RLIM_INFINITY))
for first in range(1, 10**6, 10):
    kept = len(store.rows())
    try:
        store.insert([replace(ROW, seed=seed) for seed in range(first, first + 10)])
    except ValueError as error:
        print(error, kept, len(store.rows()), sep="\\n")
        break
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.insert([replace(ROW, seed=10**6)])
print(len(store.rows()))
"""

DROP_ROOT = """
if os.geteuid() == 0:
    check(folder)  # loads what another user may not be allowed to
    os.setuid(65534)
"""

READ_ONLY = """
try:
    open_store(folder)
except ValueError as error:
    print(error)
with Store.read(folder) as store:
    print(len(store.rows()))
print(check(folder))
"""

ENTER = """
try:
    check(folder)
except ValueError as error:
    print(error)
"""


def lines(script: str, folder: Path) -> list[str]:
    paths = os.pathsep.join([str(Path(__file__).parents[1] / "support"), *sys.path])
    command = [sys.executable, "-c", PREPARE + script, str(folder)]
    environment = {**os.environ, "PYTHONPATH": paths}
    found = subprocess.run(command, capture_output=True, env=environment, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout.splitlines()


def test_a_disk_that_fills_up_loses_one_harvest_only(tmp_path):
    message, before, after, later = lines(FULL, tmp_path)
    assert message.startswith(f"expected rows that can be added to {tmp_path / FILE}, got ")
    assert "full" in message and message.endswith("earlier trials are kept")
    assert int(before) == int(after) > 1
    assert int(later) == int(after) + 1
    with Store.read(tmp_path) as store:
        assert [row.seed for row in store.rows()] == [*range(int(after)), 10**6]
        assert store._connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.fixture
def outside():
    """A folder that another user may enter, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("make", [sound, lambda folder: earlier(folder, 1)])
def test_a_store_on_a_read_only_disk_is_read_and_checked(outside, make):
    store = make(outside / "store")
    before = (store / FILE).read_bytes()
    (store / FILE).chmod(0o444)
    store.chmod(0o555)
    refused, trials, findings = lines(DROP_ROOT + READ_ONLY, store)
    assert refused.startswith(f"expected a store that can be written in {store}, got 'Permission")
    assert (trials, findings) == ("9", "[]")
    assert (store / FILE).read_bytes() == before


def test_a_read_only_file_is_not_written(outside):
    store = sound(outside / "store")
    (store / FILE).chmod(0o444)
    (store / LOCK).chmod(0o666)
    store.chmod(0o777)
    refused, trials, findings = lines(DROP_ROOT + READ_ONLY, store)
    assert refused.startswith(f"expected a store that can be written in {store}, got 'a read-only")
    assert (trials, findings) == ("9", "[]")


def test_a_folder_that_may_not_be_entered_is_one_line(outside):
    with open_store(outside / "store") as store:
        store.insert([ROW])
    (outside / "store").chmod(0o700 if os.geteuid() == 0 else 0o000)
    (refused,) = lines(DROP_ROOT + ENTER, outside / "store")
    assert refused.startswith("expected a store that can be read") and "Permission" in refused
