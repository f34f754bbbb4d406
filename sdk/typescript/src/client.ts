/** The client: one object, with the exchange's methods under `clob`. */

import { Account, System } from "./account.js";
import { Clob } from "./clob.js";
import { Streams } from "./streams.js";
import { HttpTransport } from "./transport.js";

export const DEFAULT_BASE_URL = "http://127.0.0.1:8080";

/** How a client reaches its exchange. */
export interface ConnectionOptions {
  /** Where the gateway listens. */
  baseUrl?: string | undefined;
  /** Seconds that one try of a request may take (30). */
  timeout?: number | undefined;
  /** Further tries where a repetition is safe (3). */
  maxRetries?: number | undefined;
}

export interface ClientOptions extends ConnectionOptions {
  /** An `evt_…` key; none for public market data only. */
  apiKey?: string | undefined;
}

/**
 * Talk to a Tandem exchange.
 *
 * @example
 * const client = new EventTrader({ apiKey: "evt_..." });
 * const book = await client.clob.orderbook("vaix");
 */
export class EventTrader {
  /** Any path, with the same authentication, retries and errors. */
  readonly http: HttpTransport;
  /** Market data, orders, and the account's side of both. */
  readonly clob: Clob;
  /** The account, its API keys and sub-accounts. */
  readonly account: Account;
  /** The WebSocket channels. */
  readonly stream: Streams;
  /** The exchange's own state. */
  readonly system: System;

  /** @throws TypeError: an option cannot be used; the message says what to give instead. */
  constructor(options: ClientOptions = {}) {
    this.http = new HttpTransport({
      baseUrl: options.baseUrl ?? DEFAULT_BASE_URL,
      apiKey: options.apiKey,
      timeout: options.timeout ?? 30,
      maxRetries: options.maxRetries ?? 3,
    });
    this.clob = new Clob(this.http);
    this.account = new Account(this.http);
    this.stream = new Streams(this.http);
    this.system = new System(this.http);
  }

  /**
   * Log in with email (or username) and password; tokens are renewed before they expire.
   *
   * @throws AuthenticationError: no account has this name and password.
   */
  static async fromCredentials(
    email: string,
    password: string,
    options: ConnectionOptions = {},
  ): Promise<EventTrader> {
    const client = new EventTrader(options);
    const body = { ...named(email), password };
    client.http.useSession(await client.http.call("POST /auth/login", { body }));
    return client;
  }

  /**
   * Open an account, accepting its terms and privacy policy, and log in to it.
   *
   * @throws ConflictError: the email or the username is taken.
   */
  static async register(
    account: { email: string; username: string; password: string },
    options: ConnectionOptions = {},
  ): Promise<EventTrader> {
    const client = new EventTrader(options);
    const body = { ...account, tos_accepted: true, privacy_policy_accepted: true };
    client.http.useSession(await client.http.call("POST /auth/register", { body }));
    return client;
  }

  /** Make an API key that may read and trade, from a name and a password; returns the key. */
  static async createApiKey(
    email: string,
    password: string,
    keyName = "default",
    options: ConnectionOptions = {},
  ): Promise<string> {
    const body = { ...named(email), password, key_name: keyName };
    const client = new EventTrader(options);
    return (await client.http.call("POST /auth/api-key", { body })).api_key;
  }
}

function named(name: string): { email: string } | { username: string } {
  return name.includes("@") ? { email: name } : { username: name };
}
