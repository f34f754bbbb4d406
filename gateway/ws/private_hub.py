"""Who listens to which account's events, live and replayed, without a gap between the two.

The hub watches every record that the market data takes. While an account has listeners, its frames
are made once and handed to each. A replay reads the journal behind a listener's position until it
has caught up with what the hub has handed out, and only then, in the same turn of the loop, lets
live frames through: nothing is missed and nothing comes twice.
"""

import asyncio
from collections import deque
from typing import Final, Protocol

import msgspec
import structlog

from actors.engine.events import Traded
from actors.engine.ledger_commands import BalanceChanged, shard_of
from actors.engine.pair_spec import AssetSpec
from actors.engine.units import Mode, OrderNo, UserId
from actors.errors import JournalError
from actors.journal.account_record import AccountRecord
from actors.journal.market_record import MarketRecord
from actors.listing import Listing, market_name
from gateway.journal_reads import ReadRecords
from gateway.market import Market
from gateway.market_data import MarketDataHub
from gateway.ws import user_frames
from gateway.ws.user_frames import Place

REPLAY_RECORDS: Final = 256
"""Records that one read of a replay asks for."""
SETTLEMENTS_KEPT: Final = 10_000
"""Settlements per market and shard whose arrival is awaited for somebody who listens."""


class Listener(Protocol):
    """What the hub needs of a private session."""

    user: UserId

    def hears(self, market: Market, number: int) -> bool:
        """Tell whether a live frame of that record is this listener's: allowed and not replayed."""
        ...

    def hand(self, frame: bytes) -> None:
        """Take one frame; never blocks."""
        ...

    async def room(self) -> bool:
        """Wait until more frames may be handed over; false when the listener has gone."""
        ...

    def got(self, market: Market, number: int) -> bool:
        """Tell whether a replayed record was handed over live before the replay began."""
        ...

    def rejoin(self, market: Market, since: int) -> None:
        """Have everything after ``since`` replayed: the live stream jumped."""
        ...

    def caught_up(self, market: Market) -> None:
        """The replay of a market has reached the live stream."""
        ...

    def lost(self, market: Market, since: int, error: JournalError) -> None:
        """The replay is not possible."""
        ...


class _SettlementHead(msgspec.Struct, frozen=True, array_like=True):
    """The beginning of a `ledger_commands.Settlement`: the postings are not read."""

    number: int


class _PostHead(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """The beginning of a `ledger_commands.Post`."""

    market: str
    epoch: int
    seq: int
    settlements: list[_SettlementHead]


class _Awaited(msgspec.Struct):
    """Fills on their way to the balances: ``number`` is the settlement that carries them."""

    number: int
    user: UserId
    order_no: OrderNo
    place: Place


class PrivateHub:
    """Hands accounts' frames to their listeners.

    Args:
        hub: where records come from.
        listing: names assets and counts shards.
        read: reads a range of a stream's records, for replays.
    """

    def __init__(self, hub: MarketDataHub, listing: Listing, read: ReadRecords) -> None:
        self.hub = hub
        self._assets: dict[str, AssetSpec] = listing.assets()
        self._shards = listing.shards
        self._read = read
        self._listeners: dict[UserId, set[Listener]] = {}
        self._seen: dict[str, int] = {}
        self._awaited: dict[tuple[str, int], deque[_Awaited]] = {}
        self._applied: dict[tuple[str, int], int] = {}
        self._replays: set[asyncio.Task[None]] = set()
        self._records = msgspec.msgpack.Decoder(MarketRecord)
        self._account_records = msgspec.msgpack.Decoder(AccountRecord)
        self._posts = msgspec.msgpack.Decoder(_PostHead)
        self._log = structlog.get_logger("gateway.private")
        hub.observe(self._market_record, self._account_record)

    def add(self, listener: Listener) -> None:
        """Hand this listener its account's frames from now on."""
        self._listeners.setdefault(listener.user, set()).add(listener)

    def remove(self, listener: Listener) -> None:
        """Hand it nothing any more; unknown ones are ignored."""
        listeners = self._listeners.get(listener.user)
        if listeners is not None:
            listeners.discard(listener)
            if not listeners:
                del self._listeners[listener.user]

    def replay(self, listener: Listener, market: Market, since: int) -> None:
        """Hand over everything after record ``since``, then let the live stream through.

        The listener must not `hears` the market until it is told `caught_up` or `lost`.
        """
        task = asyncio.get_running_loop().create_task(self._replay(listener, market, since))
        self._replays.add(task)
        task.add_done_callback(self._replays.discard)

    async def stop(self) -> None:
        """End the replays under way."""
        for task in list(self._replays):
            task.cancel()
        await asyncio.gather(*self._replays, return_exceptions=True)

    async def _replay(self, listener: Listener, market: Market, since: int) -> None:
        wanted = {listener.user}
        try:
            while since < market.number:
                if not await listener.room():
                    return
                target = market.number
                records = await self._read(market.name, since, target, REPLAY_RECORDS)
                for number, body in records:
                    since = number
                    if listener.got(market, number):
                        continue
                    record = self._records.decode(body)
                    place = Place(market.spec, market.mode, number, record.time_ns)
                    for _, frame in user_frames.of_record(place, record, wanted):
                        listener.hand(frame)
        except JournalError as error:
            self._log.warning("replay_failed", market=market.name, error=str(error))
            listener.lost(market, since, error)
            return
        listener.caught_up(market)

    def _market_record(self, market: Market, number: int, record: MarketRecord) -> None:
        seen = self._seen.get(market.name)
        self._seen[market.name] = number
        listeners = self._listeners
        if not listeners:
            return
        if seen is not None and number != seen + 1:
            self._fill_gap(market, seen)
            return
        place = Place(market.spec, market.mode, number, record.time_ns)
        for user, frame in user_frames.of_record(place, record, listeners):
            for listener in tuple(listeners.get(user, ())):
                if listener.hears(market, number):
                    listener.hand(frame)
        if record.settlements:
            self._await_settlements(place, record)

    def _fill_gap(self, market: Market, seen: int) -> None:
        """Read from the journal what the market data jumped over when it started anew."""
        for listeners in list(self._listeners.values()):
            for listener in tuple(listeners):
                if listener.hears(market, seen + 1):
                    listener.rejoin(market, seen)

    # Balances

    def _account_record(self, shard: int, number: int, body: bytes) -> None:
        if not self._listeners:
            return
        record = self._account_records.decode(body)
        newest: dict[tuple[str, str, Mode], BalanceChanged] = {}
        for event in record.events:
            if event.user in self._listeners:
                newest[event.user, event.asset, event.mode] = event
        for event in newest.values():
            asset = self._assets.get(event.asset)
            if asset is not None:
                frame = user_frames.balance(shard, number, record.time_ns, asset, event)
                self._hand_all(event.user, frame)
        for command in record.commands:
            self._note_applied(shard, command)

    def _note_applied(self, shard: int, command: msgspec.Raw) -> None:
        try:
            post = self._posts.decode(command)
        except msgspec.ValidationError:
            return  # another command
        if not post.settlements:
            return
        key = (post.market, shard)
        self._applied[key] = max(self._applied.get(key, 0), post.settlements[-1].number)
        self._tell_settled(key)

    def _await_settlements(self, place: Place, record: MarketRecord) -> None:
        """Remember whose fills of this record are on their way to which shard."""
        numbers = {shard: settlement.number for shard, settlement in record.settlements}
        filled: dict[tuple[UserId, OrderNo], None] = {}
        for step in record.steps:
            for event in step.events:
                if isinstance(event, Traded) and not (event.venue and place.mode is Mode.LIVE):
                    filled[event.taker_user, event.taker_no] = None
                    filled[event.maker_user, event.maker_no] = None
        touched = set()
        for user, order_no in filled:
            shard = shard_of(user, self._shards)
            if user in self._listeners and order_no and shard in numbers:
                key = (market_name(place.spec.symbol, place.mode), shard)
                queue = self._awaited.setdefault(key, deque(maxlen=SETTLEMENTS_KEPT))
                queue.append(_Awaited(numbers[shard], user, order_no, place))
                touched.add(key)
        for key in touched:
            self._tell_settled(key)

    def _tell_settled(self, key: tuple[str, int]) -> None:
        queue = self._awaited.get(key)
        applied = self._applied.get(key, 0)
        while queue and queue[0].number <= applied:
            one = queue.popleft()
            if one.user in self._listeners:
                self._hand_all(one.user, user_frames.settled(one.place, one.order_no))

    def _hand_all(self, user: UserId, frame: bytes) -> None:
        for listener in tuple(self._listeners.get(user, ())):
            listener.hand(frame)
