/** What a caller may say beside a request, and how camelCase options become the API's fields. */

import { decimalText } from "./decimal.js";
import type { DecimalInput } from "./generated/wire.js";

type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

/** A wire model as options: the same fields in camelCase. */
export type Options<Model> = {
  [Name in keyof Model as Name extends string ? CamelCase<Name> : never]: Model[Name] | undefined;
};

/** What every method takes last. */
export interface CallOptions {
  /** Ends the wait; the request may have been applied all the same. */
  signal?: AbortSignal | undefined;
}

/** What methods that place or move something take last. */
export interface IntentOptions extends CallOptions {
  /**
   * Your own name for this intent. Without one the call makes one and keeps it over its retries;
   * repeat a call whose outcome you do not know with the same key.
   */
  idempotencyKey?: string | undefined;
}

const DECIMALS = new Set(
  (
    "quantity price stopPrice displayQty priceLow priceHigh minPrice maxPrice priceLimit " +
    "maxSlippagePct amount"
  ).split(" "),
);

/**
 * Write options as the API's fields: snake_case, decimals as text, absent ones left out.
 *
 * @throws TypeError: a number cannot hold its decimal exactly.
 */
export function fields(options: object): Record<string, unknown> {
  const written: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || value === null) continue;
    const field = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    written[field] = DECIMALS.has(name) ? decimalText(name, value as DecimalInput) : value;
  }
  return written;
}

/** Give a pair's name as a path has it: `vaix`, `VAIX` and `VAIX/USDC` all name one. */
export function pairName(symbol: string): string {
  if (!symbol) throw new TypeError('symbol must not be empty; give a base symbol such as "vaix"');
  return symbol.replaceAll("/", "-");
}
