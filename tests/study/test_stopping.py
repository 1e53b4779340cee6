"""Ctrl-C and SIGTERM, sent to a process that runs a study: what it says, what is kept."""

import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from jaxflow.cli.parser import main
from jaxflow.engine.local import LocalRunner
from jaxflow.store.store import Store
from jaxflow.study.run import run
from jaxflow.study.stopping import Stopped, Stopping
from jaxflow.study.study import Study

STUDY = """
name = "long"
event.square = 1e-12
horizon.time = [{horizon}]
[axes]
d = [{d}]
p = [16]
[dynamics.flow]
kind = "flow"
[grid]
values = [{n}]
repetitions = {trials}
"""
LONG = {"d": 30, "n": 2000, "horizon": 1e7, "trials": 8}  # minutes each
SHORT = {"d": 4, "n": 40, "horizon": 300.0, "trials": 4000}


@pytest.fixture(autouse=True)
def interruptible():
    """Also where the tests run in the background of a shell, which has SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@contextmanager
def running(folder, numbers):
    """A process that runs such a study, with trials under way."""
    (folder / "study.toml").write_text(STUDY.format(**numbers))
    call = [
        sys.executable,
        "-m",
        "jaxflow",
        "run",
        str(folder / "study.toml"),
        "--out",
        str(folder),
    ]
    process = subprocess.Popen(call, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    said = Lines(process.stderr)
    try:
        said.wait_for("compiling", 60)
        yield process, said
    finally:
        process.kill()
        process.wait()
        said.close()


class Lines:
    """What a process says, as it says it."""

    def __init__(self, stream):
        self.text = ""
        self._stream = stream
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def close(self):
        self._thread.join()
        self._stream.close()

    def _read(self):
        for line in self._stream:
            self.text += line.decode()

    def wait_for(self, words, seconds):
        deadline = time.monotonic() + seconds
        while words not in self.text and time.monotonic() < deadline:
            time.sleep(0.02)
        assert words in self.text, self.text


def rows(folder):
    with Store.read(folder) as store:
        return {row.trial: row.outcome for row in store.rows()}


def test_a_second_interrupt_in_a_long_trial_leaves_at_once(tmp_path):
    with running(tmp_path, LONG) as (process, said):
        time.sleep(8)  # compiled, and inside a trial
        process.send_signal(signal.SIGINT)
        said.wait_for("stopping once the trials under way have ended", 3)
        time.sleep(1)
        assert process.poll() is None
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
        assert time.monotonic() - began < 5
        said.wait_for("run the same command again to go on", 3)
    assert "FATAL" not in said.text
    assert "Traceback" not in said.text
    assert rows(tmp_path) == {}
    assert main(["check", str(tmp_path)]) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_keeps_what_ends_and_the_study_goes_on(tmp_path, number):
    with running(tmp_path, SHORT) as (process, said):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not rows(tmp_path):
            time.sleep(0.1)
        process.send_signal(number)
        assert process.wait(timeout=20) == 128 + number
        said.wait_for("run the same command again to go on", 3)
    before = rows(tmp_path)
    assert 0 < len(before) < SHORT["trials"]
    assert "Traceback" not in said.text
    assert main(["run", str(tmp_path), "--grid.repetitions=60"]) == 0
    after = rows(tmp_path)
    assert {trial: after[trial] for trial in before} == before


def test_handlers_are_put_back_and_those_of_others_left():
    before = signal.getsignal(signal.SIGINT)
    with Stopping() as stopping:
        signal.raise_signal(signal.SIGINT)
        assert stopping.look() == 1
        with pytest.raises(Stopped, match="SIGINT"):
            stopping.check()
        signal.raise_signal(signal.SIGTERM)
        assert stopping.look() == 2
        with pytest.raises(Stopped):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == before

    def theirs(number, frame):
        pass

    try:
        signal.signal(signal.SIGTERM, theirs)
        with Stopping():
            assert signal.getsignal(signal.SIGTERM) == theirs
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def test_what_a_runner_waits_for_at_its_end_can_be_interrupted(tmp_path, monkeypatch):
    """Signals are noted while the study runs, and by then no more."""
    before, met = signal.getsignal(signal.SIGINT), {}

    def noting(name):
        method = getattr(LocalRunner, name)

        def noted(*arguments, **options):
            met[name] = signal.getsignal(signal.SIGINT)
            return method(*arguments, **options)

        monkeypatch.setattr(LocalRunner, name, noted)

    noting("harvest")
    noting("close")
    (tmp_path / "study.toml").write_text(STUDY.format(**{**SHORT, "trials": 2}))
    run(Study.load(tmp_path / "study.toml"), tmp_path)
    assert met["harvest"] != before
    assert met["close"] == before


def test_in_another_thread_nothing_is_heard():
    heard = []

    def enter():
        with Stopping() as stopping:
            heard.append((signal.getsignal(signal.SIGINT), stopping.look()))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert heard == [(signal.getsignal(signal.SIGINT), 0)]
