/** An order book kept from a stream's frames, checked against the server's checksum at every step. */

import { bookChecksum } from "./checksum.js";
import { fromUnits, PLACES_MAX, toUnits } from "./decimal.js";
import type { BookEvent, BookUpdate, Level } from "./frames.js";

/** One side's levels, in ascending order of price. */
class BookSide {
  readonly #bestIsLast: boolean;
  #prices: bigint[] = [];
  #levels = new Map<bigint, Level>();

  constructor(bestIsLast: boolean) {
    this.#bestIsLast = bestIsLast;
  }

  /** Give the levels, best first. */
  *[Symbol.iterator](): Generator<Level> {
    const count = this.#prices.length;
    for (let at = 0; at < count; at++) {
      const price = this.#prices[this.#bestIsLast ? count - 1 - at : at];
      const level = price === undefined ? undefined : this.#levels.get(price);
      if (level) yield level;
    }
  }

  replace(levels: readonly Level[]): void {
    this.#levels = new Map(levels.map((level) => [toUnits(level[0]), level]));
    this.#prices = [...this.#levels.keys()].sort((a, b) => (a < b ? -1 : 1));
  }

  change(levels: readonly Level[]): void {
    for (const level of levels) {
      const key = toUnits(level[0]);
      const known = this.#levels.has(key);
      if (level[1] === "0") {
        if (known) {
          this.#levels.delete(key);
          this.#prices.splice(this.#find(key), 1);
        }
      } else {
        this.#levels.set(key, level);
        if (!known) this.#prices.splice(this.#find(key), 0, key);
      }
    }
  }

  /** Find the first place whose price is not below this one. */
  #find(price: bigint): number {
    let low = 0;
    let high = this.#prices.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#prices[middle] ?? price) < price) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * A book that follows a `snapshot` and its `update` frames.
 *
 * @example
 * const stream = client.stream.book("vaix");
 * for await (const _ of stream) console.log(stream.book.bestBid, stream.book.bestAsk);
 */
export class LocalBook {
  /** Of the newest change; -1 before the first snapshot. */
  sequence = -1;
  /** Of the newest change, RFC 3339. */
  timestamp = "";
  readonly #bids = new BookSide(true);
  readonly #asks = new BookSide(false);

  /** All bids, best first. */
  get bids(): Level[] {
    return [...this.#bids];
  }

  /** All asks, best first. */
  get asks(): Level[] {
    return [...this.#asks];
  }

  /** The highest bid. */
  get bestBid(): Level | undefined {
    return this.#bids[Symbol.iterator]().next().value ?? undefined;
  }

  /** The lowest ask. */
  get bestAsk(): Level | undefined {
    return this.#asks[Symbol.iterator]().next().value ?? undefined;
  }

  /** The middle between the best bid and the best ask; undefined where a side is empty. */
  get mid(): string | undefined {
    const [bid, ask] = [this.bestBid, this.bestAsk];
    if (!bid || !ask) return undefined;
    return fromUnits((toUnits(bid[0]) + toUnits(ask[0])) / 2n, PLACES_MAX);
  }

  /** Compute the checksum of the best ten levels a side, as the server does. */
  checksum(): number {
    return bookChecksum(this.#bids, this.#asks);
  }

  /** Apply a frame, which must follow the last one; tell whether the checksum agrees. */
  apply(frame: BookEvent): boolean {
    if (frame.type === "snapshot") {
      this.#bids.replace(frame.bids);
      this.#asks.replace(frame.asks);
    } else {
      this.#bids.change(frame.bids);
      this.#asks.change(frame.asks);
    }
    this.sequence = frame.sequence;
    this.timestamp = frame.timestamp;
    return frame.checksum === this.checksum();
  }

  /** Tell whether an update is the one after the last frame applied. */
  follows(frame: BookUpdate): boolean {
    return frame.previous_sequence === this.sequence;
  }
}
