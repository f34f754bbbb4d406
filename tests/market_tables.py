"""The text tables of matching: one line per command, what came of it in the last column.

    == name of the table                      a new market; options in brackets: live, strict
    ann sell limit 10 @ 100                   => #1 open
    bob buy market 4                          => #2 open; #1<#2 4@100; #2 filled
    book                                      => | 100x6

Orders are told by number: ``#1<#2 4@100`` is order 2 taking 4 lots of order 1 at 100 ticks. A
pool stands in by its name. ``book`` draws bids, best first, ``|``, asks; ``held`` lists open holds.
Words after a price, in any order: stop, show, stp, route, id, gtt (ms), expire (s from now), key
(the command's id), funds (what the shard can hold), apply (a hold of that much, whatever is
needed). Other lines: cancel, cancel_all, amend, twap, cancel_twap, scale, pool, swap (on chain),
halt, resume, wait (s). A pool holds ``of`` lots of base in all (x*y=k); with ``ticks`` it has
concentrated liquidity about as deep (``inverted``: the base is token1).
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from actors.engine.commands import (
    AmendOrder,
    AnyCommand,
    CancelAll,
    CancelOrder,
    CancelTwap,
    PlaceOrder,
    PlaceScale,
    PlaceTwap,
    PoolTraded,
    PoolUpdated,
    SetMarketStatus,
)
from actors.engine.events import (
    AnyEvent,
    CommandRejected,
    OrderAccepted,
    OrderAmended,
    OrderClosed,
    OrderRested,
    OrderTriggered,
    ScalePlaced,
    Traded,
    TwapChanged,
)
from actors.engine.market_api import OrderReply
from actors.engine.pair_engine import PairEngine
from actors.engine.pools.state import PoolStatus
from actors.engine.units import (
    NS_PER_S,
    MarketStatus,
    Mode,
    OrderNo,
    OrderStatus,
    OrderType,
    Reason,
    RouteMode,
    ScaleDistribution,
    Side,
    StpMode,
    UserId,
)
from tests.markets import POOLS, Market, make_spec, pool_at, ticks_at

FOLDER = Path(__file__).parent / "tables"


class Table(msgspec.Struct):
    """One table: where it stands, and its lines of (number, command, expected)."""

    name: str
    options: list[str]
    lines: list[tuple[int, str, str]]


def read_tables(path: Path) -> list[Table]:
    """Read all tables of a file."""
    tables: list[Table] = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        text = line.partition("# ")[0].strip() if line.startswith("# ") else line.strip()
        if text.startswith("== "):
            name, _, options = text[3:].partition("[")
            tables.append(Table(name.strip(), options.rstrip("]").split(), []))
        elif text:
            command, _, expected = text.partition("=>")
            tables[-1].lines.append((number, command.strip(), expected.strip()))
    return tables


class Words:
    """The words of a line, taken from the front or by name."""

    def __init__(self, line: str) -> None:
        self.left = line.split()

    def next(self) -> str:
        """Take the next word."""
        return self.left.pop(0)

    def named(self, name: str, default: str = "0") -> str:
        """Take the word after ``name``."""
        if name not in self.left:
            return default
        at = self.left.index(name)
        value = self.left[at + 1]
        del self.left[at : at + 2]
        return value

    def number(self, name: str) -> int:
        """Take the number after ``name``."""
        return int(self.named(name))

    def flag(self, name: str) -> bool:
        """Take a word that stands alone."""
        if name in self.left:
            self.left.remove(name)
            return True
        return False


class Player:
    """Plays the lines of one table against a new market."""

    def __init__(self, options: list[str]) -> None:
        mode = Mode.LIVE if "live" in options else Mode.PAPER
        changes: dict[str, object] = {"min_order_lots": 2, "max_open_orders": 4}
        if "strict" not in options:
            changes = {}
        self.market = Market(PairEngine(make_spec(**changes), mode))
        self.used: set[type] = set()

    def play(self, line: str) -> str:
        """Play one line; tells what came of it."""
        words = Words(line)
        funds = words.named("funds", "")
        first = words.next()
        if first == "book":
            bids, asks = self.market.depth
            return f"{_levels(bids)} | {_levels(asks)}".strip()
        if first == "wait":
            return self._wait(float(words.next()))
        if first == "held":
            holds = self.market.engine.open_holds()
            return " ".join(
                f"{u}:{Side(s).name.lower()}:{a}" for (u, s), a in sorted(holds.items())
            )
        held = words.named("apply", "")
        command = self._command(first, words)
        self.used.add(type(command))
        assert not words.left, f"not understood: {words.left}"
        if held:
            key = (getattr(command, "user", UserId("")), int(getattr(command, "side", 0)))
            self.market.held[key] = self.market.held.get(key, 0) + max(int(held), 0)
            events = self.market.apply(command, int(held))
        else:
            events = self.market.do(command, int(funds) if funds else None)
        self.market.check()
        told = "; ".join(filter(None, map(tell, events)))
        return told or self._tell_reply()

    def _tell_reply(self) -> str:
        reply = self.market.reply
        return f"is #{reply.order.order_no}" if isinstance(reply, OrderReply) else "nothing"

    def _wait(self, seconds: float) -> str:
        market = self.market
        market.now_ns += int(seconds * NS_PER_S)
        before = len(market.events)
        market.run_due()
        market.check()
        return "; ".join(filter(None, map(tell, market.events[before:]))) or "nothing"

    def _command(self, first: str, words: Words) -> AnyCommand:
        name = words.named("key", self.market.next_id())
        if first in ("halt", "resume"):
            status = MarketStatus.HALTED if first == "halt" else MarketStatus.TRADING
            return SetMarketStatus(name, status)
        if first == "pool":
            return _pool(name, words)
        if first == "swap":
            return _swap(name, words)
        user, verb = UserId(first), words.next()
        if verb in ("buy", "sell"):
            return self._place(name, user, Side[verb.upper()], words)
        return _VERBS[verb](name, user, words)

    def _place(self, name: str, user: UserId, side: Side, words: Words) -> PlaceOrder:
        kind, size = OrderType[words.next().upper()], int(words.next())
        expire = words.named("expire", "")
        return PlaceOrder(
            name,
            user,
            side,
            kind,
            size,
            words.number("@"),
            words.number("stop"),
            words.number("show"),
            StpMode[words.named("stp", "cancel_resting").upper()],
            RouteMode[words.named("route", "auto").upper()],
            self.market.now_ns + int(expire) * NS_PER_S if expire else 0,
            words.number("gtt"),
            words.named("id", ""),
        )


def _pool(name: str, words: Words) -> PoolUpdated:
    pool_id = _pool_id(words.next())
    if words.flag("stale"):
        state = pool_at(pool_id, 100, 1_000)
        return PoolUpdated(name, msgspec.structs.replace(state, status=PoolStatus.STALE))
    ticks, inverted = words.flag("ticks"), words.flag("inverted")
    price, lots = words.number("at"), words.number("of")
    if ticks or inverted:
        return PoolUpdated(name, ticks_at(pool_id, price, lots, base_is_token0=not inverted))
    return PoolUpdated(name, pool_at(pool_id, price, lots))


def _swap(name: str, words: Words) -> PoolTraded:
    own = words.flag("own")
    pool_id = _pool_id(words.next())
    side, lots = Side[words.next().upper()], int(words.next())
    amounts = (lots * 1_000, lots * 3 * words.number("@"))
    return msgspec.structs.replace(PoolTraded.of(name, pool_id, side, amounts), own=own)


def _pool_id(short: str) -> str:
    return next((one for one in POOLS if one.endswith(short)), f"base:0x{short}")


def _amend(name: str, user: UserId, words: Words) -> AmendOrder:
    number = OrderNo(int(words.next()))
    return AmendOrder(name, user, number, words.number("@"), words.number("size"))


def _cancel_all(name: str, user: UserId, words: Words) -> CancelAll:
    reason = Reason[words.named("reason", "USER_CANCELED")]
    side = Side[words.next().upper()] if words.left else None
    return CancelAll(name, user, side, reason)


def _twap(name: str, user: UserId, words: Words) -> PlaceTwap:
    return PlaceTwap(
        name,
        user,
        Side[words.next().upper()],
        int(words.next()),
        words.number("over") * 1_000,
        words.number("in"),
        words.number("limit"),
        max_slippage_ppm=words.number("slippage"),
    )


def _scale(name: str, user: UserId, words: Words) -> PlaceScale:
    exponential = words.flag("exponential")
    return PlaceScale(
        name,
        user,
        Side[words.next().upper()],
        int(words.next()),
        words.number("from"),
        words.number("to"),
        words.number("in"),
        ScaleDistribution.EXPONENTIAL if exponential else ScaleDistribution.LINEAR,
    )


_VERBS: dict[str, Callable[[str, UserId, Words], AnyCommand]] = {
    "cancel": lambda name, user, words: CancelOrder(name, user, OrderNo(int(words.next()))),
    "cancel_all": _cancel_all,
    "amend": _amend,
    "twap": _twap,
    "cancel_twap": lambda name, user, words: CancelTwap(name, user, int(words.next())),
    "scale": _scale,
}


def tell(event: AnyEvent) -> str:  # noqa: PLR0911  (one line per event)
    """Tell an event in a few signs."""
    match event:
        case CommandRejected():
            return f"refused {event.reason.name}"
        case OrderAccepted():
            waits = event.status is OrderStatus.PENDING_TRIGGER
            return f"#{event.order_no} {'waits' if waits else 'open'}"
        case Traded():
            pool = event.venue[-2:]
            maker = f"#{event.maker_no}" if event.maker_no else pool
            taker = f"#{event.taker_no}" if event.taker_no else pool
            return f"{maker}<{taker} {event.size_lots}@{event.price_ticks}"
        case OrderRested():
            return f"#{event.order_no} rests {event.remaining_lots}"
        case OrderTriggered():
            return f"#{event.order_no} triggered"
        case OrderAmended():
            kept = "keeps" if event.kept_priority else "loses"
            return f"#{event.order_no} {event.size_lots}@{event.price_ticks} {kept}"
        case OrderClosed():
            order = event.order
            if order.status is OrderStatus.FILLED:
                return f"#{order.order_no} filled"
            status = order.status.name.lower()
            return f"#{order.order_no} {status} {order.remaining_lots} {order.reason.name}"
        case TwapChanged():
            twap = event.twap
            done = f"{twap.slices_done}/{twap.num_slices} {twap.filled_lots}"
            why = f" {twap.reason.name}" if twap.reason else ""
            return f"twap {twap.twap_no} {twap.status.name.lower()} {done}{why}"
        case ScalePlaced():
            return f"scale {event.scale_no} of {len(event.order_nos)}"
    return ""


def _levels(levels: list[tuple[int, int]]) -> str:
    return " ".join(f"{price}x{lots}" for price, lots in levels)
