"""Numbers and bodies that must never be accepted, for REST and WebSocket tests alike.

`NUMBERS` holds JSON texts that stand where a positive decimal is wanted; `BODIES` whole bodies.
"""

_TEXTS = (
    # Not numbers at all.
    "", " ", "abc", "one", "null", "true", "None", "undefined", "-", "+", ".", "..", ",", "e", "E5",
    "0x10", "0X1F", "0b11", "0o17", "#1", "$1", "1%", "(1)", "[1]", "{1}", "1;2", "1|2", "<1>",
    # Infinities and NaN in every spelling.
    "NaN", "nan", "NAN", "sNaN", "-NaN", "+NaN", "nan123", "Infinity", "infinity", "-Infinity",
    "+Infinity", "inf", "-inf", "+inf", "INF", "∞", "-∞",
    # Signs.
    "-1", "+1", "--1", "++1", "+-1", "-0", "+0", "-0.0", "1-", "1+", "- 1", "−1", "－1",  # noqa: RUF001
    # Exponents.
    "1e0", "1E0", "1e1", "1e-1", "1e+1", "1e400", "-1e400", "1e-400", "1.5e3", "1.e3", ".1e3",
    "1e", "e1", "1e1.5", "1e5000", "1e-5000", "1d3", "1p3", "0x1p3", "1^3", "10**3", "1×10",  # noqa: RUF001
    # Separators.
    "1_000", "_1", "1_", "1__0", "1,000", "1,5", "1 000", "1'000", "1.000.000", "1.0.0", "1..0",
    "1\u00a0000", "1\u2009000", "1\u202f000", "1٬000", "1٫5", "1·5", "1:5", "1/2", "½",  # noqa: RUF001
    # Points without digits.
    "1.", ".5", ".", "0.", ".0", "1. 0", "1 .0",
    # White space and control characters.
    " 1", "1 ", "\t1", "1\t", "\n1", "1\n", "\r\n1", "1\r", "\x0b1", "1\x0c", "\u00a01", "1\u2003",
    "\ufeff1", "1\u200b", "\u200e1", "1\x00", "\x001", "1\x1f", "1\x7f",
    # Other digits.
    "٣", "۳", "३", "৩", "੩", "૩", "௩", "౩", "೩", "൩", "๓", "໓", "၃", "３", "𝟑", "𝟛", "³", "₃", "③",  # noqa: RUF001
    "Ⅲ", "三", "1٣", "٣.٣", "１.５", "1．5",  # noqa: RUF001
    # Too long.
    "1" * 41, "0" * 41, "1" * 100, "9" * 5_000, "0." + "0" * 30 + "1", "0." + "1" * 31,
    "1." + "0" * 39, "1" * 39 + ".5", "0" * 5_000 + "1",
    # Other languages' numbers, formulas, attacks.
    "1n", "1L", "1f", "1.0f", "1.5d", "1m", "0777l", "1e3f", "Decimal('1')", "=1+1", "1+1", "2*3",
    "@1", "1--", "1/*x*/", "' OR 1=1", "1; DROP TABLE", "<script>1</script>", "${1}", "{{1}}", "%31",  # noqa: E501
    "\\u0031", "&#49;", "1\\", '1"', "1'", "`1`", "../1", "1\n2", "1,2", "[1,2]", '{"a":1}',
)  # fmt: skip

_JSON = (
    # Not strings and not numbers.
    "null", "true", "false", "[]", "{}", '["1"]', '{"value":"1"}', '[1]', "[[1]]", '{"1":1}',
    # JSON numbers that are not plain.
    "-1", "-0", "-0.5", "-1.5", "1e0", "1E0", "1e1", "1E+1", "1e-1", "1.5e3", "1e400", "-1e400",
    "1e-400", "1.0e1", "0e0", "1e308", "1e309", "1e5000", "123456789e1", "0.1e-5",
    "1" * 41, "1" * 400, "9" * 5_000, "0." + "1" * 31, "0." + "0" * 35 + "1", "1." + "0" * 39,
    "1" * 39 + ".5", "-" + "1" * 41,
)  # fmt: skip

_NOT_JSON = (
    "NaN", "Infinity", "-Infinity", "nan", "inf", "1_000", "0x10", "01", "00", "+1", ".5", "1.",
    "1.e5", "1e", "1e+", "0b1", "0o7", "１", "٣", "'1'", "undefined", "None", "True", "1n", "1L",  # noqa: RUF001
    "1 2", "--1", "- 1", '"1', "", "1,000", "(1)", "1//2", "/*1*/1", "#1", '"\n"', '"\\x31"',
)  # fmt: skip


def _quoted(text: str) -> str:
    import json

    return json.dumps(text)


NUMBERS: tuple[str, ...] = tuple(_quoted(text) for text in _TEXTS) + _JSON
"""JSON texts that parse, and are no plain decimal: 422 naming the field."""

BROKEN: tuple[str, ...] = _NOT_JSON
"""Texts that make the whole body no JSON: 422 INVALID_JSON."""

BODIES: tuple[tuple[bytes, int, str], ...] = (
    (b"", 422, "INVALID_JSON"),
    (b" ", 422, "INVALID_JSON"),
    (b"{", 422, "INVALID_JSON"),
    (b"}", 422, "INVALID_JSON"),
    (b'{"side"}', 422, "INVALID_JSON"),
    (b'{"side":"buy",}', 422, "INVALID_JSON"),
    (b"{'side':'buy'}", 422, "INVALID_JSON"),
    (b'{"side":"buy"} x', 422, "INVALID_JSON"),
    (b'{"side":"buy"}{}', 422, "INVALID_JSON"),
    (b'\xef\xbb\xbf{"side":"buy"}', 422, "INVALID_JSON"),
    (b'{"side":"\xff"}', 422, "INVALID_JSON"),
    (b'{"side":"\xc3\x28"}', 422, "INVALID_JSON"),
    (b'{"side":"\xed\xa0\x80"}', 422, "INVALID_JSON"),
    ('{"side":"buy"}'.encode("utf-16"), 422, "INVALID_JSON"),
    (b'{"side":"buy","side":"sell"}', 422, "DUPLICATE_KEY"),
    (b'{"side":"buy","position_id":{"a":1,"a":2}}', 422, "DUPLICATE_KEY"),
    (b'{"position_id":' + b"[" * 40 + b"]" * 40 + b"}", 422, "TOO_DEEP"),
    (b'{"a":' * 40 + b"1" + b"}" * 40, 422, "TOO_DEEP"),
    (b"[" * 30_000, 422, "TOO_DEEP"),
    (b"[" * 30_000 + b"]" * 30_000, 422, "TOO_DEEP"),
    (b'{"side":"' + b"x" * 70_000 + b'"}', 413, "BODY_TOO_LARGE"),
    (b"null", 422, "VALIDATION_ERROR"),
    (b"true", 422, "VALIDATION_ERROR"),
    (b"1", 422, "VALIDATION_ERROR"),
    (b'"buy"', 422, "VALIDATION_ERROR"),
    (b"[]", 422, "VALIDATION_ERROR"),
    (b'[{"side":"buy"}]', 422, "VALIDATION_ERROR"),
    (b"{}", 422, "VALIDATION_ERROR"),
    (b'{"side":"buy"}', 422, "VALIDATION_ERROR"),
    (b'{"side":"BUY","quantity":"1","price":"1"}', 422, "VALIDATION_ERROR"),
    (b'{"side":1,"quantity":"1","price":"1"}', 422, "VALIDATION_ERROR"),
    (b'{"side":null,"quantity":"1","price":"1"}', 422, "VALIDATION_ERROR"),
    (b'{"side":["buy"],"quantity":"1","price":"1"}', 422, "VALIDATION_ERROR"),
    (b'{"side":"buy","quantity":"1","price":"1","quantiy":"1"}', 422, "VALIDATION_ERROR"),
    (b'{"side":"buy","quantity":"1","price":"1","mode":"demo"}', 422, "VALIDATION_ERROR"),
    (b'{"side":"buy","quantity":"1","price":"1","paper":"true"}', 422, "VALIDATION_ERROR"),
    (b'{"side":"buy","quantity":"1","price":"1","paper":1}', 422, "VALIDATION_ERROR"),
    (b'{"side":"buy","quantity":"1","price":"1","order_type":"LIMIT"}', 422, "VALIDATION_ERROR"),
    (b'{"side":"buy","quantity":"1","price":"1","stp_mode":"none"}', 422, "VALIDATION_ERROR"),
    (b'{"side":"buy","quantity":"1","price":"1","route_mode":""}', 422, "VALIDATION_ERROR"),
    (b'{"side":"buy","quantity":"1","price":"1","time_in_force_ms":999}', 422, "VALIDATION_ERROR"),
    (b'{"side":"buy","quantity":"1","price":"1","time_in_force_ms":"5000"}', 422,
     "VALIDATION_ERROR"),
    (b'{"side":"buy","quantity":"1","price":"1","time_in_force_ms":5000.0}', 422,
     "VALIDATION_ERROR"),
    (b'{"side":"buy","quantity":"1","price":"1","time_in_force_ms":true}', 422,
     "VALIDATION_ERROR"),
    (b'{"side":"buy","quantity":"1","price":"1","expire_at":-1}', 422, "VALIDATION_ERROR"),
    (b'{"side":"buy","quantity":"1","price":"1","expire_at":1e30}', 422, "VALIDATION_ERROR"),
    (b'{"side":"buy","quantity":"1","price":"1","expire_at":99999999999999999999}', 422,
     "VALIDATION_ERROR"),
    (b'{"side":"buy","quantity":"1","price":"1","client_order_id":""}', 422, "VALIDATION_ERROR"),
    (b'{"side":"buy","quantity":"1","price":"1","client_order_id":"a b"}', 422,
     "VALIDATION_ERROR"),
    (b'{"side":"buy","quantity":"1","price":"1","client_order_id":"' + b"a" * 65 + b'"}', 422,
     "VALIDATION_ERROR"),
    (b'{"side":"buy","quantity":"1","price":"1","client_order_id":"\\ud800"}', 422,
     "VALIDATION_ERROR"),
    (b'{"side":"buy","quantity":"1","price":"1","":1}', 422, "VALIDATION_ERROR"),
    (b'{"side":"buy","quantity":"1","price":"1","\\u0000":1}', 422, "VALIDATION_ERROR"),
    (b'{"side":"buy","quantity":"1","price":"1","__proto__":{}}', 422, "VALIDATION_ERROR"),
    (b'{"side":"buy","quantity":"0.5","price":"1"}', 400, "QUANTITY_OFF_LOT"),
    (b'{"side":"buy","quantity":"0","price":"1"}', 400, "QUANTITY_TOO_SMALL"),
    (b'{"side":"buy","quantity":"1","price":"0.0000001"}', 400, "PRICE_OFF_TICK"),
    (b'{"side":"buy","quantity":"1","price":"0"}', 400, "PRICE_REQUIRED"),
    (b'{"side":"buy","quantity":"1"}', 400, "PRICE_REQUIRED"),
    (b'{"side":"buy","quantity":"1","price":"9999999999999999999999999999999999999999"}', 400,
     "INVALID_PRICE"),
    (b'{"side":"buy","quantity":"9999999999999999999999999999999999999999","price":"1"}', 400,
     "QUANTITY_TOO_LARGE"),
    (b'{"side":"buy","quantity":"1","price":"1","order_type":"stop_limit"}', 400,
     "STOP_PRICE_REQUIRED"),
    (b'{"side":"buy","quantity":"1","price":"1","expire_at":1}', 400, "INVALID_EXPIRY"),
    (b'{"side":"buy","quantity":"1","price":"1","display_qty":"2"}', 400, "INVALID_DISPLAY_QTY"),
)  # fmt: skip
"""Whole order bodies with the status and code they get."""
