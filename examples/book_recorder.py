"""Record a pair's book: every change, as one line of JSON.

    python examples/book_recorder.py --pair vaix --out vaix.jsonl

Each line is a frame of the book channel with the time it came (`received_at`, epoch seconds). The
client checks every frame against the exchange's checksum before it is written, and connects again
by itself; each connection begins with a whole book (`"type": "snapshot"`), so a recording can be
replayed from any of them: see `replay` below. Ctrl-C ends the recording.
"""

import argparse
import asyncio
import json
import signal
import sys
import time
from pathlib import Path
from typing import TextIO

from event_trader import EventTrader, EventTraderError, LocalBook


async def record(options: argparse.Namespace, out: TextIO) -> int:
    """Write frames until Ctrl-C, or until there are enough; returns how many."""
    written = 0
    async with EventTrader(base_url=options.base_url) as client:
        stream = client.stream.book(options.pair, hybrid=options.hybrid)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, lambda: asyncio.ensure_future(stream.close()))
        async for frame in stream:
            out.write(json.dumps({"received_at": time.time(), **frame}) + "\n")
            written += 1
            if written == options.frames:
                break
        await stream.close()
    return written


def replay(path: Path) -> LocalBook:
    """Rebuild the book at the end of a recording, checking every frame."""
    book = LocalBook()
    with path.open() as lines:
        for line in lines:
            frame = json.loads(line)
            if not book.apply(frame):
                raise SystemExit(f"frame {frame['sequence']} does not have its checksum")
    return book


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Record a book of Tandem.")
    parser.add_argument("--pair", default="vaix", help="base symbol (default: vaix)")
    parser.add_argument("--out", type=Path, default=Path("book.jsonl"), help="file to write")
    parser.add_argument("--hybrid", action="store_true", help="with the pools' depth")
    parser.add_argument("--frames", type=int, default=0, help="stop after so many; 0: never")
    parser.add_argument("--base-url", default="http://127.0.0.1:8080")
    return parser.parse_args(arguments)


def main() -> None:
    """Run; errors are one line for people."""
    options = parse(sys.argv[1:])
    try:
        with options.out.open("w") as out:
            written = asyncio.run(record(options, out))
    except (EventTraderError, ValueError, OSError) as error:
        raise SystemExit(str(error)) from error
    book = replay(options.out)
    print(
        f"{written} frames in {options.out}; the last book has "
        f"{len(book.bids)} bids and {len(book.asks)} asks"
    )


if __name__ == "__main__":
    main()
