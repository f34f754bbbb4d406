"""What points Tandem at a development network: a whole configuration, or the pools of one."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from devnet.chains import SOLANA, Chain
from devnet.listed import Listed

DEFAULT: Final = Path(__file__).resolve().parent.parent / "exchange.toml"
MARK: Final = "# ---- The pools. This part is written by `make devnet RECORD=1`.\n"
STALE_AFTER_S: Final = 5
_BPS_IN_PPM: Final = 100


_ASSETS: Final = {"USDT": {"decimals": 6, "paper_grant": "100000"}}
_PAIRS: Final = {
    "usdt": {"base": "USDT", "quote": "USDC", "tick_size": "0.0001", "lot_size": "1"},
}
"""The pair of the stable pools, which the default configuration does not list."""


def whole(chains: Sequence[Chain]) -> str:
    """Write a configuration: the default assets and pairs, one more, and these chains' pools."""
    default = tomllib.loads(DEFAULT.read_text(encoding="utf-8"))
    parts = [_table("exchange", default["exchange"])]
    assets, pairs = {**default["assets"], **_ASSETS}, {**default["pairs"], **_PAIRS}
    parts += [_table(f"assets.{name}", table) for name, table in assets.items()]
    for symbol, table in pairs.items():
        plain = {key: value for key, value in table.items() if key != "pools"}
        parts.append(_table(f"pairs.{symbol}", plain))
    for chain in chains:
        identity: dict[str, Any] = {"chain_id": chain.chain_id}
        if chain.name == SOLANA:
            identity = {"family": "solana"}
        urls = {"ws_url": chain.ws_url, "http_url": chain.http_url}
        parts.append(_table(f"chains.{chain.name}", {**identity, **urls, **_STALE}))
    return "\n".join([*parts, pools(chains, tuple(pairs))])


_STALE: Final = {"stale_after_s": STALE_AFTER_S}


def pools(chains: Sequence[Chain], symbols: Sequence[str]) -> str:
    """Write these pairs' pools on all chains, pair by pair."""
    listed = [pool for chain in chains for pool in chain.pools]
    return "\n".join(
        _table(f"[pairs.{symbol}.pools]", _row(pool))
        for symbol in symbols
        for pool in listed
        if pool.symbol == symbol
    )


def rewrite_default(chains: Sequence[Chain]) -> None:
    """Put the pools of the default pairs in place of those that the default configuration lists."""
    text = DEFAULT.read_text(encoding="utf-8")
    kept, mark, _ = text.partition(MARK)
    if not mark:
        raise ValueError(f"{DEFAULT} has no line {MARK.strip()!r}")
    symbols = tuple(tomllib.loads(text)["pairs"])
    written = pools(chains, symbols).rstrip() + "\n"
    DEFAULT.write_text(kept + mark + "\n" + written, encoding="utf-8")


def _row(pool: Listed) -> Mapping[str, Any]:
    spec = pool.spec
    return {
        "chain": spec.chain,
        "venue": spec.venue,
        "kind": spec.kind,
        "address": spec.address,
        "base_address": spec.base_address,
        "quote_address": spec.quote_address,
        "base_decimals": spec.base_decimals,
        "quote_decimals": spec.quote_decimals,
        "fee_bps": max(1, spec.fee_ppm // _BPS_IN_PPM) if spec.fee_ppm else 0,
    }


def _table(name: str, values: Mapping[str, Any]) -> str:
    return "\n".join([f"[{name}]", *_lines(values), ""])


def _lines(values: Mapping[str, Any]) -> Iterable[str]:
    for key, value in values.items():
        if isinstance(value, bool):
            yield f"{key} = {str(value).lower()}"
        elif isinstance(value, int | float):
            yield f"{key} = {value}"
        else:
            yield f'{key} = "{value}"'
