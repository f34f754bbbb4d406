"""Torn, cut and flipped journals: damage is found wherever it is, and nothing behind it is applied.

The first test damages frames in the store, the others the server's own file while it is stopped.
"""

import os
from pathlib import Path
from random import Random

import pytest

from actors.errors import CorruptRecordError, TrimmedError
from actors.journal.memory import MemoryJournal
from actors.journal.redis import RedisJournal
from tandem.valkey import EmbeddedValkey, StoreStartError

STREAM = "vaix.paper"
RECORDS = 40
DAMAGES = 1_000
CUTS = 25
FLIPS = 25


def bodies(random: Random) -> list[bytes]:
    """Make records as different in size as real ones."""
    return [random.randbytes(random.choice([0, 1, 40, 300, 5_000])) for _ in range(RECORDS)]


def damage(random: Random, entries: dict[int, bytes]) -> int:
    """Harm one record at a random place in a random way; returns the first number that is wrong."""
    number = random.randint(1, RECORDS)
    data = bytearray(entries[number])
    at = random.randrange(len(data))
    kind = random.choice(["flip", "cut", "zero", "grow", "lose", "swap", "double"])
    if kind == "flip":
        data[at] ^= 1 << random.randrange(8)
    elif kind == "cut":
        del data[at:]
    elif kind == "zero":
        end = min(len(data), at + random.randint(1, 64))
        data[at:end] = bytes(byte ^ 0xA5 for byte in data[at:end])
    elif kind == "grow":
        data[at:at] = random.randbytes(random.randint(1, 9))
    elif kind == "lose":
        del entries[number]
        return number
    elif kind == "swap":
        other = random.choice([n for n in entries if n != number])
        entries[number], entries[other] = entries[other], entries[number]
        return min(number, other)
    else:
        other = random.choice([n for n in entries if n != number])
        entries[number] = entries[other]
        return number
    entries[number] = bytes(data)
    return number


def test_journal_damaged_at_random_a_thousand_times_is_found_each_time() -> None:
    """Each damage is named by its record's number, and nothing from there on is given out."""
    seed = int(os.environ.get("TANDEM_SEED", "20240521"))
    random = Random(seed)
    journal = MemoryJournal()
    written = bodies(random)
    journal.acquire(STREAM).append(written)
    sound = dict(journal.streams[STREAM].entries)
    for trial in range(DAMAGES):
        entries = dict(sound)
        first = damage(random, entries)
        journal.streams[STREAM].entries = entries
        given: list[tuple[int, bytes]] = []
        with pytest.raises((CorruptRecordError, TrimmedError)) as caught:
            given.extend(journal.reader(STREAM).read(0))
        note = f"seed {seed}, trial {trial}, {caught.value}"
        assert given == list(enumerate(written[: first - 1], 1)), note
        assert getattr(caught.value, "number", 1) == first, note


def test_server_file_cut_at_random_places_keeps_a_verified_prefix(tmp_path: Path) -> None:
    """However the file is torn, what comes back is a prefix, verified and ready to be continued."""
    seed = int(os.environ.get("TANDEM_SEED", "20240522"))
    random = Random(seed)
    written = bodies(random)
    with EmbeddedValkey(tmp_path) as server:
        writer = RedisJournal(server.url).acquire(STREAM)
        for body in written:
            writer.append([body])
    file = next((tmp_path / "appendonlydir").glob("*.incr.aof"))
    whole = file.read_bytes()
    started = 0
    for trial in range(CUTS):
        cut = random.randrange(len(whole) + 1)
        file.write_bytes(whole[:cut])
        note = f"seed {seed}, trial {trial}, cut at {cut} of {len(whole)}"
        with EmbeddedValkey(tmp_path) as server:
            journal = RedisJournal(server.url)
            writer = journal.acquire(STREAM)
            kept = list(journal.reader(STREAM).read(0))
            assert kept == list(enumerate(written[: len(kept)], 1)), note
            assert writer.head.number == len(kept), note
            assert writer.append([b"goes on"]) == len(kept) + 1, note
            started += 1
            journal.close()
    assert started == CUTS


def test_server_file_flipped_at_random_places_gives_out_nothing_wrong(tmp_path: Path) -> None:
    """A changed file is refused by the server or by the chain; what is read was written so."""
    seed = int(os.environ.get("TANDEM_SEED", "20240523"))
    random = Random(seed)
    written = bodies(random)
    with EmbeddedValkey(tmp_path) as server:
        writer = RedisJournal(server.url).acquire(STREAM)
        for body in written:
            writer.append([body])
    file = next((tmp_path / "appendonlydir").glob("*.incr.aof"))
    whole = file.read_bytes()
    refused = damaged = 0
    for trial in range(FLIPS):
        data = bytearray(whole)
        at = random.randrange(len(data))
        data[at] ^= 1 << random.randrange(8)
        file.write_bytes(data)
        given: list[tuple[int, bytes]] = []
        try:
            with EmbeddedValkey(tmp_path) as server:
                journal = RedisJournal(server.url)
                given.extend(journal.reader(STREAM).read(0))
                journal.acquire(STREAM)
        except StoreStartError:
            refused += 1
        except (CorruptRecordError, TrimmedError):
            damaged += 1
        note = f"seed {seed}, trial {trial}, flipped at {at} of {len(whole)}"
        assert given == list(enumerate(written[: len(given)], 1)), note
    assert refused + damaged > FLIPS // 2
