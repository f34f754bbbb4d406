// Made by generate.py; change the Python sources and run it again.
import type {
  Account,
  AccountBalances,
  ApiKey,
  ApiKeyFromLogin,
  ApiKeyList,
  BatchResult,
  Bbo,
  Book,
  CancelAllResult,
  Chart,
  DeadMansSwitch,
  FeeSchedule,
  Health,
  Markets,
  Me,
  Metrics,
  MyFees,
  NewApiKey,
  Order,
  OrderHistory,
  OrderList,
  OwnTrades,
  PairBalance,
  Pairs,
  PaperReset,
  Preflight,
  Ready,
  Scale,
  ServerTime,
  Session,
  Stats,
  SubAccount,
  SubAccountList,
  Ticker,
  Trades,
  TransferResult,
  Twap,
  TwapList,
  Venues,
  Withdrawal,
} from "./wire.js";

/** Every route of the exchange, and what it answers. */
export interface Routes {
  "DELETE /api/v1/api-keys/{key_id}": undefined;
  "DELETE /api/v1/exchange/dead-mans-switch": DeadMansSwitch;
  "DELETE /api/v1/exchange/orders/all": CancelAllResult;
  "DELETE /api/v1/exchange/{symbol}/orders": CancelAllResult;
  "DELETE /api/v1/exchange/{symbol}/orders/batch": BatchResult;
  "DELETE /api/v1/exchange/{symbol}/orders/{order_id}": Order;
  "DELETE /api/v1/exchange/{symbol}/twap/{twap_id}": Twap;
  "GET /api/v1/account": Account;
  "GET /api/v1/account/balances": AccountBalances;
  "GET /api/v1/api-keys": ApiKeyList;
  "GET /api/v1/clob/preflight/{symbol}": Preflight;
  "GET /api/v1/exchange/fee-schedule": FeeSchedule;
  "GET /api/v1/exchange/markets": Markets;
  "GET /api/v1/exchange/metrics": Metrics;
  "GET /api/v1/exchange/my-fees": MyFees;
  "GET /api/v1/exchange/pairs": Pairs;
  "GET /api/v1/exchange/sub-accounts": SubAccountList;
  "GET /api/v1/exchange/time": ServerTime;
  "GET /api/v1/exchange/{symbol}/balance": PairBalance;
  "GET /api/v1/exchange/{symbol}/bbo": Bbo;
  "GET /api/v1/exchange/{symbol}/book": Book;
  "GET /api/v1/exchange/{symbol}/book/hybrid": Book;
  "GET /api/v1/exchange/{symbol}/chart": Chart;
  "GET /api/v1/exchange/{symbol}/orders": OrderList;
  "GET /api/v1/exchange/{symbol}/orders/history": OrderHistory;
  "GET /api/v1/exchange/{symbol}/orders/open": OrderList;
  "GET /api/v1/exchange/{symbol}/orders/{order_id}": Order;
  "GET /api/v1/exchange/{symbol}/stats": Stats;
  "GET /api/v1/exchange/{symbol}/ticker": Ticker;
  "GET /api/v1/exchange/{symbol}/trades": Trades;
  "GET /api/v1/exchange/{symbol}/trades/mine": OwnTrades;
  "GET /api/v1/exchange/{symbol}/twap": TwapList;
  "GET /api/v1/exchange/{symbol}/venues": Venues;
  "GET /auth/me": Me;
  "GET /docs": string;
  "GET /health": Health;
  "GET /metrics": string;
  "GET /openapi.json": Record<string, unknown>;
  "GET /ready": Ready;
  "PATCH /api/v1/account": Account;
  "PATCH /api/v1/api-keys/{key_id}": ApiKey;
  "PATCH /api/v1/clob/orders/{order_id}": Order;
  "PATCH /api/v1/exchange/{symbol}/orders/batch": BatchResult;
  "PATCH /api/v1/exchange/{symbol}/orders/{order_id}": Order;
  "POST /api/v1/account/paper/reset": PaperReset;
  "POST /api/v1/api-keys": NewApiKey;
  "POST /api/v1/exchange/dead-mans-switch": DeadMansSwitch;
  "POST /api/v1/exchange/dead-mans-switch/heartbeat": DeadMansSwitch;
  "POST /api/v1/exchange/sub-accounts": SubAccount;
  "POST /api/v1/exchange/sub-accounts/transfer": TransferResult;
  "POST /api/v1/exchange/{symbol}/orders": Order;
  "POST /api/v1/exchange/{symbol}/orders/batch": BatchResult;
  "POST /api/v1/exchange/{symbol}/scale": Scale;
  "POST /api/v1/exchange/{symbol}/twap": Twap;
  "POST /api/v1/exchange/{symbol}/withdraw": Withdrawal;
  "POST /auth/api-key": ApiKeyFromLogin;
  "POST /auth/login": Session;
  "POST /auth/logout": undefined;
  "POST /auth/refresh": Session;
  "POST /auth/register": Session;
}
