"""Balances as the contract shows them: per pair, per asset and mode."""

from typing import Any

from actors.engine.ledger_commands import Balance
from actors.engine.pair_spec import AssetSpec
from actors.engine.units import Mode, UserId
from gateway.codec import format_amount
from gateway.order_view import MODES
from gateway.services import Services


async def every_asset(services: Services, owner: UserId, modes: tuple[Mode, ...]) -> list[Any]:
    """Show every listed asset of an owner in the given modes; what it never had is zero."""
    found = {(b.asset, b.mode): b for b in await services.deps.accounts.balances(owner)}
    return [
        shown(asset, mode, found.get((name, mode)))
        for name, asset in services.assets.items()
        for mode in modes
    ]


def shown(asset: AssetSpec, mode: Mode, balance: Balance | None) -> dict[str, Any]:
    """Show one asset's funds in one mode."""
    available, held = (balance.available_raw, balance.held_raw) if balance else (0, 0)
    return {
        "asset": asset.symbol,
        "mode": MODES[mode],
        "available": format_amount(available, asset.decimals),
        "locked": format_amount(held, asset.decimals),
        "total": format_amount(available + held, asset.decimals),
    }
