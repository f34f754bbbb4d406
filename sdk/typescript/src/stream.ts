/**
 * A WebSocket channel as an async iterator that reconnects by itself.
 *
 * This is the shell: sockets, back-off, credentials. What a channel's frames mean, and how nothing
 * is lost or seen twice, is the protocols'.
 */

import type { LocalBook } from "./book.js";
import {
  APIError,
  ConnectionFailedError,
  errorClass,
  NotTandemError,
  RateLimitedError,
  RequestTimeoutError,
  SlowReaderError,
  UnavailableError,
} from "./errors.js";
import type { BookEvent, Fault, Frame } from "./frames.js";
import { PrivateProtocol } from "./private_protocol.js";
import type { BookProtocol, StreamProtocol } from "./protocol.js";
import { CLOSED_SLOW, Socket } from "./socket.js";
import type { HttpTransport } from "./transport.js";
import { queryText } from "./transport.js";
import { backoffMs, sleep } from "./waiting.js";

/** The server gives a sign of life every 5 s; three of them missing mean a dead connection. */
const IDLE_MAX_MS = 15_000;
/** Closed for slowness twice within this time: the reader cannot keep up. */
const SLOW_AGAIN_MS = 60_000;

const CLOSED_UNAUTHENTICATED = 4401;
const CLOSED_FORBIDDEN = 4403;

/** What a stream may be told. */
export interface StreamOptions {
  /** Ends the stream; whoever waits for an event gets the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Where a stream reads. */
export interface StreamPlace {
  path: string;
  query?: Record<string, unknown>;
  /** Whether the first frame says who asks. */
  authenticate?: boolean;
}

/**
 * One channel: iterate over it. It connects when the first event is asked for, and again whenever
 * the connection is lost. It ends when it is closed (leaving a `for await` closes it), or with an
 * error that a new connection cannot mend: an `APIError` where the server refuses the channel,
 * `ConnectionFailedError` where the first connection cannot be made, `SlowReaderError`,
 * `StreamCorruptError`.
 *
 * @example
 * for await (const event of client.stream.trades("vaix")) console.log(event);
 */
export class Stream<E extends Frame, P extends StreamProtocol<E> = StreamProtocol<E>>
  implements AsyncIterableIterator<E>
{
  readonly protocol: P;
  /** How many connections there have been. */
  connections = 0;
  readonly #http: HttpTransport;
  readonly #place: StreamPlace;
  readonly #ending = new AbortController();
  #socket: Socket | undefined;
  #events: E[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  #failures = 0;
  #renewed = false;
  #slowAtMs = -SLOW_AGAIN_MS;
  #fault: Fault | undefined;

  constructor(http: HttpTransport, place: StreamPlace, protocol: P, options: StreamOptions = {}) {
    this.#http = http;
    this.#place = place;
    this.protocol = protocol;
    const signal = options.signal;
    signal?.addEventListener("abort", () => this.#end(signal.reason), { once: true });
    if (signal?.aborted) this.#end(signal.reason);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Give the next event; calls that overlap are answered in their order. */
  next(): Promise<IteratorResult<E, undefined>> {
    const result = this.#turn.then(() => this.#next());
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** End the stream; leaving a `for await` calls this. */
  async return(): Promise<IteratorResult<E, undefined>> {
    this.close();
    return { done: true, value: undefined };
  }

  /** End the stream; whoever iterates over it comes to the end. */
  close(): void {
    this.#end(undefined);
  }

  /** Call `handler` with each event, one after the other, until the stream is closed. */
  async run(handler: (event: E) => unknown): Promise<void> {
    for await (const event of this) await handler(event);
  }

  async #next(): Promise<IteratorResult<E, undefined>> {
    for (;;) {
      const event = this.#events.shift();
      if (event) return { done: false, value: event };
      if (this.#ended) {
        if (this.#ended.reason !== undefined) throw this.#ended.reason;
        return { done: true, value: undefined };
      }
      await this.#advance();
    }
  }

  #ended: { reason: unknown } | undefined;

  #end(reason: unknown): void {
    this.#ended ??= { reason };
    this.#ending.abort();
    this.#drop();
  }

  /** Make one step: connect, or take one message. */
  async #advance(): Promise<void> {
    const socket = this.#socket;
    if (!socket) {
      await this.#reconnect();
      return;
    }
    for (const frame of this.protocol.toSend()) socket.send(frame);
    const received = await socket.receive(IDLE_MAX_MS);
    if (received && "text" in received) await this.#take(received.text);
    else await this.#lost(received?.closed);
  }

  async #reconnect(): Promise<void> {
    try {
      await this.#connect();
    } catch (error) {
      const passing =
        error instanceof ConnectionFailedError ||
        error instanceof RequestTimeoutError ||
        error instanceof RateLimitedError ||
        error instanceof UnavailableError;
      if (this.#ended) return;
      if (!passing || (!this.connections && this.#failures >= this.#http.maxRetries)) throw error;
      await this.#pause();
    }
  }

  async #connect(): Promise<void> {
    const { path, query, authenticate } = this.#place;
    const token = authenticate ? (await this.#http.credential(path)).token : undefined;
    const url = `${this.#http.baseUrl.replace(/^http/, "ws")}${path}${queryText(query)}`;
    let socket: Socket;
    try {
      socket = await Socket.open(url, this.#http.timeoutMs);
    } catch (error) {
      throw error instanceof ConnectionFailedError ? await this.#refused(error) : error;
    }
    if (this.#ended) {
      socket.close();
      return;
    }
    this.#socket = socket;
    this.connections++;
    this.protocol.opened();
    if (authenticate) socket.send({ type: "auth", token: token ?? "none" });
  }

  /** Ask by HTTP why a handshake was refused: a WebSocket itself does not tell. */
  async #refused(failure: ConnectionFailedError): Promise<Error> {
    const { path, query } = this.#place;
    const signal = this.#ending.signal;
    try {
      await this.#http.request("GET", path, { query: query ?? {}, signal });
    } catch (error) {
      if (!(error instanceof APIError && error.code === "UPGRADE_REQUIRED")) return error as Error;
      return new ConnectionFailedError(
        `${this.#http.baseUrl}${path} is there but refused to become a WebSocket: close some of ` +
          "the streams of this address, and check that proxies in between pass WebSockets",
        { cause: failure },
      );
    }
    return new NotTandemError(
      `${this.#http.baseUrl}${path} answers, but not as a stream of Tandem does; check baseUrl`,
    );
  }

  async #take(text: string): Promise<void> {
    const frame = readFrame(text, this.#place.path);
    if (frame.type === "error") this.#fault = frame as Fault;
    const events = this.protocol.receive(frame);
    // A server that answers is there: whatever cut the stream, do not stay away for long.
    this.#failures = Math.min(this.#failures, 2);
    if (events.length) {
      this.#failures = 0;
      this.#renewed = false;
      this.#events.push(...events);
    }
    if (this.protocol instanceof PrivateProtocol && this.protocol.reconnected) {
      await this.#readBalances(this.protocol);
    }
    if (this.protocol.broken) await this.#lost(undefined);
  }

  async #readBalances(protocol: PrivateProtocol): Promise<void> {
    const signal = this.#ending.signal;
    try {
      const body = await this.#http.call("GET /api/v1/account/balances", { signal });
      this.#events.push(...(protocol.balancesRead(body.balances) as Frame[] as E[]));
    } catch (error) {
      if (!this.#ended) throw error;
    }
  }

  /** Let go of the connection; throws where another one would not help. */
  async #lost(code: number | undefined): Promise<void> {
    this.#drop();
    if (this.#ended) return;
    if (code === CLOSED_UNAUTHENTICATED || code === CLOSED_FORBIDDEN) {
      const session = this.#http.session;
      if (code === CLOSED_FORBIDDEN || !session || this.#renewed) throw this.#refusal(code);
      this.#renewed = true;
      await this.#http.renew(session);
    } else if (code === CLOSED_SLOW) {
      const now = performance.now();
      if (now - this.#slowAtMs < SLOW_AGAIN_MS) {
        throw new SlowReaderError(
          `${this.#place.path} was closed twice because it was read too slowly; do less between ` +
            "two events, or hand them to another task",
        );
      }
      this.#slowAtMs = now;
    } else {
      await this.#pause();
    }
  }

  #refusal(closed: number): APIError {
    const status = closed === CLOSED_UNAUTHENTICATED ? 401 : 403;
    const code = this.#fault?.code ?? "UNAUTHENTICATED";
    const reason = this.#fault?.message ?? "The stream was closed.";
    return new (errorClass(status, code))({ status, code, reason });
  }

  /** Wait before the next connection: a moment at first, longer when it keeps failing. */
  async #pause(): Promise<void> {
    this.#failures++;
    const atOnce = this.#failures === 1 && this.connections > 0;
    const wait = sleep(
      atOnce ? Math.random() * 100 : backoffMs(this.#failures - 1),
      this.#ending.signal,
    );
    // The one reason why it would end early is that the stream was closed.
    await wait.catch(() => undefined);
  }

  #drop(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }
}

/** A book channel; `book` is the server's book at every event. */
export class BookStream extends Stream<BookEvent, BookProtocol> {
  /** The book, as of the last event. */
  get book(): LocalBook {
    return this.protocol.book;
  }
}

function readFrame(text: string, path: string): Frame {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    frame = undefined;
  }
  if (typeof frame === "object" && frame !== null && "type" in frame) return frame as Frame;
  throw new NotTandemError(`${path} sent a frame that is not Tandem's; check baseUrl`);
}
