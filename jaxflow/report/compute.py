"""What the trials of a store took to compute, as papers are asked to tell."""

from typing import NamedTuple

from jaxflow.store.store import Store


class Compute(NamedTuple):
    """What all runs into a store took together; stores of earlier versions did not note it."""

    runs: int = 0
    trials: int = 0  # that these runs added
    seconds: float = 0.0  # of the clock, one run after the other
    worker_seconds: float = 0.0  # in which programs were compiled or ran, summed over workers


def compute(store: Store) -> Compute:
    """The sums over its runs."""
    runs = store.runs
    return Compute(
        len(runs),
        sum(run.trials for run in runs),
        sum(run.seconds for run in runs),
        sum(run.worker_seconds for run in runs),
    )
