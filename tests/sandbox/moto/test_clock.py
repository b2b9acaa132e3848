"""The virtual clock, as its many readers see it."""

import struct
import threading
import time

import pytest

import clock


def test_a_wait_ends_even_where_its_reader_is_told_an_earlier_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def told() -> tuple[float, float]:
        ahead = 10.0 if threading.current_thread().name == "agenda" else 0.0
        return ahead, 0.001

    monkeypatch.setattr(clock, "_pace", told)
    waiting = threading.Thread(target=clock.sleep, args=(5,), daemon=True)
    waiting.start()
    waiting.join(timeout=10)
    assert not waiting.is_alive()


def test_what_was_set_ends_a_wait_at_once() -> None:
    event = clock.Event()
    threading.Timer(0.01, event.set).start()
    assert event.wait(3600)
    assert not clock.Event().wait(0)


def test_what_begins_late_ends_as_if_it_had_begun_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = 0.0
    monkeypatch.setattr(clock, "_pace", lambda: (ahead, 0.001))
    monkeypatch.setattr(clock, "FILE", object())
    over = threading.Event()
    agenda = clock.Agenda()
    agenda.later(60, lambda: agenda.later(120, over.set))
    ahead = 170.0
    assert not over.wait(0.3)
    ahead = 190.0
    assert over.wait(10)


def test_time_passes_no_longer_than_the_gateway_says(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = time.time() - 100

    def told(end: float) -> bytes:
        numbers = struct.pack("<4d", 1000.0, wall, end, 10.0)
        epoch, began, ends, rate = struct.unpack("<4Q", numbers)
        return numbers + struct.pack("<Q", epoch ^ began ^ ends ^ rate)

    monkeypatch.setattr(clock, "FILE", told(wall + 3))
    assert clock.now() == pytest.approx(1030)
    monkeypatch.setattr(clock, "FILE", told(float("inf")))
    assert clock.now() >= 2000
