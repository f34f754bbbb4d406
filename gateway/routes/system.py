"""Time, health, metrics, and the documents that describe the API."""

import asyncio
from typing import Any, Final

from aiohttp import web
from event_trader.wire import system as wire
from event_trader.wire.failure import ErrorCode
from redis.exceptions import RedisError

from actors.engine.market_api import BusyReply, OutcomeQuery
from actors.engine.units import Mode, UserId
from actors.errors import TandemError
from actors.exchange_status import feed_rows, ledger_rows
from gateway.codec import format_time
from gateway.docs import page
from gateway.endpoint import Call, LimitKind, NoQuery, Route
from gateway.errors import ApiError
from gateway.market_data import public_mode
from gateway.published import published_actors
from gateway.routes.orders import PREFIX
from gateway.services import Services

_PROBE_S: Final = 2.0


async def time(call: Call) -> dict[str, Any]:
    """Tell the exchange's time."""
    now_ns = call.services.deps.clock_ns()
    return {"timestamp": format_time(now_ns), "epoch_ms": now_ns // 1_000_000}


async def health(call: Call) -> dict[str, Any]:
    """Say that the process is alive."""
    settings = call.services.settings
    return {"status": "ok", "gateway": settings.name, "version": settings.version}


async def ready(call: Call) -> dict[str, Any]:
    """Say whether the exchange can trade: the store answers, and every pair and account shard.

    Raises:
        ApiError: 503 RECOVERING; the message names what is not ready, ``details`` shows all parts.
    """
    services = call.services
    probes = {symbol: _pair_state(services, symbol) for symbol in services.specs}
    store, shards, states = await asyncio.gather(
        _store_answers(services),
        services.deps.accounts.states(_PROBE_S),
        asyncio.gather(*probes.values()),
    )
    pairs = dict(zip(probes, states, strict=True))
    parts = {"redis": store, "pairs": pairs, "shards": shards}
    waits = [] if store else ["the store does not answer"]
    for name, state in {**pairs, **shards}.items():
        if state != "ready":
            waits.append(f"{name} {'has' if state == 'failed' else 'is'} {state}")
    if waits:
        raise ApiError(
            503,
            ErrorCode.RECOVERING,
            f"The exchange cannot trade yet: {', '.join(waits)}.",
            parts,
            headers={"Retry-After": "1"},
        )
    return {"status": "ready", **parts}


async def _store_answers(services: Services) -> bool:
    client: Any = services.deps.redis
    try:
        return bool(await asyncio.wait_for(client.ping(), _PROBE_S))
    except (RedisError, OSError, TimeoutError):
        return False


async def _pair_state(services: Services, symbol: str) -> str:
    probe = OutcomeQuery(UserId("ready"), "ready")
    try:
        pair = services.deps.pairs[symbol]
        reply = await asyncio.wait_for(pair.submit(Mode.PAPER, probe), _PROBE_S)
    except (TandemError, TimeoutError):
        return "unavailable"
    if isinstance(reply, BusyReply):
        return "failed" if reply.failed else "recovering"
    return "ready"


async def exchange_metrics(call: Call) -> dict[str, Any]:
    """Show latency and depth per pair, as this gateway sees them."""
    services = call.services
    rows = []
    for symbol, spec in services.specs.items():
        market = services.deps.market_data.market(symbol, public_mode(spec))
        shown = market is not None and market.ready
        bids, asks = market.levels(hybrid=False) if market is not None and shown else ([], [])
        rows.append(
            {
                "symbol": symbol,
                "latency": services.metrics.pair_quantiles(symbol),
                "bid_levels": len(bids),
                "ask_levels": len(asks),
                "sequence": market.number if market is not None else 0,
            }
        )
    return {"gateway": services.settings.name, "pairs": rows}


async def prometheus(call: Call) -> web.Response:
    """Render the gateway's counters, and what the supervisor published of ledger and chains."""
    services = call.services
    actors = await published_actors(services)
    services.metrics.ledger((row.asset, row.mode, row.sum_raw) for row in ledger_rows(actors))
    services.metrics.chains.show(feed_rows(actors))
    return web.Response(
        body=services.metrics.prometheus(),
        headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
    )


async def openapi(call: Call) -> bytes:
    """Show the OpenAPI document."""
    from gateway.openapi import document_bytes
    from gateway.routes import ROUTES as ALL_ROUTES

    return document_bytes(ALL_ROUTES, call.services)


async def docs(_: Call) -> web.Response:
    """Show the page that reads the OpenAPI document."""
    return page()


ROUTES: Final = (
    Route(
        method="GET", path=f"{PREFIX}/time", handler=time, tag="system", summary="Server time",
        response=wire.ServerTime,
    ),
    Route(
        method="GET", path=f"{PREFIX}/metrics", handler=exchange_metrics, tag="system",
        summary="Latency and depth per pair", response=wire.Metrics,
    ),
    Route(
        method="GET", path="/health", handler=health, tag="system", summary="The process is alive",
        limit=LimitKind.NONE, response=wire.Health,
    ),
    Route(
        method="GET", path="/ready", handler=ready, tag="system",
        summary="The exchange can trade", limit=LimitKind.NONE, response=wire.Ready,
        errors=(ErrorCode.RECOVERING,),
    ),
    Route(
        method="GET", path="/metrics", handler=prometheus, tag="system",
        summary="Counters as Prometheus text", limit=LimitKind.NONE, media_type="text/plain",
    ),
    Route(
        method="GET", path="/openapi.json", handler=openapi, tag="system", query=NoQuery,
        summary="This document", limit=LimitKind.NONE,
    ),
    Route(
        method="GET", path="/docs", handler=docs, tag="system", summary="This API, to read",
        limit=LimitKind.NONE, media_type="text/html",
    ),
)  # fmt: skip
