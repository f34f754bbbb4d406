"""What the people's commands draw, as text: tables, one-liners and the ladder."""

import io
from typing import Any

import pytest
from rich.console import Console, RenderableType

from tandem.terminal import ladder, tables

ORDER: dict[str, Any] = {
    "order_id": "ord_vaix_p_17", "pair": "VAIX/USDC", "side": "buy", "order_type": "limit",
    "mode": "paper", "status": "open", "reason": None, "price": "0.003100", "stop_price": None,
    "quantity": "1000", "filled_quantity": "0", "average_price": None, "fee_total": "0",
    "fee_asset": "USDC",
}  # fmt: skip
VIEW = ladder.View(
    "VAIX with pools",
    "paper",
    [("0.003000", "1500"), ("0.002900", "500")],
    [("0.003100", "3000"), ("0.003200", "1")],
)


def drawn(shown: RenderableType, *, colours: bool = False, **environ: str) -> str:
    """Draw something as a wide terminal shows it."""
    out = io.StringIO()
    Console(
        file=out, width=160, force_terminal=colours, highlight=False, _environ=environ
    ).print(shown)  # fmt: skip
    return out.getvalue()


def test_orders_show_numbers_as_the_api_wrote_them() -> None:
    """No digit is lost or made up; a stop, a market order and a reason are named."""
    stop = {**ORDER, "order_type": "stop_limit", "stop_price": "0.004000"}
    gone = {**ORDER, "order_type": "market", "price": "0", "status": "canceled",
            "reason": "NO_LIQUIDITY"}  # fmt: skip
    text = drawn(tables.orders("Open orders", "paper", [ORDER, stop, gone]))
    assert "Open orders · PAPER" in text
    assert " 0.003100 " in text
    assert "stop 0.004000 0.003100" in text
    assert "canceled (NO_LIQUIDITY)" in text
    assert " market " in text


def test_orders_fit_a_terminal_of_eighty_columns() -> None:
    """An order is one line of it, and its id is whole, so that it can be copied."""
    filled = {**ORDER, "status": "filled", "filled_quantity": "1000", "average_price": "0.003100"}
    lines = drawn(tables.orders("Orders that ended", "paper", [filled])).splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80
    assert any("ord_vaix_p_17" in line and "filled" in line for line in lines)


def test_nothing_to_show_is_said() -> None:
    """An empty table would look like a failure."""
    assert drawn(tables.orders("Open orders", "paper", [])).strip() == "Open orders · PAPER: none"


def test_mode_is_told_in_colour_and_in_words() -> None:
    """Live and paper cannot be mixed up, also without colours."""
    live = drawn(tables.balances("live", []), colours=True, TERM="xterm-256color")
    assert "LIVE" in live
    assert "\x1b[" in live
    plain = drawn(tables.balances("live", []), colours=True, TERM="xterm", NO_COLOR="1")
    assert "LIVE" in plain
    assert "\x1b[31m" not in plain
    assert "\x1b[1;31m" not in plain


def test_order_line_says_what_happened() -> None:
    """An open order is told as such; a filled one with price and fee."""
    assert drawn(tables.order_line(ORDER)).strip() == (
        "PAPER buy 1000 VAIX at 0.003100: open  ord_vaix_p_17"
    )
    filled = {
        **ORDER, "order_type": "market", "price": "0", "status": "filled",
        "filled_quantity": "1000", "average_price": "0.00310000", "fee_total": "0.0031",
    }  # fmt: skip
    assert "at the market: filled, filled 1000 at 0.00310000, fee 0.0031 USDC" in drawn(
        tables.order_line(filled)
    )


def test_keys_never_show_a_key() -> None:
    """Only the first characters, and what it may do."""
    row = {"id": "key_1", "name": "bot", "key_prefix": "evt_1a2b", "allowed_markets": [],
           "permissions": {"read": True, "trade": True, "withdraw": False},
           "last_used_at": None, "expires_at": "2027-01-02T03:04:05.678Z"}  # fmt: skip
    text = drawn(tables.keys([row]))
    assert "evt_1a2b…" in text
    assert "read, trade" in text
    assert "2027-01-02 03:04:05" in text
    assert "never" in text


def test_ladder_has_asks_above_bids_and_the_spread_between() -> None:
    """The best prices meet in the middle; sums run away from it; the largest bar is full."""
    lines = drawn(ladder.ladder(VIEW, 10)).splitlines()
    at = {price: n for n, line in enumerate(lines) for price, _ in (*VIEW.bids, *VIEW.asks)
          if line.strip().startswith(price)}  # fmt: skip
    spread = next(n for n, line in enumerate(lines) if "0.000100 spread" in line)
    assert at["0.003200"] < at["0.003100"] < spread < at["0.003000"] < at["0.002900"]
    assert "3001" in lines[at["0.003200"]]
    assert "2000" in lines[at["0.002900"]]
    assert lines[at["0.003100"]].count("█") == ladder.BAR_CELLS
    assert lines[at["0.003200"]].count("█") == 1


def test_ladder_is_cut_to_the_depth() -> None:
    """Each side has as many levels as asked for, the best ones."""
    text = drawn(ladder.ladder(VIEW, 1))
    assert "0.003200" not in text
    assert "0.002900" not in text


@pytest.mark.parametrize(
    ("bids", "asks", "said"),
    [([], [], "no orders"), (VIEW.bids, [], "no asks"), ([], VIEW.asks, "no bids")],
)
def test_ladder_of_an_empty_side_says_so(bids: Any, asks: Any, said: str) -> None:
    """An empty book is a book."""
    assert said in drawn(ladder.ladder(VIEW._replace(bids=bids, asks=asks), 5))


class Stream:
    """What `Follower` reads of a stream."""

    connections = 2

    class book:  # noqa: N801 (an attribute of the stream)
        """The book of the stream."""

        bids, asks = VIEW.bids, VIEW.asks


def test_follower_says_how_current_the_view_is() -> None:
    """Age and reconnections are in the note; an old view is doubted."""
    now = [100.0]
    follower = ladder.Follower("VAIX", "", lambda: now[0])
    assert follower.view().note == "connecting …"
    follower.take(Stream(), {"sequence": 7})  # type: ignore[arg-type] # the parts it reads
    now[0] += 3
    assert follower.view().note == "change 7 · 3 s ago · connected again 1 times · Ctrl-C ends"
    now[0] += 60
    assert "cut off" in follower.view().note
