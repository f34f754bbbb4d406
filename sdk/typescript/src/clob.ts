/**
 * The exchange's endpoints, one short method each. Quantities and prices are decimal strings in
 * both directions; answers are the plain objects that the API documents.
 */

import { member } from "./answer.js";
import { OrderClosedError } from "./errors.js";
import type { Mode, Side } from "./frames.js";
import type * as wire from "./generated/wire.js";
import { type CallOptions, fields, type IntentOptions, type Options, pairName } from "./options.js";
import type { HttpTransport } from "./transport.js";

export type OrderOptions = Options<wire.PlaceOrderRequest>;
export type PlaceOrder = OrderOptions & { symbol: string };
export type PlaceTwap = Options<wire.PlaceTwapRequest> & { symbol: string };
export type PlaceScale = Options<wire.PlaceScaleRequest> & { symbol: string };
export type Withdraw = Options<wire.WithdrawRequest> & { symbol: string };
export type Amendment = Options<wire.AmendOrderRequest>;
export type Interval = "1m" | "5m" | "15m" | "1h" | "4h" | "1d";
export interface ModeOptions extends CallOptions {
  /** An account in simulation mode always reads and trades paper. */
  mode?: Mode | undefined;
}
export interface PageOptions extends ModeOptions {
  limit?: number | undefined;
  offset?: number | undefined;
}

export class Clob {
  readonly #http: HttpTransport;

  constructor(http: HttpTransport) {
    this.#http = http;
  }

  // Market data.

  /** List the pairs with their ticks, lots, fees and pools. */
  async listPairs(options?: CallOptions): Promise<wire.Pair[]> {
    return member(await this.#http.call("GET /api/v1/exchange/pairs", { ...options }), "pairs");
  }

  /** List the markets with price, 24-hour figures and liquidity. */
  async markets(options?: ModeOptions): Promise<wire.Market[]> {
    const call = asked({ ...options });
    return member(await this.#http.call("GET /api/v1/exchange/markets", call), "markets");
  }

  /** Read price, supply, market capitalisation and 24-hour figures. */
  async stats(symbol: string, options?: ModeOptions): Promise<wire.Stats> {
    const call = { path: pair(symbol), ...asked({ ...options }) };
    return await this.#http.call("GET /api/v1/exchange/{symbol}/stats", call);
  }

  /** Read candles, oldest first. */
  async chart(
    symbol: string,
    interval: Interval = "1h",
    limit = 100,
    options?: ModeOptions,
  ): Promise<wire.Chart> {
    const call = { path: pair(symbol), ...asked({ ...options, interval, limit }) };
    return await this.#http.call("GET /api/v1/exchange/{symbol}/chart", call);
  }

  /** Read each venue's price, liquidity and state. */
  async venues(symbol: string, options?: ModeOptions): Promise<wire.Venues> {
    const call = { path: pair(symbol), ...asked({ ...options }) };
    return await this.#http.call("GET /api/v1/exchange/{symbol}/venues", call);
  }

  /** Read the hybrid book: resting orders and pools, with the sources of each level. */
  async orderbook(symbol: string, depth = 30, options?: ModeOptions): Promise<wire.Book> {
    const call = { path: pair(symbol), ...asked({ ...options, depth }) };
    return await this.#http.call("GET /api/v1/exchange/{symbol}/book/hybrid", call);
  }

  /** Read the book of resting orders only. */
  async book(symbol: string, depth = 30, options?: ModeOptions): Promise<wire.Book> {
    const call = { path: pair(symbol), ...asked({ ...options, depth }) };
    return await this.#http.call("GET /api/v1/exchange/{symbol}/book", call);
  }

  /** Read the best bid and offer. */
  async bbo(symbol: string, options?: ModeOptions): Promise<wire.Bbo> {
    const call = { path: pair(symbol), ...asked({ ...options }) };
    return await this.#http.call("GET /api/v1/exchange/{symbol}/bbo", call);
  }

  /** Read last price and 24-hour figures. */
  async ticker(symbol: string, options?: ModeOptions): Promise<wire.Ticker> {
    const call = { path: pair(symbol), ...asked({ ...options }) };
    return await this.#http.call("GET /api/v1/exchange/{symbol}/ticker", call);
  }

  /** Read the server's clock. */
  async time(options?: CallOptions): Promise<wire.ServerTime> {
    return await this.#http.call("GET /api/v1/exchange/time", { ...options });
  }

  /** Read the public tape, newest first. */
  async recentTrades(symbol: string, limit = 50, options?: ModeOptions): Promise<wire.Trade[]> {
    const call = { path: pair(symbol), ...asked({ ...options, limit }) };
    return member(await this.#http.call("GET /api/v1/exchange/{symbol}/trades", call), "trades");
  }

  // Orders.

  /**
   * Place an order.
   *
   * @throws RequestRejectedError: it cannot be accepted (no funds, off tick, would take …).
   * @throws InvalidRequestError: a field is malformed or unknown.
   * @example
   * await client.clob.placeOrder({ symbol: "vaix", side: "buy", quantity: "1000", price: "0.003" });
   */
  async placeOrder(order: PlaceOrder, options?: IntentOptions): Promise<wire.Order> {
    const call = { ...addressed(order), ...options };
    return await this.#http.call("POST /api/v1/exchange/{symbol}/orders", call);
  }

  /**
   * Cancel an order; returns it as it ended.
   *
   * @throws OrderClosedError: it had already ended.
   */
  async cancelOrder(symbol: string, orderId: string, options?: ModeOptions): Promise<wire.Order> {
    const call = { path: { ...pair(symbol), order_id: orderId }, ...asked(options) };
    try {
      return await this.#http.call("DELETE /api/v1/exchange/{symbol}/orders/{order_id}", call);
    } catch (error) {
      if (!(error instanceof OrderClosedError) || error.tries === 1) throw error;
      // An earlier try of this very call did it, and only its answer was lost.
      const ended = error.details["order"] as wire.Order | undefined;
      if (ended?.status !== "canceled") throw error;
      return ended;
    }
  }

  /** Change price or total quantity in one step; a smaller quantity keeps queue priority. */
  async amendOrder(
    symbol: string,
    orderId: string,
    changes: Amendment,
    options?: CallOptions,
  ): Promise<wire.Order> {
    const path = { ...pair(symbol), order_id: orderId };
    const call = { path, body: fields(changes), ...options };
    return await this.#http.call("PATCH /api/v1/exchange/{symbol}/orders/{order_id}", call);
  }

  /** Amend up to 50 orders; each stands alone, see `results`. */
  async batchAmendOrders(
    symbol: string,
    amendments: readonly (Amendment & { orderId: string })[],
    options?: CallOptions,
  ): Promise<wire.BatchResult> {
    const call = { path: pair(symbol), body: amendments.map(fields), ...options };
    return await this.#http.call("PATCH /api/v1/exchange/{symbol}/orders/batch", call);
  }

  /** Place up to 10 orders; each stands alone, see `results`. */
  async batchPlaceOrders(
    symbol: string,
    orders: readonly OrderOptions[],
    options?: IntentOptions,
  ): Promise<wire.BatchResult> {
    const call = { path: pair(symbol), body: { orders: orders.map(fields) }, ...options };
    return await this.#http.call("POST /api/v1/exchange/{symbol}/orders/batch", call);
  }

  /** Cancel up to 50 orders; each stands alone, see `results`. */
  async batchCancelOrders(
    symbol: string,
    orderIds: readonly string[],
    options?: CallOptions,
  ): Promise<wire.BatchResult> {
    const call = { path: pair(symbol), body: { order_ids: orderIds }, ...options };
    return await this.#http.call("DELETE /api/v1/exchange/{symbol}/orders/batch", call);
  }

  /** Cancel all open orders on a pair, or those of one side. */
  async cancelAll(
    symbol: string,
    options: ModeOptions & { side?: Side | undefined } = {},
  ): Promise<wire.CancelAllResult> {
    const call = { path: pair(symbol), ...asked(options) };
    return await this.#http.call("DELETE /api/v1/exchange/{symbol}/orders", call);
  }

  /** Cancel every open order everywhere. */
  async killSwitch(options?: ModeOptions): Promise<wire.CancelAllResult> {
    return await this.#http.call("DELETE /api/v1/exchange/orders/all", asked({ ...options }));
  }

  /** Read one order with its fills. */
  async order(symbol: string, orderId: string, options?: CallOptions): Promise<wire.Order> {
    const call = { path: { ...pair(symbol), order_id: orderId }, ...options };
    return await this.#http.call("GET /api/v1/exchange/{symbol}/orders/{order_id}", call);
  }

  /** List the open orders, oldest first. */
  async openOrders(symbol: string, options?: ModeOptions): Promise<wire.Order[]> {
    const call = { path: pair(symbol), ...asked(options) };
    const body = await this.#http.call("GET /api/v1/exchange/{symbol}/orders/open", call);
    return member(body, "orders");
  }

  /** Read orders that ended, newest first, page by page. */
  async orderHistory(symbol: string, options?: PageOptions): Promise<wire.OrderHistory> {
    const call = { path: pair(symbol), ...asked(options) };
    return await this.#http.call("GET /api/v1/exchange/{symbol}/orders/history", call);
  }

  /** Read the account's fills, newest first. */
  async myTrades(symbol: string, limit = 50, options?: ModeOptions): Promise<wire.OwnTrade[]> {
    const call = { path: pair(symbol), ...asked({ ...options, limit }) };
    const body = await this.#http.call("GET /api/v1/exchange/{symbol}/trades/mine", call);
    return member(body, "trades");
  }

  // Algorithmic orders.

  /** Spread an order over time in equal slices (60 minutes, 10 slices; `priceLimit` "0": none). */
  async placeTwap(twap: PlaceTwap, options?: IntentOptions): Promise<wire.Twap> {
    const call = { ...addressed(twap), ...options };
    return await this.#http.call("POST /api/v1/exchange/{symbol}/twap", call);
  }

  /** End a TWAP; what has been filled stays filled. */
  async cancelTwap(symbol: string, twapId: string, options?: CallOptions): Promise<wire.Twap> {
    const call = { path: { ...pair(symbol), twap_id: twapId }, ...options };
    return await this.#http.call("DELETE /api/v1/exchange/{symbol}/twap/{twap_id}", call);
  }

  /** List the running TWAPs with their progress. */
  async activeTwaps(symbol: string, options?: ModeOptions): Promise<wire.Twap[]> {
    const call = { path: pair(symbol), ...asked(options) };
    return member(await this.#http.call("GET /api/v1/exchange/{symbol}/twap", call), "twaps");
  }

  /** Spread limit orders over a price range: all are placed, or none. */
  async placeScale(scale: PlaceScale, options?: IntentOptions): Promise<wire.Scale> {
    const call = { ...addressed(scale), ...options };
    return await this.#http.call("POST /api/v1/exchange/{symbol}/scale", call);
  }

  // The account's side.

  /** Read the balances of a pair's two assets. */
  async balance(symbol: string, options?: ModeOptions): Promise<wire.PairBalance> {
    const call = { path: pair(symbol), ...asked(options) };
    return await this.#http.call("GET /api/v1/exchange/{symbol}/balance", call);
  }

  /** Withdraw to a chain address; the key needs the `withdraw` permission. */
  async withdraw(withdrawal: Withdraw, options?: IntentOptions): Promise<wire.Withdrawal> {
    const call = { ...addressed(withdrawal), ...options };
    return await this.#http.call("POST /api/v1/exchange/{symbol}/withdraw", call);
  }

  /** Read balances and best prices in one call, before an order. */
  async preflight(symbol: string, options?: ModeOptions): Promise<wire.Preflight> {
    const call = { path: pair(symbol), ...asked({ ...options }) };
    return await this.#http.call("GET /api/v1/clob/preflight/{symbol}", call);
  }

  /** Arm the dead man's switch: without heartbeats all open orders are cancelled. */
  async activateDms(timeoutMs = 60_000, options?: CallOptions): Promise<wire.DeadMansSwitch> {
    const call = { body: { timeout_ms: timeoutMs }, ...options };
    return await this.#http.call("POST /api/v1/exchange/dead-mans-switch", call);
  }

  /** Tell the dead man's switch that you are alive. */
  async heartbeatDms(options?: CallOptions): Promise<wire.DeadMansSwitch> {
    return await this.#http.call("POST /api/v1/exchange/dead-mans-switch/heartbeat", {
      ...options,
    });
  }

  /** Disarm the dead man's switch. */
  async deactivateDms(options?: CallOptions): Promise<wire.DeadMansSwitch> {
    return await this.#http.call("DELETE /api/v1/exchange/dead-mans-switch", { ...options });
  }

  /** Read the fees of every tier. */
  async feeSchedule(options?: CallOptions): Promise<wire.FeeSchedule> {
    return await this.#http.call("GET /api/v1/exchange/fee-schedule", { ...options });
  }

  /** Read the account's own fees. */
  async myFees(options?: CallOptions): Promise<wire.MyFees> {
    return await this.#http.call("GET /api/v1/exchange/my-fees", { ...options });
  }

  /** Read the engine's latency and depth per pair. */
  async metrics(options?: CallOptions): Promise<wire.Metrics> {
    return await this.#http.call("GET /api/v1/exchange/metrics", { ...options });
  }
}

function pair(symbol: string): { symbol: string } {
  return { symbol: pairName(symbol) };
}

/** Split off what names the pair from what is sent. */
function addressed(request: { symbol: string }) {
  const { symbol, ...rest } = request;
  return { path: pair(symbol), body: fields(rest) };
}

/** Split options into what is asked and how. */
function asked<O extends CallOptions>(options?: O) {
  const { signal, ...query } = options ?? {};
  return { query, signal };
}
