/** The account: who one is, its funds, API keys and sub-accounts; and the server's own state. */

import { member } from "./answer.js";
import type * as wire from "./generated/wire.js";
import { type CallOptions, fields, type IntentOptions, type Options } from "./options.js";
import type { HttpTransport } from "./transport.js";

export type NewKey = Options<Omit<wire.ApiKeyRequest, "permissions">> & wire.Permissions;
export type KeyChange = Options<wire.ApiKeyChange>;
export type Transfer = Options<wire.TransferRequest>;

/** The caller's own account; reached as `client.account`. */
export class Account {
  readonly #http: HttpTransport;

  constructor(http: HttpTransport) {
    this.#http = http;
  }

  /** Read who is logged in: id, email, username, role, simulation mode. */
  async me(options?: CallOptions): Promise<wire.User> {
    return member(await this.#http.call("GET /auth/me", { ...options }), "user");
  }

  /** Read the account with its tier. */
  async profile(options?: CallOptions): Promise<wire.Account> {
    return await this.#http.call("GET /api/v1/account", { ...options });
  }

  /** Change the account (log-in only, no API key); `simulationMode: false` trades live. */
  async update(changes: Options<wire.AccountChange>, options?: CallOptions): Promise<wire.Account> {
    return await this.#http.call("PATCH /api/v1/account", { body: fields(changes), ...options });
  }

  /** List every asset in both modes. */
  async balances(options?: CallOptions): Promise<wire.ModeBalance[]> {
    return member(
      await this.#http.call("GET /api/v1/account/balances", { ...options }),
      "balances",
    );
  }

  /** Cancel the paper orders and set the paper balances back to the grant. */
  async resetPaper(options?: IntentOptions): Promise<wire.PaperReset> {
    return await this.#http.call("POST /api/v1/account/paper/reset", { ...options });
  }

  // API keys; these need a log-in.

  /** List the API keys: prefix, permissions, last use; never the key itself. */
  async apiKeys(options?: CallOptions): Promise<wire.ApiKey[]> {
    return member(await this.#http.call("GET /api/v1/api-keys", { ...options }), "api_keys");
  }

  /**
   * Make an API key; `key` of the answer is shown this once.
   *
   * @example const { key } = await client.account.createApiKey({ name: "bot", trade: true });
   */
  async createApiKey(made: NewKey, options?: IntentOptions): Promise<wire.NewApiKey> {
    const { read = true, trade = false, withdraw = false, ...rest } = made;
    const body = { ...fields(rest), permissions: { read, trade, withdraw } };
    return await this.#http.call("POST /api/v1/api-keys", { body, ...options });
  }

  /** Change name, permissions, addresses, markets or activity of a key. */
  async updateApiKey(
    keyId: string,
    changes: KeyChange,
    options?: CallOptions,
  ): Promise<wire.ApiKey> {
    const call = { path: { key_id: keyId }, body: fields(changes), ...options };
    return await this.#http.call("PATCH /api/v1/api-keys/{key_id}", call);
  }

  /** Revoke a key; its open streams are closed. */
  async deleteApiKey(keyId: string, options?: CallOptions): Promise<void> {
    const call = { path: { key_id: keyId }, ...options };
    await this.#http.call("DELETE /api/v1/api-keys/{key_id}", call);
  }

  // Sub-accounts.

  /** List the sub-accounts with their funds, oldest first. */
  async subAccounts(options?: CallOptions): Promise<wire.SubAccount[]> {
    const body = await this.#http.call("GET /api/v1/exchange/sub-accounts", { ...options });
    return member(body, "sub_accounts");
  }

  /** Open a sub-account. */
  async createSubAccount(label: string, options?: IntentOptions): Promise<wire.SubAccount> {
    const call = { body: { label }, ...options };
    return await this.#http.call("POST /api/v1/exchange/sub-accounts", call);
  }

  /** Move available funds to or from a sub-account; a side left out is the account itself. */
  async transfer(transfer: Transfer, options?: IntentOptions): Promise<wire.TransferResult> {
    const call = { body: fields(transfer), ...options };
    return await this.#http.call("POST /api/v1/exchange/sub-accounts/transfer", call);
  }

  // The session.

  /** End the session of a client made by `EventTrader.fromCredentials`. */
  async logout(options?: CallOptions): Promise<void> {
    const session = this.#http.session;
    if (!session) return;
    const call = { body: { refresh_token: session.refreshToken }, ...options };
    await this.#http.call("POST /auth/logout", call);
    this.#http.session = undefined;
  }
}

/** The exchange's own state; reached as `client.system`. */
export class System {
  readonly #http: HttpTransport;

  constructor(http: HttpTransport) {
    this.#http = http;
  }

  /** Read whether the gateway is alive, and its version. */
  async health(options?: CallOptions): Promise<wire.Health> {
    return await this.#http.call("GET /health", { ...options });
  }

  /**
   * Read whether the exchange can trade.
   *
   * @throws UnavailableError: some part cannot yet.
   */
  async ready(options?: CallOptions): Promise<wire.Ready> {
    return await this.#http.call("GET /ready", { ...options });
  }

  /** Read the OpenAPI document. */
  async openapi(options?: CallOptions): Promise<Record<string, unknown>> {
    return await this.#http.call("GET /openapi.json", { ...options });
  }

  /** Read the gateway's counters in Prometheus' text form. */
  async prometheus(options?: CallOptions): Promise<string> {
    return await this.#http.call("GET /metrics", { ...options });
  }
}
