from hypothesis import given
from hypothesis import strategies as st

from desktopapp.engine.memory.account import SPILL_BYTES, Alarm, Segment, account_of, alarm_of
from desktopapp.engine.price_events import MemoryParts, MemorySample

GIB = 2**30
sizes = st.integers(min_value=-1, max_value=200 * GIB)


def sample(used: float, total: float = 16, engine: float = 0, *, is_gpu: bool = True, shared: int = 0):
    return MemorySample(
        "GPU", is_gpu, int(used * GIB), int(total * GIB), int(engine * GIB), shared_bytes=shared
    )


@given(sizes, sizes, sizes, sizes, sizes, sizes)
def test_segments_always_add_up_to_the_device(
    used: int, total: int, engine: int, weights: int, vision: int, kv: int
) -> None:
    account = account_of(MemorySample("GPU", True, used, total, engine, MemoryParts(weights, vision, kv)))
    assert sum(account.segments.values()) == account.total_bytes
    assert min(account.segments.values()) >= 0
    assert list(account.segments) == list(Segment)
    assert sum(list(account.segments.values())[:4]) == account.engine_bytes


def test_what_the_backend_does_not_account_for_is_work_space() -> None:
    parts = MemoryParts(8 * GIB, GIB // 2, 2 * GIB, workspace_bytes=GIB, unused_bytes=GIB)
    account = account_of(MemorySample("GPU", True, 14 * GIB, 16 * GIB, 13 * GIB, parts))
    assert account.segments == {
        Segment.WEIGHTS: 8 * GIB,
        Segment.VISION: GIB // 2,
        Segment.KV_CACHE: 2 * GIB,
        Segment.WORKSPACE: 13 * GIB - 10 * GIB - GIB // 2,
        Segment.OTHER: GIB,
        Segment.FREE: 2 * GIB,
    }


def test_alarms_from_slight_to_serious() -> None:
    assert alarm_of(sample(8), None) is Alarm.NONE
    assert alarm_of(sample(14), None) is Alarm.TIGHT
    assert alarm_of(sample(15.5), None) is Alarm.FULL
    assert alarm_of(sample(8, engine=6), 5 * GIB) is Alarm.OVER_CEILING
    assert alarm_of(sample(8, engine=6), 6 * GIB) is Alarm.NONE
    assert alarm_of(sample(0, total=0), None) is Alarm.NONE


def test_shared_memory_is_a_spill_only_where_the_card_is_full() -> None:
    spilled = SPILL_BYTES + 1
    assert alarm_of(sample(15.5, shared=spilled), None) is Alarm.SPILLING
    assert alarm_of(sample(8, shared=spilled), None) is Alarm.NONE
    assert alarm_of(sample(15.5, shared=SPILL_BYTES), None) is Alarm.FULL
    assert alarm_of(sample(15.5, shared=spilled, is_gpu=False), None) is Alarm.FULL
