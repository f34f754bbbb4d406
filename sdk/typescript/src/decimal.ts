/** Decimals as the exchange writes them, and as whole numbers to calculate with. */

import type { DecimalInput } from "./generated/wire.js";

/** Places after the point that the exchange accepts at most. */
export const PLACES_MAX = 30;

/**
 * Show a number as the API writes it.
 *
 * @throws TypeError: it is a fraction or an unsafe number, which cannot hold a decimal exactly.
 */
export function decimalText(name: string, value: DecimalInput): string {
  if (typeof value === "string" || typeof value === "bigint") return String(value);
  if (Number.isSafeInteger(value)) return String(value);
  throw new TypeError(
    `${name} must be a decimal string, a bigint or an integer, was ${String(value)}; ` +
      'write fractions as strings, such as "0.003"',
  );
}

/**
 * Read a decimal as a whole number of units of 10^-places.
 *
 * @example toUnits("0.003", 6) // 3000n
 * @throws RangeError: it is no decimal, or has more places.
 */
export function toUnits(text: string, places: number = PLACES_MAX): bigint {
  const found = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  const fraction = found?.[3] ?? "";
  if (!found || /[^0]/.test(fraction.slice(places))) {
    throw new RangeError(`expected a decimal with at most ${places} places, was "${text}"`);
  }
  const units = BigInt(found[2] + fraction.slice(0, places).padEnd(places, "0"));
  return found[1] ? -units : units;
}

/**
 * Show a whole number of units of 10^-places as a decimal, without trailing zeros.
 *
 * @example fromUnits(3000n, 6) // "0.003"
 */
export function fromUnits(units: bigint, places: number = PLACES_MAX): string {
  const digits = (units < 0n ? -units : units).toString().padStart(places + 1, "0");
  const at = digits.length - places;
  const fraction = digits.slice(at).replace(/0+$/, "");
  return `${units < 0n ? "-" : ""}${digits.slice(0, at)}${fraction ? `.${fraction}` : ""}`;
}
