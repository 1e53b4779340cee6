"""A sample of what `make fuzz` does at length, and what it takes for a fault."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.operations import Bench

ROOT = Path(__file__).parents[2]


def fuzz(*flags: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz", "--workers", "1", *map(str, flags)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.mark.parametrize(("stores", "studies"), [(30, 0), (0, 40)])
def test_a_sample_of_spoiled_stores_and_study_files(root, stores, studies):
    done = fuzz("--quick", "--root", root, "--seed", 1, "--stores", stores, "--studies", studies)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{stores or studies} mutations of a" in done.stdout


def raised(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "kinds"),
    [
        (ValueError("expected a store, got nothing: make one"), []),
        (ValueError("two\nlines"), ["message"]),
        (ValueError("x" * 3000), ["message"]),
        (ValueError("\x1b[31mred"), ["escape"]),
        (KeyError("kind"), ["traceback"]),
        (RecursionError("too deep"), ["traceback"]),
        (MemoryError(), ["traceback"]),
    ],
)
def test_what_is_a_fault(error, kinds):
    bench = Bench(lambda operation: None)
    bench.call("check", lambda: raised(error))
    assert [fault.kind for fault in bench.faults] == kinds
