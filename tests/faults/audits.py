"""The money under faults: an independent ledger, rebuilt from the shards' journals at each probe.

Reads the store beside the running exchange, so it sees what is on disk and asks no actor. At the
end it is compared with what users see over REST: their orders, fills and balances.
"""

import json
import threading
import time
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

from actors.account_recovery import LedgerReplay, ShardName
from actors.engine.ledger import Ledger
from actors.engine.units import Mode, Side
from actors.errors import JournalUnavailableError, TrimmedError
from actors.journal.market_replay import MarketRebuild
from actors.journal.recovery import recover
from actors.journal.redis import RedisJournal
from actors.journal.snapshots import RedisSnapshots
from actors.listing import market_name
from tandem.settings import load

PATIENCE_S = 90.0
Totals = dict[str, int]


class LedgerProbe:
    """Follows every account shard's journal; each `probe` applies what is new and checks it all."""

    def __init__(self, data_dir: Path) -> None:
        self.listing = load(None, data_dir).listing
        url = json.loads((data_dir / "running.json").read_text())["redis_url"]
        self.journal = RedisJournal(url)
        self.snapshots = RedisSnapshots(url)
        self.replays = [
            LedgerReplay(ShardName(n, self.listing.shards)) for n in range(self.listing.shards)
        ]
        self.ledgers: list[Ledger] = [replay.empty() for replay in self.replays]
        self.numbers = [0] * self.listing.shards
        self.probes = 0
        self.records = 0

    def close(self) -> None:
        """Close the connections."""
        self.journal.close()
        self.snapshots.close()

    def probe(self) -> None:
        """Check that each shard sums to zero, that nothing is negative, and holds add up."""
        for shard, replay in enumerate(self.replays):
            before = self.numbers[shard]
            self._retry(shard, replay)
            self.records += self.numbers[shard] - before
            self.ledgers[shard].validate()
        for (owner, asset, mode), raw in self.house().items():
            assert not owner.startswith("fees") or raw >= 0, (owner, asset, mode, raw)
        self.probes += 1

    def _retry(self, shard: int, replay: LedgerReplay) -> None:
        """Advance one shard, however long the store takes to come back."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self._advance(shard, replay)
            except JournalUnavailableError:
                assert time.monotonic() < deadline, "the store did not come back"
                threading.Event().wait(0.1)
            else:
                return

    def _advance(self, shard: int, replay: LedgerReplay) -> None:
        stream = replay.name.stream
        reader = self.journal.reader(stream)
        try:
            for number, body in reader.read(self.numbers[shard]):
                replay.apply(self.ledgers[shard], number, body)
                self.numbers[shard] = number
        except TrimmedError:
            found = recover(stream, reader, self.snapshots, replay)
            self.ledgers[shard], self.numbers[shard] = found.state, found.number

    def house(self) -> dict[tuple[str, str, Mode], int]:
        """Add up the house's accounts over all shards, by owner, asset and mode."""
        sums: dict[tuple[str, str, Mode], int] = defaultdict(int)
        for ledger in self.ledgers:
            for account in ledger.accounts.of_house():
                sums[account.owner, account.asset, account.mode] += account.balance
        return dict(sums)

    def settled(self) -> dict[tuple[str, str], int]:
        """Wait until nothing is in flight; give the house's paper accounts by (owner, asset).

        Then clearing accounts and outboxes are empty over all shards, and the shards hold exactly
        what each market, rebuilt from its own journal, has open.
        """
        deadline = time.monotonic() + PATIENCE_S
        while True:
            self.probe()
            flight = {
                key: raw
                for key, raw in self.house().items()
                if raw and key[0].startswith(("clearing:", "outbox:"))
            }
            if not flight:
                break
            assert time.monotonic() < deadline, f"still in flight: {flight}"
            threading.Event().wait(0.1)
        for spec in self.listing.pairs:
            assert self.held(spec.symbol) == self.open_holds(spec.symbol)
        return {
            (owner, asset): raw
            for (owner, asset, mode), raw in self.house().items()
            if mode is Mode.PAPER
        }

    def held(self, symbol: str) -> dict[tuple[str, int], int]:
        """Tell what all shards hold for a paper market, by user and side."""
        held: dict[tuple[str, int], int] = {}
        for ledger in self.ledgers:
            market = ledger.markets.get(market_name(symbol, Mode.PAPER))
            for user, position in market.positions.items() if market is not None else ():
                for side, raw in ((Side.BUY, position.held_buy), (Side.SELL, position.held_sell)):
                    if raw:
                        held[user, int(side)] = raw
        return held

    def open_holds(self, symbol: str) -> dict[tuple[str, int], int]:
        """Rebuild a paper market from its journal, and tell what its open orders justify."""
        spec, stream = self.listing.pair(symbol), market_name(symbol, Mode.PAPER)
        rebuild = MarketRebuild(stream, spec, Mode.PAPER, self.listing.shards)
        found = recover(stream, self.journal.reader(stream), self.snapshots, rebuild)
        found.state.engine.validate()
        return {(user, side): raw for (user, side), raw in found.state.engine.open_holds().items()}


class Money:
    """What users' own orders say: gains and fees, by venue, in whole units."""

    def __init__(self, probe: LedgerProbe) -> None:
        self._listing = probe.listing
        self.grants = {
            symbol: Decimal(asset.paper_grant) for symbol, asset in probe.listing.assets().items()
        }
        self.pools: dict[str, Decimal] = defaultdict(Decimal)
        """What users got from pools, by asset."""
        self.fees: Decimal = Decimal(0)
        self.fills = 0

    def gains(self, symbol: str, orders: list[dict[str, Any]]) -> dict[str, Decimal]:
        """Add up one user's fills on one pair: what was gained, by asset."""
        spec = self._listing.pair(symbol)
        gained: dict[str, Decimal] = defaultdict(Decimal)
        for order in orders:
            total = sum((Decimal(fill["quantity"]) for fill in order["fills"]), Decimal(0))
            assert total == Decimal(order["filled_quantity"]), order
            for fill in order["fills"]:
                size, price, fee = (Decimal(fill[k]) for k in ("quantity", "price", "fee"))
                sign = 1 if order["side"] == "buy" else -1
                moved = {spec.base.symbol: sign * size, spec.quote.symbol: -sign * size * price}
                for asset, amount in moved.items():
                    gained[asset] += amount
                    if fill["venue"] != "CLOB":
                        self.pools[asset] += amount
                gained[spec.quote.symbol] -= fee
                self.fees += fee
                self.fills += 1
        return gained

    def locked(
        self, symbol: str, orders: list[dict[str, Any]]
    ) -> dict[str, tuple[Decimal, Decimal]]:
        """Reckon the least and the most that open orders may lock, by asset.

        A sell locks its remaining size. A buy locks what the rest costs, and at most the taker's
        fee on that: rounding a fee up at each fill is paid from what was set aside for fees.
        """
        spec = self._listing.pair(symbol)
        unit = Decimal(1).scaleb(-spec.quote.decimals)
        low: dict[str, Decimal] = defaultdict(Decimal)
        high: dict[str, Decimal] = defaultdict(Decimal)
        for order in orders:
            rest = Decimal(order["remaining_quantity"])
            if order["side"] == "sell":
                low[spec.base.symbol] += rest
                high[spec.base.symbol] += rest
            else:
                cost = rest * Decimal(order["price"])
                low[spec.quote.symbol] += cost
                most = cost * (1 + Decimal(spec.taker_fee_ppm) / 1_000_000)
                high[spec.quote.symbol] += most + unit
        return {asset: (low[asset], high[asset]) for asset in low}

    def house_agrees(self, house: dict[tuple[str, str], int]) -> None:
        """Check that fees and pools hold what users' fills say, to the last raw unit."""
        pools: dict[str, Decimal] = defaultdict(Decimal)
        for (owner, asset), raw in house.items():
            whole = Decimal(raw).scaleb(-self._listing.assets()[asset].decimals)
            if owner == "fees":
                assert whole == self.fees, (owner, asset, whole, self.fees)
            elif owner.startswith("pool:"):
                pools[asset] += whole
        for asset in pools.keys() | self.pools.keys():
            assert pools[asset] == -self.pools[asset], (asset, pools[asset], self.pools[asset])
