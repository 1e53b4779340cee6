"""The study that is disturbed, and whether its table is that of an undisturbed run."""

import time
from pathlib import Path

import numpy as np

from jaxflow.report.soundness import check
from jaxflow.store.file import FILE
from jaxflow.store.store import Store
from tests.faults.processes import Place, coordinator

STUDY = """
name = "disturbed"
event.square = 1.0
horizon = {time = [20.0, 300.0]}
[axes]
d = [8]
p = [16, 32]
[dynamics.control]
kind = "descent"
[dynamics.flow]
kind = "flow"
[threshold]
low = 5
high = 120
relative_half_width = 0.07
batch = 8
max_trials = 400
[record]
observables = ["loss"]
points = 8
"""

SHORT = STUDY.replace("p = [16, 32]", "p = [16]")
BRIEF = SHORT.replace('[dynamics.control]\nkind = "descent"\n', "").replace("0.07", "0.2")


class Table:
    """A study file, and what an undisturbed run of it has stored."""

    def __init__(self, place: Place, text: str, *flags: object) -> None:
        folder = place.folder / f"undisturbed-{time.monotonic_ns()}"
        self.study = folder.with_suffix(".toml")
        self.study.write_text(text)
        run = coordinator(place, self.study, folder, *flags)
        assert run.wait(300) == 0, run.said
        self.trials = len(rows(folder))
        self._texts = texts(folder)

    def differs(self, folder: Path) -> str:
        """What differs in the table of a run that was disturbed; nothing if it is the same."""
        unsound = check(folder)
        if unsound:
            return f"{len(unsound)} faults, the first: {unsound[0]}"
        with Store.read(folder) as store:
            asked = {trial for design in store.designs for trial in store.asked(design.hash)}
            stored = [row.trial for row in store.rows()]
        if len(stored) != len(set(stored)) or set(stored) != asked:
            return f"{len(stored)} rows of {len(set(stored))} trials, {len(asked)} asked for"
        found = texts(folder)
        if found == self._texts:
            return ""
        lost, other = self._texts.keys() - found.keys(), found.keys() - self._texts.keys()
        changed = [trial for trial in found if found[trial] != self._texts.get(trial)]
        first = found[changed[0]] if changed else ""
        return f"{len(lost)} rows lost, {len(other)} others, {len(changed)} changed: {first[:500]}"


def rows(folder: Path) -> list:
    """The rows stored by now; none where there is no store yet."""
    if not (folder / FILE).exists():
        return []
    with Store.read(folder) as store:
        return store.rows()


def texts(folder: Path) -> dict[str, str]:
    """Every row, and what was recorded of its trial, to the last bit, by the trial."""
    with Store.read(folder) as store:
        found = {str(row.trial): str(row) for row in store.rows()}
        for trial, arrays in store.trajectories():
            found[str(trial)] += "".join(
                f" {name} {np.asarray(values).tobytes().hex()}" for name, values in arrays.items()
            )
    return found
