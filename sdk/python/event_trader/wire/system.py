"""Time, health, metrics and the dead man's switch."""

from typing import Annotated, Literal

from pydantic import Field

from event_trader.wire.base import ModeName, RequestModel, ResponseModel
from event_trader.wire.numbers import DecimalOut, Timestamp


class ServerTime(ResponseModel):
    """The exchange's clock."""

    timestamp: Timestamp
    epoch_ms: int


class Health(ResponseModel):
    """The process is alive."""

    status: Literal["ok"]
    gateway: str
    version: str


class Ready(ResponseModel):
    """The exchange can trade: every part is ``ready``.

    A 503 has the same parts in ``error.details``, each ``ready``, ``recovering``, ``failed`` (its
    journal cannot be replayed, a person has to look) or ``unavailable``.
    """

    status: Literal["ready"]
    redis: bool
    pairs: dict[str, Literal["ready"]]
    shards: dict[str, Literal["ready"]]
    """The account shards."""


class DeadMansSwitchRequest(RequestModel):
    """Cancel everything when no heartbeat comes for this long."""

    timeout_ms: Annotated[int, Field(ge=1_000, le=86_400_000)] = 60_000


class DeadMansSwitch(ResponseModel):
    """The switch as it stands."""

    active: bool
    timeout_ms: int | None
    expires_at: Timestamp | None


class Latency(ResponseModel):
    """Milliseconds, over the last minutes."""

    p50_ms: float
    p99_ms: float
    p999_ms: float
    count: int


class PairMetrics(ResponseModel):
    """One pair as this gateway sees it."""

    symbol: str
    latency: Latency
    bid_levels: int
    ask_levels: int
    sequence: int


class Metrics(ResponseModel):
    """Latency of the order path and depth of each book."""

    gateway: str
    pairs: list[PairMetrics]


class Preflight(ResponseModel):
    """All a trader needs before an order, in one call."""

    pair: str
    symbol: str
    mode: ModeName
    user_id: str
    base_balance: DecimalOut
    quote_balance: DecimalOut
    best_bid: DecimalOut | None
    best_ask: DecimalOut | None
    spread: DecimalOut | None
    server_ms: int
