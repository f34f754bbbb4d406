/** The private channel's state machine; see `protocol.ts` for what such a machine is. */

import type {
  BalanceUpdate,
  Connected,
  Fault,
  FillEvent,
  Frame,
  OrderUpdate,
  PrivateEvent,
  PrivateGap,
  Resumed,
} from "./frames.js";
import { StreamProtocol } from "./protocol.js";

/** A market this far behind what was seen before has started anew. */
const AHEAD_MAX = 10_000;

type Numbered = OrderUpdate | FillEvent;
/** The record seen last, and how many of its frames. */
type Position = readonly [record: number, frames: number];

/**
 * Every `order_update` and `fill` once, in order.
 *
 * The position in a market is the record seen last and how many of its frames were seen, because a
 * connection may end between two frames of one record. A reconnected client asks for everything
 * from that record on; what comes live meanwhile waits until the replay has reached it. Events that
 * can be found no more are told of by an event of type `gap`.
 */
export class PrivateProtocol extends StreamProtocol<PrivateEvent> {
  /** Balances may have changed unseen: read them, and call `balancesRead`. */
  reconnected = false;
  readonly #seen = new Map<string, Position>();
  readonly #skip = new Map<string, number>();
  readonly #held = new Map<string, Numbered[]>();
  readonly #began = new Map<string, number>();
  readonly #balances = new Map<string, string>();
  #known = false;

  /** Forget what the old connection had under way. */
  override opened(): void {
    super.opened();
    this.#held.clear();
    this.#began.clear();
    this.#skip.clear();
  }

  /** Let each event through once, in order. */
  override receive(frame: Frame): PrivateEvent[] {
    switch (frame.type) {
      case "connected":
        return this.#connected(frame as Connected);
      case "resumed":
        return this.#resumed(marketOf(frame as Resumed), (frame as Resumed).sequence);
      case "error":
        return this.#refused(frame as Fault);
      case "balance_update":
        return this.#balance(frame as BalanceUpdate);
      case "order_update":
      case "fill":
        return this.#ordered(frame as Numbered);
      case "heartbeat":
        return [];
      default:
        return [frame as PrivateEvent];
    }
  }

  /** Take the balances read after a reconnect; give those that changed unseen. */
  balancesRead(rows: readonly Omit<BalanceUpdate, "type">[]): PrivateEvent[] {
    this.reconnected = false;
    return rows
      .filter((row) => this.#balances.has(`${row.asset}.${row.mode}`))
      .flatMap((row) => this.#balance({ type: "balance_update", ...row }));
  }

  #balance(frame: BalanceUpdate): PrivateEvent[] {
    const key = `${frame.asset}.${frame.mode}`;
    const now = `${frame.available} ${frame.locked} ${frame.total}`;
    if (this.#balances.get(key) === now) return [];
    this.#balances.set(key, now);
    return [frame];
  }

  #connected(frame: Connected): PrivateEvent[] {
    const gaps: PrivateEvent[] = [];
    const since: Record<string, number> = {};
    for (const [market, newest] of Object.entries(frame.sequences)) {
      let [record, frames] = this.#seen.get(market) ?? [newest, 0];
      if (record > newest + AHEAD_MAX) {
        [record, frames] = [newest, 0];
        gaps.push(gapOf(market));
      }
      this.#seen.set(market, [record, frames]);
      if (this.#known) {
        // Part of a record may have been seen, so that record is asked for once more.
        since[market] = frames ? record - 1 : record;
        this.#skip.set(market, frames);
        this.#held.set(market, []);
        this.#began.set(market, newest);
      }
    }
    if (Object.keys(since).length) this.ask("resume", { since });
    if (!this.#known) {
      this.#known = true;
      return [frame];
    }
    this.reconnected = true;
    return gaps;
  }

  #ordered(frame: Numbered): PrivateEvent[] {
    const market = marketOf(frame);
    if (!this.#seen.has(market)) this.#seen.set(market, [frame.sequence, 0]);
    const held = this.#held.get(market);
    if (held && frame.sequence > (this.#began.get(market) ?? 0)) {
      held.push(frame);
      return [];
    }
    return this.#pass(market, frame);
  }

  /** Let a frame through unless it was seen before the connection was lost. */
  #pass(market: string, frame: Numbered): PrivateEvent[] {
    const [record, frames] = this.#seen.get(market) ?? [0, 0];
    const again = this.#skip.get(market) ?? 0;
    if (frame.sequence < record) return [];
    if (frame.sequence === record && again) {
      this.#skip.set(market, again - 1);
      return [];
    }
    this.#seen.set(market, [frame.sequence, frame.sequence === record ? frames + 1 : 1]);
    return [frame];
  }

  #resumed(market: string, newest: number): PrivateEvent[] {
    const held = this.#held.get(market) ?? [];
    this.#held.delete(market);
    const events = held.flatMap((frame) => this.#pass(market, frame));
    const [record] = this.#seen.get(market) ?? [0, 0];
    if (newest > record) this.#seen.set(market, [newest, 0]);
    return events;
  }

  #refused(frame: Fault): PrivateEvent[] {
    if (frame.symbol === undefined) {
      this.broken = this.#held.size > 0;
      return [];
    }
    if (frame.code !== "HISTORY_TRIMMED") {
      this.broken = true;
      return [];
    }
    const market = marketOf(frame);
    this.#skip.delete(market);
    this.#seen.set(market, [this.#began.get(market) ?? 0, 0]);
    return [gapOf(market), ...this.#resumed(market, 0)];
  }
}

function marketOf(frame: { symbol?: string; mode?: string }): string {
  return `${frame.symbol}.${frame.mode}`;
}

function gapOf(market: string): PrivateGap {
  const [symbol = "", mode = ""] = market.split(".");
  return { type: "gap", symbol, mode };
}
