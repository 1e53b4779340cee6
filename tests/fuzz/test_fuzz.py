"""A sample of what `make fuzz` does at length."""

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

ROOT = Path(__file__).parents[2]


def fuzz(*flags: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz", "--workers", "1", *map(str, flags)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.mark.parametrize(("stores", "studies"), [(40, 0), (0, 40)])
def test_a_sample_of_spoiled_stores_and_study_files(root, stores, studies):
    seed = Random(0).getrandbits(16)
    done = fuzz("--quick", "--root", root, "--seed", seed, "--stores", stores, "--studies", studies)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{stores or studies} mutations of a" in done.stdout
