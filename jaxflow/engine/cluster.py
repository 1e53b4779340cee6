"""Packets out to the workers of a cluster, rows in: the runner of many processes.

Each worker has packets to run and another that waits at it, so that it is never idle while rows
travel and trials are proposed. A packet is of one program, goes by preference to a worker that has
compiled that, and takes some seconds. A worker that leaves, or that dask gives up, hands its
packets back. What it was at runs again in halves, until a trial that takes every worker with it is
alone: it has failed, and the study goes on.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from math import inf

from jaxflow.core.errors import mistake, shortened
from jaxflow.core.types import Recording, Row, Trial
from jaxflow.engine.connection import PERIOD, Connection
from jaxflow.engine.packets import Answer
from jaxflow.engine.runner import Runner, Usage, arrived
from jaxflow.engine.schedule import Schedule
from jaxflow.engine.settings import ProgramKey, Settings
from jaxflow.engine.workers import Arrays

SECONDS = 10.0  # that a packet takes
AHEAD = 1  # packets that wait at a worker, beside one for each of its threads
LOST = 10.0  # seconds without an answer of the scheduler, after which it is given up
DEATHS = 4  # of workers at a trial that ran alone, at the least, until it has failed
CHANCE = 1e-5  # of so many, if the trial were as any other

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Packet:
    """Trials of one program that a worker runs together."""

    key: ProgramKey
    trials: Sequence[Trial]
    begun: float = 0.0  # when, as far as is known


@dataclass(eq=False)
class Member:
    """A worker of the cluster: the packets at it, the program it is at, the trials it has done."""

    address: str
    name: str
    threads: int
    packets: dict[int, Packet] = field(default_factory=dict)  # by number, the first sent first
    key: ProgramKey | None = None
    trials: int = 0

    def pop(self, number: int) -> Packet:
        """A packet that has ended; the one that waited for its thread begins."""
        packet = self.packets.pop(number)
        for next_one in [*self.packets.values()][self.threads - 1 : self.threads]:
            next_one.begun = time.monotonic()
        return packet


class ClusterRunner(Runner):
    """Runs trials on the workers of a cluster, which may come and go.

    One of other versions, or that reads another protocol, is refused: `refused` says why, by its
    address.
    """

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        recording: Recording | None = None,
    ) -> None:
        self.refused: dict[str, str] = {}
        self._settings, self._recording = settings, recording
        self._schedule = Schedule(1, settings.costs.most)
        self._members: dict[str, Member] = {}
        self._numbers = count()
        self._seconds: dict[ProgramKey, float] = {}  # of a trial, the last time
        self._usages: dict[str, Usage] = {}  # by process
        self._deaths: Counter[Trial] = Counter()  # while they ran alone
        self._answered, self._lost = 0, 0  # packets
        self._failed: list[Row] = []
        self._trajectories: dict[Trial, Arrays] = {}
        self._connection = connection
        self._renewed = time.monotonic()  # when it was last noted who is there

    @property
    def usage(self) -> Usage:
        """What all workers have done, those that have left included."""
        return Usage.total(self._usages.values())

    @property
    def backlog(self) -> int:
        """How many trials have been submitted and not been sent to a worker."""
        return self._schedule.backlog

    @property
    def parallel(self) -> int:
        """How many threads the workers have."""
        return max(1, sum(member.threads for member in self._members.values()))

    @property
    def done(self) -> dict[str, int]:
        """How many trials each of the workers there are has done, by its name."""
        return {member.name: member.trials for member in self._members.values()}

    def submit(self, trials: Iterable[Trial]) -> None:
        """Queue trials; `ValueError` for those of unknown dynamics."""
        recorded = 0 if self._recording is None else self._recording.trials
        self._schedule.add([(self._settings.key(t, t.seed < recorded), t) for t in trials])
        self._send()

    def harvest(self, timeout: float | None = None) -> list[Row]:
        """The rows ended since the last harvest; waits for the first, up to `timeout` seconds."""
        ends = inf if timeout is None else time.monotonic() + timeout
        while True:
            self._renew()
            self._send()
            rows, self._failed = self._failed, []
            wait = 0.0 if rows else max(0.0, min(ends - time.monotonic(), PERIOD))
            for number, answer in arrived(self._connection.answers, wait):
                rows += self._received(number, answer)
            self._send()
            if rows or time.monotonic() >= ends:
                return rows

    def drain(self, patience: float) -> Iterator[list[Row]]:
        """Begin nothing more, and give the rows of packets that workers are at as they end."""
        self._schedule.close()
        for member in self._members.values():
            for number in [*member.packets][member.threads :]:
                self._connection.forget(number)
                del member.packets[number]
        while any(member.packets for member in self._members.values()):
            yield self.harvest(patience)
        yield self.harvest(0)

    def close(self, *, wait: bool = True) -> None:
        """Leave the cluster; of packets that workers are at nothing comes."""
        self._schedule.close()
        self._connection.close()

    def _renew(self) -> None:
        """Note which workers have come and which have left."""
        last, self._renewed = self._renewed, time.monotonic()
        if self._renewed - last > LOST / 2:  # this process was stopped: it could hear nobody
            self._connection.listen_anew()
        if self._connection.silence > LOST:
            expected = f"the scheduler of a cluster at {self._connection.address}"
            remedy = "start one, and run again; earlier trials are kept"
            raise mistake(expected, f"no answer for {LOST:g} s", remedy)
        there = self._connection.workers
        for address in self._members.keys() - there.keys():
            self._left(self._members.pop(address))
        for address in there.keys() - self._members.keys() - self.refused.keys():
            self._members[address] = Member(address, *there[address])
        self._schedule.workers = self.parallel

    def _left(self, member: Member) -> None:
        """Take back the packets of a worker that has gone; one that it ran may be to blame."""
        self._lost += min(member.threads, len(member.packets))
        for i, (number, packet) in enumerate(member.packets.items()):
            self._connection.forget(number)
            if i >= member.threads:
                self._schedule.add((packet.key, trial) for trial in packet.trials)
            elif len(packet.trials) > 1:
                self._schedule.hand_back(packet.key, packet.trials)
            else:
                self._blame(packet.key, packet.trials[0])

    def _blame(self, key: ProgramKey, trial: Trial) -> None:
        """Try a trial again that ran alone when its worker went, or note that it has failed.

        Workers may go for reasons of their own, again and again: a trial is to blame where it has
        met that more often than chance allows, if its packets were lost as often as all others.
        """
        self._deaths[trial] += 1
        deaths = self._deaths[trial]
        others = self._lost - deaths
        by_chance = ((others + 1) / (others + self._answered + 2)) ** deaths
        if deaths < DEATHS or by_chance > CHANCE:
            self._schedule.hand_back(key, [trial])
            return
        log.warning("a trial took %d workers with it: %s", deaths, trial)
        self._failed.append(self._settings.failed_row(trial, "killed"))

    def _send(self) -> None:
        """Give every worker packets, first to those that have fewest."""
        while not self._schedule.is_closed and self._connection.silence < 2 * PERIOD:
            free = [m for m in self._members.values() if len(m.packets) < m.threads + AHEAD]
            if not free:
                return
            for member in sorted(free, key=lambda member: len(member.packets)):
                packet = self._packet(member)
                if packet is None:
                    return
                number = next(self._numbers)
                member.packets[number] = packet
                self._connection.submit(number, member.address, packet.trials)

    def _packet(self, member: Member) -> Packet | None:
        """What a worker does next, of the program it is at if that has trials; None if none has."""
        now = time.monotonic()
        proven = member.trials or not any(m.trials for m in self._members.values())
        handed_back = self._schedule.next_handed_back() if proven else None
        if handed_back is not None:
            return Packet(*handed_back, now)
        trials = self._take(member.key, member.threads) if member.key else []
        if not trials:
            member.key = self._schedule.next_program(0)
            trials = self._take(member.key, member.threads) if member.key else []
        return Packet(member.key, trials, now) if member.key and trials else None

    def _take(self, key: ProgramKey, threads: int) -> list[Trial]:
        """So many trials of a program as take a worker some seconds; one a thread at first."""
        known = self._seconds.get(key, inf)
        return self._schedule.take(key, max(threads, int(SECONDS / max(known, 1e-6))))

    def _received(self, number: int, answer: Answer | Exception | None) -> Sequence[Row]:
        """The rows of an answer, if it is waited for still; raises what a worker raised."""
        member = next((m for m in self._members.values() if number in m.packets), None)
        if member is None:
            return []
        packet = member.pop(number)
        if answer is None:
            self._schedule.add((packet.key, trial) for trial in packet.trials)
            return []
        if isinstance(answer, ImportError):
            got = f"{member.name}: {shortened(answer)}"
            raise mistake("workers that can import jaxflow", got, "install it there") from answer
        if isinstance(answer, Exception):
            raise answer
        if answer.refused:
            self._refuse(member, packet, answer.refused)
            return []
        self._answered += 1
        self._schedule.compiled(packet.key)
        self._seconds[packet.key] = (time.monotonic() - packet.begun) / len(packet.trials)
        self._usages[answer.process] = answer.usage
        self._trajectories.update(answer.recorded)
        member.trials += len(answer.rows)
        return answer.rows

    def _refuse(self, member: Member, packet: Packet, why: str) -> None:
        """Send a worker nothing more; raises `ValueError` if it was the last."""
        self.refused[member.address] = why
        del self._members[member.address]
        for number in member.packets:
            self._connection.forget(number)
        for back in (packet, *member.packets.values()):
            self._schedule.add((back.key, trial) for trial in back.trials)
        if not self._members:
            expected = "workers with the packages and modules of this process"
            raise mistake(expected, f"{member.name}: {why}", "install the same there")
        log.warning("without the worker %s: %s", member.name, why)
