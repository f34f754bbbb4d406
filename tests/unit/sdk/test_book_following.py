"""The client's book against the gateway's own session and feed, over many updates and cuts."""

import json
import os
import random
from typing import Any, cast

from event_trader.stream_protocol import BookProtocol
from event_trader.wire.checksum import book_checksum

from gateway import frames
from gateway.market import Market
from gateway.market_feeds import BookDelta, BookFeed
from gateway.ws.protocol import Clock
from gateway.ws.public import BookSession

UPDATES = 100_000 if os.environ.get("TANDEM_LONG") else 5_000
CUTS = 100
BURSTS = [1, 1, 1, 3, 60]
"""Updates between two looks of the reader: sometimes it lags, and gets them merged."""
CUT_CHANCE = 1.5 * CUTS * (sum(BURSTS) / len(BURSTS)) / UPDATES
SEED = 7
NOW_NS = 1_767_322_984_000_000_000


class ServedBook:
    """A book that changes at random, published by the gateway's real feed."""

    ready = True

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.book = self.hybrid = BookFeed(frames.book_update)
        self.sides: tuple[dict[int, int], dict[int, int]] = ({}, {})

    def feed(self, *, hybrid: bool) -> BookFeed:
        """Give the feed, as a market does."""
        return self.hybrid if hybrid else self.book

    def change(self) -> None:
        """Change one to three levels."""
        changed: tuple[dict[str, str], dict[str, str]] = ({}, {})
        for _ in range(self.rng.randint(1, 3)):
            side = self.rng.randint(0, 1)
            price = 3_000 + (1 if side else -1) * self.rng.randint(1, 60)
            size = self.rng.choice([0, self.rng.randint(1, 10**6)])
            if size:
                self.sides[side][price] = size
            else:
                self.sides[side].pop(price, None)
            changed[side][f"0.{price:06d}"] = str(size)
        at = self.book.sequence
        delta = BookDelta(at + 1, at, NOW_NS, at + 1, *changed, book_checksum(*self.levels()))
        self.book.publish(delta)

    def levels(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Give (bids, asks), best first."""
        bids, asks = (sorted(side.items()) for side in self.sides)
        shown = [[(f"0.{price:06d}", str(size)) for price, size in s] for s in (bids[::-1], asks)]
        return shown[0], shown[1]

    def book_frame(self, *, hybrid: bool) -> bytes:
        """Encode the snapshot frame, as a market does."""
        bids, asks = self.levels()
        sequence, checksum = self.feed(hybrid=hybrid).sequence, book_checksum(bids, asks)
        return frames.book_snapshot("vaix", sequence, bids, asks, NOW_NS, checksum)


def test_hundred_cuts_and_lost_frames_leave_the_book_equal_checksum_by_checksum() -> None:
    """Connections end at random, frames vanish at random, readers lag: the book is the server's."""
    rng = random.Random(SEED)
    served, protocol = ServedBook(rng), BookProtocol()
    checksums: dict[int, int] = {}
    clock = Clock(lambda: NOW_NS, lambda: NOW_NS)
    cuts = applied = 0
    session: BookSession | None = None
    while served.book.sequence < UPDATES:
        if session is None or rng.random() < CUT_CHANCE:
            cuts += session is not None
            session = BookSession(clock, cast("Market", served), hybrid=False)
            protocol.opened()
        for _ in range(rng.choice(BURSTS)):
            served.change()
            checksums[served.book.sequence] = book_checksum(*served.levels())
        while (frame := session.next_frame()) is not None:
            if rng.random() < 0.001:
                continue
            for event in protocol.receive(json.loads(frame)):
                applied += 1
                assert protocol.book.checksum() == checksums.get(event["sequence"], 0)
            answer(session, protocol)
    catch_up(session, protocol)
    assert (protocol.book.bids, protocol.book.asks) == served.levels()
    assert (protocol.book.sequence, protocol.mismatches) == (served.book.sequence, 0)
    assert applied > UPDATES / 100
    assert cuts >= CUTS


def answer(session: BookSession, protocol: BookProtocol) -> None:
    """Bring what the client asks for to the session."""
    for request in protocol.to_send():
        session.receive(json.dumps(request))


def catch_up(session: BookSession | None, protocol: BookProtocol) -> None:
    """Let a heartbeat show what is missing, and fetch it."""
    assert session is not None
    beat: dict[str, Any] = {"type": "heartbeat", "sequence": session.sequence()}
    protocol.receive(beat)
    answer(session, protocol)
    while (frame := session.next_frame()) is not None:
        protocol.receive(json.loads(frame))
