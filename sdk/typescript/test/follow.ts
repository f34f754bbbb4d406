/**
 * Follow a book, its tape and an account through a line that is cut, for a test in Python.
 *
 * Prints `ready <book sequence>` once everything is followed. A line `<book sequence>` on standard
 * input is answered with `reached` when the book is there; `<book sequence> <order id>` says where to
 * stop: what was seen until then is printed as one line of JSON.
 */

import { createInterface } from "node:readline/promises";
import { EventTrader, type PrivateEvent } from "@tandem/event-trader";

const [, , baseUrl = "", apiKey = ""] = process.argv;
const client = new EventTrader({ baseUrl, apiKey });
const book = client.stream.book("vaix", { mode: "paper" });
const tape = client.stream.trades("vaix", { mode: "paper" });
const account = client.stream.private();

await account.next();
await tape.next();
const first = (await book.next()).value?.sequence ?? -1;
const trades: number[] = [];
const events: PrivateEvent[] = [];
let frames = 0;
let check: () => void = () => undefined;
const seen = new Set<string>();

const readers = [
  book.run(() => {
    frames++;
    check();
  }),
  tape.run((event) => {
    if (event.type === "trade") trades.push(event.sequence);
    check();
  }),
  account.run((event) => {
    events.push(event);
    if ("order_id" in event) seen.add(String(event["order_id"]));
    check();
  }),
];
console.log(`ready ${first}`);

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const [sequence, orderId] = line.split(" ");
  check = () => {
    if (book.book.sequence < Number(sequence)) return;
    if (orderId === undefined) {
      check = () => undefined;
      console.log("reached");
      return;
    }
    if (!seen.has(orderId)) return;
    for (const stream of [book, tape, account]) stream.close();
    lines.close();
  };
  check();
});

await Promise.all(readers);
const { sequence, bids, asks } = book.book;
const { mismatches } = book.protocol;
const { connections } = book;
console.log(
  JSON.stringify({ first, frames, sequence, bids, asks, mismatches, connections, events, trades }),
);
