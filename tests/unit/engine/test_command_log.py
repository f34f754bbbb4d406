"""The memory of command ids: long enough, and never too large."""

import pytest

from actors.engine.command_log import (
    DONE,
    KEPT_NS,
    CommandLog,
    Kind,
    of_order,
    of_orders,
    of_refusal,
    of_scale,
    of_twap,
    read,
)
from actors.engine.units import Reason


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (DONE, (Kind.DONE, (0,))),
        (of_order(7), (Kind.ORDER, (7,))),
        (of_twap(3), (Kind.TWAP, (3,))),
        (of_refusal(Reason.ORDER_CLOSED, 12), (Kind.REFUSED, (Reason.ORDER_CLOSED, 12))),
        (of_orders([1, 2]), (Kind.ORDERS, (1, 2))),
        (of_scale(4, 1, [8, 9]), (Kind.SCALE, (4, 1, 8, 9))),
    ],
)
def test_outcome_packed_is_read_back(outcome, expected):  # noqa: ANN001
    """What was packed into a number comes out of it."""
    assert read(outcome) == expected


def test_log_keeps_an_id_for_a_quarter_of_an_hour():
    """An id is known until two generations have turned, which takes 15 minutes at least."""
    log = CommandLog()
    log.turn(KEPT_NS)
    log.recent["a"] = DONE
    log.turn(2 * KEPT_NS)
    assert "a" in log
    log.turn(3 * KEPT_NS - 1)
    assert "a" in log
    log.turn(3 * KEPT_NS)
    assert "a" not in log


def test_log_is_bounded_however_many_ids_come():
    """At most the bound is kept, and the newest half of it always is."""
    log = CommandLog(kept_max=100)
    for at in range(1_000):
        log.recent[f"c{at}"] = of_order(at)
        log.turn(0)
        assert len(log) <= 100
    assert log.get("c999") == of_order(999)
    assert log.get("c960") == of_order(960)
    assert log.get("c1") is None
