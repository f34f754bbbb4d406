/** The six channels; reached as `client.stream`. */

import type {
  BboEvent,
  MarketsEvent,
  Mode,
  PriceEvent,
  PrivateEvent,
  TradesEvent,
} from "./frames.js";
import { pairName } from "./options.js";
import { PrivateProtocol } from "./private_protocol.js";
import { BookProtocol, StreamProtocol, TradesProtocol } from "./protocol.js";
import { BookStream, Stream, type StreamOptions } from "./stream.js";
import type { HttpTransport } from "./transport.js";

/** What a public channel may be told. */
export interface PublicStreamOptions extends StreamOptions {
  /** `live` or `paper`; without it the channel shows what the pair shows in public. */
  mode?: Mode | undefined;
}

export class Streams {
  readonly #http: HttpTransport;

  constructor(http: HttpTransport) {
    this.#http = http;
  }

  /**
   * Follow a book: `snapshot` and `update` frames, kept in the stream's `book`; `hybrid` with the
   * pools' depth, resting orders only otherwise.
   *
   * @example
   * const stream = client.stream.book("vaix", { hybrid: true });
   * for await (const _ of stream) console.log(stream.book.bestBid, stream.book.bestAsk);
   */
  book(symbol: string, options: PublicStreamOptions & { hybrid?: boolean } = {}): BookStream {
    const query = { mode: options.mode, hybrid: options.hybrid || undefined };
    const path = `/ws/exchange/${segment(symbol)}/book`;
    return new BookStream(this.#http, { path, query }, new BookProtocol(), options);
  }

  /** Follow the tape: a `snapshot` of the last 50, then each `trade` once. */
  trades(symbol: string, options: PublicStreamOptions = {}): Stream<TradesEvent, TradesProtocol> {
    const place = { path: `/ws/exchange/${segment(symbol)}/trades`, query: { mode: options.mode } };
    return new Stream(this.#http, place, new TradesProtocol(), options);
  }

  /** Follow the last price: `price` frames, always the newest. */
  price(symbol: string, options: PublicStreamOptions = {}): Stream<PriceEvent> {
    const place = { path: `/ws/exchange/${segment(symbol)}/price`, query: { mode: options.mode } };
    return new Stream(this.#http, place, new StreamProtocol(), options);
  }

  /** Follow the best bid and offer: `bbo` frames, always the newest. */
  bbo(symbol: string, options: PublicStreamOptions = {}): Stream<BboEvent> {
    const place = { path: `/ws/exchange/${segment(symbol)}/bbo`, query: { mode: options.mode } };
    return new Stream(this.#http, place, new StreamProtocol(), options);
  }

  /** Follow all markets: every one first, then those that changed. */
  markets(options: PublicStreamOptions = {}): Stream<MarketsEvent> {
    const place = { path: "/ws/exchange/markets", query: { mode: options.mode } };
    return new Stream(this.#http, place, new StreamProtocol(), options);
  }

  /**
   * Follow the account: `connected`, then orders, fills, balances, settlements.
   *
   * Every `order_update` and `fill` comes once and in order, also across reconnects. A
   * `balance_update` is a state: after a reconnect you get those that changed meanwhile. Where
   * events can be found no more (a very long absence), a `gap` says so: read orders and trades by
   * REST then.
   */
  private(options: StreamOptions = {}): Stream<PrivateEvent, PrivateProtocol> {
    const place = { path: "/ws/exchange/private", authenticate: true };
    return new Stream(this.#http, place, new PrivateProtocol(), options);
  }
}

function segment(symbol: string): string {
  return encodeURIComponent(pairName(symbol));
}
