"""Whose money is on its way, and for how long that is remembered."""

from actors.engine.ledger_commands import Settlement
from actors.engine.units import UserId
from actors.unsettled import KEPT_S, Unsettled
from tests.ledgers import buy, sell

ALICE, BOB = UserId("usr_alice"), UserId("usr_bob")


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now_s


def test_settlements_of_other_markets_are_named_the_newest_of_each() -> None:
    """What is on its way from the same market comes before its next order anyway."""
    unsettled = Unsettled()
    unsettled.note(ALICE, "vaix.paper", 3)
    unsettled.note(ALICE, "vaix.paper", 2)
    unsettled.note(ALICE, "eth.paper", 7)
    unsettled.note(BOB, "btc.paper", 9)
    assert unsettled.elsewhere(ALICE, "btc.paper") == {"vaix.paper": 3, "eth.paper": 7}
    assert unsettled.elsewhere(ALICE, "vaix.paper") == {"eth.paper": 7}
    assert unsettled.elsewhere(UserId("usr_carol"), "vaix.paper") == {}


def test_record_tells_of_everybody_in_it() -> None:
    """A maker asked for nothing and is paid all the same."""
    unsettled = Unsettled()
    settlement = Settlement(4, [buy(ALICE, 1, 1), sell(BOB, 1, 1)])
    unsettled.note_record("vaix.paper", [(0, settlement)])
    assert unsettled.elsewhere(ALICE, "btc.paper") == {"vaix.paper": 4}
    assert unsettled.elsewhere(BOB, "btc.paper") == {"vaix.paper": 4}


def test_old_settlements_are_forgotten_a_generation_at_a_time() -> None:
    """One is kept for at least `KEPT_S`, and for less than twice that and another look."""
    clock = Clock()
    unsettled = Unsettled(clock)
    clock.now_s += 0.9 * KEPT_S
    unsettled.note(ALICE, "vaix.paper", 1)
    clock.now_s += KEPT_S
    assert unsettled.elsewhere(ALICE, "btc.paper") == {"vaix.paper": 1}
    unsettled.note(ALICE, "vaix.paper", 2)
    assert unsettled.elsewhere(ALICE, "btc.paper") == {"vaix.paper": 2}
    clock.now_s += 2 * KEPT_S
    assert unsettled.elsewhere(ALICE, "btc.paper") == {}
