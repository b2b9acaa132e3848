"""Copies of this process as it stands: a deployment takes seconds, its copy next to no time.

`POST /landfall/copy` starts one that belongs to another gateway, or to none: such a copy is a model
that stands still, of which others are taken. A copy has one thread only, so it is taken while
nobody is being answered, and where no execution is under way.
"""

import gc
import os
import socket
import stat
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import clock
import interpreter
import kinds
import outbox
import settings

# What a process knows of its gateway.
CIRCUMSTANCES = (
    "LANDFALL_CLOCK",
    "LANDFALL_GATEWAY",
    "LANDFALL_SEED",
    "LANDFALL_START",
    "LANDFALL_WORKERS",
    "MOTO_PORT",
)


class Door:
    """How many requests are being answered; nobody enters while a copy is taken."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0

    @contextmanager
    def entered(self) -> Iterator[None]:
        """As long as a request is answered."""
        with self._changed:
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def empty(self) -> Iterator[None]:
        """As soon as nobody is inside, and as long as nobody may enter."""
        with self._changed:
            self._changed.wait_for(lambda: self._inside == 0)
            yield


DOOR = Door()
Serving = Callable[[socket.socket], None]


def copy(request: dict[str, Any], serve: Serving) -> dict[str, Any]:
    """Starts a copy that serves until the process `owner` ends; its port."""
    owner, environment = int(request["owner"]), request.get("environment") or {}
    if unknown := sorted(set(environment) - set(CIRCUMSTANCES)):
        known = ", ".join(CIRCUMSTANCES)
        raise ValueError(f"environment: {unknown[0]} is none of a copy's own; those are {known}")
    for thread in threading.enumerate():
        if thread.name == "warm":
            thread.join()
    listening = listen("127.0.0.1", 0)
    # The collector leaves alone what copies share.
    gc.freeze()
    with DOOR.empty():
        child = os.fork()
        if not child:
            # Its parent is gone at once, so that nobody has to wait for its end.
            if os.fork():
                os._exit(0)
            _live(listening, owner, environment, serve)
    os.waitpid(child, 0)
    with listening:
        return {"port": port_of(listening)}


def listen(host: str, port: int) -> socket.socket:
    """A socket that has its port, and lets callers wait until somebody serves."""
    return socket.create_server((host, port), backlog=512)


def port_of(listening: socket.socket) -> int:
    """Where callers find it."""
    return int(listening.getsockname()[1])


def end_with(alive: Callable[[], bool]) -> None:
    """Ends this process when that on which it depends is no more."""

    def watch() -> None:
        while alive():
            time.sleep(0.25)
        os._exit(0)

    threading.Thread(target=watch, daemon=True, name="watch").start()


def _live(
    listening: socket.socket, owner: int, environment: dict[str, str], serve: Serving
) -> NoReturn:
    """A copy's whole life, after which it does not go on as what it is a copy of."""
    try:
        _begin(listening, owner, environment)
        serve(listening)
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(1)


def _begin(listening: socket.socket, owner: int, environment: dict[str, str]) -> None:
    """Makes this process the owner's, which was another's."""
    global DOOR
    DOOR = Door()
    _let_go_of_connections(listening)
    _speak_with_the_voice_of(owner)
    os.environ.update(dict.fromkeys(CIRCUMSTANCES, "") | environment)
    os.environ["LANDFALL_MOTO_PORT"] = str(port_of(listening))
    clock.begin()
    settings.begin()
    outbox.begin()
    kinds.begin()
    interpreter.begin()
    end_with(lambda: _runs(owner))


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _let_go_of_connections(own: socket.socket) -> None:
    """Puts nothing in the place of each socket of the process that was copied.

    Whoever holds one may close it still.
    """
    with open(os.devnull, "rb+") as nothing:
        for name in os.listdir("/dev/fd"):
            descriptor = int(name)
            if descriptor != own.fileno() and _is_socket(descriptor):
                os.dup2(nothing.fileno(), descriptor)


def _is_socket(descriptor: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(descriptor).st_mode)
    except OSError:
        return False  # the listing's own, which is closed


def _speak_with_the_voice_of(owner: int) -> None:
    """Writes where the owner does, as what it had started itself would."""
    try:
        theirs = os.open(f"/proc/{owner}/fd/2", os.O_WRONLY | os.O_APPEND)
    except OSError:
        return
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(theirs, stream.fileno())
    os.close(theirs)
