"""The channels' client protocols, fed by hand: gaps, cuts, replays, wrong checksums."""

import random
from collections import Counter
from typing import Any

import pytest
from event_trader.book import LocalBook
from event_trader.errors import StreamCorruptError
from event_trader.stream_protocol import BookProtocol, PrivateProtocol, TradesProtocol
from event_trader.wire.checksum import book_checksum

Frame = dict[str, Any]
SEEDS = range(40)


def book_frame(kind: str, sequence: int, bids: Any = (), asks: Any = (), **more: Any) -> Frame:
    """Make a frame of the book channel; the checksum is that of the levels unless given."""
    frame = {"type": kind, "sequence": sequence, "bids": bids, "asks": asks, "timestamp": "t"}
    return {**frame, "checksum": book_checksum(bids, asks), **more}


def test_local_book_keeps_levels_in_order_and_removes_those_of_size_zero() -> None:
    """Best first on both sides, compared as numbers and shown as they came."""
    book = LocalBook()
    bids, asks = [["9.9", "1"], ["10.0", "2"]], [["10.5", "1"], ["10.25", "3"]]
    book.apply(book_frame("snapshot", 1, bids, asks))
    assert book.bids == [("10.0", "2"), ("9.9", "1")]
    assert book.asks == [("10.25", "3"), ("10.5", "1")]
    assert str(book.mid) == "10.125"
    update = book_frame("update", 2, [["10.0", "0"], ["7", "0"]], [["10.3", "4"]])
    update["checksum"] = book_checksum([("9.9", "1")], [*[("10.25", "3"), ("10.3", "4")], asks[0]])
    assert book.apply(update)
    assert (book.best_bid, book.best_ask, book.sequence) == (("9.9", "1"), ("10.25", "3"), 2)


def test_book_with_a_gap_asks_to_resume_once_and_ignores_until_it_continues() -> None:
    """Updates after the gap change nothing until the missing ones have come."""
    protocol = BookProtocol()
    protocol.opened()
    protocol.receive(book_frame("snapshot", 5))
    one = [["1", "1"]]
    for sequence in (7, 8):
        frame = book_frame("update", sequence, one, previous_sequence=sequence - 1)
        assert protocol.receive(frame) == []
    assert protocol.to_send() == [{"action": "resume", "since_sequence": 5}]
    assert protocol.to_send() == []
    assert protocol.receive(book_frame("update", 8, one, previous_sequence=5))
    assert (protocol.book.bids, protocol.book.sequence) == ([("1", "1")], 8)


def test_heartbeat_ahead_of_the_book_makes_it_resume() -> None:
    """The server has sent more than was seen."""
    protocol = BookProtocol()
    protocol.opened()
    protocol.receive(book_frame("snapshot", 5))
    protocol.receive({"type": "heartbeat", "sequence": 5})
    assert protocol.to_send() == []
    protocol.receive({"type": "heartbeat", "sequence": 6})
    assert protocol.to_send() == [{"action": "resume", "since_sequence": 5}]


def test_wrong_checksum_is_healed_by_a_snapshot_and_three_wrong_snapshots_are_an_error() -> None:
    """A damaged book is never shown."""
    protocol = BookProtocol()
    protocol.opened()
    protocol.receive(book_frame("snapshot", 5))
    wrong = book_frame("update", 6, [["1", "1"]], previous_sequence=5, checksum=1)
    assert protocol.receive(wrong) == []
    assert protocol.to_send() == [{"action": "snapshot"}]
    assert protocol.receive(book_frame("snapshot", 6, [["1", "2"]]))
    assert protocol.mismatches == 1
    broken = book_frame("snapshot", 7, [["1", "3"]], checksum=1)
    assert protocol.receive(broken) == []
    assert protocol.receive(broken) == []
    with pytest.raises(StreamCorruptError, match="3 snapshots"):
        protocol.receive(broken)


def tape(newest: int, shown: int = 50) -> Frame:
    """Make the first frame of the trades channel."""
    trades = [{"trade_id": f"trd_{n}"} for n in range(newest, max(0, newest - shown), -1)]
    return {"type": "snapshot", "symbol": "vaix", "sequence": newest, "trades": trades}


def numbers(events: list[Frame]) -> list[int]:
    """Give the sequences of the trades among events."""
    return [event["sequence"] for event in events if event["type"] == "trade"]


def test_trades_missed_while_away_are_taken_from_the_snapshot_in_order() -> None:
    """Three were missed: they come oldest first, as trades."""
    protocol = TradesProtocol()
    protocol.opened()
    assert protocol.receive(tape(10))[0]["type"] == "snapshot"
    protocol.opened()
    events = protocol.receive(tape(13))
    assert numbers(events) == [11, 12, 13]
    assert [event["trade_id"] for event in events] == ["trd_11", "trd_12", "trd_13"]


def test_more_trades_missed_than_shown_are_asked_for() -> None:
    """A resume brings them; what came live before it is not shown twice."""
    protocol = TradesProtocol()
    protocol.opened()
    protocol.receive(tape(10))
    protocol.opened()
    assert protocol.receive(tape(100)) == []
    assert protocol.to_send() == [{"action": "resume", "since_sequence": 10}]
    live = {"type": "trade", "sequence": 101}
    assert protocol.receive(live) == []
    seen = [n for s in range(11, 103) for n in numbers(protocol.receive({**live, "sequence": s}))]
    assert seen == list(range(11, 103))


def test_trades_that_are_gone_are_told_as_a_gap() -> None:
    """The server answers the resume with a snapshot: the rest cannot be had."""
    protocol = TradesProtocol()
    protocol.opened()
    protocol.receive(tape(10))
    protocol.opened()
    protocol.receive(tape(100))
    events = protocol.receive(tape(100))
    assert events[0] == {"type": "gap", "missed": 40}
    assert numbers(events) == list(range(51, 101))


class AccountServer:
    """The private channel's other end: records of frames per market, replayed as it does."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.records: dict[str, list[list[Frame]]] = {"a.paper": [], "b.live": []}
        self.sent: list[Frame] = []

    def happen(self) -> list[Frame]:
        """Write one record in some market; give its frames."""
        market = self.rng.choice(list(self.records))
        symbol, mode = market.split(".")
        number = len(self.records[market]) + 1
        frames = [
            {"type": self.rng.choice(["fill", "order_update"]), "symbol": symbol, "mode": mode,
             "sequence": number, "id": f"{market}/{number}/{at}"}
            for at in range(self.rng.randint(0, 3))
        ]  # fmt: skip
        self.records[market].append(frames)
        self.sent += frames
        return frames

    def positions(self) -> dict[str, int]:
        """Give the newest record of each market."""
        return {market: len(records) for market, records in self.records.items()}

    def connection(self, protocol: PrivateProtocol) -> list[Frame]:
        """Play one connection up to its cut; give the events the user saw."""
        protocol.opened()
        seen: list[Frame] = []
        out: list[Frame] = [{"type": "connected", "sequences": self.positions()}]
        began, asked = self.positions(), False
        resume_at = self.rng.randint(0, 4)
        for step in range(self.rng.randint(1, 25)):
            if step >= resume_at and not asked:
                for request in protocol.to_send():
                    asked = True
                    out += self.replay(request["since"], began)
            out += self.happen()
            for _ in range(self.rng.randint(0, 4)):
                if out:
                    seen += protocol.receive(out.pop(0))
        return seen

    def replay(self, since: dict[str, int], began: dict[str, int]) -> list[Frame]:
        """Give what the server sends for a resume: not again what came live since connecting."""
        out: list[Frame] = []
        for market, number in since.items():
            records = self.records[market]
            for at in range(number, len(records)):
                if at + 1 <= began[market] or number > began[market]:
                    out += records[at]
            symbol, mode = market.split(".")
            out.append(
                {"type": "resumed", "sequence": len(records), "symbol": symbol, "mode": mode}
            )
        return out


@pytest.mark.parametrize("seed", SEEDS)
def test_private_events_come_once_and_in_order_over_any_cuts(seed: int) -> None:
    """Forty cut connections, some within a record; at the end everything was seen once."""
    server = AccountServer(random.Random(seed))
    protocol = PrivateProtocol()
    protocol.opened()
    protocol.receive({"type": "connected", "sequences": server.positions()})
    seen: list[Frame] = []
    for _ in range(40):
        seen += server.connection(protocol)
    protocol.opened()
    seen += protocol.receive({"type": "connected", "sequences": server.positions()})
    for request in protocol.to_send():
        for frame in server.replay(request["since"], server.positions()):
            seen += protocol.receive(frame)
    assert Counter(frame["id"] for frame in seen) == Counter(f["id"] for f in server.sent)
    for market in server.records:
        of_market = [f["id"] for f in seen if f"{f['symbol']}.{f['mode']}" == market]
        assert of_market == [frame["id"] for r in server.records[market] for frame in r]


def test_history_that_is_gone_is_told_as_a_gap_and_the_stream_goes_on() -> None:
    """What waited behind the replay comes after the gap."""
    protocol = PrivateProtocol()
    protocol.opened()
    protocol.receive({"type": "connected", "sequences": {"a.paper": 5}})
    protocol.opened()
    protocol.receive({"type": "connected", "sequences": {"a.paper": 50}})
    assert protocol.to_send() == [{"action": "resume", "since": {"a.paper": 5}}]
    place = {"symbol": "a", "mode": "paper"}
    live = {"type": "fill", "sequence": 51, **place}
    assert protocol.receive(live) == []
    trimmed = {"type": "error", "code": "HISTORY_TRIMMED", "message": "", **place}
    assert protocol.receive(trimmed) == [{"type": "gap", **place}, live]


def test_balances_that_changed_unseen_are_shown_after_a_reconnect() -> None:
    """Only those that differ from what was seen last."""
    protocol = PrivateProtocol()
    protocol.opened()
    protocol.receive({"type": "connected", "sequences": {}})
    funds = {"asset": "USDC", "mode": "paper", "available": "5", "locked": "0", "total": "5"}
    assert protocol.receive({"type": "balance_update", **funds})
    protocol.opened()
    protocol.receive({"type": "connected", "sequences": {}})
    assert protocol.reconnected
    assert protocol.balances_read([funds]) == []
    changed = {**funds, "available": "4", "total": "4"}
    assert protocol.balances_read([changed]) == [{"type": "balance_update", **changed}]
