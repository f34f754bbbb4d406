// Made by generate.py; change the Python sources and run it again.

/** A decimal as requests take it: a string, or an integer number. */
export type DecimalInput = string | number | bigint;

/** An account, with its tier and its open-order bound. */
export interface Account {
  id: string;
  email: string;
  username: string;
  role: "user" | "admin";
  simulation_mode: boolean;
  /** RFC 3339, UTC, milliseconds. */
  created_at: string;
  tier: string;
  open_orders_max: number;
}

/** Every asset in both modes. */
export interface AccountBalances {
  balances: ModeBalance[];
}

/** Change the account; a field that is left out stays as it is. */
export interface AccountChange {
  simulation_mode?: boolean | null;
  username?: string | null;
  email?: string | null;
}

/** One amendment of a batch. */
export interface AmendItem {
  price?: DecimalInput | null;
  quantity?: DecimalInput | null;
  order_id: string;
}

/** The new price, the new *total* quantity, or both. */
export interface AmendOrderRequest {
  price?: DecimalInput | null;
  quantity?: DecimalInput | null;
}

/** A key as it is listed. */
export interface ApiKey {
  id: string;
  name: string;
  key_prefix: string;
  permissions: KeyPermissions;
  ip_whitelist: string[];
  allowed_markets: string[];
  is_active: boolean;
  last_used_at: string | null;
  expires_at: string | null;
  /** RFC 3339, UTC, milliseconds. */
  created_at: string;
}

/** Change an API key; a field that is left out stays as it is. */
export interface ApiKeyChange {
  name?: string | null;
  permissions?: Permissions | null;
  ip_whitelist?: string[] | null;
  allowed_markets?: string[] | null;
  is_active?: boolean | null;
}

/** The new key; it is shown this once. */
export interface ApiKeyFromLogin {
  api_key: string;
  api_key_id: string;
}

/** The account's keys, oldest first. */
export interface ApiKeyList {
  api_keys: ApiKey[];
}

/** Make an API key (read and trade) from a name and a password, in one call. */
export interface ApiKeyLoginRequest {
  email?: string | null;
  username?: string | null;
  password: string;
  key_name?: string;
}

/** Make an API key. Empty lists mean any address and any market. */
export interface ApiKeyRequest {
  name: string;
  permissions?: Permissions;
  ip_whitelist?: string[];
  allowed_markets?: string[];
  expires_in_days?: number | null;
}

/** One asset's funds in one mode; `total` is `available + locked`. */
export interface AssetBalance {
  asset: string;
  /** Decimal. */
  on_chain: string;
  /** Decimal. */
  fill_credits: string;
  /** Decimal. */
  available: string;
  /** Decimal. */
  locked: string;
  /** Decimal. */
  total: string;
}

/** Up to fifty amendments. A bare array is accepted as well. */
export interface BatchAmendRequest {
  orders: unknown[];
}

/** Up to fifty orders to cancel. */
export interface BatchCancelRequest {
  mode?: "live" | "paper";
  /** Overrides `mode` when given. */
  paper?: boolean | null;
  order_ids: string[];
}

/** Up to ten orders; each stands alone. A bare array of orders is accepted as well. */
export interface BatchPlaceRequest {
  orders: unknown[];
}

/** What became of a batch, item by item. */
export interface BatchResult {
  total: number;
  successful: number;
  failed: number;
  results: OrderResult[];
}

/** The best bid and offer. */
export interface Bbo {
  symbol: string;
  mode: "live" | "paper";
  best_bid: string | null;
  best_bid_size: string | null;
  best_ask: string | null;
  best_ask_size: string | null;
  spread: string | null;
  mid_price: string | null;
  spread_bps: string | null;
  source: QuoteSource;
  sequence: number;
  /** RFC 3339, UTC, milliseconds. */
  timestamp: string;
}

/** A book, best first; `*_sources[i]` says who gives level i. */
export interface Book {
  symbol: string;
  mode: "live" | "paper";
  hybrid: boolean;
  sequence: number;
  /** RFC 3339, UTC, milliseconds. */
  timestamp: string;
  bids: [string, string][];
  asks: [string, string][];
  bid_sources: LevelSource[][];
  ask_sources: LevelSource[][];
  best_bid: string | null;
  best_ask: string | null;
  spread: string | null;
  mid_price: string | null;
}

/** Which side to cancel; both when left out. */
export interface CancelAllQuery {
  mode?: "live" | "paper" | null;
  /** Overrides `mode` when given. */
  paper?: boolean | null;
  side?: "buy" | "sell" | null;
}

/** How many orders were cancelled, and which. */
export interface CancelAllResult {
  cancelled: number;
  order_ids: string[];
}

/** One interval; `time` is its first second, Unix time. */
export interface Candle {
  time: number;
  /** Decimal. */
  open: string;
  /** Decimal. */
  high: string;
  /** Decimal. */
  low: string;
  /** Decimal. */
  close: string;
  /** Decimal. */
  volume: string;
  trades: number;
}

/** A pair's tokens and pools on one chain. */
export interface Chain {
  base_address: string;
  quote_address: string;
  pools: Pool[];
}

/** The feed of one chain, as it described itself within the last seconds. */
export interface ChainFeed {
  chain: string;
  source: string;
  node: number;
  nodes: number;
  block: number;
  age_ms: number;
  reconnects: number;
  reorgs: number;
  problem: string;
}

/** Candles, oldest first, without gaps. */
export interface Chart {
  symbol: string;
  mode: "live" | "paper";
  interval: "1m" | "5m" | "15m" | "1h" | "4h" | "1d";
  candles: Candle[];
}

/** Which candles, and how many of the newest. */
export interface ChartQuery {
  mode?: "live" | "paper" | null;
  /** Overrides `mode` when given. */
  paper?: boolean | null;
  interval?: "1m" | "5m" | "15m" | "1h" | "4h" | "1d";
  limit?: number;
}

/** A name and a password: exactly one of `email` and `username`. */
export interface Credentials {
  email?: string | null;
  username?: string | null;
  password: string;
}

/** The switch as it stands. */
export interface DeadMansSwitch {
  active: boolean;
  timeout_ms: number | null;
  expires_at: string | null;
}

/** Cancel everything when no heartbeat comes for this long. */
export interface DeadMansSwitchRequest {
  timeout_ms?: number;
}

/** At least how many levels a side. */
export interface DepthQuery {
  mode?: "live" | "paper" | null;
  /** Overrides `mode` when given. */
  paper?: boolean | null;
  depth?: number;
}

/** Every code an error can have. Append-only: a code never changes its meaning. */
export type ErrorCode = "BAD_REQUEST" | "VALIDATION_ERROR" | "INVALID_JSON" | "DUPLICATE_KEY" | "TOO_DEEP" | "BODY_TOO_LARGE" | "UNSUPPORTED_MEDIA_TYPE" | "NOT_FOUND" | "METHOD_NOT_ALLOWED" | "UNAUTHENTICATED" | "INVALID_CREDENTIALS" | "TOKEN_EXPIRED" | "TOKEN_INVALID" | "REFRESH_REUSED" | "KEY_INVALID" | "PERMISSION_DENIED" | "IP_NOT_ALLOWED" | "MARKET_NOT_ALLOWED" | "JWT_REQUIRED" | "EMAIL_TAKEN" | "USERNAME_TAKEN" | "KEY_NOT_FOUND" | "TOO_MANY_KEYS" | "SUB_ACCOUNT_NOT_FOUND" | "TOO_MANY_SUB_ACCOUNTS" | "UNKNOWN_ASSET" | "INVALID_AMOUNT" | "RATE_LIMITED" | "IDEMPOTENCY_MISMATCH" | "BUSY" | "RECOVERING" | "UNAVAILABLE" | "UNKNOWN_OUTCOME" | "INTERNAL" | "UNKNOWN_SYMBOL" | "PRICE_OFF_TICK" | "QUANTITY_OFF_LOT" | "MARKET_HALTED" | "INVALID_QUANTITY" | "QUANTITY_TOO_SMALL" | "QUANTITY_TOO_LARGE" | "INVALID_PRICE" | "PRICE_REQUIRED" | "STOP_PRICE_REQUIRED" | "INVALID_STOP_PRICE" | "INVALID_DISPLAY_QTY" | "INVALID_EXPIRY" | "INVALID_PRICE_RANGE" | "INVALID_SLICES" | "LIVE_NOT_ENABLED" | "INVALID_COMBINATION" | "ORDER_NOT_FOUND" | "ORDER_CLOSED" | "TWAP_NOT_FOUND" | "TWAP_CLOSED" | "NOTHING_TO_AMEND" | "NOT_AMENDABLE" | "TOO_MANY_OPEN_ORDERS" | "INSUFFICIENT_FUNDS" | "WOULD_TAKE" | "WOULD_NOT_FILL" | "STOP_WOULD_TRIGGER" | "NO_REFERENCE_PRICE" | "DEAD_MANS_SWITCH_INACTIVE" | "PAPER_NOT_WITHDRAWABLE" | "OPEN_ORDERS_REMAIN" | "UPGRADE_REQUIRED" | "TOO_MANY_CONNECTIONS";

/** The error itself; `details` is what the code documents, often empty. */
export interface ErrorInfo {
  code: ErrorCode;
  message: string;
  details: Record<string, unknown>;
}

/** Every error, in both forms that clients read: `detail` and `error`. */
export interface ErrorResponse {
  detail: string | FieldProblem[];
  error: ErrorInfo;
  request_id: string;
}

/** The rates of every pair and tier. */
export interface FeeSchedule {
  pairs: PairFees[];
}

/** The rates of one tier on one pair. */
export interface FeeTier {
  tier: string;
  maker_fee_bps: number;
  taker_fee_bps: number;
}

/** One fault of a request: where, what, and of which kind. */
export interface FieldProblem {
  loc: (string | number)[];
  msg: string;
  type: string;
}

/** One execution of one's order. */
export interface Fill {
  trade_id: string;
  /** Decimal. */
  price: string;
  /** Decimal. */
  quantity: string;
  side: "buy" | "sell";
  role: "maker" | "taker";
  venue: string;
  chain: string | null;
  /** Decimal. */
  fee: string;
  fee_asset: string;
  /** RFC 3339, UTC, milliseconds. */
  timestamp: string;
}

/** The process is alive. */
export interface Health {
  status: "ok";
  gateway: string;
  version: string;
}

/** One page of closed orders. */
export interface HistoryQuery {
  mode?: "live" | "paper" | null;
  /** Overrides `mode` when given. */
  paper?: boolean | null;
  limit?: number;
  offset?: number;
}

/** What a key may do. */
export interface KeyPermissions {
  read: boolean;
  trade: boolean;
  withdraw: boolean;
}

/** Milliseconds, over the last minutes. */
export interface Latency {
  p50_ms: number;
  p99_ms: number;
  p999_ms: number;
  count: number;
}

/** What one venue gives to a level. */
export interface LevelSource {
  venue: string;
  chain: string | null;
  /** Decimal. */
  size: string;
}

/** Begin a session. */
export interface LoginRequest {
  email?: string | null;
  username?: string | null;
  password: string;
}

/** End the session the refresh token belongs to. */
export interface LogoutRequest {
  refresh_token: string;
}

/** One pair's figures. */
export interface Market {
  symbol: string;
  pair: string;
  mode: "live" | "paper";
  /** Decimal. */
  price: string;
  /** Decimal. */
  change_24h: string;
  /** Decimal. */
  volume_24h: string;
  /** Decimal. */
  high_24h: string;
  /** Decimal. */
  low_24h: string;
  /** Decimal. */
  liquidity: string;
  /** Decimal. */
  market_cap: string;
  chains: string[];
  status: "trading" | "halted" | "recovering";
  /** RFC 3339, UTC, milliseconds. */
  updated_at: string;
}

/** Every pair's figures. */
export interface Markets {
  markets: Market[];
}

/** Who is logged in. */
export interface Me {
  user: User;
}

/** Latency of the order path and depth of each book. */
export interface Metrics {
  gateway: string;
  pairs: PairMetrics[];
}

/** One asset's funds in one mode. */
export interface ModeBalance {
  asset: string;
  mode: "live" | "paper";
  /** Decimal. */
  available: string;
  /** Decimal. */
  locked: string;
  /** Decimal. */
  total: string;
}

/** Which of the two worlds a request is for; a simulation account is always paper. */
export interface ModeFields {
  mode?: "live" | "paper";
  /** Overrides `mode` when given. */
  paper?: boolean | null;
}

/** Which of the two worlds is read or changed. */
export interface ModeQuery {
  mode?: "live" | "paper" | null;
  /** Overrides `mode` when given. */
  paper?: boolean | null;
}

/** The user's own rates. */
export interface MyFees {
  tier: string;
  pairs: MyPairFees[];
}

/** The user's own rates on one pair. */
export interface MyPairFees {
  symbol: string;
  pair: string;
  fee_asset: string;
  maker_fee_bps: number;
  taker_fee_bps: number;
}

/** A key at its birth: the only time `key` is shown. */
export interface NewApiKey {
  key: string;
  id: string;
  name: string;
  permissions: KeyPermissions;
  ip_whitelist: string[];
  allowed_markets: string[];
  is_active: boolean;
  expires_at: string | null;
  /** RFC 3339, UTC, milliseconds. */
  created_at: string;
}

/** An order, the same shape wherever it is shown. */
export interface Order {
  id: string;
  order_id: string;
  client_order_id: string | null;
  symbol: string;
  pair: string;
  side: "buy" | "sell";
  order_type: "limit" | "market" | "ioc" | "post_only" | "stop_limit" | "fok" | "stop_market";
  mode: "live" | "paper";
  /** Decimal. */
  price: string;
  stop_price: string | null;
  /** Decimal. */
  quantity: string;
  /** Decimal. */
  filled_quantity: string;
  /** Decimal. */
  remaining_quantity: string;
  average_price: string | null;
  status: "pending_trigger" | "open" | "partially_filled" | "filled" | "canceled" | "expired" | "rejected";
  reason: string | null;
  stp_mode: "cancel_resting" | "cancel_incoming" | "cancel_both" | "cancel_taker" | "decrement_and_cancel";
  route_mode: "auto" | "cex" | "dex";
  time_in_force: "gtc" | "gtt" | "ioc" | "fok";
  expire_at: string | null;
  display_qty: string | null;
  parent_id: string | null;
  /** Decimal. */
  fee_total: string;
  fee_asset: string;
  /** RFC 3339, UTC, milliseconds. */
  created_at: string;
  /** RFC 3339, UTC, milliseconds. */
  updated_at: string;
  sequence: number;
  settlement_status: "none" | "pending" | "settled" | "delayed" | "failed";
  fills: Fill[];
}

/** One page of closed orders, newest first. */
export interface OrderHistory {
  orders: Order[];
  total: number;
  limit: number;
  offset: number;
  has_more: boolean;
}

/** Open orders, oldest first. */
export interface OrderList {
  orders: Order[];
}

/** What became of one item of a batch: an order, or an error. */
export interface OrderResult {
  index: number;
  order_id?: string | null;
  order?: Order | null;
  error?: ErrorInfo | null;
}

/** One of the user's own trades; `side` is the user's own. */
export interface OwnTrade {
  trade_id: string;
  order_id: string;
  /** Decimal. */
  price: string;
  /** Decimal. */
  quantity: string;
  side: "buy" | "sell";
  role: "maker" | "taker";
  venue: string;
  /** Decimal. */
  fee: string;
  fee_asset: string;
  /** RFC 3339, UTC, milliseconds. */
  timestamp: string;
}

/** Own trades, newest first. */
export interface OwnTrades {
  trades: OwnTrade[];
}

/** How many of the newest own trades. */
export interface OwnTradesQuery {
  mode?: "live" | "paper" | null;
  /** Overrides `mode` when given. */
  paper?: boolean | null;
  limit?: number;
}

/** A listed pair. */
export interface Pair {
  symbol: string;
  pair: string;
  base_symbol: string;
  quote_symbol: string;
  base_decimals: number;
  quote_decimals: number;
  /** Decimal. */
  tick_size: string;
  /** Decimal. */
  lot_size: string;
  /** Decimal. */
  min_order_size: string;
  maker_fee_bps: number;
  taker_fee_bps: number;
  status: "trading" | "halted" | "recovering";
  chains: Record<string, Chain>;
}

/** The funds a pair trades with. */
export interface PairBalance {
  symbol: string;
  mode: "live" | "paper";
  base: AssetBalance;
  quote: AssetBalance;
  /** Decimal. */
  base_balance: string;
  /** Decimal. */
  quote_balance: string;
  pending_settlements: number;
}

/** The rates of one pair. */
export interface PairFees {
  symbol: string;
  pair: string;
  fee_asset: string;
  tiers: FeeTier[];
}

/** One pair as this gateway sees it. */
export interface PairMetrics {
  symbol: string;
  latency: Latency;
  bid_levels: number;
  ask_levels: number;
  sequence: number;
}

/** The listing. */
export interface Pairs {
  pairs: Pair[];
}

/** Paper balances after the reset, and how many orders were cancelled for it. */
export interface PaperReset {
  cancelled: number;
  balances: ModeBalance[];
}

/** What a key may do. */
export interface Permissions {
  read?: boolean;
  trade?: boolean;
  withdraw?: boolean;
}

/** One order. */
export interface PlaceOrderRequest {
  mode?: "live" | "paper";
  /** Overrides `mode` when given. */
  paper?: boolean | null;
  side: "buy" | "sell";
  /** Base units; a multiple of lot_size. */
  quantity: DecimalInput;
  /** Required unless the order is a market order; "0" means none. */
  price?: DecimalInput;
  order_type?: "limit" | "market" | "ioc" | "post_only" | "stop_limit" | "fok" | "stop_market";
  stop_price?: DecimalInput | null;
  stp_mode?: "cancel_resting" | "cancel_incoming" | "cancel_both" | "cancel_taker" | "decrement_and_cancel";
  time_in_force_ms?: number | null;
  /** Epoch microseconds, in the future. */
  expire_at?: number | null;
  /** Iceberg: the visible tranche. */
  display_qty?: DecimalInput | null;
  route_mode?: "auto" | "cex" | "dex";
  /** Accepted and ignored. */
  position_id?: unknown;
  client_order_id?: string | null;
}

/** A quantity spread over prices: all orders are placed, or none. */
export interface PlaceScaleRequest {
  mode?: "live" | "paper";
  /** Overrides `mode` when given. */
  paper?: boolean | null;
  side: "buy" | "sell";
  quantity: DecimalInput;
  price_low?: DecimalInput | null;
  price_high?: DecimalInput | null;
  /** Another name of price_low. */
  min_price?: DecimalInput | null;
  /** Another name of price_high. */
  max_price?: DecimalInput | null;
  num_orders?: number;
  distribution?: "linear" | "exponential";
}

/** A quantity spread over time. */
export interface PlaceTwapRequest {
  mode?: "live" | "paper";
  /** Overrides `mode` when given. */
  paper?: boolean | null;
  side: "buy" | "sell";
  quantity: DecimalInput;
  duration_minutes?: number;
  num_slices?: number;
  /** "0" means none. */
  price_limit?: DecimalInput;
  randomize?: boolean;
  /** Per cent, above 0 up to 100. */
  max_slippage_pct?: DecimalInput | null;
}

/** An AMM pool beside a pair's book. */
export interface Pool {
  venue: string;
  kind: string;
  address: string;
  fee_bps: number;
}

/** All a trader needs before an order, in one call. */
export interface Preflight {
  pair: string;
  symbol: string;
  mode: "live" | "paper";
  user_id: string;
  /** Decimal. */
  base_balance: string;
  /** Decimal. */
  quote_balance: string;
  best_bid: string | null;
  best_ask: string | null;
  spread: string | null;
  server_ms: number;
}

/** Where each side's best comes from. */
export interface QuoteSource {
  bid: "clob" | "hybrid" | null;
  ask: "clob" | "hybrid" | null;
}

/** The exchange can trade: every part is `ready`. */
export interface Ready {
  status: "ready";
  redis: boolean;
  pairs: Record<string, "ready">;
  shards: Record<string, "ready">;
}

/** Trade a refresh token for a new pair; the old one is used up. */
export interface RefreshRequest {
  refresh_token: string;
}

/** Open an account. Both consents must be true. */
export interface RegisterRequest {
  email: string;
  username: string;
  password: string;
  tos_accepted: true;
  privacy_policy_accepted: true;
}

/** A scale as it was placed. */
export interface Scale {
  scale_id: string;
  symbol: string;
  mode: "live" | "paper";
  distribution: "linear" | "exponential";
  orders: Order[];
}

/** The exchange's clock. */
export interface ServerTime {
  /** RFC 3339, UTC, milliseconds. */
  timestamp: string;
  epoch_ms: number;
}

/** A pair of tokens and whose they are. */
export interface Session {
  access_token: string;
  refresh_token: string;
  token_type: "bearer";
  expires_in: number;
  user: User;
}

/** Price, supply and the last 24 hours. */
export interface Stats {
  symbol: string;
  mode: "live" | "paper";
  /** Decimal. */
  price: string;
  /** Decimal. */
  supply: string;
  /** Decimal. */
  market_cap: string;
  /** Decimal. */
  volume_24h: string;
  /** Decimal. */
  change_24h: string;
}

/** A sub-account and its funds. */
export interface SubAccount {
  sub_account_id: string;
  label: string;
  /** RFC 3339, UTC, milliseconds. */
  created_at: string;
  balances: ModeBalance[];
}

/** The account's sub-accounts, oldest first. */
export interface SubAccountList {
  sub_accounts: SubAccount[];
}

/** Open a sub-account. */
export interface SubAccountRequest {
  label: string;
}

/** The last 24 hours and the best quotes. */
export interface Ticker {
  symbol: string;
  mode: "live" | "paper";
  /** Decimal. */
  last: string;
  /** Decimal. */
  open_24h: string;
  /** Decimal. */
  high_24h: string;
  /** Decimal. */
  low_24h: string;
  /** Decimal. */
  volume_24h: string;
  /** Decimal. */
  quote_volume_24h: string;
  /** Decimal. */
  change_24h: string;
  /** Decimal. */
  change_pct_24h: string;
  trades_24h: number;
  best_bid: string | null;
  best_ask: string | null;
  /** RFC 3339, UTC, milliseconds. */
  timestamp: string;
}

/** A public trade; `side` is the taker's. */
export interface Trade {
  trade_id: string;
  /** Decimal. */
  price: string;
  /** Decimal. */
  quantity: string;
  side: "buy" | "sell";
  venue: string;
  chain: string | null;
  /** RFC 3339, UTC, milliseconds. */
  timestamp: string;
}

/** Public trades, newest first. */
export interface Trades {
  trades: Trade[];
}

/** How many of the newest trades. */
export interface TradesQuery {
  mode?: "live" | "paper" | null;
  /** Overrides `mode` when given. */
  paper?: boolean | null;
  limit?: number;
}

/** Move available funds to a sub-account, or from one (back to the account or to another). */
export interface TransferRequest {
  mode?: "live" | "paper";
  /** Overrides `mode` when given. */
  paper?: boolean | null;
  /** The receiver; the account itself when left out. */
  to_sub_account_id?: string | null;
  /** The sender; the account itself when left out. */
  from_sub_account_id?: string | null;
  amount: DecimalInput;
  currency: string;
}

/** A transfer as it was done. */
export interface TransferResult {
  transfer_id: string;
  from_account_id: string;
  to_account_id: string;
  /** Decimal. */
  amount: string;
  currency: string;
  mode: "live" | "paper";
}

/** A TWAP and its progress. */
export interface Twap {
  twap_id: string;
  symbol: string;
  mode: "live" | "paper";
  status: "active" | "completed" | "canceled";
  reason: string | null;
  side: "buy" | "sell";
  /** Decimal. */
  quantity: string;
  /** Decimal. */
  filled_quantity: string;
  average_price: string | null;
  /** Decimal. */
  price_limit: string;
  slices_done: number;
  num_slices: number;
  next_slice_at: string | null;
  /** RFC 3339, UTC, milliseconds. */
  created_at: string;
  /** RFC 3339, UTC, milliseconds. */
  ends_at: string;
  children: string[];
}

/** Active TWAPs, oldest first. */
export interface TwapList {
  twaps: Twap[];
}

/** An account. */
export interface User {
  id: string;
  email: string;
  username: string;
  role: "user" | "admin";
  simulation_mode: boolean;
  /** RFC 3339, UTC, milliseconds. */
  created_at: string;
}

/** One place a pair trades at. */
export interface Venue {
  venue: string;
  chain: string | null;
  kind: string;
  pool: string | null;
  price: string | null;
  /** Decimal. */
  bid_liquidity: string;
  /** Decimal. */
  ask_liquidity: string;
  /** Decimal. */
  liquidity: string;
  /** Decimal. */
  share: string;
  fee_bps: number;
  block: number | null;
  age_ms: number;
  status: "live" | "stale" | "down";
  source: string | null;
  detail: string | null;
}

/** Every place a pair trades at, the order book first. */
export interface Venues {
  symbol: string;
  mode: "live" | "paper";
  venues: Venue[];
  feeds: ChainFeed[];
  /** Decimal. */
  total_liquidity: string;
}

/** Send live funds to a chain address. */
export interface WithdrawRequest {
  mode?: "live" | "paper";
  /** Overrides `mode` when given. */
  paper?: boolean | null;
  amount: DecimalInput;
  destination?: string | null;
  /** Another name of destination. */
  destination_address?: string | null;
  /** The base token when left out. */
  asset?: string | null;
  chain?: string | null;
}

/** A withdrawal and how far it is. */
export interface Withdrawal {
  withdrawal_id: string;
  status: "pending" | "broadcast" | "confirmed" | "failed";
  asset: string;
  chain: string;
  /** Decimal. */
  amount: string;
  destination: string;
  tx_hash: string | null;
}
