"""Whether the contract at a listed address is the pool that was listed: questions and verdict."""

import re
from collections.abc import Sequence
from typing import Any, Final

from actors.engine.pair_spec import PoolSpec
from chain_feeds.sources.json_rpc import Answer, Call

_TOKEN0: Final = "0x0dfe1681"
_TOKEN1: Final = "0xd21220a7"
_DECIMALS: Final = "0x313ce567"
"""The first four bytes of keccak-256 of ``token0()``, ``token1()`` and ``decimals()``."""


def listing_fault(spec: PoolSpec) -> str:
    """Say in one line why no contract can be what was listed, "" if one can."""
    for what, address in (
        ("pool", spec.address),
        ("base token", spec.base_address),
        ("quote token", spec.quote_address),
    ):
        if re.fullmatch(r"0x[0-9a-fA-F]{40}", address) is None:
            return f"the {what}'s address {address[:60]!r} is none: expected 0x and 40 digits"
    if spec.base_address.lower() == spec.quote_address.lower():
        return "base and quote token are listed with the same address"
    return ""


def questions(spec: PoolSpec) -> list[Call]:
    """Return what to ask the node about a pool; `identity_fault` reads the answers in order."""
    return [
        ("eth_getCode", [spec.address, "latest"]),
        _call(spec.address, _TOKEN0),
        _call(spec.address, _TOKEN1),
        _call(spec.base_address, _DECIMALS),
        _call(spec.quote_address, _DECIMALS),
    ]


def identity_fault(spec: PoolSpec, answers: Sequence[Answer]) -> str:
    """Say in one line why a contract is not the listed pool, "" if it is."""
    code, first, second, base_decimals, quote_decimals = (
        str(answer.get("result") or "") for answer in answers
    )
    if code in {"", "0x"}:
        return f"no contract at {spec.address}"
    tokens = {_address(first), _address(second)}
    wanted = {spec.base_address.lower(), spec.quote_address.lower()}
    if "" in tokens:
        return f"the contract at {spec.address} has no token0() and token1()"
    if tokens != wanted:
        return (
            f"the pool's tokens are {_address(first)} and {_address(second)}, listed are "
            f"{spec.base_address} and {spec.quote_address}"
        )
    for token, answer, listed in (
        ("base", base_decimals, spec.base_decimals),
        ("quote", quote_decimals, spec.quote_decimals),
    ):
        if len(answer) != 66:
            return f"the {token} token does not tell its decimals"
        if integer(answer) != listed:
            return f"the {token} token has {integer(answer)} decimals, listed are {listed}"
    return ""


def integer(value: Any) -> int:  # noqa: ANN401 -- text from JSON, int from web3's formatters
    """Read a quantity as JSON-RPC writes it, or as web3 has already read it."""
    return int(value, 16) if isinstance(value, str) else int(value)


def _call(address: str, data: str) -> Call:
    return ("eth_call", [{"to": address, "data": data}, "latest"])


def _address(word: str) -> str:
    """Read an address from an answer of one word, "" if it is none."""
    return "0x" + word[-40:].lower() if len(word) == 66 else ""
