"""The job scripts of docs/clusters.md, run with `srun` as a function of the shell."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from diagrams import BOUNDARY

from jaxflow.report.soundness import check
from jaxflow.store.store import Store

PAGE = Path(__file__).parents[2] / "docs" / "clusters.md"
SRUN = 'srun() { exec "$@"; }\n'  # of a job that has it in the background


def scripts(section):
    """The shell scripts under a heading."""
    (text,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S)
    return re.findall(r"```bash\n(.*?)```", text, re.S)


def bash(script, folder, **variables):
    """Run a script; what it leaves in the background ends by itself, or with the job."""
    bin = str(Path(sys.executable).parent)
    environment = os.environ | variables | {"PATH": f"{bin}:{os.environ['PATH']}"}
    with (folder / "said.txt").open("w") as said:
        done = subprocess.run(
            ["bash", "-c", SRUN + script],
            cwd=folder,
            env=environment,
            stdout=said,
            stderr=said,
            timeout=300,
            check=False,
        )
    assert done.returncode == 0, (folder / "said.txt").read_text()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "study.toml").write_text(BOUNDARY)
    return tmp_path


def rows(folder):
    assert check(folder) == []
    with Store.read(folder) as store:
        return store.rows()


def test_a_job_with_a_scheduler(folder):
    (script,) = scripts("Slurm, with a scheduler")
    bash(script, folder, SLURM_JOB_ID="7")
    assert len(rows(folder / "runs" / "boundary")) > 20
    assert not (folder / "scheduler-7.json").exists()
    deadline = time.monotonic() + 120
    while subprocess.run(["pgrep", "-f", f"{folder}/scheduler-7"], check=False).returncode == 0:
        assert time.monotonic() < deadline, "scheduler or worker are there still"
        time.sleep(0.5)


@pytest.mark.slow
def test_a_job_that_is_told_to_end_says_so_and_goes_on(folder):
    (script,) = scripts("Slurm, with a scheduler")
    long = script.replace("study.toml", "study.toml --threshold.relative_half_width=0.02")
    end = "(until grep -q 'trials: ' said.txt; do sleep 0.2; done; kill -TERM $$) &"
    told = long.replace("trap ", f"{end}\ntrap ").replace("exit $ended", "")
    bash(f"{told}\n[ $ended = 143 ]", folder, SLURM_JOB_ID="8")
    before = rows(folder / "runs" / "boundary")
    assert "again to go on" in (folder / "said.txt").read_text()
    bash(script, folder, SLURM_JOB_ID="8")
    assert {row.trial for row in before} <= {row.trial for row in rows(folder / "runs/boundary")}


@pytest.mark.slow
def test_an_array_of_jobs_and_its_end(folder):
    array, end = scripts("Slurm, without a scheduler")
    for number in (1, 2, 3):
        task = {"SLURM_ARRAY_TASK_ID": str(number), "SLURM_ARRAY_TASK_COUNT": "3"}
        bash(array, folder, SLURM_CPUS_PER_TASK="1", **task)
    parts = [rows(folder / "parts" / str(number)) for number in (1, 2, 3)]
    bash(end, folder)
    whole = rows(folder / "runs" / "boundary")
    assert {row.trial for part in parts for row in part} <= {row.trial for row in whole}
    assert "trials added" in (folder / "said.txt").read_text()
