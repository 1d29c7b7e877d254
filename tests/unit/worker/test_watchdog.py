from __future__ import annotations

import pytest

from desktopapp.engine.events import CancelAcknowledged, Heartbeat
from desktopapp.engine.price_events import MemorySample
from desktopapp.worker.watchdog import HangLimits, Watchdog

IDLE = Heartbeat("", 0.0, 0.0)


@pytest.fixture
def watchdog() -> Watchdog:
    """A child that was started at 0 and is known to be idle at 1."""
    made = Watchdog(HangLimits(), 0.0)
    made.hear(IDLE, 1.0)
    return made


def test_a_start_may_take_a_minute() -> None:
    watchdog = Watchdog(HangLimits(), 0.0)
    assert watchdog.overdue_s(59.0) is None
    assert watchdog.overdue_s(61.0) == 61.0


def test_silence(watchdog: Watchdog) -> None:
    assert watchdog.overdue_s(10.9) is None
    assert watchdog.overdue_s(11.1) == pytest.approx(10.1)
    watchdog.hear(IDLE, 11.0)
    assert watchdog.overdue_s(11.1) is None


def test_only_the_listening_thread_proves_that_it_lives(watchdog: Watchdog) -> None:
    watchdog.hear(MemorySample("System memory", False, 1, 2, 0), 9.0)
    assert watchdog.overdue_s(11.1) is not None


def test_silence_after_stop(watchdog: Watchdog) -> None:
    watchdog.set_stopping(5.0)
    assert watchdog.overdue_s(6.9) is None
    assert watchdog.overdue_s(7.1) is not None
    watchdog.hear(CancelAcknowledged("r"), 7.0)
    assert watchdog.overdue_s(7.1) is None
    assert watchdog.overdue_s(9.1) is not None


@pytest.mark.parametrize(("estimate_s", "limit_s"), [(0.1, 10.0), (1.0, 10.0), (4.0, 40.0)])
def test_a_step_may_take_ten_times_its_estimate_and_ten_seconds_at_least(
    watchdog: Watchdog, estimate_s: float, limit_s: float
) -> None:
    watchdog.hear(Heartbeat("prefill", limit_s - 0.1, estimate_s), 100.0)
    assert watchdog.overdue_s(100.0) is None
    watchdog.hear(Heartbeat("prefill", limit_s + 0.1, estimate_s), 100.0)
    assert watchdog.overdue_s(100.0) == pytest.approx(limit_s + 0.1)


def test_a_step_that_ignores_stop_for_long(watchdog: Watchdog) -> None:
    """Also where no step was declared, or short ones follow each other for ever."""
    watchdog.set_stopping(5.0)
    watchdog.hear(Heartbeat("decode", 0.1, 0.2), 14.9)
    assert watchdog.overdue_s(14.9) is None
    watchdog.hear(Heartbeat("decode", 0.1, 0.2), 15.1)
    assert watchdog.overdue_s(15.1) == pytest.approx(10.1)


def test_a_long_step_may_end_after_stop(watchdog: Watchdog) -> None:
    watchdog.set_stopping(5.0)
    watchdog.hear(Heartbeat("prefill", 30.0, 6.0), 35.0)
    assert watchdog.overdue_s(35.0) is None


def test_a_load_may_be_silent_but_not_after_stop(watchdog: Watchdog) -> None:
    watchdog.set_loading(True, 2.0)
    assert watchdog.overdue_s(61.9) is None
    assert watchdog.overdue_s(62.1) == pytest.approx(60.1)
    watchdog.set_stopping(20.0)
    assert watchdog.overdue_s(22.1) is not None


def test_a_load_counts_from_its_step_and_its_estimate(watchdog: Watchdog) -> None:
    watchdog.set_loading(True, 2.0)
    watchdog.hear(Heartbeat("load", 1.0, 20.0), 50.0)
    assert watchdog.overdue_s(150.0) is None
    assert watchdog.overdue_s(249.1) == pytest.approx(200.1)
    watchdog.set_loading(False, 150.0)
    watchdog.hear(IDLE, 150.0)
    assert watchdog.overdue_s(150.1) is None


def test_time_in_which_nobody_could_listen_does_not_count(watchdog: Watchdog) -> None:
    watchdog.set_stopping(2.0)
    watchdog.forgive(3600.0)
    assert watchdog.overdue_s(3601.5) is None
    assert watchdog.overdue_s(3604.5) is not None
