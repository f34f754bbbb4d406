"""What ccxt is told about Tandem: capabilities, time frames, URLs, fees, features."""

from typing import Any

Described = dict[str, Any]

TIMEFRAMES = {"1m": "1m", "5m": "5m", "15m": "15m", "1h": "1h", "4h": "4h", "1d": "1d"}
DEFAULT_URL = "http://127.0.0.1:8080"
PUBLIC_INTERVAL_MS = 2_000
"""30 requests a minute, what an address may ask without a key; with one, 60 (`COST_WITH_KEY`)."""
COST_WITH_KEY = 0.5
PLACING_COST = 1.0
"""30 orders a minute, the default of a standard account."""

HAS: Described = {
    "CORS": None, "spot": True, "margin": False, "swap": False, "future": False, "option": False,
    "cancelAllOrders": True, "cancelAllOrdersAfter": True, "cancelOrder": True,
    "cancelOrders": True, "cancelOrdersForSymbols": True, "createLimitOrder": True,
    "createMarketOrder": True, "createOrder": True, "createOrders": True,
    "createPostOnlyOrder": True, "createStopLimitOrder": True, "createStopMarketOrder": True,
    "createStopOrder": True, "createTriggerOrder": True, "editOrder": True, "editOrders": True,
    "fetchBalance": True, "fetchBidsAsks": True,
    "fetchCanceledAndClosedOrders": True, "fetchCanceledOrders": True, "fetchClosedOrders": True,
    "fetchCurrencies": False, "fetchLastPrices": True, "fetchMarkets": True, "fetchMyTrades": True,
    "fetchOHLCV": True, "fetchOpenOrders": True, "fetchOrder": True, "fetchOrderBook": True,
    "fetchOrderTrades": True, "fetchOrders": True, "fetchStatus": True, "fetchTicker": True,
    "fetchTickers": True, "fetchTime": True, "fetchTrades": True, "fetchTradingFee": True,
    "fetchTradingFees": True, "sandbox": True, "ws": False,
}  # fmt: skip

PRO_HAS: Described = {
    "ws": True, "watchBalance": True, "watchBidsAsks": True, "watchMyTrades": True,
    "watchOHLCV": True, "watchOHLCVForSymbols": True, "watchOrderBook": True,
    "watchOrderBookForSymbols": True, "watchOrders": True, "watchTicker": True,
    "watchTickers": True, "watchTrades": True, "watchTradesForSymbols": True,
    "unWatchBalance": True, "unWatchBidsAsks": True, "unWatchMyTrades": True, "unWatchOHLCV": True,
    "unWatchOHLCVForSymbols": True, "unWatchOrderBook": True, "unWatchOrderBookForSymbols": True,
    "unWatchOrders": True, "unWatchTicker": True, "unWatchTickers": True, "unWatchTrades": True,
    "unWatchTradesForSymbols": True,
}  # fmt: skip

_PAGE = {
    "marginMode": False, "limit": 500, "daysBack": None, "untilDays": None, "symbolRequired": False,
}  # fmt: skip
_ORDERS = {**_PAGE, "trigger": False, "trailing": False}

FEATURES: Described = {
    "spot": {
        "sandbox": True,
        "createOrder": {
            "marginMode": False, "triggerPrice": True, "triggerDirection": False,
            "triggerPriceType": None, "stopLossPrice": False, "takeProfitPrice": False,
            "attachedStopLossTakeProfit": None,
            "timeInForce": {"IOC": True, "FOK": True, "PO": True, "GTD": True},
            "hedged": False, "trailing": False, "leverage": False,
            "marketBuyByCost": False, "marketBuyRequiresPrice": False, "selfTradePrevention": True,
            "iceberg": True,
        },
        "createOrders": {"max": 10},
        "fetchMyTrades": _PAGE,
        "fetchOrder": {
            "marginMode": False, "trigger": False, "trailing": False, "symbolRequired": False,
        },
        "fetchOpenOrders": {
            "marginMode": False, "limit": 200, "trigger": False, "trailing": False,
            "symbolRequired": False,
        },
        "fetchOrders": _ORDERS,
        "fetchClosedOrders": {**_ORDERS, "daysBackCanceled": None},
        "fetchOHLCV": {"limit": 1000},
    },
    "swap": {"linear": None, "inverse": None},
    "future": {"linear": None, "inverse": None},
}  # fmt: skip


def described() -> Described:
    """Give what `describe` adds to ccxt's own defaults; a new dict each time."""
    return {
        "id": "tandem",
        "name": "Tandem",
        "countries": [],
        "version": "v1",
        "rateLimit": PUBLIC_INTERVAL_MS,
        "rollingWindowSize": 60_000,
        "certified": False,
        "pro": False,
        "has": dict(HAS),
        "timeframes": dict(TIMEFRAMES),
        "urls": {
            "api": {"rest": DEFAULT_URL},
            "www": DEFAULT_URL,
            "doc": [f"{DEFAULT_URL}/docs"],
            "fees": f"{DEFAULT_URL}/api/v1/exchange/fee-schedule",
        },
        "requiredCredentials": {"apiKey": True, "secret": False},
        "fees": {
            "trading": {"feeSide": "quote", "tierBased": True, "percentage": True},
        },
        "features": FEATURES,
        "precisionMode": 4,  # ccxt's TICK_SIZE
        "options": {"mode": None, "hybridBook": True},
    }
