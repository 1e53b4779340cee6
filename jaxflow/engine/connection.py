"""The connection to a dask scheduler: which workers there are, packets to them, answers back."""

import asyncio
import concurrent.futures
import logging
import os
import queue
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from jaxflow.core.errors import mistake, shortened
from jaxflow.core.types import Trial
from jaxflow.engine.packets import Answer, Recipe, run_packet

if TYPE_CHECKING:
    from distributed import Client, Future

PERIOD = 1.0  # seconds between two questions to the scheduler, which workers there are


class Known(NamedTuple):
    """What the scheduler says of a worker."""

    name: str
    threads: int


class Connection:
    """A dask client, whose event loop asks for the workers and waits for answers.

    What it says is of some moment ago; only `submit` sends anything. `answers` are the number of a
    packet and what came of it: its answer, or what was raised instead, or None if the connection
    was lost, be it while the answer was on its way.
    """

    def __init__(self, client: "Client", recipe: Recipe) -> None:
        assert client.scheduler is not None
        assert client.loop is not None
        self.address = str(client.scheduler.address)
        self.workers: Mapping[str, Known] = {}  # by address
        self.answers: queue.SimpleQueue[tuple[int, Answer | Exception | None]] = queue.SimpleQueue()
        self._client, self._recipe = client, recipe
        self._name = uuid4().hex  # of this connection alone, as its packets are
        self._loop: Any = client.loop
        self._heard = time.monotonic()
        self._futures: dict[int, Future] = {}
        self._asking = self._on_loop(self._ask())

    @property
    def silence(self) -> float:
        """Seconds since the scheduler has answered."""
        return time.monotonic() - self._heard

    def listen_anew(self) -> None:
        """Count the silence from now."""
        self._heard = time.monotonic()

    def submit(self, number: int, worker: str, trials: Sequence[Trial]) -> None:
        """Send trials to the worker at an address."""
        self._futures[number] = self._client.submit(
            run_packet,
            self._recipe,
            trials,
            key=f"jaxflow-{self._name}-{number}",
            workers=[worker],
            pure=False,
        )
        self._on_loop(self._follow(number, self._futures[number]))

    def forget(self, number: int) -> None:
        """Take a packet back if it waits, and wait for no answer."""
        future = self._futures.pop(number, None)  # none if its answer is on the way
        if future is not None:
            self._on_loop(self._client.cancel([future], asynchronous=True))

    def close(self) -> None:
        """Ask no more, and forget all packets."""
        self._asking.cancel()
        for number in [*self._futures]:
            self.forget(number)

    def _on_loop(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop.asyncio_loop)

    async def _ask(self) -> None:
        while True:
            try:
                scheduler: Any = self._client.scheduler
                identity = await scheduler.identity(n_workers=-1)
            except (OSError, AttributeError):  # there is no connection
                pass
            else:
                self.workers = {
                    address: Known(str(info["name"]), info["nthreads"])
                    for address, info in identity["workers"].items()
                    if info["status"] == "running"
                }
                self._heard = time.monotonic()
            await asyncio.sleep(PERIOD)

    async def _follow(self, number: int, future: "Future") -> None:
        answer: Answer | Exception | None
        try:
            answer = await future
        except (asyncio.CancelledError, concurrent.futures.CancelledError):
            answer = None
        except Exception as error:
            is_lost = isinstance(error, OSError) and future.status != "error"
            answer = None if is_lost else error
        if self._futures.pop(number, None) is not None:
            self.answers.put((number, answer))


@contextmanager
def connected(address: str) -> Iterator["Client"]:
    """A client of the scheduler at an address, or in a scheduler's file."""
    distributed = imported()
    is_file = "://" not in address and (os.sep in address or Path(address).is_file())
    if is_file and not Path(address).is_file():
        raise mistake("the file of a scheduler", address, "start one: dask scheduler")
    with quiet():
        try:
            where = {"scheduler_file" if is_file else "address": address}
            client = distributed.Client(**where, timeout=10)
        except (OSError, ValueError, TypeError) as error:  # the last without certificates
            remedy = "start one (dask scheduler), or give the address of one"
            raise mistake(f"a scheduler at {address}", shortened(error), remedy) from error
        try:
            yield client
        finally:
            client.close(timeout=5)


@contextmanager
def quiet() -> Iterator[None]:
    """Without what dask logs of workers that come and go, and of connections that end."""
    handlers = [(h, h.level) for h in logging.getLogger("distributed").handlers]
    for handler, _ in handlers:
        handler.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for handler, level in handlers:
            handler.setLevel(level)


def imported() -> Any:
    """The package that connects processes; `ValueError` says how to install it."""
    try:
        import distributed
    except ImportError as error:
        remedy = "pip install 'jaxflow-phase[cluster]'"
        raise mistake("the package distributed to run on a cluster", "none", remedy) from error
    return distributed
