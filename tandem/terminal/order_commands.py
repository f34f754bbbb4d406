"""`tandem buy`, `sell`, `orders`, `cancel` and `balance`."""

import sys
from typing import Annotated, Any, Literal

import typer
from event_trader import EventTrader

from tandem.terminal import tables
from tandem.terminal.failures import TerminalError, UsageError
from tandem.terminal.options import AsJson, BaseUrl, Mode, Symbol, draw, finish, place, show
from tandem.terminal.session import mode_of

Json = dict[str, Any]
OrderType = Literal["limit", "market", "ioc", "fok", "post_only", "stop_limit", "stop_market"]
Quantity = Annotated[str, typer.Argument(help="How much, in the base asset.")]
Price = Annotated[str, typer.Option("--price", help="The limit; without one it is a market order.")]
Type = Annotated[
    OrderType | None,
    typer.Option("--type", help="limit with a price, market without.", show_default=False),
]
StopPrice = Annotated[str, typer.Option("--stop-price", help="For stop_limit and stop_market.")]
ClientId = Annotated[
    str,
    typer.Option(
        "--client-order-id", help="Your own name for it: repeated within a day, it is placed once."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a live order.")]


def buy(  # noqa: PLR0913 (one parameter per option, as typer reads them)
    symbol: Symbol,
    quantity: Quantity,
    base_url: BaseUrl = "",
    *,
    price: Price = "",
    order_type: Type = None,
    stop_price: StopPrice = "",
    client_order_id: ClientId = "",
    mode: Mode = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Place a buy order: at --price, or at the market."""
    order = _order("buy", quantity, price, order_type, (stop_price, client_order_id))
    _place(base_url, symbol, order, mode, yes=yes, as_json=as_json)


def sell(  # noqa: PLR0913 (one parameter per option, as typer reads them)
    symbol: Symbol,
    quantity: Quantity,
    base_url: BaseUrl = "",
    *,
    price: Price = "",
    order_type: Type = None,
    stop_price: StopPrice = "",
    client_order_id: ClientId = "",
    mode: Mode = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Place a sell order: at --price, or at the market."""
    order = _order("sell", quantity, price, order_type, (stop_price, client_order_id))
    _place(base_url, symbol, order, mode, yes=yes, as_json=as_json)


def _order(
    side: str, quantity: str, price: str, order_type: OrderType | None, more: tuple[str, str]
) -> Json:
    """Write the order that the options say.

    Raises:
        UsageError: they contradict each other.
    """
    stop_price, client_order_id = more
    chosen = order_type or ("limit" if price else "market")
    if chosen in ("market", "stop_market") and price:
        raise UsageError(f"a {chosen} order has no price: leave out --price, or --type")
    if chosen not in ("market", "stop_market") and not price:
        raise UsageError(f"a {chosen} order needs a --price")
    if chosen.startswith("stop_") != bool(stop_price):
        what = "needs a" if chosen.startswith("stop_") else "has no"
        raise UsageError(f"a {chosen} order {what} --stop-price")
    order = {"side": side, "quantity": quantity, "order_type": chosen, "price": price or "0"}
    given = {"stop_price": stop_price, "client_order_id": client_order_id}
    return order | {name: value for name, value in given.items() if value}


def _place(
    base_url: str, symbol: str, order: Json, mode: str | None, *, yes: bool, as_json: bool
) -> None:
    where = place(base_url)

    async def world() -> str:
        async with where.logged_in() as client:
            return await mode_of(client, mode)

    async def work() -> Json:
        async with where.logged_in() as client:
            # Its own name keeps a repeated command from placing twice, also when it filled at once.
            own = order.get("client_order_id")
            key = f"tandem-{own}" if own else None
            return await client.clob.place_order(symbol, mode=chosen, idempotency_key=key, **order)

    chosen = finish(world)
    if chosen == "live" and not yes:
        # Asked between two runs: within one, Ctrl-C would not reach the question.
        _confirm(symbol, order)
    placed = finish(work)
    show(placed, as_json=as_json, table=lambda: tables.order_line(placed))


def _confirm(symbol: str, order: Json) -> None:
    """Ask before real money moves.

    Raises:
        TerminalError: no, or nobody is there to be asked.
    """
    if not sys.stdin.isatty():
        raise TerminalError("this is a live order, with real money: add --yes to place it")
    price = f"at {order['price']}" if order["price"] != "0" else "at the market"
    asked = f"LIVE: {order['side']} {order['quantity']} {symbol.upper()} {price}. Place it?"
    if not typer.confirm(asked, err=True):
        raise TerminalError("not placed")


def orders(
    symbol: Annotated[str, typer.Argument(help="The pair; all when left out.")] = "",
    base_url: BaseUrl = "",
    *,
    history: Annotated[bool, typer.Option("--history", help="Those that ended.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many of a pair's history.")] = 20,
    mode: Mode = None,
    as_json: AsJson = False,
) -> None:
    """List your open orders, or those that ended.

    Those that ended come with --history, the newest first.
    """
    where = place(base_url)
    used: str = mode or ""

    async def work() -> list[Json]:
        nonlocal used
        async with where.logged_in() as client:
            used = await mode_of(client, mode)
            found: list[Json] = []
            for name in [symbol] if symbol else await _symbols(client):
                if history:
                    page = await client.clob.order_history(name, limit, mode=used)
                    found += page["orders"]
                else:
                    found += await client.clob.open_orders(name, mode=used)
            return sorted(found, key=lambda row: str(row["updated_at"]), reverse=history)

    rows = finish(work)
    title = "Orders that ended" if history else "Open orders"
    show(rows, as_json=as_json, table=lambda: tables.orders(title, used, rows))


async def _symbols(client: EventTrader) -> list[str]:
    return [str(pair["symbol"]) for pair in await client.clob.list_pairs()]


def cancel(
    order_ids: Annotated[
        list[str] | None, typer.Argument(help="Orders, as `tandem orders` names them.")
    ] = None,
    base_url: BaseUrl = "",
    *,
    every: Annotated[bool, typer.Option("--all", help="All your open orders.")] = False,
    symbol: Annotated[str, typer.Option("--symbol", help="With --all: of this pair only.")] = "",
    mode: Mode = None,
    as_json: AsJson = False,
) -> None:
    """Cancel orders by id, or all of them with --all."""
    if bool(order_ids) == every or (symbol and not every):
        raise UsageError("give order ids, or --all (with --symbol for one pair)")
    where = place(base_url)
    places = [_place_of(order_id) for order_id in order_ids or []]

    async def one_by_one() -> list[Json]:
        async with where.logged_in() as client:
            return [
                await client.clob.cancel_order(pair, order_id, mode=world)
                for (pair, world), order_id in zip(places, order_ids or [], strict=True)
            ]

    async def all_of_them() -> Json:
        async with where.logged_in() as client:
            chosen = await mode_of(client, mode)
            if symbol:
                return await client.clob.cancel_all(symbol, mode=chosen)
            return await client.clob.kill_switch(mode=chosen)

    if every:
        done = finish(all_of_them)
        show(done, as_json=as_json, table=lambda: _cancelled(done["cancelled"]))
        return
    ended = finish(one_by_one)
    if as_json:
        show(ended, as_json=True, table=lambda: "")
        return
    for order in ended:
        draw(tables.order_line(order))


def _cancelled(count: int) -> str:
    return f"{count} {'order' if count == 1 else 'orders'} cancelled"


def _place_of(order_id: str) -> tuple[str, str]:
    """Read pair and mode off an order id such as ``ord_vaix_p_17``.

    Raises:
        UsageError: it is not one.
    """
    parts = order_id.split("_")
    if len(parts) != 4 or parts[0] != "ord" or parts[2] not in ("p", "l"):
        raise UsageError(
            f"an order id is like ord_vaix_p_17, was {order_id!r}; see `tandem orders`"
        )
    return parts[1], {"p": "paper", "l": "live"}[parts[2]]


def balance(base_url: BaseUrl = "", *, mode: Mode = None, as_json: AsJson = False) -> None:
    """Show your funds in the account's mode, or in --mode."""
    where = place(base_url)
    used: str = mode or ""

    async def work() -> list[dict[str, Any]]:
        nonlocal used
        async with where.logged_in() as client:
            used = mode or await mode_of(client, None)
            return [row for row in await client.account.balances() if row["mode"] == used]

    rows = finish(work)
    show(rows, as_json=as_json, table=lambda: tables.balances(used, rows))
