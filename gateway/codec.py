"""Decimal strings to engine integers and back: the only place where either becomes the other.

Formatting never uses floats or exponents. Prices and sizes show exactly the places of the pair's
``tick_size`` and ``lot_size``; amounts show what they need. Nothing else belongs here.
"""

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

from actors.engine.pair_spec import PairSpec
from actors.engine.units import Mode


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
