from desktopapp.ui.memory.history import SPAN_S, History


def test_a_peak_between_two_moments_is_not_lost() -> None:
    history = History()
    for time_s, used in ((0.0, 0.2), (0.2, 0.9), (0.4, 0.3), (0.6, 0.4)):
        history.add(time_s, used / 2, used)
    assert [moment.used for moment in history.moments] == [0.9, 0.4]
    assert history.moments[0].engine == 0.45


def test_only_the_last_minutes_are_kept() -> None:
    history = History()
    for step in range(20 * 60 * 5):
        history.add(step * 0.2, 0.1, 0.2)
    assert history.moments[-1].time_s - history.moments[0].time_s <= SPAN_S
    assert len(history.moments) <= SPAN_S / 0.5 + 1
    history.clear()
    assert not history.moments
