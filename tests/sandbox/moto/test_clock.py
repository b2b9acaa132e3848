"""The virtual clock, as its many readers see it."""

import threading
import time

import pytest

import clock


def test_a_wait_ends_even_where_its_reader_is_told_an_earlier_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def told() -> tuple[float, float, float]:
        ahead = 10.0 if threading.current_thread().name == "agenda" else 0.0
        return ahead, time.time(), 0.001

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
    monkeypatch.setattr(clock, "_pace", lambda: (ahead, time.time(), 0.001))
    monkeypatch.setattr(clock, "FILE", object())
    over = threading.Event()
    agenda = clock.Agenda()
    agenda.later(60, lambda: agenda.later(120, over.set))
    ahead = 170.0
    assert not over.wait(0.3)
    ahead = 190.0
    assert over.wait(10)
