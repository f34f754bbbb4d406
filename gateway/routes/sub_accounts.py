"""Sub-accounts: funds set apart under the same owner."""

from typing import Any, Final

from event_trader.wire import funds as wire
from event_trader.wire.failure import ErrorCode

from actors.engine.units import Mode, UserId
from gateway.balances import every_asset
from gateway.codec import format_amount, format_time, read_amount
from gateway.endpoint import Access, Call, Route
from gateway.errors import ApiError
from gateway.order_view import MODES
from gateway.routes.orders import PREFIX
from gateway.tokens import derive

_NS_PER_MS: Final = 1_000_000


async def list_all(call: Call) -> dict[str, Any]:
    """List the sub-accounts with their funds."""
    rows = await call.services.identity.sub_accounts(call.principal.user.id)
    return {"sub_accounts": [await _shown(call, *row) for row in rows]}


async def create(call: Call) -> dict[str, Any]:
    """Open a sub-account."""
    services, owner = call.services, call.principal.user.id
    sub_id = f"sub_{derive(services.settings.secret, 'sub', owner, call.command_id).hex()[:16]}"
    rows = await services.identity.sub_accounts(owner)
    known = {row[0] for row in rows}
    if sub_id not in known and len(known) >= services.settings.sub_accounts_max:
        message = f"An account has at most {services.settings.sub_accounts_max} sub-accounts."
        raise ApiError(409, ErrorCode.TOO_MANY_SUB_ACCOUNTS, message)
    now_ms = services.now_ms()
    await services.identity.add_sub_account(owner, sub_id, call.body.label, now_ms)
    return await _shown(call, sub_id, call.body.label, now_ms)


async def transfer(call: Call) -> dict[str, Any]:
    """Move available funds between the account and its sub-accounts."""
    services, asked, owner = call.services, call.body, call.principal.user.id
    asset = services.assets.get(asked.currency.upper())
    if asset is None:
        known = ", ".join(services.assets)
        message = f"currency must be one of {known}, was {asked.currency}."
        raise ApiError(400, ErrorCode.UNKNOWN_ASSET, message)
    amount_raw = read_amount(asked.amount, asset.decimals)
    own = {row[0] for row in await services.identity.sub_accounts(owner)}
    for name in (asked.to_sub_account_id, asked.from_sub_account_id):
        if name is not None and name not in own:
            message = "There is no such sub-account of yours."
            raise ApiError(404, ErrorCode.SUB_ACCOUNT_NOT_FOUND, message)
    sender = asked.from_sub_account_id or owner
    receiver = asked.to_sub_account_id or owner
    mode = call.mode()
    await services.deps.accounts.transfer(
        call.command_id, UserId(sender), UserId(receiver), asset.symbol, mode, amount_raw
    )
    return {
        "transfer_id": f"tr_{derive(services.settings.secret, 'tr', call.command_id).hex()[:16]}",
        "from_account_id": sender,
        "to_account_id": receiver,
        "amount": format_amount(amount_raw, asset.decimals),
        "currency": asset.symbol,
        "mode": MODES[mode],
    }


async def _shown(call: Call, sub_id: str, label: str, created_ms: int) -> dict[str, Any]:
    balances = await every_asset(call.services, UserId(sub_id), (Mode.PAPER, Mode.LIVE))
    return {
        "sub_account_id": sub_id,
        "label": label,
        "created_at": format_time(created_ms * _NS_PER_MS),
        "balances": balances,
    }


_PATH: Final = f"{PREFIX}/sub-accounts"

ROUTES: Final = (
    Route(
        method="GET", path=_PATH, handler=list_all, tag="sub-accounts",
        summary="List the sub-accounts", access=Access.READ, response=wire.SubAccountList,
    ),
    Route(
        method="POST", path=_PATH, handler=create, tag="sub-accounts", status=201,
        summary="Open a sub-account", access=Access.TRADE, body=wire.SubAccountRequest,
        response=wire.SubAccount, idempotent=True, errors=(ErrorCode.TOO_MANY_SUB_ACCOUNTS,),
    ),
    Route(
        method="POST", path=f"{_PATH}/transfer", handler=transfer, tag="sub-accounts",
        summary="Move funds to or from a sub-account", access=Access.TRADE,
        body=wire.TransferRequest, response=wire.TransferResult, idempotent=True,
        errors=(
            ErrorCode.UNKNOWN_ASSET, ErrorCode.INVALID_AMOUNT, ErrorCode.SUB_ACCOUNT_NOT_FOUND,
            ErrorCode.INSUFFICIENT_FUNDS,
        ),
    ),
)  # fmt: skip
