"""The job scripts of docs/clusters.md, run with `srun` as a function of the shell."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from jaxflow.report.soundness import check
from jaxflow.store.store import Store

PAGE = Path(__file__).parents[2] / "docs" / "clusters.md"
STUDY = """
name = "boundary"
event.square = 1.0
horizon.time = 20.0
axes = { d = [4], p = [8, 16] }
dynamics.flow.kind = "flow"
[threshold]
low = 5
high = 60
relative_half_width = 0.3
"""
SRUN = 'srun() { exec "$@"; }\n'  # of a job that has it in the background


def scripts(section):
    """The shell scripts under a heading."""
    (text,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S)
    return re.findall(r"```bash\n(.*?)```", text, re.S)


def bash(script, folder, **variables):
    bin = str(Path(sys.executable).parent)
    environment = os.environ | variables | {"PATH": f"{bin}:{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", "-c", SRUN + script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


def rows(folder):
    assert check(folder) == []
    with Store.read(folder) as store:
        return store.rows()


def test_a_job_with_a_scheduler(folder):
    (script,) = scripts("Slurm, with a scheduler")
    done = bash(script, folder, SLURM_JOB_ID="7")
    assert done.returncode == 0, done.stderr
    assert len(rows(folder / "runs" / "boundary")) > 20
    assert not (folder / "scheduler-7.json").exists()
    left = subprocess.run(["pgrep", "-f", "scheduler-7.json"], capture_output=True, check=False)
    assert left.stdout == b""
