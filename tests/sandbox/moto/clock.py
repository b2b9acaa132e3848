"""The virtual clock: virtual = start + (real - start) x speed, shared with the gateway.

Whatever moto waits for or stamps goes through here, so that a StackSet operation of a minute takes
a second at speed 60 while its timestamps stay a minute apart.
"""

import datetime
import heapq
import itertools
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

SPEED = float(os.environ.get("LANDFALL_SPEED") or 1.0)
START = float(os.environ.get("LANDFALL_START") or time.time())


def now() -> float:
    """Virtual seconds since 1970."""
    return START + (time.time() - START) * SPEED


def utcnow() -> datetime.datetime:
    """Virtual time as moto wants it: UTC without a zone."""
    return datetime.datetime.fromtimestamp(now(), datetime.UTC).replace(tzinfo=None)


def iso(epoch: float | None = None) -> str:
    """RFC 3339 to the second, as events carry it."""
    stamp = datetime.datetime.fromtimestamp(now() if epoch is None else epoch, datetime.UTC)
    return stamp.strftime("%Y-%m-%dT%H:%M:%SZ")


def sleep(seconds: float) -> None:
    """Sleeps virtual seconds."""
    time.sleep(max(0.0, seconds) / SPEED)


class Event(threading.Event):
    """An event whose time-outs are virtual seconds."""

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(None if timeout is None else min(timeout / SPEED, 1e8))


class VirtualDatetime(datetime.datetime):
    """`datetime` whose present is the virtual one; what it returns are plain datetimes."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
        return datetime.datetime.fromtimestamp(now(), tz)

    @classmethod
    def utcnow(cls) -> datetime.datetime:  # type: ignore[override]
        return utcnow()


DATETIME = SimpleNamespace(
    **{name: getattr(datetime, name) for name in dir(datetime) if not name.startswith("_")}
)
DATETIME.datetime = VirtualDatetime
TIME = SimpleNamespace(time=now, sleep=sleep, monotonic=now)


class Agenda:
    """What happens later, in virtual time, off the request threads."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Callable[[], Any]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._workers = ThreadPoolExecutor(8, thread_name_prefix="agenda")
        self._thread: threading.Thread | None = None

    def later(self, seconds: float, action: Callable[[], Any]) -> None:
        """Runs the action after so many virtual seconds."""
        with self._changed:
            entry = (now() + max(0.0, seconds), next(self._order), action)
            heapq.heappush(self._entries, entry)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="agenda")
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._entries or self._entries[0][0] > now():
                    due = self._entries[0][0] - now() if self._entries else None
                    self._changed.wait(None if due is None else max(0.0005, due / SPEED))
                _, _, action = heapq.heappop(self._entries)
            self._workers.submit(_reported, action)


def _reported(action: Callable[[], Any]) -> None:
    try:
        action()
    except Exception as error:  # a failure here has no caller that could hear of it
        print(f"agenda: {type(error).__name__}: {error}", file=sys.stderr, flush=True)


AGENDA = Agenda()
later = AGENDA.later


def install() -> None:
    """Makes moto's present the virtual one; to be called before other moto modules are imported."""
    import moto.core.utils

    real = moto.core.utils.utcnow
    for module in list(sys.modules.values()):
        if getattr(module, "utcnow", None) is real:
            module.utcnow = utcnow  # type: ignore[attr-defined]
