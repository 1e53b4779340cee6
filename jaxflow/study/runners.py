"""What runs the trials of a study: the threads of this process, or the processes of a cluster."""

import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from jaxflow.core.checks import whole
from jaxflow.core.errors import mistake
from jaxflow.core.machine import configure, versions
from jaxflow.core.types import Recording
from jaxflow.engine.local import LocalRunner
from jaxflow.engine.packets import Recipe
from jaxflow.engine.runner import Runner
from jaxflow.engine.settings import Lanes, Settings
from jaxflow.study.protocol import SCHEMA, Protocol
from jaxflow.study.study import Study


@dataclass(frozen=True)
class Cluster:
    """Worker processes that run trials: those of a dask scheduler, or so many started here.

    `workers` is how many; `address` is that of the scheduler, as "tcp://node1:8786", or a
    scheduler's file. Needs `pip install 'jaxflow-phase[cluster]'`.
    """

    address: str = ""
    workers: int = 0

    def __post_init__(self) -> None:
        whole("workers", self.workers, least=0)
        if bool(self.address) == bool(self.workers):
            got = "both" if self.address else "neither"
            raise mistake("the address of a cluster, or workers to start", got, "give one of these")


@contextmanager
def runner_of(study: Study, lanes: Lanes, cluster: Cluster | None = None) -> Iterator[Runner]:
    """The runner of a study; `ValueError` for a cluster that cannot be reached or started."""
    if cluster is None:
        with local_runner(study.protocol, study.record, lanes) as runner:
            yield runner
        return
    from jaxflow.engine.cluster import ClusterRunner
    from jaxflow.engine.connection import Connection, connected
    from jaxflow.engine.processes import started

    SCHEMA.check_storable(study)
    protocol = study.protocol
    settings = Settings(
        protocol.problem,
        protocol.dynamics,
        protocol.by_name,
        protocol.precision,
        lanes,
        protocol.measure or (),
    )
    with (
        connected(cluster.address)
        if cluster.address
        else started(cluster.workers, lanes.threads or 1) as client,
        ClusterRunner(Connection(client, _recipe(study, lanes)), settings, study.record) as runner,
    ):
        yield runner


def local_runner(protocol: Protocol, recording: Recording | None, lanes: Lanes) -> LocalRunner:
    """What runs the trials of a protocol in this process."""
    return LocalRunner(
        protocol.problem,
        protocol.dynamics,
        event=protocol.by_name,
        measured=protocol.measure or (),
        seed=protocol.seed,
        dtype=protocol.precision,
        lanes=lanes,
        recording=recording,
    )


def _recipe(study: Study, lanes: Lanes) -> Recipe:
    """What a worker needs to make the runner of a study."""
    path = tuple(str(Path(folder).resolve()) for folder in sys.path)
    make = partial(_in_worker, replace(study.protocol), study.record, lanes)
    return Recipe(study.protocol.hash, versions(), path, pickle.dumps(make))


def _in_worker(
    protocol: Protocol, recording: Recording | None, lanes: Lanes, threads: int
) -> tuple[str, LocalRunner]:
    """The hash of the protocol, as a worker process reads it, and the runner of its trials."""
    import jax

    from jaxflow.engine.reference import check_numerics

    configure(precision="float64" if protocol.precision == "float64" else None)
    check_numerics(protocol.precision)
    on_cpu = jax.default_backend() == "cpu"
    lanes = replace(lanes, threads=lanes.threads or (threads if on_cpu else 0))
    return replace(protocol).hash, local_runner(protocol, recording, lanes)
