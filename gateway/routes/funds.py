"""The funds behind a pair: balance and withdrawal."""

from typing import Any, Final

from event_trader.wire import funds as wire
from event_trader.wire.failure import ErrorCode
from event_trader.wire.orders import ModeQuery

from actors.engine.ledger_commands import Balance
from actors.engine.pair_spec import AssetSpec
from actors.engine.units import Mode
from gateway.codec import format_amount, read_amount
from gateway.endpoint import Access, Call, Route
from gateway.errors import ApiError, invalid
from gateway.order_view import MODES
from gateway.routes.orders import PREFIX


async def balance(call: Call) -> dict[str, Any]:
    """Show the funds the pair trades with, after everything a reply has shown is settled."""
    mode, spec = call.mode(), call.spec
    found = await call.services.deps.accounts.balances(call.principal.user_id)
    funds = {b.asset: b for b in found if b.mode is mode}
    base = _shown(spec.base, mode, funds.get(spec.base.symbol))
    quote = _shown(spec.quote, mode, funds.get(spec.quote.symbol))
    return {
        "symbol": spec.symbol,
        "mode": MODES[mode],
        "base": base,
        "quote": quote,
        "base_balance": base["total"],
        "quote_balance": quote["total"],
        "pending_settlements": 0,
    }


def _shown(asset: AssetSpec, mode: Mode, balance: Balance | None) -> dict[str, Any]:
    """Show one asset: live funds are on chain, paper funds are credits of the exchange."""
    available, held = (balance.available_raw, balance.held_raw) if balance else (0, 0)
    total = format_amount(available + held, asset.decimals)
    live = mode is Mode.LIVE
    return {
        "asset": asset.symbol,
        "on_chain": total if live else "0",
        "fill_credits": "0" if live else total,
        "available": format_amount(available, asset.decimals),
        "locked": format_amount(held, asset.decimals),
        "total": total,
    }


async def withdraw(call: Call) -> dict[str, Any]:
    """Send live funds to a chain; refused where no custody is configured."""
    asked, spec = call.body, call.spec
    assets = {spec.base.symbol: spec.base, spec.quote.symbol: spec.quote}
    name = (asked.asset or spec.base.symbol).upper()
    asset = assets.get(name)
    if asset is None:
        known = " or ".join(assets)
        raise ApiError(400, ErrorCode.UNKNOWN_ASSET, f"asset must be {known}, was {name}.")
    read_amount(asked.amount, asset.decimals)
    chains = {pool.chain for pool in spec.pools}
    if asked.chain is not None and asked.chain not in chains:
        raise invalid(("body", "chain"), f"must be one of {', '.join(sorted(chains)) or 'none'}")
    if call.mode() is Mode.PAPER and not call.principal.user.simulation_mode:
        message = "Paper funds cannot be withdrawn."
        raise ApiError(409, ErrorCode.PAPER_NOT_WITHDRAWABLE, message)
    message = f"Live trading of {spec.symbol} is not enabled: no custody is configured."
    raise ApiError(409, ErrorCode.LIVE_NOT_ENABLED, message)


ROUTES: Final = (
    Route(
        method="GET", path=f"{PREFIX}/{{symbol}}/balance", handler=balance, tag="funds",
        summary="Funds of a pair's two assets", access=Access.READ, query=ModeQuery,
        response=wire.PairBalance,
    ),
    Route(
        method="POST", path=f"{PREFIX}/{{symbol}}/withdraw", handler=withdraw, tag="funds",
        summary="Withdraw live funds", access=Access.WITHDRAW, body=wire.WithdrawRequest,
        response=wire.Withdrawal, idempotent=True,
        errors=(
            ErrorCode.UNKNOWN_ASSET, ErrorCode.INVALID_AMOUNT, ErrorCode.LIVE_NOT_ENABLED,
            ErrorCode.PAPER_NOT_WITHDRAWABLE,
        ),
    ),
)  # fmt: skip
