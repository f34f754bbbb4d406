"""Orders, TWAPs and scales (sections 3 and 4 of the API)."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from event_trader.wire.base import ModeName, QueryModel, RequestModel, ResponseModel, SideName
from event_trader.wire.failure import ErrorInfo
from event_trader.wire.numbers import (
    FROM_QUERY,
    Decimal,
    DecimalOut,
    QueryBoolean,
    Timestamp,
)

OrderTypeName = Literal["limit", "market", "ioc", "post_only", "stop_limit", "fok", "stop_market"]
StpModeName = Literal[
    "cancel_resting", "cancel_incoming", "cancel_both", "cancel_taker", "decrement_and_cancel"
]
RouteModeName = Literal["auto", "cex", "dex"]
OrderStatusName = Literal[
    "pending_trigger", "open", "partially_filled", "filled", "canceled", "expired", "rejected"
]
SettlementStatusName = Literal["none", "pending", "settled", "delayed", "failed"]
Distribution = Literal["linear", "exponential"]

ORDERS_PER_BATCH_MAX = 10
IDS_PER_BATCH_MAX = 50

ClientOrderId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:\-]{1,64}$")]
OrderId = Annotated[str, Field(min_length=1, max_length=128, examples=["ord_vaix_p_17"])]


class ModeFields(RequestModel):
    """Which of the two worlds a request is for; a simulation account is always paper."""

    mode: ModeName = "live"
    paper: bool | None = Field(None, description="Overrides `mode` when given.")


class PlaceOrderRequest(ModeFields):
    """One order."""

    side: SideName
    quantity: Decimal = Field(description="Base units; a multiple of lot_size.")
    price: Decimal = Field(
        "0", description='Required unless the order is a market order; "0" means none.'
    )
    order_type: OrderTypeName = "limit"
    stop_price: Decimal | None = None
    stp_mode: StpModeName = "cancel_resting"
    time_in_force_ms: Annotated[int, Field(ge=1_000, le=2_592_000_000)] | None = None
    expire_at: Annotated[int, Field(ge=1, le=9_007_199_254_740_991)] | None = Field(
        None, description="Epoch microseconds, in the future."
    )
    display_qty: Decimal | None = Field(None, description="Iceberg: the visible tranche.")
    route_mode: RouteModeName = "auto"
    position_id: Any = Field(None, description="Accepted and ignored.")
    client_order_id: ClientOrderId | None = None


class BatchPlaceRequest(RequestModel):
    """Up to ten orders; each stands alone. A bare array of orders is accepted as well."""

    orders: list[Any] = Field(
        min_length=1,
        max_length=ORDERS_PER_BATCH_MAX,
    )


class BatchCancelRequest(ModeFields):
    """Up to fifty orders to cancel."""

    order_ids: list[OrderId] = Field(min_length=1, max_length=IDS_PER_BATCH_MAX)


class AmendOrderRequest(RequestModel):
    """The new price, the new *total* quantity, or both."""

    price: Decimal | None = None
    quantity: Decimal | None = None


class AmendItem(AmendOrderRequest):
    """One amendment of a batch."""

    order_id: OrderId


class BatchAmendRequest(RequestModel):
    """Up to fifty amendments. A bare array is accepted as well."""

    orders: list[Any] = Field(
        min_length=1,
        max_length=IDS_PER_BATCH_MAX,
    )


class PlaceTwapRequest(ModeFields):
    """A quantity spread over time."""

    side: SideName
    quantity: Decimal
    duration_minutes: Annotated[int, Field(ge=1, le=10_080)] = 60
    num_slices: Annotated[int, Field(ge=1, le=1_000)] = 10
    price_limit: Decimal = Field("0", description='"0" means none.')
    randomize: bool = False
    max_slippage_pct: Decimal | None = Field(None, description="Per cent, above 0 up to 100.")


class PlaceScaleRequest(ModeFields):
    """A quantity spread over prices: all orders are placed, or none."""

    side: SideName
    quantity: Decimal
    price_low: Decimal | None = None
    price_high: Decimal | None = None
    min_price: Decimal | None = Field(None, description="Another name of price_low.")
    max_price: Decimal | None = Field(None, description="Another name of price_high.")
    num_orders: Annotated[int, Field(ge=2, le=100)] = 10
    distribution: Distribution = "linear"

    @model_validator(mode="after")
    def _one_range(self) -> "PlaceScaleRequest":
        if (self.price_low is None) == (self.min_price is None):
            raise PydanticCustomError("price_low", "needs exactly one of price_low and min_price")
        if (self.price_high is None) == (self.max_price is None):
            raise PydanticCustomError("price_high", "needs exactly one of price_high and max_price")
        return self


class ModeQuery(QueryModel):
    """Which of the two worlds is read or changed."""

    mode: ModeName | None = None
    paper: QueryBoolean | None = Field(None, description="Overrides `mode` when given.")


class HistoryQuery(ModeQuery):
    """One page of closed orders."""

    limit: Annotated[int, Field(ge=1, le=500), FROM_QUERY] = 50
    offset: Annotated[int, Field(ge=0, le=10_000_000), FROM_QUERY] = 0


class OwnTradesQuery(ModeQuery):
    """How many of the newest own trades."""

    limit: Annotated[int, Field(ge=1, le=500), FROM_QUERY] = 50


class CancelAllQuery(ModeQuery):
    """Which side to cancel; both when left out."""

    side: SideName | None = None


class Fill(ResponseModel):
    """One execution of one's order."""

    trade_id: str
    price: DecimalOut
    quantity: DecimalOut
    side: SideName
    role: Literal["maker", "taker"]
    venue: str
    chain: str | None
    fee: DecimalOut
    fee_asset: str
    timestamp: Timestamp


class Order(ResponseModel):
    """An order, the same shape wherever it is shown."""

    id: str
    order_id: str
    client_order_id: str | None
    symbol: str
    pair: str
    side: SideName
    order_type: OrderTypeName
    mode: ModeName
    price: DecimalOut
    """"0" for an order without a limit."""
    stop_price: DecimalOut | None
    quantity: DecimalOut
    filled_quantity: DecimalOut
    remaining_quantity: DecimalOut
    average_price: DecimalOut | None
    status: OrderStatusName
    reason: str | None
    stp_mode: StpModeName
    route_mode: RouteModeName
    time_in_force: Literal["gtc", "gtt", "ioc", "fok"]
    expire_at: Timestamp | None
    display_qty: DecimalOut | None
    parent_id: str | None
    fee_total: DecimalOut
    fee_asset: str
    created_at: Timestamp
    updated_at: Timestamp
    sequence: int
    settlement_status: SettlementStatusName
    fills: list[Fill]


class OrderList(ResponseModel):
    """Open orders, oldest first."""

    orders: list[Order]


class OrderHistory(ResponseModel):
    """One page of closed orders, newest first."""

    orders: list[Order]
    total: int
    limit: int
    offset: int
    has_more: bool


class OrderResult(ResponseModel):
    """What became of one item of a batch: an order, or an error."""

    index: int
    order_id: str | None = None
    order: Order | None = None
    error: ErrorInfo | None = None


class BatchResult(ResponseModel):
    """What became of a batch, item by item."""

    total: int
    successful: int
    failed: int
    results: list[OrderResult]


class CancelAllResult(ResponseModel):
    """How many orders were cancelled, and which."""

    cancelled: int
    order_ids: list[str]


class OwnTrade(ResponseModel):
    """One of the user's own trades; ``side`` is the user's own."""

    trade_id: str
    order_id: str
    price: DecimalOut
    quantity: DecimalOut
    side: SideName
    role: Literal["maker", "taker"]
    venue: str
    fee: DecimalOut
    fee_asset: str
    timestamp: Timestamp


class OwnTrades(ResponseModel):
    """Own trades, newest first."""

    trades: list[OwnTrade]


class Twap(ResponseModel):
    """A TWAP and its progress."""

    twap_id: str
    symbol: str
    mode: ModeName
    status: Literal["active", "completed", "canceled"]
    reason: str | None
    side: SideName
    quantity: DecimalOut
    filled_quantity: DecimalOut
    average_price: DecimalOut | None
    price_limit: DecimalOut
    """"0" for none."""
    slices_done: int
    num_slices: int
    next_slice_at: Timestamp | None
    created_at: Timestamp
    ends_at: Timestamp
    children: list[str]


class TwapList(ResponseModel):
    """Active TWAPs, oldest first."""

    twaps: list[Twap]


class Scale(ResponseModel):
    """A scale as it was placed."""

    scale_id: str
    symbol: str
    mode: ModeName
    distribution: Distribution
    orders: list[Order]
