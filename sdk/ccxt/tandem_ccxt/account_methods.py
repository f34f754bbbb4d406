"""Unified methods for the account: funds and fees."""

from typing import Any

from ccxt.base.errors import BadSymbol

from tandem_ccxt.market_methods import Params, market_of
from tandem_ccxt.unified import Steps, call, unified


@unified
def fetch_mode(exchange: Any, params: Params = None) -> Steps:
    """Tell which of the account's two worlds its orders go to: ``paper`` or ``live``."""
    chosen = (params or {}).get("mode") or exchange.options.get("mode")
    if chosen:
        return chosen
    account = yield call("account_get_account")
    return "paper" if account["simulation_mode"] else "live"


@unified
def fetch_balance(exchange: Any, params: Params = None) -> Steps:
    """Read the funds of the mode the account trades in, or of ``params["mode"]``."""
    yield call("load_markets")
    mode = yield call("fetch_mode", params)
    answer = yield call("account_get_account_balances")
    return exchange.parse_balance([row for row in answer["balances"] if row["mode"] == mode])


@unified
def fetch_trading_fees(exchange: Any, params: Params = None) -> Steps:
    """Read the account's own rates of every market."""
    yield call("load_markets")
    answer = yield call("private_get_my_fees", params or {})
    return {
        exchange.safe_market(row["symbol"])["symbol"]: _rates(exchange, row)
        for row in answer["pairs"]
    }


@unified
def fetch_trading_fee(exchange: Any, symbol: str, params: Params = None) -> Steps:
    """Read the account's own rates of one market."""
    market = yield from market_of(exchange, symbol)
    fees = yield call("fetch_trading_fees", params or {})
    if market["symbol"] not in fees:
        raise BadSymbol(f"{exchange.id} has no fees for {symbol}")
    return fees[market["symbol"]]


def _rates(exchange: Any, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "symbol": exchange.safe_market(row["symbol"])["symbol"],
        "maker": row["maker_fee_bps"] / 10_000,
        "taker": row["taker_fee_bps"] / 10_000,
        "percentage": True,
        "tierBased": True,
        "info": row,
    }
