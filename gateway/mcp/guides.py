"""Prompts for common jobs: what a person picks from a menu, and the model then works through."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from mcp_types import GetPromptResult, Prompt, PromptArgument, PromptMessage, TextContent

from gateway.mcp.backend import CallRefusedError

TEXT_CHARS_MAX: Final = 100
"""Longest argument; the longest sensible one is a symbol or a number."""


@dataclass(frozen=True)
class Argument:
    """One blank of a prompt; ``default`` None makes it required, ``choices`` bind it."""

    name: str
    description: str
    default: str | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Guide:
    """One prompt."""

    name: str
    title: str
    description: str
    arguments: tuple[Argument, ...]
    write: Callable[[Mapping[str, str]], str]

    def described(self) -> Prompt:
        """Describe it as ``prompts/list`` shows it."""
        return Prompt(
            name=self.name,
            title=self.title,
            description=self.description,
            arguments=[
                PromptArgument(
                    name=one.name, description=one.description, required=one.default is None
                )
                for one in self.arguments
            ],
        )

    def filled(self, given: Mapping[str, str]) -> GetPromptResult:
        """Write it out.

        Raises:
            CallRefusedError: an argument is unknown, missing, or not one of the choices.
        """
        known = {one.name: one for one in self.arguments}
        for name in given:
            if name not in known:
                raise _wrong(f"{name[:TEXT_CHARS_MAX]}: is not an argument of {self.name}")
        values = {}
        for name, one in known.items():
            value = given.get(name, one.default)
            if value is None:
                raise _wrong(f"{name}: is required")
            if len(value) > TEXT_CHARS_MAX or not value.isprintable():
                raise _wrong(f"{name}: must be one line of at most {TEXT_CHARS_MAX} characters")
            if one.choices and value not in one.choices:
                raise _wrong(f"{name}: must be {' or '.join(one.choices)}")
            values[name] = value
        text = TextContent(text=self.write(values))
        message = PromptMessage(role="user", content=text)
        return GetPromptResult(description=self.description, messages=[message])


def _wrong(message: str) -> CallRefusedError:
    return CallRefusedError("VALIDATION_ERROR", message, 422)


def _twap(given: Mapping[str, str]) -> str:
    side, symbol = given["side"], given["symbol"]
    return (
        f"Open a {given['mode']} position: {side} {given['quantity']} {symbol} over "
        f"{given['duration_minutes']} minutes with a TWAP.\n"
        f"1. Call et_clob_list_pairs for the tick, the lot and the smallest order of {symbol}, and "
        f"et_clob_preflight for the funds and the best prices. Stop and say why if the funds do "
        "not suffice.\n"
        "2. Call et_clob_orderbook and estimate what the whole quantity would cost at once. Choose "
        "num_slices so that each slice is at least the smallest order and small beside the best "
        "level.\n"
        "3. Show the plan: slices, interval, price_limit (a little beyond the best price on the "
        "side that is taken), worst cost. Ask for confirmation.\n"
        f"4. Call et_clob_place_twap with mode {given['mode']}, then follow it with "
        "et_clob_active_twaps. End it with et_clob_cancel_twap if it is asked for.\n"
        "Prices and quantities are decimal strings; never round them through floating point."
    )


def _quotes(given: Mapping[str, str]) -> str:
    symbol, size = given["symbol"], given["size"]
    return (
        f"Quote both sides of {symbol} in {given['mode']} mode: {size} a side, "
        f"{given['spread_bps']} basis points between bid and ask.\n"
        f"1. Call et_clob_list_pairs for the tick and lot of {symbol}, et_clob_preflight for the "
        "funds and et_clob_bbo for the mid price.\n"
        "2. The bid is mid x (1 - spread/20000) rounded down to the tick, the ask mid x (1 + "
        "spread/20000) rounded up. Show both and ask for confirmation.\n"
        "3. Arm et_clob_dead_mans_switch, so that nothing stays quoted when you go away.\n"
        "4. Place both with et_clob_batch_place_orders as post_only orders, each with a "
        "client_order_id.\n"
        "5. To follow the market, call et_clob_amend_order when the mid has moved by a quarter of "
        "the spread; et_clob_cancel_all_orders when it is over. Send heartbeats meanwhile.\n"
        "Prices and quantities are decimal strings; never round them through floating point."
    )


_SYMBOL: Final = Argument("symbol", "A pair, by its base symbol, such as vaix.")
_MODE: Final = Argument("mode", "paper or live.", "paper", ("paper", "live"))

GUIDES: Final[dict[str, Guide]] = {
    guide.name: guide
    for guide in (
        Guide(
            "open_position_twap",
            "Open a position with a TWAP",
            "Plan a position, have it confirmed, and build it over time.",
            (
                _SYMBOL,
                Argument("side", "buy or sell.", None, ("buy", "sell")),
                Argument("quantity", "Base units, as a decimal string."),
                Argument("duration_minutes", "How long to take.", "60"),
                _MODE,
            ),
            _twap,
        ),
        Guide(
            "quote_two_sides",
            "Quote two sides",
            "Make a market: one bid and one ask around the mid price, kept up to date.",
            (
                _SYMBOL,
                Argument("size", "Base units a side, as a decimal string."),
                Argument("spread_bps", "Basis points between bid and ask.", "40"),
                _MODE,
            ),
            _quotes,
        ),
    )
}
