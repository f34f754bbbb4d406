"""Decimal strings to engine integers and back: the only place where either becomes the other.

Formatting never uses floats or exponents. Prices and sizes show exactly the places of the pair's
``tick_size`` and ``lot_size``; amounts show what they need. Nothing else belongs here.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from event_trader.wire.failure import ErrorCode

from actors.engine.pair_spec import PairSpec
from actors.engine.units import Mode
from gateway.errors import ApiError, invalid


@lru_cache(maxsize=1024)
def _grid(step: str) -> tuple[int, int]:
    """Split a grid step such as ``"0.005"`` into its integer (5) and its decimal places (3)."""
    exponent = Decimal(step).as_tuple().exponent
    places = max(0, -exponent) if isinstance(exponent, int) else 0
    return int(Decimal(step).scaleb(places)), places


def _fixed(value: int, places: int) -> str:
    """Write ``value / 10**places`` with exactly ``places`` decimals."""
    if not places:
        return str(value)
    digits = str(abs(value)).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def format_price(spec: PairSpec, ticks: int) -> str:
    """Show a price of ``ticks`` as a decimal string, with the places of the pair's tick."""
    mantissa, places = _grid(spec.tick_size)
    return _fixed(ticks * mantissa, places)


def format_size(spec: PairSpec, lots: int) -> str:
    """Show a size of ``lots`` as a decimal string, with the places of the pair's lot."""
    mantissa, places = _grid(spec.lot_size)
    return _fixed(lots * mantissa, places)


_TICKS = re.compile(r"(?:from 1|\b0) to (\d+) ticks")
_LOTS = re.compile(r"\b(\d+) lots\b|(?<=minimum is )(\d+)|(?<=minimum of )(\d+)")


def in_decimals(spec: PairSpec, message: str) -> str:
    """Say a refusal of the engine's, which reckons in ticks and lots, in what people send."""
    least = format_price(spec, 1)
    told = _TICKS.sub(lambda m: f"from {least} to {format_price(spec, int(m[1]))}", message)
    return _LOTS.sub(lambda m: format_size(spec, int(m[1] or m[2] or m[3])), told)


def format_amount(raw: int, decimals: int) -> str:
    """Show ``raw`` units of an asset of ``decimals`` places, without trailing zeros."""
    text = _fixed(raw, decimals)
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_ratio(numerator: int, denominator: int, places: int) -> str:
    """Show ``numerator / denominator`` rounded half to even at ``places`` decimals; "0" for x/0."""
    if not denominator:
        return _fixed(0, places)
    scaled, rest = divmod(abs(numerator) * 10**places, abs(denominator))
    twice = 2 * rest
    if twice > abs(denominator) or (twice == abs(denominator) and scaled % 2):
        scaled += 1
    negative = (numerator < 0) != (denominator < 0)
    return _fixed(-scaled if negative else scaled, places)


def format_time(time_ns: int) -> str:
    """Show Unix nanoseconds as RFC 3339 UTC with milliseconds."""
    seconds, rest_ns = divmod(time_ns, 1_000_000_000)
    return f"{_second(seconds)}.{rest_ns // 1_000_000:03d}Z"


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    """Show a whole Unix second as ``YYYY-MM-DDTHH:MM:SS``."""
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def format_order_id(symbol: str, mode: Mode, order_no: int) -> str:
    """Name an order so that the id alone says its pair and mode: ``ord_vaix_p_17``."""
    return f"ord_{symbol}_{_MODE_LETTERS[mode]}_{order_no}"


def format_trade_id(symbol: str, mode: Mode, trade_no: int) -> str:
    """Name a trade: ``trd_vaix_p_17``."""
    return f"trd_{symbol}_{_MODE_LETTERS[mode]}_{trade_no}"


_MODE_LETTERS = {Mode.PAPER: "p", Mode.LIVE: "l"}


# Reading: what a request says, in the engine's integers.

INT64_MAX = 2**63 - 1
"""What a journal record can carry; a number beyond it is refused before it gets anywhere."""


def read_price(spec: PairSpec, text: str, field: str = "price") -> int:
    """Bring a plain decimal (checked by the wire model) to ticks; "0" is 0.

    Raises:
        ApiError: 400 PRICE_OFF_TICK or INVALID_PRICE, naming the field.
    """
    ticks = _steps(text, spec.tick_size)
    if ticks is None:
        message = f"{field} must be a multiple of the tick size {spec.tick_size}, was {text}."
        details = {"field": field, "tick_size": spec.tick_size}
        raise ApiError(400, ErrorCode.PRICE_OFF_TICK, message, details)
    if ticks > spec.max_price_ticks:
        largest = format_price(spec, spec.max_price_ticks)
        message = f"{field} must be at most {largest}, was {text}."
        raise ApiError(400, ErrorCode.INVALID_PRICE, message, {"field": field, "maximum": largest})
    return ticks


def read_size(spec: PairSpec, text: str, field: str = "quantity") -> int:
    """Bring a plain decimal to lots.

    Raises:
        ApiError: 400 QUANTITY_OFF_LOT, QUANTITY_TOO_SMALL or QUANTITY_TOO_LARGE.
    """
    lots = _steps(text, spec.lot_size)
    if lots is None:
        message = f"{field} must be a multiple of the lot size {spec.lot_size}, was {text}."
        details = {"field": field, "lot_size": spec.lot_size}
        raise ApiError(400, ErrorCode.QUANTITY_OFF_LOT, message, details)
    if lots < 1:
        least = format_size(spec, spec.min_order_lots)
        message = f"{field} must be at least {least}, was {text}."
        raise ApiError(
            400, ErrorCode.QUANTITY_TOO_SMALL, message, {"field": field, "minimum": least}
        )
    if lots > spec.max_order_lots:
        largest = format_size(spec, spec.max_order_lots)
        message = f"{field} must be at most {largest}, was {text}."
        raise ApiError(
            400, ErrorCode.QUANTITY_TOO_LARGE, message, {"field": field, "maximum": largest}
        )
    return lots


def read_amount(text: str, decimals: int, field: str = "amount") -> int:
    """Bring a plain decimal to raw units of an asset.

    Raises:
        ApiError: 400 INVALID_AMOUNT: zero, finer than the asset, or beyond 63 bits.
    """
    raw = _scaled(text, decimals)
    if raw is None or not 0 < raw <= INT64_MAX:
        message = f"{field} must be above zero, with at most {decimals} decimals, was {text}."
        raise ApiError(400, ErrorCode.INVALID_AMOUNT, message, {"field": field})
    return raw


def read_percent_ppm(text: str, field: str) -> int:
    """Bring per cent to parts per million, rounding down; above 0 and at most 100.

    Raises:
        ApiError: 422 naming the field.
    """
    raw = _scaled(text, 4)
    if raw is None or not 0 < raw <= 1_000_000:
        raise invalid(("body", field), "must be above 0 and at most 100, to four decimals")
    return raw


def _steps(text: str, step: str) -> int | None:
    """Count the steps of a grid in a plain decimal; None when it lies between two."""
    mantissa, places = _grid(step)
    scaled = _scaled(text, places)
    if scaled is None or scaled % mantissa:
        return None
    return scaled // mantissa


def _scaled(text: str, places: int) -> int | None:
    """Multiply a plain decimal by ``10**places``; None when digits would be lost."""
    whole, _, fraction = text.partition(".")
    if len(fraction) > places:
        if fraction[places:].strip("0"):
            return None
        fraction = fraction[:places]
    return int(whole + fraction.ljust(places, "0"))


# Ids

ID_NUMBER_MAX = 10**18


class MarketId(NamedTuple):
    """What an order's, trade's, TWAP's or scale's id says."""

    symbol: str
    mode: Mode
    number: int


def parse_market_id(prefix: str, text: str) -> MarketId | None:
    """Take an id such as ``ord_vaix_p_17`` apart; None for anything else."""
    if len(text) > 80 or not text.isascii() or not text.startswith(f"{prefix}_"):
        return None
    parts = text[len(prefix) + 1 :].rsplit("_", 2)
    if len(parts) != 3:
        return None
    symbol, letter, digits = parts
    mode = _MODES.get(letter)
    if mode is None or not symbol or not digits.isdigit() or digits[0] == "0":
        return None
    number = int(digits)
    return MarketId(symbol, mode, number) if number < ID_NUMBER_MAX else None


def format_twap_id(symbol: str, mode: Mode, twap_no: int) -> str:
    """Name a TWAP: ``twap_vaix_p_3``."""
    return f"twap_{symbol}_{_MODE_LETTERS[mode]}_{twap_no}"


def format_scale_id(symbol: str, mode: Mode, scale_no: int) -> str:
    """Name a scale: ``scale_vaix_p_3``."""
    return f"scale_{symbol}_{_MODE_LETTERS[mode]}_{scale_no}"


_MODES = {letter: mode for mode, letter in _MODE_LETTERS.items()}
