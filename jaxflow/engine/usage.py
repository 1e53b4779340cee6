"""What the workers of a run did with their time."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition

from jaxflow._types import Row


@dataclass
class Usage:
    """Times in seconds summed over workers, steps counted as attempted; guarded by `lock`."""

    lock: Condition = field(default_factory=Condition, repr=False)
    trials: int = 0
    evaluations: int = 0
    useful_steps: int = 0
    lane_steps: int = 0
    busy: float = 0.0  # running kernels
    waiting: float = 0.0  # without work while another worker had some
    compiling: float = 0.0
    running: int = 0  # workers inside a kernel now
    programs: set[str] = field(default_factory=set)

    @property
    def utilization(self) -> float:
        """Useful lane-steps over the lane-steps there was room for, idle workers included."""
        if not (self.lane_steps and self.busy):
            return 1.0
        return self.useful_steps / self.lane_steps * self.busy / (self.busy + self.waiting)

    def count(self, program: str, rows: Iterable[Row], lane_steps: int) -> None:
        """Add the trials that a program ended in so many lane-steps."""
        with self.lock:
            self.programs.add(program)
            self.lane_steps += lane_steps
            for row in rows:
                self.trials += 1
                self.evaluations += row.evaluations
                self.useful_steps += row.steps + row.rejections

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
