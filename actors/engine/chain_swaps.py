"""Swaps that others make on chain, as trades of the market: tape, candles, stops see them.

Nothing is settled and no pool state changes here: the state after the swap comes as `PoolUpdated`.
"""

from actors.engine.commands import PoolTraded
from actors.engine.events import Traded
from actors.engine.market_state import MarketState
from actors.engine.pools.curve import PoolGrid
from actors.engine.units import RAW_MAX, MarketStatus, OrderNo, UserId

_NOBODY = UserId("")
_NO_ORDER = OrderNo(0)


def print_swap(market: MarketState, swap: PoolTraded) -> None:
    """Enter a swap in the tape, unless it is our own, or less than a lot, a tick or a unit."""
    grid = market.pools.units(swap.pool_id)
    if grid is None or swap.own:
        return
    shown = in_pair_units(grid, swap.base_raw, swap.quote_raw)
    if shown is None:
        return
    lots, quote_raw, price = shown
    market.last_trade_no += 1
    market.last_price_ticks = price
    if market.status is MarketStatus.TRADING:  # while it is halted nothing may trigger
        market.traded_low = min(market.traded_low or price, price)
        market.traded_high = max(market.traded_high, price)
    trade = Traded(
        market.last_trade_no,
        price,
        lots,
        quote_raw,
        swap.side,
        swap.pool_id,
        _NO_ORDER,
        _NOBODY,
        0,
        _NO_ORDER,
        _NOBODY,
        0,
        0,
        0,
        0,
    )
    market.events.append(trade)
    market.untold.append(trade)


def in_pair_units(grid: PoolGrid, base_raw: int, quote_raw: int) -> tuple[int, int, int] | None:
    """Return (size_lots, quote_raw, price_ticks) of a pool's amounts.

    Size and quote are rounded down, the price is the nearest tick to the exact ratio of the
    amounts. None where one of them would be 0, or beyond what the journal can hold.
    """
    lots = base_raw * grid.lot_den // grid.lot_num
    quote = quote_raw * grid.quote_den // grid.quote_num
    if lots <= 0 or quote <= 0 or lots * grid.lot_raw > RAW_MAX or quote > RAW_MAX:
        return None
    worth = quote_raw * grid.quote_den * grid.lot_num
    unit = base_raw * grid.lot_den * grid.quote_num * grid.tick_lot_raw
    price = (2 * worth + unit) // (2 * unit)
    return (lots, quote, price) if 0 < price <= grid.max_price_ticks else None
