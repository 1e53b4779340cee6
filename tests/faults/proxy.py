"""A proxy between a coordinator and a scheduler, whose connections can be cut."""

import socket
import threading
from contextlib import suppress
from typing import Self

from tests.faults.site import free_port

PIECE = 1 << 16  # bytes handed on at a time


class Proxy:
    """Hands on what comes to its port, until it is cut; then it refuses."""

    def __init__(self, target: int) -> None:
        self._target, self._port = target, free_port()
        self._lock = threading.Lock()
        self._ends: list[socket.socket] = []

    @property
    def address(self) -> str:
        """What a coordinator is told of the scheduler."""
        return f"tcp://127.0.0.1:{self._port}"

    def mend(self) -> None:
        """Take connections, from now on."""
        listening = socket.create_server(("127.0.0.1", self._port))
        self._ends = [listening]
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def cut(self) -> None:
        """End all connections, and refuse others."""
        with self._lock:
            ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def __enter__(self) -> Self:
        self.mend()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                near = listening.accept()[0]
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            with self._lock:
                is_cut = listening not in self._ends
                self._ends += [near, far]
            if is_cut:
                self.cut()
            for pair in ((near, far), (far, near)):
                threading.Thread(target=_hand_on, args=pair, daemon=True).start()


def _hand_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(PIECE):
            target.sendall(piece)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
