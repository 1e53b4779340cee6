"""Ctrl-C and SIGTERM while a study runs: gently at the first, at once at the second.

At the first nothing more is begun, and trials under way end and are stored: those of a core, each
to its end, those of an accelerator at their next chunk. At the second they are left as they are,
and run again when the study goes on. Nothing that has ended is lost either way.
"""

import signal
import sys
import threading
from types import FrameType
from typing import Any, Self, final

GENTLY = "stopping once the trials under way have ended; again, and they are left at once"
AT_ONCE = "leaving; trials under way run again when the study goes on"
DEFAULTS: dict[signal.Signals, Any] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
}


class Stopped(KeyboardInterrupt):
    """A signal ended a run; what had ended is stored."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@final
class Stopping:
    """Notes the signals while it is entered, in the main thread and where nobody else does.

    Two are noted, to be looked at; a third raises `Stopped` wherever the program is.
    """

    def __init__(self) -> None:
        self._heard: list[int] = []
        self._told = 0
        self._ours: list[signal.Signals] = []

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number, default in DEFAULTS.items():
                if signal.getsignal(number) == default:
                    signal.signal(number, self._hear)
                    self._ours.append(number)
        return self

    def __exit__(self, *_: object) -> None:
        for number in self._ours:
            signal.signal(number, DEFAULTS[number])

    def look(self) -> int:
        """How many signals have come; what follows from one is told once."""
        while self._told < len(self._heard):
            print(f"\njaxflow: {(GENTLY, AT_ONCE)[self._told]}", file=sys.stderr, flush=True)
            self._told += 1
        return self._told

    def check(self) -> None:
        """Raise `Stopped` if a signal came."""
        if self._heard:
            raise Stopped(self._heard[0])

    def _hear(self, number: int, _: FrameType | None) -> None:
        self._heard.append(number)
        if len(self._heard) > 2:
            raise Stopped(number)
