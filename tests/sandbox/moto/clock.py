"""The virtual clock, as the gateway runs it.

Time is fast while nobody works and slow while somebody does; how it passes stands in the file that
`LANDFALL_CLOCK` names. Without one it passes `LANDFALL_SPEED` times as fast as real time. Whatever
moto waits for or stamps goes through here, so that a StackSet operation of a minute takes a second
while its timestamps stay a minute apart; and whatever moto does of its own accord is told here as
work, in the file that `LANDFALL_WORKERS` names.
"""

import datetime
import heapq
import itertools
import mmap
import os
import struct
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

SPEED = float(os.environ.get("LANDFALL_SPEED") or 1.0)
# The longest real time after which it is looked how fast time passes.
GLANCE = 0.005


def _mapped() -> mmap.mmap | None:
    """The file as memory: the time is asked for often, and each system call costs a turn."""
    if not (path := os.environ.get("LANDFALL_CLOCK")):
        return None
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)


def _start() -> float:
    return float(os.environ.get("LANDFALL_START") or time.time())


START = _start()
FILE = _mapped()


def _pace() -> tuple[float, float]:
    """What virtual time it is, and how fast it passes."""
    if FILE is None:
        return START + (time.time() - START) * SPEED, SPEED
    while True:
        numbers = FILE[:40]
        epoch, wall, end, rate, check = struct.unpack("<5Q", numbers)
        if epoch ^ wall ^ end ^ rate == check:
            epoch, wall, end, rate = struct.unpack_from("<4d", numbers)
            return epoch + (min(time.time(), end) - wall) * rate, rate


def now() -> float:
    """Virtual seconds since 1970."""
    return _pace()[0]


def utcnow() -> datetime.datetime:
    """Virtual time as moto wants it: UTC without a zone."""
    return datetime.datetime.fromtimestamp(now(), datetime.UTC).replace(tzinfo=None)


def iso(epoch: float | None = None) -> str:
    """RFC 3339 to the second, as events carry it."""
    stamp = datetime.datetime.fromtimestamp(now() if epoch is None else epoch, datetime.UTC)
    return stamp.strftime("%Y-%m-%dT%H:%M:%SZ")


def sleep(seconds: float) -> None:
    """Sleeps virtual seconds."""
    Event().wait(seconds)


class Event(threading.Event):
    """An event whose time-outs are virtual seconds."""

    def wait(self, timeout: float | None = None) -> bool:
        if timeout is None:
            return super().wait()
        bell = AGENDA.ring(timeout, self._cond)
        with self._cond:
            while not self._flag and not bell.over:
                self._cond.wait()
        bell.over = True
        return self._flag


class Workers:
    """How many parts of moto work of their own accord: nobody waits for an answer of theirs."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Nobody works, in a process that has begun."""
        self._lock = threading.Lock()
        self._count = 0
        self._told = None
        if path := os.environ.get("LANDFALL_WORKERS"):
            with open(path, "wb+") as file:
                file.write(bytes(8))
                file.flush()
                self._told = mmap.mmap(file.fileno(), 8)

    def __enter__(self) -> None:
        self._change(1)

    def __exit__(self, *_: object) -> None:
        self._change(-1)

    def _change(self, by: int) -> None:
        with self._lock:
            self._count += by
            if self._told is not None:
                struct.pack_into("<Q", self._told, 0, self._count)


WORKING = Workers()


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


class Entry:
    """What is to happen at a time, unless it is over before."""

    def __init__(self, action: Callable[[], Any]) -> None:
        self.action, self.over = action, False


class Bell(Entry):
    """Wakes whoever waits on a condition."""

    def __init__(self, condition: threading.Condition) -> None:
        super().__init__(self._ring)
        self._condition = condition

    def _ring(self) -> None:
        with self._condition:
            self.over = True
            self._condition.notify_all()


# How late the action comes that this thread runs.
_THIS = threading.local()


class Agenda:
    """What happens later, in virtual time, off the request threads."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Entry]] = []
        self._order = itertools.count()
        self.begin()

    def begin(self) -> None:
        """Goes on with what is to happen in a process that has begun."""
        self._changed = threading.Condition()
        self._workers = ThreadPoolExecutor(8, thread_name_prefix="agenda")
        self._thread: threading.Thread | None = None
        if self._entries:
            self._run_aside()

    def later(self, seconds: float, action: Callable[[], Any]) -> None:
        """Runs the action after so many virtual seconds.

        What an action that comes late sets going does not come as late again: where time leapt over
        both, both are over.
        """
        self._add(seconds - getattr(_THIS, "late", 0.0), Entry(action))

    def ring(self, seconds: float, condition: threading.Condition) -> "Bell":
        """Wakes whoever waits on a condition, after so many virtual seconds.

        Who is woken believes it: for a moment two readers of the clock may tell another time.
        """
        bell = Bell(condition)
        self._add(seconds, bell)
        return bell

    def _add(self, seconds: float, entry: Entry) -> None:
        when = now() + seconds
        with self._changed:
            heapq.heappush(self._entries, (when, next(self._order), entry))
            if self._thread is None:
                self._run_aside()
            self._changed.notify()

    def _run_aside(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True, name="agenda")
        self._thread.start()

    def _run(self) -> None:
        while True:
            when, _, entry = self._due()
            if isinstance(entry, Bell):
                entry.action()
            else:
                self._workers.submit(_reported, when, entry.action)

    def _due(self) -> tuple[float, int, Entry]:
        """The next entry, as soon as it is due."""
        with self._changed:
            while True:
                while self._entries and self._entries[0][2].over:
                    heapq.heappop(self._entries)
                if not self._entries:
                    self._changed.wait()
                    continue
                present, rate = _pace()
                left = (self._entries[0][0] - present) / rate
                if left <= 0:
                    return heapq.heappop(self._entries)
                self._changed.wait(min(left, GLANCE) if FILE else left)


def _reported(when: float, action: Callable[[], Any]) -> None:
    _THIS.late = max(0.0, now() - when)
    try:
        with WORKING:
            action()
    except Exception as error:  # a failure here has no caller that could hear of it
        print(f"agenda: {type(error).__name__}: {error}", file=sys.stderr, flush=True)


AGENDA = Agenda()
later = AGENDA.later


def begin() -> None:
    """Keeps the time of another gateway, in a process that is the copy of one."""
    global FILE, START
    FILE, START = _mapped(), _start()
    WORKING.begin()
    AGENDA.begin()


def install() -> None:
    """Makes moto's present the virtual one; to be called before other moto modules are imported."""
    import moto.core.utils

    real = moto.core.utils.utcnow
    for module in list(sys.modules.values()):
        if getattr(module, "utcnow", None) is real:
            module.utcnow = utcnow  # type: ignore[attr-defined]
