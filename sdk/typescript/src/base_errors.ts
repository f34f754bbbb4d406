/** The two error classes with behaviour; every other one is generated from the Python client's. */

/** The root of all errors of this package. */
export class EventTraderError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** What an error response says. */
export interface Refusal {
  /** The HTTP status. */
  status: number;
  /** The stable error code, such as `INSUFFICIENT_FUNDS`. */
  code: string;
  /** One sentence for people. */
  reason: string;
  /** What the code documents, often empty. */
  details?: Record<string, unknown>;
  /** Name it when you ask for help. */
  requestId?: string;
  /** Seconds to wait before another try; 0 when the server named none. */
  retryAfterS?: number;
}

/**
 * Tandem refused the request. `message` is the server's sentence with its code and what to do.
 *
 * @example
 * try {
 *   await client.clob.placeOrder({ symbol: "vaix", side: "buy", quantity: "1000", price: "0.003" });
 * } catch (error) {
 *   if (error instanceof InsufficientFundsError) console.log(error.reason, error.requestId);
 * }
 */
export class APIError extends EventTraderError {
  /** What to do about it; empty where the reason says it all. */
  static readonly hint: string = "";

  readonly status: number;
  readonly code: string;
  readonly reason: string;
  readonly details: Record<string, unknown>;
  readonly requestId: string;
  readonly retryAfterS: number;
  /** How often the request was sent before this answer came. */
  tries = 1;

  constructor(refusal: Refusal) {
    const text = `${refusal.code} (HTTP ${refusal.status}): ${refusal.reason}`;
    super(text);
    const hint = new.target.hint;
    if (hint) this.message = `${text} What to do: ${hint}.`;
    this.status = refusal.status;
    this.code = refusal.code;
    this.reason = refusal.reason;
    this.details = refusal.details ?? {};
    this.requestId = refusal.requestId ?? "";
    this.retryAfterS = refusal.retryAfterS ?? 0;
  }
}
