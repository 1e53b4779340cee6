"""A sample of what `make faults` does at length, and what it takes for a wrong ending."""

import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from tests.faults.processes import ROOT, wrong_end

LINE = "jaxflow: expected a scheduler at tcp://127.0.0.1:1, got nothing: start one\n"
TRACEBACK = "Traceback (most recent call last):\nKeyError: 'kind'\n"


def faults(*flags: str) -> str:
    command = [sys.executable, "-m", "tests.faults", "--quick", *flags]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_study_under_signals_ends_with_its_table():
    assert "4 signals in" in faults("--signals", "4", "--only", "signals")


@pytest.mark.slow
def test_a_pipe_for_a_lock_and_a_file_for_a_folder():
    assert faults("--only", "pipe_for_a_lock", "in_the_way").count("sound") == 2


@pytest.mark.parametrize(
    ("code", "said", "sent", "is_wrong"),
    [
        (0, "", [], False),
        (2, LINE, [], False),
        (2, f"4 slices\n{LINE}", [], False),
        (2, "jaxflow: in <TCP (closed)>: Stream is closed\n", [], True),
        (2, LINE + LINE, [], True),
        (1, TRACEBACK, [], True),
        (0, TRACEBACK, [], True),
        (130, "", [signal.SIGINT], False),
        (143, "", [signal.SIGTERM], False),
        (143, "", [], True),
        (-9, "", [signal.SIGKILL], False),
        (-11, "", [signal.SIGKILL], True),
    ],
)
def test_what_is_a_wrong_ending(code, said, sent, is_wrong):
    process = SimpleNamespace(code=code, said=said, sent=sent)
    assert bool(wrong_end(process)) == is_wrong
