/** The book checksum: CRC-32 over the top ten levels, as Kraken's public feeds define it. */

import type { Level } from "./frames.js";

/** Levels a side that the checksum covers. */
const CHECKSUM_LEVELS = 10;

/** The polynomial of IEEE 802.3, with its bits reversed. */
const POLYNOMIAL = 0xedb88320;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

/** Compute the unsigned CRC-32 of ASCII text. */
export function crc32(text: string): number {
  let crc = 0xffffffff;
  for (let at = 0; at < text.length; at++) {
    crc = (crc >>> 8) ^ (TABLE[(crc ^ text.charCodeAt(at)) & 0xff] ?? 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** Strip a shown decimal to its digits: no point, no leading zeros (`"0.0030"` → `"30"`). */
function digits(shown: string): string {
  return shown.replace(".", "").replace(/^0+/, "");
}

/**
 * Compute the checksum of a book's best levels: asks ascending, then bids descending, each level
 * its price digits followed by its size digits.
 */
export function bookChecksum(bids: Iterable<Level>, asks: Iterable<Level>): number {
  let text = "";
  for (const side of [asks, bids]) {
    let count = 0;
    for (const [price, size] of side) {
      if (count++ === CHECKSUM_LEVELS) break;
      text += digits(price) + digits(size);
    }
  }
  return crc32(text);
}
