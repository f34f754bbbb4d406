"""Sessions without sockets: frames in and out, time, bounds, and every malformed frame."""

import pytest

from actors.engine.units import Side
from gateway.market_feeds import CONFLATE_AFTER, TRADE_RING, RowsFeed
from gateway.ws.protocol import FAULTS_MAX, FRAMES_BURST, Session
from gateway.ws.public import BookSession, LatestSession, MarketsSession, TradesSession
from tests.unit.gateway.ws.worlds import ShadowBook, World, drain


@pytest.fixture
def world() -> World:
    """Give a market and the time."""
    return World()


def book_session(world: World) -> BookSession:
    """Open the book channel."""
    session = BookSession(world.clock, world.market, hybrid=False)
    session.opened()
    return session


def test_session_pinged_by_text_answers_pong(world: World) -> None:
    """The bare word ping is answered ahead of data."""
    session = book_session(world)
    session.receive("ping")
    assert [frame["type"] for frame in drain(session)] == ["pong", "snapshot"]


def test_session_silent_for_five_seconds_sends_one_heartbeat(world: World) -> None:
    """A heartbeat follows five seconds of silence, shows the sequence, and starts them anew."""
    session = book_session(world)
    world.record((Side.BUY, 1_000, 5))
    drain(session)
    world.wait(4.9)
    session.tick()
    assert drain(session) == []
    world.wait(0.2)
    session.tick()
    session.tick()
    beats = drain(session)
    assert [(beat["type"], beat["sequence"]) for beat in beats] == [("heartbeat", 1)]


MALFORMED = [
    ("", "MALFORMED_FRAME"),
    ("PING", "MALFORMED_FRAME"),
    ("{", "MALFORMED_FRAME"),
    ("null", "MALFORMED_FRAME"),
    ("[]", "MALFORMED_FRAME"),
    ('"snapshot"', "MALFORMED_FRAME"),
    ("{}", "MALFORMED_FRAME"),
    ('{"action": null}', "MALFORMED_FRAME"),
    ('{"action": 1}', "MALFORMED_FRAME"),
    ('{"action": "resume", "action": "snapshot"}', "MALFORMED_FRAME"),
    ('{"action": "resume", "since_sequence": NaN}', "MALFORMED_FRAME"),
    ('{"action": "resume", "since_sequence": Infinity}', "MALFORMED_FRAME"),
    ('{"action": "resume", "since_sequence": 0x10}', "MALFORMED_FRAME"),
    ('{"action": "resume", "since_sequence": 1_000}', "MALFORMED_FRAME"),
    ('{"action": "resume", "since_sequence": 01}', "MALFORMED_FRAME"),
    ('{"action": "resume", "since_sequence": ' + "9" * 5_000 + "}", "MALFORMED_FRAME"),
    ("[" * 5_000 + "]" * 5_000, "MALFORMED_FRAME"),
    ('{"action": "resume"}', "INVALID_FIELD"),
    ('{"action": "resume", "since_sequence": null}', "INVALID_FIELD"),
    ('{"action": "resume", "since_sequence": true}', "INVALID_FIELD"),
    ('{"action": "resume", "since_sequence": -1}', "INVALID_FIELD"),
    ('{"action": "resume", "since_sequence": 1.5}', "INVALID_FIELD"),
    ('{"action": "resume", "since_sequence": 1e400}', "INVALID_FIELD"),
    ('{"action": "resume", "since_sequence": "1"}', "INVALID_FIELD"),
    ('{"action": "resume", "since_sequence": []}', "INVALID_FIELD"),
    ('{"action": "resume", "since_sequence": 9223372036854775808}', "INVALID_FIELD"),
    ('{"action": "resume", "since_sequence": 1, "depth": 5}', "UNKNOWN_FIELD"),
    ('{"action": "snapshot", "since_sequence": 1}', "UNKNOWN_FIELD"),
    ('{"action": "subscribe"}', "UNKNOWN_ACTION"),
    ('{"action": "SNAPSHOT"}', "UNKNOWN_ACTION"),
    ('{"action": "gap_recovery", "since_sequence": 1}', "UNKNOWN_ACTION"),
    ("x" * 70_000, "FRAME_TOO_LARGE"),
]


@pytest.mark.parametrize(("text", "code"), MALFORMED)
def test_malformed_frame_gets_its_code_and_changes_nothing(
    world: World, text: str, code: str
) -> None:
    """One error frame with a code and a sentence; the stream goes on where it was."""
    session = book_session(world)
    drain(session)
    session.receive(text)
    (error,) = drain(session)
    assert (error["type"], error["code"]) == ("error", code)
    assert error["message"]
    assert session.closing is None
    world.record((Side.BUY, 1_000, 5))
    assert [frame["type"] for frame in drain(session)] == ["update"]


def test_client_that_goes_on_with_malformed_frames_is_closed(world: World) -> None:
    """After the twentieth fault the session closes with 1008."""
    session = book_session(world)
    for _ in range(FAULTS_MAX):
        assert session.closing is None
        session.receive("{")
    assert session.closing is not None
    assert session.closing.code == 1008


def test_client_that_floods_is_refused_and_closed(world: World) -> None:
    """Beyond its allowance a client's frames are not read, and soon it is closed."""
    session = book_session(world)
    for _ in range(FRAMES_BURST + FAULTS_MAX):
        session.receive("ping")
    assert session.closing is not None
    kinds = [frame["type"] for frame in drain(session)]
    assert kinds.count("pong") == FRAMES_BURST


def test_slow_reader_of_a_book_gets_one_merged_update(world: World) -> None:
    """Far behind, a reader is sent the newest state in one frame whose chain is whole."""
    session, book = book_session(world), ShadowBook()
    for frame in drain(session):
        book.apply(frame)
    for at in range(CONFLATE_AFTER + 10):
        world.record((Side.BUY, 1_000 + at % 7, at + 1), (Side.SELL, 2_000 - at % 5, at + 2))
    (merged,) = drain(session)
    assert (merged["previous_sequence"], merged["sequence"]) == (0, CONFLATE_AFTER + 10)
    book.apply(merged)


def test_reader_out_of_the_ring_gets_a_fresh_snapshot(world: World) -> None:
    """A reader that the ring has passed starts again, and holds the right book."""
    session, book = book_session(world), ShadowBook()
    drain(session)
    for at in range(1_100):
        world.record((Side.BUY, 1_000 + at % 7, at + 1))
    (frame,) = drain(session)
    assert frame["type"] == "snapshot"
    book.apply(frame)


def test_resume_within_the_ring_sends_exactly_the_missing_updates(world: World) -> None:
    """Resuming after n continues with n + 1."""
    session = book_session(world)
    for at in range(10):
        world.record((Side.BUY, 1_000 + at, 1))
    drain(session)
    session.receive('{"action": "resume", "since_sequence": 7}')
    chain = [(frame["previous_sequence"], frame["sequence"]) for frame in drain(session)]
    assert chain == [(7, 8), (8, 9), (9, 10)]
    session.receive('{"action": "resume", "since_sequence": 99}')
    assert [frame["type"] for frame in drain(session)] == ["snapshot"]


def test_trades_reader_that_loses_some_is_closed_with_4408(world: World) -> None:
    """A reader of trades is never silently skipped ahead."""
    session = TradesSession(world.clock, world.market)
    session.opened()
    drain(session)
    for _ in range(TRADE_RING // 64 + 1):
        world.record(trades=64)
    assert drain(session) == []
    assert session.closing is not None
    assert session.closing.code == 4408


def test_trades_come_contiguous_and_without_users(world: World) -> None:
    """Each trade once, numbered, and nobody named."""
    session = TradesSession(world.clock, world.market)
    session.opened()
    drain(session)
    for _ in range(5):
        world.record(trades=3)
    frames = drain(session)
    assert [frame["sequence"] for frame in frames] == list(range(1, 16))
    assert all("usr_" not in str(frame) for frame in frames)


def test_bbo_is_sent_at_most_every_fifty_milliseconds_and_always_newest(world: World) -> None:
    """Changes within the interval show as one frame, the last."""
    session = LatestSession(world.clock, world.market, world.market.bbo)
    session.opened()
    drain(session)
    world.wait(1)
    sizes = []
    for at in range(100):
        world.record((Side.BUY, 1_000, at + 1))
        sizes += [frame["best_bid_size"] for frame in drain(session)]
    world.wait(0.05)
    world.market.flush(world.now_ns)
    sizes += [frame["best_bid_size"] for frame in drain(session)]
    assert len(sizes) <= 4
    assert sizes[-1] == "100"


def test_markets_rows_are_sent_when_changed_at_most_every_quarter_second(world: World) -> None:
    """Only rows whose text changed, and not before their time."""
    rows = RowsFeed(250_000_000)
    session: Session = MarketsSession(world.clock, rows)
    rows.mark("a", lambda: b'{"symbol":"a","price":"1"}')
    rows.mark("b", lambda: b'{"symbol":"b","price":"1"}')
    session.opened()
    assert [len(frame["markets"]) for frame in drain(session)] == [2]
    rows.mark("a", lambda: b'{"symbol":"a","price":"2"}')
    rows.mark("b", lambda: b'{"symbol":"b","price":"1"}')
    due = rows.flush(world.now_ns)
    assert due is not None
    assert drain(session) == []
    rows.flush(due)
    (frame,) = drain(session)
    assert frame["markets"] == [{"symbol": "a", "price": "2"}]


def test_market_started_anew_sends_every_reader_a_snapshot(world: World) -> None:
    """After a gap the market is restored from its pair, and cursors mean nothing any more."""
    session, book = book_session(world), ShadowBook()
    world.record((Side.BUY, 1_000, 5))
    drain(session)
    world.market.suspend()
    assert drain(session) == []
    state = world.market._replica.public_state()
    world.market.restore(state)
    (frame,) = drain(session)
    assert frame["type"] == "snapshot"
    book.apply(frame)
