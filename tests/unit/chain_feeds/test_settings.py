"""Chains as configured: URLs completed, the environment heeded, mistakes named, keys kept."""

import pytest

from actors.engine.pair_spec import AssetSpec, PairSpec
from chain_feeds.errors import ChainSettingsError
from chain_feeds.settings import ChainSettings, pools_of, read_chains, shown_host
from tests.unit.chain_feeds.chains import pool

PAIR = PairSpec(
    symbol="vaix",
    base=AssetSpec("VAIX", 6),
    quote=AssetSpec("USDC", 6),
    tick_size="0.000001",
    lot_size="1",
    pools=(pool().spec,),
)


def read(table: dict[str, object] | None = None, **environ: str) -> ChainSettings:
    """Read one chain."""
    (chain,) = read_chains({"ethereum": table or {}}, (PAIR,), environ)
    return chain


def test_chain_without_urls_is_played_from_its_recording() -> None:
    """No node, no host to show."""
    chain = read()
    assert not chain.has_node
    assert chain.shown_host == "recording"


@pytest.mark.parametrize(
    ("given", "ws_url", "http_url"),
    [
        ("ws://node:8546", "ws://node:8546", "http://node:8545"),
        ("ws://node:9000/rpc", "ws://node:9000/rpc", "http://node:9000/rpc"),
        ("wss://node/ws/v3/KEY", "wss://node/ws/v3/KEY", "https://node/v3/KEY"),
        ("https://node/v2/KEY", "wss://node/v2/KEY", "https://node/v2/KEY"),
        ("ws://one:1,http://two:2", "ws://one:1", "http://two:2"),
        (" http://two:2 , ws://one:1 ", "ws://one:1", "http://two:2"),
    ],
)
def test_url_in_the_environment_gives_both_urls(given: str, ws_url: str, http_url: str) -> None:
    """One URL is enough; a pair of them, in any order, is taken as it is."""
    chain = read({"ws_url": "ws://file:1"}, TANDEM_RPC_ETHEREUM=given)
    assert (chain.ws_url, chain.http_url) == (ws_url, http_url)


def test_further_nodes_are_kept_in_their_order() -> None:
    """The table's, or the environment's instead of all of them; each alone is a chain too."""
    table: dict[str, object] = {
        "ws_url": "ws://one:1",
        "fallback_urls": ["ws://two:2", "http://three:3"],
    }
    chain = read(table)
    assert chain.nodes == 3
    assert [chain.at(node).ws_url for node in range(3)] == [
        "ws://one:1",
        "ws://two:2",
        "ws://three:3",
    ]
    assert [chain.at(node).shown_host for node in range(3)] == ["one:1", "two:2", "three:3"]
    assert all(chain.at(node).nodes == 1 for node in range(3))
    given = read(table, TANDEM_RPC_ETHEREUM="ws://a:1 , http://b:2  ws://c:3")
    assert [(given.at(n).ws_url, given.at(n).http_url) for n in range(given.nodes)] == [
        ("ws://a:1", "http://b:2"),
        ("ws://c:3", "http://c:3"),
    ]
    assert read({"fallback_urls": ["ws://two:2"]}).ws_url == "ws://two:2"
    assert read().nodes == 0


@pytest.mark.parametrize("urls", [["node"], ["ws://one:1"], ["ws://a:1", "ws://a:1"], [","]])
def test_further_node_that_is_none_or_is_listed_twice_is_refused(urls: list[str]) -> None:
    """A node cannot be its own witness."""
    with pytest.raises(ChainSettingsError) as caught:
        read({"ws_url": "ws://one:1", "fallback_urls": urls})
    assert caught.value.key == "fallback_urls"


@pytest.mark.parametrize(
    "given", ["node:8546", "ftp://node", "ws:///rpc", "ws://node:port", "ws://a,ws://b", "ws://[x"]
)
def test_url_that_is_none_is_refused_by_the_variable_and_without_its_text(given: str) -> None:
    """The message names where it stands; the URL, which may hold a key, is not repeated."""
    with pytest.raises(ChainSettingsError) as caught:
        read(TANDEM_RPC_ETHEREUM=given)
    assert caught.value.key == "TANDEM_RPC_ETHEREUM"
    assert given not in str(caught.value)


@pytest.mark.parametrize("given", ["0.5", "3", "36", "12.25", "3600"])
def test_stale_limit_in_the_environment_replaces_the_files(given: str) -> None:
    """The variable alone is enough."""
    chain = read({"stale_after_s": 36}, TANDEM_STALE_AFTER_ETHEREUM=given)
    assert chain.table.stale_after_s == float(given)


@pytest.mark.parametrize(
    "given", ["0", "0.4", "3601", "-1", "nan", "1e2", "5s", " 5", "\u0665", "0x5"]
)
def test_stale_limit_that_is_no_plain_number_in_range_is_refused(given: str) -> None:
    """It is named with its bounds."""
    with pytest.raises(ChainSettingsError, match=r"seconds from 0\.5 to 3600"):
        read(TANDEM_STALE_AFTER_ETHEREUM=given)


@pytest.mark.parametrize(
    ("table", "key"),
    [({"chain_id": 0}, "chain_id"), ({"stale_after_s": "5"}, "stale_after_s"),
     ({"max_jump_pct": 0}, "max_jump_pct"), ({"wsurl": "ws://node"}, "(table)")],
)  # fmt: skip
def test_table_with_a_wrong_key_is_refused_by_its_name(table: dict[str, object], key: str) -> None:
    """The key in the file is named."""
    with pytest.raises(ChainSettingsError) as caught:
        read(table)
    assert (caught.value.chain, caught.value.key) == ("ethereum", key)


def test_chain_that_a_pool_names_and_no_table_has_is_refused() -> None:
    """The pair and the missing table are named."""
    with pytest.raises(ChainSettingsError, match=r"chains\.ethereum.*pools of vaix"):
        read_chains({}, (PAIR,), {})


def test_pools_of_a_chain_are_those_that_name_it() -> None:
    """Each with its pair."""
    assert pools_of("ethereum", (PAIR,)) == (pool(),)
    assert pools_of("base", (PAIR,)) == ()


@pytest.mark.parametrize(
    "url", ["wss://user:KEY@node:443/KEY?key=KEY", "wss://node:443/v3/KEY#KEY"]
)
def test_shown_host_of_a_url_with_keys_has_none(url: str) -> None:
    """Only host and port are left."""
    assert shown_host(url) == "node:443"
