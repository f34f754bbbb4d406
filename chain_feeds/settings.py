"""``[chains.<name>]`` of the configuration, and what of it the environment overrides.

A node's URL often carries a key: it is never logged nor shown; `shown_host` is what may be.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit, urlunsplit

import msgspec

from actors.engine.pair_spec import PairSpec, PoolSpec
from chain_feeds.errors import ChainSettingsError

_GETH_WS_PORT = 8546
_GETH_HTTP_PORT = 8545
_STALE_MIN_S = 0.5
_STALE_MAX_S = 3600


class ChainTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One chain. Without a URL its pools come from the recording that ships with Tandem."""

    family: Literal["evm", "solana"] = "evm"
    """What its nodes speak."""
    chain_id: Annotated[int, msgspec.Meta(ge=1)] = 1
    """Of an EVM chain: what its nodes must say they are."""
    genesis_hash: str = ""
    """Of a Solana cluster: what its nodes must say they are; "" believes any."""
    ws_url: str = ""
    http_url: str = ""
    fallback_urls: tuple[str, ...] = ()
    """Further nodes, followed in this order when the one before fails, and asked meanwhile whether
    they agree. Each is a WebSocket or HTTP URL, or both with a comma between them."""
    recording: str = ""
    """A recording's file; "" for the one in ``chain_feeds/recordings`` named after the chain."""
    stale_after_s: Annotated[float, msgspec.Meta(ge=_STALE_MIN_S, le=_STALE_MAX_S)] = 5.0
    """Without a new block for this long, a chain's depth leaves the book."""
    max_jump_pct: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 30
    """A price that moves further at once is believed only when a second read confirms it."""
    max_reorg_blocks: Annotated[int, msgspec.Meta(ge=1)] = 256
    """A node that goes further back than this is not believed until it has caught up."""
    repeat_after_s: Annotated[float, msgspec.Meta(ge=1)] = 60.0
    """A pool that did not change is published again after this long, at the newest block."""
    supply_every_blocks: Annotated[int, msgspec.Meta(ge=1)] = 300
    """The tokens' supplies are read at the start, and again after so many blocks."""
    backfill_blocks: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 2_000
    """Of an EVM chain: swaps that nobody told are asked for this far back; 0 for not at all."""
    text_frames: bool = False
    """Send WebSocket text frames instead of binary ones; some providers want them."""


class NodeUrls(msgspec.Struct, frozen=True):
    """Where one node is reached: for subscriptions, and for requests."""

    ws_url: str
    http_url: str


class ChainSettings(msgspec.Struct, frozen=True):
    """One chain as its feed needs it: a table with its name, its URLs completed."""

    name: str
    table: ChainTable
    ws_url: str = ""
    http_url: str = ""
    fallbacks: tuple[NodeUrls, ...] = ()
    """The nodes after the first."""

    @property
    def nodes(self) -> int:
        """How many nodes there are; 0 for a recording."""
        return 1 + len(self.fallbacks) if self.has_node else 0

    def at(self, node: int) -> "ChainSettings":
        """Give the chain with only one of its nodes, counted from 0."""
        if node == 0:
            return msgspec.structs.replace(self, fallbacks=())
        urls = self.fallbacks[node - 1]
        return ChainSettings(self.name, self.table, urls.ws_url, urls.http_url)

    @property
    def has_node(self) -> bool:
        """True for a node, False for a recording."""
        return bool(self.ws_url)

    @property
    def shown_host(self) -> str:
        """The node's host and port, fit for logs; "recording" without a node."""
        return shown_host(self.ws_url) if self.has_node else "recording"


class FeedPool(msgspec.Struct, frozen=True):
    """A pool and the pair it stands beside."""

    symbol: str
    spec: PoolSpec

    @property
    def key(self) -> str:
        """What tells it from every other: one pool may be listed beside two pairs."""
        return f"{self.symbol}/{self.spec.pool_id}"


def read_chains(
    section: Mapping[str, Any], pairs: tuple[PairSpec, ...], environ: Mapping[str, str]
) -> tuple[ChainSettings, ...]:
    """Read the ``chains`` section; every chain that a listed pool names must be there.

    Args:
        section: ``[chains]`` as read from TOML: a table for each chain.
        pairs: what is listed.
        environ: ``TANDEM_RPC_<CHAIN>`` gives a node's WebSocket or HTTP URL, or both with a comma
            between them, and after a space further nodes; ``TANDEM_STALE_AFTER_<CHAIN>`` gives
            ``stale_after_s``.

    Raises:
        ChainSettingsError: names chain and key, what was wrong and what to do.
    """
    chains = []
    for name, raw in section.items():
        try:
            table = msgspec.convert(raw, ChainTable)
        except msgspec.ValidationError as error:
            text, _, path = str(error).partition(" - at `$")
            raise ChainSettingsError(name, path.strip("`.") or "(table)", text) from None
        table = _with_stale_limit(name, table, environ)
        nodes = _nodes(name, table, environ)
        first = nodes[0] if nodes else NodeUrls("", "")
        chains.append(ChainSettings(name, table, first.ws_url, first.http_url, fallbacks=nodes[1:]))
    known = {chain.name for chain in chains}
    for pair in pairs:
        for pool in pair.pools:
            if pool.chain not in known:
                raise ChainSettingsError(
                    pool.chain, "(table)", f"pools of {pair.symbol} name it; add this table"
                )
    return tuple(chains)


def _with_stale_limit(chain: str, table: ChainTable, environ: Mapping[str, str]) -> ChainTable:
    variable = f"TANDEM_STALE_AFTER_{chain.upper()}"
    text = environ.get(variable, "")
    if not text:
        return table
    plain = re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", text, re.ASCII)
    if plain is None or not _STALE_MIN_S <= float(text) <= _STALE_MAX_S:
        raise ChainSettingsError(
            chain,
            variable,
            f"expected seconds from {_STALE_MIN_S} to {_STALE_MAX_S}, was {text[:20]!r}",
        )
    return msgspec.structs.replace(table, stale_after_s=float(text))


def pools_of(chain: str, pairs: tuple[PairSpec, ...]) -> tuple[FeedPool, ...]:
    """Give the listed pools of one chain."""
    return tuple(
        FeedPool(pair.symbol, pool) for pair in pairs for pool in pair.pools if pool.chain == chain
    )


def shown_host(url: str) -> str:
    """Reduce a URL to host and port: user, path and query may hold a key."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def _nodes(chain: str, table: ChainTable, environ: Mapping[str, str]) -> tuple[NodeUrls, ...]:
    """Read a chain's nodes: the environment's where it names any, else the table's."""
    variable = f"TANDEM_RPC_{chain.upper()}"
    given = re.sub(r"\s*,\s*", ",", environ.get(variable, "")).split()
    named = [(variable, text) for text in given]
    if not given:
        first = ",".join(url for url in (table.ws_url, table.http_url) if url)
        named = [("ws_url", first)] if first else []
        named += [("fallback_urls", text) for text in table.fallback_urls]
    nodes = [
        NodeUrls(*_both_urls(chain, key, [url.strip() for url in text.split(",") if url.strip()]))
        for key, text in named
    ]
    for number, (key, _) in enumerate(named):
        if nodes[number] in nodes[:number] or not nodes[number].ws_url:
            raise ChainSettingsError(chain, key, "expected a URL, and each node once")
    return tuple(nodes)


def _both_urls(chain: str, key: str, urls: list[str]) -> tuple[str, str]:
    ws_url = http_url = ""
    for url in urls:
        scheme, host = _checked(chain, key, url)
        if scheme in {"ws", "wss"} and host and not ws_url:
            ws_url = url
        elif scheme in {"http", "https"} and host and not http_url:
            http_url = url
        else:
            raise ChainSettingsError(
                chain, key, "expected a ws:// or wss:// URL, an http:// or https:// URL, or both"
            )
    if ws_url and not http_url:
        http_url = http_from_ws(ws_url)
    elif http_url and not ws_url:
        ws_url = ws_from_http(http_url)
    return ws_url, http_url


def _checked(chain: str, key: str, url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ChainSettingsError(chain, key, "expected a URL with a valid host and port") from None
    return parts.scheme, parts.hostname or ""


def http_from_ws(url: str) -> str:
    """Derive where requests go from where subscriptions go.

    The same host and path, as anvil, reth's single port and most providers have it; geth's usual
    port 8546 becomes 8545, and a path that begins with ``/ws/`` loses that part, as Infura's does.
    """
    parts = urlsplit(url)
    netloc = parts.netloc
    if parts.port == _GETH_WS_PORT:
        netloc = netloc.removesuffix(f":{_GETH_WS_PORT}") + f":{_GETH_HTTP_PORT}"
    path = parts.path.removeprefix("/ws") if parts.path.startswith("/ws/") else parts.path
    scheme = "https" if parts.scheme == "wss" else "http"
    return urlunsplit((scheme, netloc, path, parts.query, ""))


def ws_from_http(url: str) -> str:
    """Derive where subscriptions go from where requests go: the same place, with ws or wss."""
    parts = urlsplit(url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, parts.netloc, parts.path, parts.query, ""))
