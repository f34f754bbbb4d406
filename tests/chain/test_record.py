"""`tandem record` on a real node: what it writes is what the contracts said, and can be played."""

import threading
from pathlib import Path

import pytest

from actors.engine.pools.state import ConstantProduct
from chain_feeds.settings import pools_of
from chain_feeds.sources.recorded import load as play
from chain_feeds.sources.recording import read
from devnet.anvil import Anvil
from devnet.contracts import Network
from devnet.trader import Trader
from tandem import record, settings
from tests.chain.test_exchange_on_anvil import CONFIG

BLOCKS = 6


@pytest.fixture
def configured(
    node: Anvil, network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> settings.Settings:
    """The pair's pool, listed on the node."""
    deployed = network.pairs["vaix"]
    places = {"pool": deployed.pair, "base": deployed.base, "quote": deployed.quote}
    path = tmp_path / "exchange.toml"
    path.write_text(CONFIG.format(**{name: item.address for name, item in places.items()}), "utf-8")
    monkeypatch.setenv("TANDEM_RPC_ETHEREUM", node.ws_url)
    return settings.load(path, tmp_path / "data")


def test_recording_of_a_node_holds_every_block_as_the_contract_said(
    configured: settings.Settings, network: Network, tmp_path: Path
) -> None:
    """Reserves and block times agree with the node's, block by block; the loop plays them."""
    out = tmp_path / "recordings"
    done = threading.Event()
    problems: list[BaseException] = []

    def run() -> None:
        try:
            record.run(configured, out, BLOCKS, "a test")
        except BaseException as error:  # noqa: BLE001 -- told by the thread that waits
            problems.append(error)
        finally:
            done.set()

    network.rpc("anvil_setBlockTimestampInterval", 1)
    thread = threading.Thread(target=run)
    thread.start()
    truth: dict[int, tuple[int, tuple[int, int]]] = {}
    trader = Trader(network, 3)
    pair = network.pairs["vaix"]
    turn = 0
    while not done.is_set():
        turn += 1
        swap = trader.swap_towards("vaix", 0.003 * (1 + 0.004 * (-1) ** turn))
        mined = network.w3.eth.wait_for_transaction_receipt(swap, poll_latency=0.01)
        block = network.w3.eth.get_block(mined["blockNumber"])
        truth[mined["blockNumber"]] = (block["timestamp"] * 1_000, pair.reserves())
        done.wait(0.1)
    thread.join(30)
    assert problems == []
    path = out / "ethereum.jsonl.gz"
    header, blocks = read(path)
    (spec,) = [listed.spec for listed in pools_of("ethereum", configured.listing.pairs)]
    assert header.node.startswith("anvil/")
    assert (header.note, header.chain_id, len(blocks)) == ("a test", 1, header.blocks)
    assert (header.pools[0].address, header.pools[0].kind) == (spec.address, spec.kind)
    assert header.pools[0].base_supply == str(pair.base.functions.totalSupply().call())
    assert len(blocks) >= BLOCKS
    known = [block for block in blocks[1:] if block.number in truth]
    assert len(known) >= BLOCKS - 1
    for recorded in known:
        time_ms, reserves = truth[recorded.number]
        ((_, curve),) = recorded.states
        assert isinstance(curve, ConstantProduct)
        assert (curve.reserve_base, curve.reserve_quote) == reserves
        assert recorded.time_ms == time_ms
    assert len(play(path).steps) == 2 * len(blocks) - 1


def test_recording_without_a_node_is_refused(tmp_path: Path) -> None:
    """The message says what to set."""
    with pytest.raises(record.RecordError, match="TANDEM_RPC_"):
        record.run(settings.load(environ={}), tmp_path, 5, "")
