/**
 * A market maker: quote both sides around the mid, and move the quotes when the mid moves.
 *
 *     node examples/typescript/market_maker.ts --api-key evt_... --pair vaix
 *
 * It places one post-only bid and one post-only ask, `--spread-bps` apart around the hybrid mid.
 * Every `--refresh` seconds it looks again: when the mid has drifted by `--drift-bps`, or a quote
 * was filled, both are renewed. It tracks its position and profit from its own fills, stops quoting
 * the side that would grow a position beyond `--max-position`, and ends when `--max-loss` is reached.
 * Ctrl-C cancels everything and prints how it went. It trades paper money unless `--live` is given.
 */

import {
  type Clob,
  fromUnits,
  type Mode,
  OrderClosedError,
  RequestRejectedError,
  type Side,
  toUnits,
  UnavailableError,
} from "@tandem/event-trader";
import { connect, interrupted, main, options, pause } from "./options.ts";

/** All figures are whole numbers of 10^-18; products are brought back to that. */
const PLACES = 18;
const ONE = 10n ** 18n;
const units = (text: string) => toUnits(text, PLACES);
const shown = (value: bigint) => fromUnits(value, PLACES);
const product = (a: bigint, b: bigint) => (a * b) / ONE;

interface Limits {
  pair: string;
  mode: Mode;
  spreadBps: bigint;
  driftBps: bigint;
  size: bigint;
  maxPosition: bigint;
  maxLoss: bigint;
}

class MarketMaker {
  readonly #clob: Clob;
  readonly #limits: Limits;
  readonly #quotes = new Map<Side, string>();
  readonly #seen = new Set<string>();
  #base = 0n;
  #quote = 0n;
  #fills = 0;
  #mid = 0n;
  #quotedMid = 0n;
  #tick = 1n;

  constructor(clob: Clob, limits: Limits) {
    this.#clob = clob;
    this.#limits = limits;
  }

  /** Learn the pair's grid, and start from a clean slate. */
  async prepare(): Promise<void> {
    const pairs = await this.#clob.listPairs();
    const pair = pairs.find((one) => one.symbol.toLowerCase() === this.#limits.pair.toLowerCase());
    if (!pair) {
      const names = pairs.map((one) => one.symbol).join(", ");
      throw new TypeError(`no pair "${this.#limits.pair}"; there are: ${names}`);
    }
    this.#tick = units(pair.tick_size);
    const lot = units(pair.lot_size);
    this.#limits.size -= this.#limits.size % lot;
    await this.#count();
    this.#base = this.#quote = 0n;
    this.#fills = 0;
  }

  /** Look once, and re-quote if needed; false when the loss limit is reached. */
  async cycle(): Promise<boolean> {
    const { pair, maxLoss } = this.#limits;
    const book = await this.#clob.orderbook(pair, 5);
    const [bid, ask] = [book.bids[0], book.asks[0]];
    if (!bid || !ask) {
      console.log("the book has an empty side; waiting");
      return true;
    }
    this.#mid = (units(bid[0]) + units(ask[0])) / 2n;
    await this.#count();
    if (this.#profit() < -maxLoss) {
      console.log(`loss limit of ${shown(maxLoss)} reached`);
      return false;
    }
    if (await this.#mustRequote()) await this.#requote();
    return true;
  }

  /** Cancel what stands, and say how it went. */
  async finish(): Promise<void> {
    await this.#cancelQuotes();
    await this.#count();
    console.log(
      `done: ${this.#fills} fills, position ${shown(this.#base)}, p&l ${shown(this.#profit())}`,
    );
  }

  #profit(): bigint {
    return this.#quote + product(this.#base, this.#mid);
  }

  /** Count each of the account's fills once. */
  async #count(): Promise<void> {
    for (const trade of await this.#clob.myTrades(this.#limits.pair, 500, {
      mode: this.#limits.mode,
    })) {
      const key = `${trade.trade_id}/${trade.order_id}`;
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      this.#fills++;
      const [size, price] = [units(trade.quantity), units(trade.price)];
      const sign = trade.side === "buy" ? 1n : -1n;
      this.#base += sign * size;
      this.#quote -= sign * product(size, price) + units(trade.fee);
    }
  }

  async #mustRequote(): Promise<boolean> {
    const open = await this.#clob.openOrders(this.#limits.pair, { mode: this.#limits.mode });
    const ids = new Set(open.map((order) => order.order_id));
    const standing = [...this.#quotes].filter(([, id]) => ids.has(id)).map(([side]) => side);
    if (standing.sort().join() !== this.#sides().join() || !this.#quotedMid) return true;
    const drift = this.#mid - this.#quotedMid;
    return (drift < 0n ? -drift : drift) * 10_000n >= this.#limits.driftBps * this.#quotedMid;
  }

  /** Name the sides that may be quoted within the position limit. */
  #sides(): Side[] {
    const { size, maxPosition } = this.#limits;
    const sides: Side[] = [];
    if (this.#base + size <= maxPosition) sides.push("buy");
    if (this.#base - size >= -maxPosition) sides.push("sell");
    return sides;
  }

  async #requote(): Promise<void> {
    await this.#cancelQuotes();
    const half = (this.#mid * this.#limits.spreadBps) / 20_000n;
    const quotes: string[] = [];
    for (const side of this.#sides()) {
      const exact = side === "buy" ? this.#mid - half : this.#mid + half;
      const below = exact - (exact % this.#tick);
      const price = shown(side === "buy" || below === exact ? below : below + this.#tick);
      const quantity = shown(this.#limits.size);
      try {
        const order = await this.#clob.placeOrder({
          symbol: this.#limits.pair,
          side,
          quantity,
          price,
          orderType: "post_only",
          mode: this.#limits.mode,
        });
        this.#quotes.set(side, order.order_id);
        quotes.push(`${side} ${quantity} @ ${price}`);
      } catch (error) {
        if (!(error instanceof RequestRejectedError)) throw error;
        console.log(`${side} ${quantity} @ ${price} was refused: ${error.reason}`);
      }
    }
    this.#quotedMid = this.#mid;
    console.log(
      `mid ${shown(this.#mid)}  ${quotes.join("  ")}  position ${shown(this.#base)}  ` +
        `fills ${this.#fills}  p&l ${shown(this.#profit())}`,
    );
  }

  async #cancelQuotes(): Promise<void> {
    for (const id of this.#quotes.values()) {
      try {
        await this.#clob.cancelOrder(this.#limits.pair, id, { mode: this.#limits.mode });
      } catch (error) {
        // A quote that was filled meanwhile is counted at the next look at the trades.
        if (!(error instanceof OrderClosedError)) throw error;
      }
    }
    this.#quotes.clear();
  }
}

main(async () => {
  const given = options({
    pair: "vaix",
    "spread-bps": "40",
    size: "1000",
    refresh: "2",
    "drift-bps": "10",
    "max-position": "10000",
    "max-loss": "100",
    "api-key": "",
    email: "",
    password: "",
    "base-url": "http://127.0.0.1:8080",
  });
  const stop = interrupted();
  const client = await connect(given);
  const maker = new MarketMaker(client.clob, {
    pair: given.pair,
    mode: given.live ? "live" : "paper",
    spreadBps: BigInt(given["spread-bps"]),
    driftBps: BigInt(given["drift-bps"]),
    size: units(given.size),
    maxPosition: units(given["max-position"]),
    maxLoss: units(given["max-loss"]),
  });
  await maker.prepare();
  try {
    while (!stop.aborted) {
      try {
        if (!(await maker.cycle())) break;
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
        console.log(`the exchange is busy: ${error.reason}`);
      }
      await pause(Number(given.refresh), stop);
    }
  } finally {
    await maker.finish();
  }
});
