/** One WebSocket as a bounded queue of text frames, with whatever implementation there is. */

import { ConnectionFailedError, RequestTimeoutError, StreamError } from "./errors.js";

/** What is used of a WebSocket: browsers, Node 22 and the package `ws` all have it. */
export interface WebSocketLike {
  send(data: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "open" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { code: number }) => void): void;
}

export type WebSocketClass = new (url: string) => WebSocketLike;

/** The code with which a server, or this client, ends a connection that is read too slowly. */
export const CLOSED_SLOW = 4408;
/** Unread frames after which a connection ends: a browser cannot tell the server to wait. */
const UNREAD_MAX = 10_000;

let fallback: () => Promise<WebSocketClass | undefined> = async () => undefined;

/** Name an implementation for where there is none built in; `node.ts` does it. */
export function useFallback(load: () => Promise<WebSocketClass | undefined>): void {
  fallback = load;
}

async function implementation(): Promise<WebSocketClass> {
  const found = (globalThis as { WebSocket?: WebSocketClass }).WebSocket ?? (await fallback());
  if (found) return found;
  throw new StreamError(
    "this JavaScript has no WebSocket: use Node 22 or newer, or run `npm install ws` on Node 20",
  );
}

/** A message, or the code with which the connection ended. */
export type Received = { text: string } | { closed: number };

/** One open connection. */
export class Socket {
  readonly #socket: WebSocketLike;
  readonly #unread: string[] = [];
  #closed: number | undefined;
  #wake: (() => void) | undefined;

  private constructor(socket: WebSocketLike) {
    this.#socket = socket;
    socket.addEventListener("message", (event) => this.#take(event.data));
    socket.addEventListener("close", (event) => this.#end(event.code));
    socket.addEventListener("error", () => undefined);
  }

  /**
   * Connect.
   *
   * @throws ConnectionFailedError: it was refused or cannot be reached; which one, a browser hides.
   * @throws RequestTimeoutError: it did not open in time.
   */
  static async open(url: string, timeoutMs: number): Promise<Socket> {
    const Kind = await implementation();
    const socket = new Kind(url);
    const made = new Socket(socket);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        made.close();
        reject(new RequestTimeoutError(`the stream did not open within ${timeoutMs / 1000} s`));
      }, timeoutMs);
      socket.addEventListener("open", () => {
        clearTimeout(timer);
        resolve();
      });
      socket.addEventListener("close", () => {
        clearTimeout(timer);
        reject(new ConnectionFailedError("the stream could not be opened"));
      });
    });
    return made;
  }

  /** Send a frame; one that the connection's end overtakes is lost, as the next read tells. */
  send(frame: object): void {
    try {
      this.#socket.send(JSON.stringify(frame));
    } catch {
      this.#end(1006);
    }
  }

  /** Give the next message; undefined when none comes in time. */
  async receive(timeoutMs: number): Promise<Received | undefined> {
    if (!this.#unread.length && this.#closed === undefined) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    const text = this.#unread.shift();
    if (text !== undefined) return { text };
    return this.#closed === undefined ? undefined : { closed: this.#closed };
  }

  /** Close; what has not been read is thrown away. */
  close(): void {
    this.#unread.length = 0;
    this.#end(1000);
    this.#socket.close();
  }

  #take(data: unknown): void {
    if (this.#closed !== undefined) return;
    this.#unread.push(String(data));
    if (this.#unread.length > UNREAD_MAX) {
      this.#end(CLOSED_SLOW);
      this.#socket.close();
    }
    this.#wake?.();
  }

  #end(code: number): void {
    this.#closed ??= code;
    this.#wake?.();
  }
}
