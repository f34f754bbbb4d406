/** The frames of the WebSocket channels, as the exchange sends them. */

/** (price, size) as shown; a size of "0" removes the level. */
export type Level = readonly [price: string, size: string];
export type Mode = "live" | "paper";
export type Side = "buy" | "sell";

export interface BookSnapshot {
  type: "snapshot";
  symbol: string;
  sequence: number;
  bids: Level[];
  asks: Level[];
  timestamp: string;
  checksum: number;
}

export interface BookUpdate {
  type: "update";
  sequence: number;
  previous_sequence: number;
  bids: Level[];
  asks: Level[];
  timestamp: string;
  checksum: number;
}

export type BookEvent = BookSnapshot | BookUpdate;

export interface TradeFields {
  trade_id: string;
  price: string;
  quantity: string;
  side: Side;
  venue: "CLOB" | "AMM";
  chain: string | null;
  timestamp: string;
}

export interface TradesSnapshot {
  type: "snapshot";
  symbol: string;
  sequence: number;
  trades: TradeFields[];
  timestamp: string;
}

export interface TradeEvent extends TradeFields {
  type: "trade";
  symbol: string;
  sequence: number;
}

/** Trades that can be found no more: read them by REST. */
export interface TradesGap {
  type: "gap";
  missed: number;
}

export type TradesEvent = TradesSnapshot | TradeEvent | TradesGap;

export interface PriceEvent {
  type: "price";
  symbol: string;
  price: string;
  change_24h: string;
  timestamp: string;
}

export interface BboEvent {
  type: "bbo";
  symbol: string;
  best_bid: string | null;
  best_bid_size: string | null;
  best_ask: string | null;
  best_ask_size: string | null;
  sequence: number;
  timestamp: string;
}

export interface MarketRow {
  symbol: string;
  price: string | null;
  volume_24h: string;
  change_24h: string;
  best_bid: string | null;
  best_ask: string | null;
}

export interface MarketsEvent {
  type: "markets";
  markets: MarketRow[];
}

export interface Connected {
  type: "connected";
  user_id: string;
  sequences: Record<string, number>;
  timestamp: string;
}

export interface OrderUpdate {
  type: "order_update";
  order_id: string;
  symbol: string;
  mode: Mode;
  status: string;
  filled_quantity: string;
  remaining_quantity: string;
  average_price: string | null;
  reason: string | null;
  sequence: number;
}

export interface FillEvent {
  type: "fill";
  trade_id: string;
  order_id: string;
  symbol: string;
  mode: Mode;
  price: string;
  quantity: string;
  side: Side;
  role: "maker" | "taker";
  venue: "CLOB" | "AMM";
  fee: string;
  fee_asset: string;
  timestamp: string;
  sequence: number;
}

export interface BalanceUpdate {
  type: "balance_update";
  asset: string;
  mode: Mode;
  available: string;
  locked: string;
  total: string;
}

export interface SettlementUpdate {
  type: "settlement_update";
  order_id: string;
  settlement_status: "settled" | "delayed" | "failed";
  tx_hash: string | null;
  chain: string | null;
}

export interface BotUpdate {
  type: "bot_update";
  [field: string]: unknown;
}

/** Events of a market that can be found no more: read orders and trades by REST. */
export interface PrivateGap {
  type: "gap";
  symbol: string;
  mode: string;
}

export type PrivateEvent =
  | Connected
  | OrderUpdate
  | FillEvent
  | BalanceUpdate
  | SettlementUpdate
  | BotUpdate
  | PrivateGap;

/** What is sent beside the events themselves. */
export interface Heartbeat {
  type: "heartbeat";
  sequence: number;
  timestamp: string;
}

export interface Fault {
  type: "error";
  code: string;
  message: string;
  symbol?: string;
  mode?: string;
}

export interface Resumed {
  type: "resumed";
  symbol: string;
  mode: string;
  sequence: number;
}

/** A frame whose kind is not known yet. */
export interface Frame {
  type: string;
}
