"""What trading costs, for everybody and for the user."""

from typing import Any, Final

from event_trader.wire import funds as wire

from actors.engine.pair_spec import PairSpec
from gateway.endpoint import Access, Call, Route
from gateway.order_view import pair_name
from gateway.routes.orders import PREFIX
from gateway.settings import Tier

_PPM_PER_BPS: Final = 100


async def schedule(call: Call) -> dict[str, Any]:
    """Show the rates of every pair and tier."""
    tiers = call.services.settings.limits.tiers
    return {
        "pairs": [
            {
                **_named(spec),
                "tiers": [{"tier": name, **_rates(spec, tier)} for name, tier in tiers.items()],
            }
            for spec in call.services.specs.values()
        ]
    }


async def mine(call: Call) -> dict[str, Any]:
    """Show the user's own rates."""
    principal = call.principal
    rows = [
        {**_named(spec), **_rates(spec, principal.tier)} for spec in call.services.specs.values()
    ]
    return {"tier": principal.user.tier, "pairs": rows}


def _named(spec: PairSpec) -> dict[str, Any]:
    return {"symbol": spec.symbol, "pair": pair_name(spec), "fee_asset": spec.quote.symbol}


def _rates(spec: PairSpec, tier: Tier) -> dict[str, Any]:
    maker = tier.maker_fee_ppm if tier.maker_fee_ppm >= 0 else spec.maker_fee_ppm
    taker = tier.taker_fee_ppm if tier.taker_fee_ppm >= 0 else spec.taker_fee_ppm
    return {"maker_fee_bps": _bps(maker), "taker_fee_bps": _bps(taker)}


def _bps(ppm: int) -> int | float:
    return ppm // _PPM_PER_BPS if ppm % _PPM_PER_BPS == 0 else ppm / _PPM_PER_BPS


ROUTES: Final = (
    Route(
        method="GET", path=f"{PREFIX}/fee-schedule", handler=schedule, tag="fees",
        summary="Rates of every pair and tier", response=wire.FeeSchedule,
    ),
    Route(
        method="GET", path=f"{PREFIX}/my-fees", handler=mine, tag="fees",
        summary="The user's own rates", access=Access.READ, response=wire.MyFees,
    ),
)  # fmt: skip
