"""What the workers of a run did with their time."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition

from jaxflow.core.types import Row


@dataclass
class Usage:
    """What was done, and times in seconds summed over workers; guarded by `lock`.

    A lane advances by attempted steps (map) or evaluations of the field (vmap).
    """

    lock: Condition = field(default_factory=Condition, repr=False)
    trials: int = 0
    evaluations: int = 0
    useful_advances: int = 0
    advances: int = 0
    busy: float = 0.0  # running kernels
    waiting: float = 0.0  # without work while another worker had some
    compiling: float = 0.0
    running: int = 0  # workers inside a kernel now
    programs: set[str] = field(default_factory=set)

    @property
    def utilization(self) -> float:
        """Advances of a trial over those there was room for, idle workers included."""
        if not (self.advances and self.busy):
            return 1.0
        return self.useful_advances / self.advances * self.busy / (self.busy + self.waiting)

    def count(self, program: str, rows: Iterable[Row], useful: int, advances: int) -> None:
        """Add trials ended by a program: `useful` advances of theirs, of so many of all lanes."""
        with self.lock:
            self.programs.add(program)
            self.useful_advances += useful
            self.advances += advances
            for row in rows:
                self.trials += 1
                self.evaluations += row.evaluations

    @contextmanager
    def in_kernel(self) -> Iterator[None]:
        """Count the time inside as busy."""
        began = time.monotonic()
        with self.lock:
            self.running += 1
        try:
            yield
        finally:
            with self.lock:
                self.running -= 1
                self.busy += time.monotonic() - began

    @contextmanager
    def in_compiler(self) -> Iterator[None]:
        """Count the time inside as compiling."""
        began = time.monotonic()
        try:
            yield
        finally:
            with self.lock:
                self.compiling += time.monotonic() - began
