/** The channels' state machines and the local book, frame by frame. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BookProtocol,
  bookChecksum,
  fromUnits,
  LocalBook,
  PrivateProtocol,
  StreamCorruptError,
  TradesProtocol,
  toUnits,
} from "@tandem/event-trader";

const BIDS = [["0.0030", "10"]] as [string, string][];
const ASKS = [["0.0031", "5"]] as [string, string][];

function snapshot(sequence: number, checksum = bookChecksum(BIDS, ASKS)) {
  return {
    type: "snapshot" as const,
    symbol: "vaix",
    sequence,
    bids: BIDS,
    asks: ASKS,
    timestamp: "t",
    checksum,
  };
}

function update(sequence: number, bids: [string, string][], checksum: number) {
  return {
    type: "update" as const,
    sequence,
    previous_sequence: sequence - 1,
    bids,
    asks: [],
    timestamp: "t",
    checksum,
  };
}

function order(sequence: number, id: string) {
  return { type: "order_update", symbol: "vaix", mode: "paper", order_id: id, sequence };
}

function trade(sequence: number) {
  return { type: "trade", symbol: "vaix", trade_id: `trd_${sequence}`, sequence };
}

test("the checksum is CRC-32 over the digits of ten levels, asks first", () => {
  assert.equal(bookChecksum(BIDS, ASKS), 2221999758);
  const many = Array.from({ length: 12 }, (_, at) => [`${at + 1}`, "1"] as const);
  assert.equal(bookChecksum(many, []), bookChecksum(many.slice(0, 10), []));
});

test("a book keeps its order through changes, whatever the digits", () => {
  const book = new LocalBook();
  book.apply({
    ...snapshot(1),
    bids: [
      ["9.5", "1"],
      ["10", "1"],
    ],
  });
  book.apply(
    update(
      2,
      [
        ["10.0", "0"],
        ["9.75", "3"],
        ["8", "1"],
        ["77", "0"],
      ],
      0,
    ),
  );
  assert.deepEqual(book.bids, [
    ["9.75", "3"],
    ["9.5", "1"],
    ["8", "1"],
  ]);
  assert.deepEqual(book.bestBid, ["9.75", "3"]);
  assert.equal(book.mid, fromUnits((toUnits("9.75") + toUnits("0.0031")) / 2n));
});

test("a gap asks once for what is missing, and a heartbeat tells of one", () => {
  const protocol = new BookProtocol();
  protocol.opened();
  assert.equal(protocol.receive(snapshot(5)).length, 1);
  assert.deepEqual(protocol.receive(update(7, [], 0)), []);
  assert.deepEqual(protocol.receive(update(8, [], 0)), []);
  assert.deepEqual(protocol.toSend(), [{ action: "resume", since_sequence: 5 }]);
  const changed = bookChecksum([["0.0030", "7"]], ASKS);
  assert.equal(protocol.receive(update(6, [["0.0030", "7"]], changed)).length, 1);
  const beat = { type: "heartbeat", sequence: 9, timestamp: "t" };
  assert.deepEqual(protocol.receive(beat), []);
  assert.deepEqual(protocol.toSend(), [{ action: "resume", since_sequence: 6 }]);
});

test("a wrong checksum asks for a snapshot, and three of those end it", () => {
  const protocol = new BookProtocol();
  protocol.opened();
  protocol.receive(snapshot(5));
  assert.deepEqual(protocol.receive(update(6, [], 1)), []);
  assert.deepEqual(protocol.toSend(), [{ action: "snapshot" }]);
  protocol.receive(snapshot(6, 1));
  protocol.receive(snapshot(6, 1));
  assert.throws(() => protocol.receive(snapshot(6, 1)), StreamCorruptError);
  assert.equal(protocol.mismatches, 4);
});

test("trades missed while away come once, in order, and lost ones are told of", () => {
  const protocol = new TradesProtocol();
  const shot = (sequence: number, trades: object[]) => ({
    type: "snapshot",
    symbol: "vaix",
    sequence,
    trades,
    timestamp: "t",
  });
  protocol.opened();
  protocol.receive(shot(3, []));
  assert.equal(protocol.receive(trade(4)).length, 1);
  assert.deepEqual(protocol.receive(trade(4)), []);
  protocol.opened();
  const found = protocol.receive(
    shot(6, [{ trade_id: "trd_6" }, { trade_id: "trd_5" }, { trade_id: "trd_4" }]),
  );
  assert.deepEqual(
    found.map((event) => "sequence" in event && event.sequence),
    [5, 6],
  );
  protocol.opened();
  assert.deepEqual(protocol.receive(shot(20, [{ trade_id: "trd_20" }])), []);
  assert.deepEqual(protocol.toSend(), [{ action: "resume", since_sequence: 6 }]);
  const lost = protocol.receive(shot(20, [{ trade_id: "trd_20" }]));
  assert.deepEqual(
    lost.map((event) => event.type),
    ["gap", "trade"],
  );
  assert.deepEqual(lost[0], { type: "gap", missed: 13 });
});

test("a private connection that ends inside a record gives the rest of it, once", () => {
  const protocol = new PrivateProtocol();
  const connected = (newest: number) => ({
    type: "connected",
    user_id: "usr_1",
    sequences: { "vaix.paper": newest },
    timestamp: "t",
  });
  const ids = (events: object[]) => events.map((event) => "order_id" in event && event.order_id);
  protocol.opened();
  assert.equal(protocol.receive(connected(10)).length, 1);
  assert.deepEqual(ids(protocol.receive(order(11, "a"))), ["a"]);
  protocol.opened();
  assert.deepEqual(protocol.receive(connected(12)), []);
  assert.deepEqual(protocol.toSend(), [{ action: "resume", since: { "vaix.paper": 10 } }]);
  assert.equal(protocol.reconnected, true);
  assert.deepEqual(ids(protocol.receive(order(13, "d"))), []);
  assert.deepEqual(ids(protocol.receive(order(11, "a"))), []);
  assert.deepEqual(ids(protocol.receive(order(11, "b"))), ["b"]);
  assert.deepEqual(ids(protocol.receive(order(12, "c"))), ["c"]);
  const resumed = { type: "resumed", symbol: "vaix", mode: "paper", sequence: 12 };
  assert.deepEqual(ids(protocol.receive(resumed)), ["d"]);
});

test("private history that is gone is told of; balances come when they changed", () => {
  const protocol = new PrivateProtocol();
  const connected = {
    type: "connected",
    user_id: "usr_1",
    sequences: { "vaix.paper": 10 },
    timestamp: "t",
  };
  const row = { asset: "USDC", mode: "paper" as const, available: "1", locked: "0", total: "1" };
  protocol.opened();
  protocol.receive(connected);
  assert.equal(protocol.receive({ type: "balance_update", ...row } as { type: string }).length, 1);
  protocol.opened();
  protocol.receive({ ...connected, sequences: { "vaix.paper": 90 } } as { type: string });
  const fault = {
    type: "error",
    code: "HISTORY_TRIMMED",
    message: "m",
    symbol: "vaix",
    mode: "paper",
  };
  assert.deepEqual(protocol.receive(fault), [{ type: "gap", symbol: "vaix", mode: "paper" }]);
  assert.deepEqual(protocol.balancesRead([row]), []);
  const changed = { ...row, locked: "1" };
  assert.deepEqual(protocol.balancesRead([changed]), [{ type: "balance_update", ...changed }]);
});

test("decimals are whole numbers of units, exactly", () => {
  assert.equal(toUnits("0.003", 6), 3000n);
  assert.equal(fromUnits(toUnits("-12.50", 2), 2), "-12.5");
  assert.throws(() => toUnits("0.0031", 3), RangeError);
  assert.throws(() => toUnits("1e3", 3), RangeError);
});
