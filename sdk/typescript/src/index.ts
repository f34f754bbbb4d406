/** The client of the Tandem exchange, for browsers and any JavaScript with `fetch`. */

export { Account, type KeyChange, type NewKey, System, type Transfer } from "./account.js";
export { LocalBook } from "./book.js";
export { bookChecksum } from "./checksum.js";
export {
  type ClientOptions,
  type ConnectionOptions,
  DEFAULT_BASE_URL,
  EventTrader,
} from "./client.js";
export * from "./clob.js";
export { fromUnits, toUnits } from "./decimal.js";
export * from "./errors.js";
export type * from "./frames.js";
export type * as wire from "./generated/wire.js";
export type { CallOptions, IntentOptions } from "./options.js";
export { PrivateProtocol } from "./private_protocol.js";
export { BookProtocol, StreamProtocol, TradesProtocol } from "./protocol.js";
export { BookStream, Stream, type StreamOptions } from "./stream.js";
export { type PublicStreamOptions, Streams } from "./streams.js";
export { HttpTransport } from "./transport.js";
