/**
 * Record a pair's book: every change, as one line of JSON.
 *
 *     node examples/typescript/book_recorder.ts --pair vaix --out vaix.jsonl
 *
 * Each line is a frame of the book channel with the time it came (`received_at`, epoch seconds). The
 * client checks every frame against the exchange's checksum before it is written, and connects again
 * by itself; each connection begins with a whole book, so a recording can be replayed from any of
 * them, as the end of this program does. Ctrl-C ends the recording; `--frames` ends it by itself.
 */

import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { type BookEvent, EventTrader, LocalBook } from "@tandem/event-trader";
import { interrupted, main, options } from "./options.ts";

/** Rebuild the book at the end of a recording, checking every frame. */
function replay(path: string): LocalBook {
  const book = new LocalBook();
  for (const line of readFileSync(path, "utf8").split("\n").filter(Boolean)) {
    const frame = JSON.parse(line) as BookEvent;
    if (!book.apply(frame)) throw new RangeError(`frame ${frame.sequence} has another checksum`);
  }
  return book;
}

main(async () => {
  const given = options({
    pair: "vaix",
    out: "book.jsonl",
    hybrid: "no",
    frames: "0",
    "base-url": "http://127.0.0.1:8080",
  });
  const client = new EventTrader({ baseUrl: given["base-url"] });
  const stream = client.stream.book(given.pair, { hybrid: given.hybrid === "yes" });
  interrupted().addEventListener("abort", () => stream.close());
  let written = 0;
  writeFileSync(given.out, "");
  for await (const frame of stream) {
    const line = { received_at: Date.now() / 1000, ...frame };
    appendFileSync(given.out, `${JSON.stringify(line)}\n`);
    if (++written === Number(given.frames)) break;
  }
  const book = replay(given.out);
  console.log(
    `${written} frames in ${given.out}; the last book has ${book.bids.length} bids and ` +
      `${book.asks.length} asks`,
  );
});
