/**
 * What a client must do on each public channel, as state machines that do no I/O.
 *
 * A shell (`stream.ts`) tells a protocol of each new connection (`opened`) and of each frame
 * (`receive`), hands the events that come out to the user, and sends what `toSend` gives. Sequences
 * live here, so a protocol outlives its connections: that is how nothing is lost or seen twice.
 */

import { LocalBook } from "./book.js";
import { StreamCorruptError } from "./errors.js";
import type {
  BookEvent,
  BookUpdate,
  Frame,
  Heartbeat,
  TradeEvent,
  TradesEvent,
  TradesSnapshot,
} from "./frames.js";

/** Snapshots in a row whose book does not have the checksum they came with. */
const CHECKSUM_FAILURES_MAX = 3;

/** What the channels share; by itself it fits `price`, `bbo` and `markets`. */
export class StreamProtocol<E extends Frame> {
  /** The connection is of no use any more: open another one. */
  broken = false;
  #toSend: object[] = [];

  /** A new connection stands. */
  opened(): void {
    this.broken = false;
    this.#toSend = [];
  }

  /** Take a frame; give what the user should see of it. */
  receive(frame: Frame): E[] {
    return frame.type === "heartbeat" || frame.type === "error" ? [] : [frame as E];
  }

  /** Give what must be sent, once. */
  toSend(): object[] {
    const sent = this.#toSend;
    this.#toSend = [];
    return sent;
  }

  protected ask(action: string, fields: object = {}): void {
    this.#toSend.push({ action, ...fields });
  }
}

/** A book channel: every event leaves `book` equal to the server's book. */
export class BookProtocol extends StreamProtocol<BookEvent> {
  readonly book = new LocalBook();
  /** Checksums that did not agree, since the beginning. */
  mismatches = 0;
  #failures = 0;
  #asked = false;

  /** Wait for the snapshot that begins every connection. */
  override opened(): void {
    super.opened();
    this.#asked = true;
  }

  /**
   * Apply a snapshot or the next update; ask again after a gap or a wrong checksum.
   *
   * @throws StreamCorruptError: the checksum keeps failing.
   */
  override receive(frame: Frame): BookEvent[] {
    if (frame.type === "snapshot") {
      this.#asked = false;
      return this.#applied(frame as BookEvent);
    }
    if (frame.type === "update") {
      const update = frame as BookUpdate;
      if (this.book.follows(update)) {
        this.#asked = false;
        return this.#applied(update);
      }
      if (update.sequence > this.book.sequence) this.#gap();
    } else if (frame.type === "heartbeat" && (frame as Heartbeat).sequence > this.book.sequence) {
      this.#gap();
    }
    return [];
  }

  #gap(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.ask("resume", { since_sequence: Math.max(0, this.book.sequence) });
  }

  #applied(frame: BookEvent): BookEvent[] {
    if (this.book.apply(frame)) {
      this.#failures = 0;
      return [frame];
    }
    this.mismatches++;
    if (frame.type === "snapshot") this.#failures++;
    if (this.#failures >= CHECKSUM_FAILURES_MAX) {
      throw new StreamCorruptError(
        `${this.#failures} snapshots of the book in a row did not have their checksum; ` +
          "upgrade this client, or report it to the operator of the exchange",
      );
    }
    this.book.sequence = -1;
    this.#asked = true;
    this.ask("snapshot");
    return [];
  }
}

/**
 * The trades channel: every trade once, in order, also across connections. Trades that can be found
 * no more are told of by an event of type `gap`.
 */
export class TradesProtocol extends StreamProtocol<TradesEvent> {
  /** Number of the last trade seen; -1 before the first frame. */
  sequence = -1;
  #asked = false;

  /** Wait for the snapshot that begins every connection. */
  override opened(): void {
    super.opened();
    this.#asked = false;
  }

  /** Let the next trade through; find those that were missed. */
  override receive(frame: Frame): TradesEvent[] {
    if (frame.type === "snapshot") return this.#snapshot(frame as TradesSnapshot);
    if (frame.type !== "trade") return [];
    const trade = frame as TradeEvent;
    if (trade.sequence <= this.sequence) return [];
    if (trade.sequence === this.sequence + 1) {
      this.sequence++;
      this.#asked = false;
      return [trade];
    }
    this.#resume();
    return [];
  }

  #resume(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.ask("resume", { since_sequence: Math.max(0, this.sequence) });
  }

  #snapshot(frame: TradesSnapshot): TradesEvent[] {
    const newest = frame.sequence;
    if (this.sequence === -1 || newest < this.sequence) {
      this.sequence = newest;
      return [frame];
    }
    const missed = newest - this.sequence;
    const shown = frame.trades.slice(0, missed);
    if (shown.length < missed && !this.#asked) {
      this.#resume();
      return [];
    }
    const events: TradesEvent[] = [];
    if (shown.length < missed) events.push({ type: "gap", missed: missed - shown.length });
    shown.forEach((trade, back) => {
      const place = { type: "trade" as const, symbol: frame.symbol, sequence: newest - back };
      events.splice(events[0]?.type === "gap" ? 1 : 0, 0, { ...trade, ...place });
    });
    this.sequence = newest;
    this.#asked = false;
    return events;
  }
}
