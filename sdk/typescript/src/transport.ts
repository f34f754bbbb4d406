/**
 * HTTP to and from a Tandem gateway: authentication, timeouts, safe retries, typed errors.
 *
 * A request is retried only where a repetition cannot do harm: reads and cancellations always;
 * POSTs with their Idempotency-Key, which stays the same over all tries of one intent; PATCHes only
 * where the server says that nothing happened. A refusal (4xx) is never retried, but 429 and 503
 * are, after the server's Retry-After.
 */

import { readAnswer } from "./answer.js";
import {
  APIError,
  AuthenticationError,
  ConnectionFailedError,
  NotTandemError,
  RateLimitedError,
  RequestTimeoutError,
  ServerTooOldError,
  UnavailableError,
  UnknownOutcomeError,
} from "./errors.js";
import type { Routes } from "./generated/routes.js";
import type { Session } from "./generated/wire.js";
import { backoffMs, sleep } from "./waiting.js";

/** A server that asks for more patience than this gets its error passed on at once. */
const RETRY_AFTER_MAX_S = 60;
/** An access token is renewed this long before it expires. */
const REFRESH_MARGIN_S = 60;
/** The oldest exchange that has every path this client knows. */
const SERVER_VERSION_MIN = [0, 1] as const;

const REPEATABLE: ReadonlySet<string> = new Set(["GET", "POST", "DELETE"]);

/** What a request carries beside its route. */
export interface Call {
  path?: Record<string, string>;
  query?: Record<string, unknown>;
  body?: unknown;
  idempotencyKey?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** Where and how a transport talks. */
export interface TransportOptions {
  baseUrl: string;
  apiKey: string | undefined;
  /** Seconds that one try may take. */
  timeout: number;
  maxRetries: number;
}

/** A token pair with its expiry on the local monotonic clock. */
export interface TokenSession {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly renewAtMs: number;
}

/** One gateway, as one account or nobody. */
export class HttpTransport {
  readonly baseUrl: string;
  readonly timeoutMs: number;
  readonly maxRetries: number;
  session: TokenSession | undefined;
  readonly #apiKey: string | undefined;
  #renewing: Promise<void> | undefined;

  /** @throws TypeError: an option cannot be used; the message says what to give instead. */
  constructor(options: TransportOptions) {
    check(options);
    this.baseUrl = options.baseUrl.replace(/\/+$/, "");
    this.timeoutMs = options.timeout * 1000;
    this.maxRetries = options.maxRetries;
    this.#apiKey = options.apiKey;
  }

  /** Authenticate with a token pair, as `/auth/login` returns it. */
  useSession(tokens: Session): void {
    const { access_token, refresh_token, expires_in } = tokens ?? {};
    if (!access_token || !refresh_token || !(expires_in > 0)) {
      throw new NotTandemError(`${this.baseUrl} answered a log-in without tokens; check baseUrl`);
    }
    const margin = Math.min(REFRESH_MARGIN_S, expires_in / 2);
    this.session = {
      accessToken: access_token,
      refreshToken: refresh_token,
      renewAtMs: performance.now() + (expires_in - margin) * 1000,
    };
  }

  /** Call a route of the exchange; its answer has the type that the exchange documents. */
  async call<R extends keyof Routes>(route: R, call: Call = {}): Promise<Routes[R]> {
    const [method = "", template = ""] = route.split(" ");
    const path = template.replace(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(call.path?.[name] ?? ""),
    );
    return (await this.request(method, path, call)) as Routes[R];
  }

  /** Send a request to any path, with the same retries and errors; returns the decoded answer. */
  async request(method: string, path: string, call: Call = {}): Promise<unknown> {
    const headers: Record<string, string> = {};
    if (method === "POST") headers["Idempotency-Key"] = call.idempotencyKey ?? newKey();
    let renewed = false;
    for (let tries = 1; ; tries++) {
      try {
        return await this.#tryOnce(method, path, call, headers);
      } catch (error) {
        if (error instanceof APIError) error.tries = tries;
        if (error instanceof AuthenticationError) {
          // A 401 means that nothing happened; a renewed token is worth one more try.
          if (renewed || !this.session || path.startsWith("/auth/")) throw error;
          renewed = true;
          await this.renew(this.session);
          continue;
        }
        const pause = pauseMs(error, method, tries);
        if (pause === undefined || tries > this.maxRetries) {
          throw await this.#explained(error, path, call.signal);
        }
        await sleep(pause, call.signal);
      }
    }
  }

  /** Give what says who asks, renewing a token that is about to expire. */
  async credential(path = ""): Promise<{ token?: string; headers: Record<string, string> }> {
    if (path.startsWith("/auth/refresh")) return { headers: {} };
    const session = this.session;
    if (!session) {
      const key = this.#apiKey;
      return key ? { token: key, headers: { "X-API-Key": key } } : { headers: {} };
    }
    if (performance.now() >= session.renewAtMs && !path.startsWith("/auth/")) {
      await this.renew(session);
    }
    const token = this.session?.accessToken ?? session.accessToken;
    return { token, headers: { Authorization: `Bearer ${token}` } };
  }

  /** Trade a session's refresh token for a new pair, once for all callers that wait. */
  async renew(session: TokenSession): Promise<void> {
    if (this.session !== session) return;
    this.#renewing ??= this.call("POST /auth/refresh", {
      body: { refresh_token: session.refreshToken },
    })
      .then((tokens) => this.useSession(tokens))
      .finally(() => {
        this.#renewing = undefined;
      });
    await this.#renewing;
  }

  async #tryOnce(
    method: string,
    path: string,
    call: Call,
    headers: Record<string, string>,
  ): Promise<unknown> {
    call.signal?.throwIfAborted();
    const sent = { ...headers, ...(await this.credential(path)).headers };
    if (call.body !== undefined) sent["Content-Type"] = "application/json";
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), this.timeoutMs);
    const abort = () => limit.abort();
    call.signal?.addEventListener("abort", abort);
    try {
      const response = await fetch(this.baseUrl + path + queryText(call.query), {
        method,
        headers: sent,
        body: call.body === undefined ? null : JSON.stringify(call.body),
        redirect: "manual",
        credentials: "omit",
        cache: "no-store",
        signal: limit.signal,
      });
      return readAnswer(response, await response.text(), this.baseUrl + path);
    } catch (error) {
      call.signal?.throwIfAborted();
      if (error instanceof APIError || error instanceof NotTandemError) throw error;
      throw this.#unanswered(error, `${method} ${path}`, limit.signal.aborted);
    } finally {
      clearTimeout(timer);
      call.signal?.removeEventListener("abort", abort);
    }
  }

  #unanswered(cause: unknown, what: string, late: boolean): Error {
    if (late) {
      return new RequestTimeoutError(
        `${what} was not answered within ${this.timeoutMs / 1000} s; its outcome is unknown: ` +
          "repeat it with the same idempotencyKey",
        { cause },
      );
    }
    const inner = cause instanceof Error ? (cause.cause ?? cause) : cause;
    const why = inner instanceof Error ? inner.message || inner.name : String(inner);
    return new ConnectionFailedError(
      `cannot reach ${this.baseUrl}: ${why}; is the exchange running there, and is baseUrl right?`,
      { cause },
    );
  }

  /** Ask a server that lacks a path for its version, and say so where it is too old. */
  async #explained(error: unknown, path: string, signal?: AbortSignal): Promise<unknown> {
    const lacking =
      error instanceof APIError && ["NOT_FOUND", "METHOD_NOT_ALLOWED"].includes(error.code);
    if (!lacking || path === "/health") return error;
    let health: { version?: string };
    try {
      health = await this.call("GET /health", { signal });
    } catch (cause) {
      if (!(cause instanceof APIError || cause instanceof NotTandemError)) throw cause;
      return new NotTandemError(
        `${this.baseUrl} has no ${path} and no /health: it is not the root of an exchange; ` +
          "set baseUrl to one, such as http://127.0.0.1:8080",
        { cause: error },
      );
    }
    const version = String(health?.version ?? "");
    if (!isOlder(version)) return error;
    return new ServerTooOldError(
      `${this.baseUrl} is Tandem ${version || "of an unknown version"} and has no ${path}; this ` +
        `client needs ${SERVER_VERSION_MIN.join(".")} or newer: upgrade the exchange`,
      { cause: error },
    );
  }
}

function isOlder(version: string): boolean {
  const [major = -1, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  const [majorMin, minorMin] = SERVER_VERSION_MIN;
  if (Number.isNaN(major)) return true;
  return major < majorMin || (major === majorMin && minor < minorMin);
}

function check(options: TransportOptions): void {
  const { baseUrl, apiKey, timeout, maxRetries } = options;
  if (!/^https?:$/.test(URL.canParse(baseUrl) ? new URL(baseUrl).protocol : "")) {
    throw new TypeError(`baseUrl must be like http://127.0.0.1:8080, was "${baseUrl}"`);
  }
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new TypeError("apiKey must be an evt_... key, without spaces or line ends around it");
  }
  if (!(timeout > 0 && timeout < 2_000_000)) {
    throw new TypeError(`timeout must be a positive number of seconds, was ${timeout}`);
  }
  if (!(Number.isInteger(maxRetries) && maxRetries >= 0)) {
    throw new TypeError(`maxRetries must be a whole number, zero or more, was ${maxRetries}`);
  }
}

/** Tell how long to wait before the same request is sent again; undefined: not at all. */
function pauseMs(error: unknown, method: string, tries: number): number | undefined {
  const lost =
    error instanceof ConnectionFailedError ||
    error instanceof RequestTimeoutError ||
    error instanceof UnknownOutcomeError;
  if (lost) return REPEATABLE.has(method) ? backoffMs(tries - 1) : undefined;
  if (error instanceof RateLimitedError || error instanceof UnavailableError) {
    if (error.retryAfterS > RETRY_AFTER_MAX_S) return undefined;
    return Math.max(error.retryAfterS * 1000, backoffMs(tries - 1));
  }
  return undefined;
}

function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Write a query with its question mark; empty where nothing is asked. */
export function queryText(query: Record<string, unknown> = {}): string {
  const present = Object.entries(query).filter(([, value]) => value !== undefined);
  const written = new URLSearchParams(present.map(([name, value]) => [name, String(value)]));
  return written.size ? `?${written}` : "";
}
