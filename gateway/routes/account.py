"""The account itself: its switch between paper and live, its profile, its funds."""

import asyncio
from typing import Any, Final

from event_trader.wire import funds as funds_wire
from event_trader.wire import identity as wire
from event_trader.wire.failure import ErrorCode

from actors.engine.units import Mode, Reason
from actors.errors import CommandRefusedError
from gateway.balances import every_asset
from gateway.endpoint import Access, Call, LimitKind, Route
from gateway.errors import ApiError
from gateway.identity import UserRecord
from gateway.routes.auth import shown_user
from gateway.routes.switches import cancel_everywhere

_PATH: Final = "/api/v1/account"
_SETTLE_TRIES: Final = 20
_SETTLE_PAUSE_S: Final = 0.05


async def show(call: Call) -> dict[str, Any]:
    """Show the account."""
    return _shown(call, call.principal.user)


async def change(call: Call) -> dict[str, Any]:
    """Change the account.

    A changed ``simulation_mode`` is answered only when no gateway can remember the old one any
    more: the next request, wherever it goes, is already in the new world.
    """
    services, asked, user = call.services, call.body, call.principal.user
    if asked.email is not None and asked.email != user.email:
        await services.identity.rename(user, "email", asked.email)
    if asked.username is not None and asked.username != user.username:
        await services.identity.rename(user, "username", asked.username)
    if asked.simulation_mode is not None and asked.simulation_mode != user.simulation_mode:
        await services.identity.set_simulation_mode(user.id, on=asked.simulation_mode)
        services.auth.forget(user.id)
        await asyncio.sleep(services.settings.principal_cache_s)
    services.auth.forget(user.id)
    return _shown(call, await services.identity.user(user.id) or user)


async def balances(call: Call) -> dict[str, Any]:
    """Show every asset in both modes."""
    modes = (Mode.PAPER, Mode.LIVE)
    return {"balances": await every_asset(call.services, call.principal.user_id, modes)}


async def reset_paper(call: Call) -> dict[str, Any]:
    """Cancel the open paper orders, then bring paper balances back to the grant."""
    services, user_id = call.services, call.principal.user_id
    cancelled = await cancel_everywhere(call, (Mode.PAPER,), Reason.USER_CANCELED)
    for attempt in range(_SETTLE_TRIES):
        await services.deps.accounts.balances(user_id)
        try:
            amounts = services.paper_grants
            await services.deps.accounts.grant(call.command_id, user_id, amounts, reset=True)
            break
        except CommandRefusedError as error:
            # What was cancelled is released with the pair's next settlement, moments later.
            if error.reason is not Reason.INVALID_COMBINATION or attempt == _SETTLE_TRIES - 1:
                message = "Paper funds are still locked; cancel all orders and try again."
                raise ApiError(409, ErrorCode.OPEN_ORDERS_REMAIN, message) from error
            await asyncio.sleep(_SETTLE_PAUSE_S)
    shown = await every_asset(services, user_id, (Mode.PAPER,))
    return {"cancelled": cancelled["cancelled"], "balances": shown}


def _shown(call: Call, user: UserRecord) -> dict[str, Any]:
    tier = call.services.settings.limits.tier(user.tier)
    return {**shown_user(user), "tier": user.tier, "open_orders_max": tier.open_orders_max}


ROUTES: Final = (
    Route(
        method="GET", path=_PATH, handler=show, tag="account", summary="The account",
        access=Access.READ, response=wire.Account,
    ),
    Route(
        method="PATCH", path=_PATH, handler=change, tag="account", summary="Change the account",
        access=Access.JWT, body=wire.AccountChange, response=wire.Account,
        errors=(ErrorCode.EMAIL_TAKEN, ErrorCode.USERNAME_TAKEN),
    ),
    Route(
        method="GET", path=f"{_PATH}/balances", handler=balances, tag="account",
        summary="Every asset in both modes", access=Access.READ,
        response=funds_wire.AccountBalances,
    ),
    Route(
        method="POST", path=f"{_PATH}/paper/reset", handler=reset_paper, tag="account",
        summary="Bring paper balances back to the grant", access=Access.TRADE,
        limit=LimitKind.GENERAL, response=funds_wire.PaperReset, idempotent=True,
        errors=(ErrorCode.OPEN_ORDERS_REMAIN,),
    ),
)  # fmt: skip
