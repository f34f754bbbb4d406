"""`tandem replay`: a market rebuilt from its journal alone, while nothing else runs.

Prints where it ends, the state hash, and a hash over every record that was replayed, so that two
machines, or two versions, can be compared.
"""

import hashlib
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Literal

from actors.engine.pair_spec import PairSpec
from actors.engine.units import Mode
from actors.journal.market_replay import MarketRebuild
from actors.journal.record import Head
from actors.journal.recovery import recover
from actors.journal.redis import RedisJournal, RedisReader
from actors.journal.snapshots import RedisSnapshots
from actors.listing import market_name
from tandem.settings import Settings, SettingsError
from tandem.valkey import EmbeddedValkey


def run(
    settings: Settings, symbol: str, mode_name: Literal["paper", "live"], until: int | None
) -> int:
    """Replay a market and print what came out; returns the exit status.

    Raises:
        SettingsError: no such pair is listed.
        TandemError: the journal cannot be replayed, or the data directory is in use.
    """
    spec = _find(settings, symbol)
    mode = Mode[mode_name.upper()]
    stream = market_name(spec.symbol, mode)
    with ExitStack() as parts:
        url = settings.redis_url
        if not url:
            if not settings.data_dir.is_dir():
                raise SettingsError(
                    f"no exchange has run in {settings.data_dir}; name its directory by --data-dir"
                )
            url = parts.enter_context(EmbeddedValkey(settings.data_dir)).url
        journal = RedisJournal(url)
        parts.callback(journal.close)
        snapshots = RedisSnapshots(url)
        parts.callback(snapshots.close)
        rebuild = MarketRebuild(stream, spec, mode, settings.listing.shards)
        reader = _HashingReader(journal.reader(stream))
        begun = time.monotonic()
        found = recover(stream, reader, snapshots, rebuild, until)
        found.state.engine.validate()
        took_s = time.monotonic() - begun
    lines = {
        "market": stream,
        "sequence": str(found.number),
        "from snapshot": str(found.snapshot_number or "none, from the beginning"),
        "records": f"{found.replayed} in {took_s:.2f} s",
        "state hash": found.state.engine.state_hash(),
        "event hash": reader.digest(),
    }
    width = max(map(len, lines))
    sys.stdout.write("".join(f"{name:<{width}}  {text}\n" for name, text in lines.items()))
    return 0


class _HashingReader:
    """A reader that hashes every record's body as it passes."""

    def __init__(self, reader: RedisReader) -> None:
        self._reader = reader
        self._hash = hashlib.sha256()

    def head(self) -> Head:
        """Say where the stream stands."""
        return self._reader.head()

    def read(
        self, after: int, until: int | None = None, *, seal: bytes | None = None
    ) -> Iterator[tuple[int, bytes]]:
        """Yield (number, body) in order, verified; each attempt hashes anew."""
        self._hash = hashlib.sha256()
        for number, body in self._reader.read(after, until, seal=seal):
            self._hash.update(body)
            yield number, body

    def digest(self) -> str:
        """Give the hash over what was read last."""
        return self._hash.hexdigest()


def _find(settings: Settings, symbol: str) -> PairSpec:
    try:
        return settings.listing.pair(symbol)
    except KeyError:
        listed = ", ".join(spec.symbol for spec in settings.listing.pairs)
        raise SettingsError(f"no pair {symbol!r} is listed; expected one of {listed}") from None
