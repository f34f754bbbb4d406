"""A whole exchange on a real node: its hybrid book is what the pair contract gives, at any time."""

import json
import os
import signal
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from devnet.anvil import Anvil
from devnet.contracts import Deployed, Market, Network
from tests.running import RunningExchange, free_port, processes_of, wait_until

STALE_AFTER_S: Final = 6
"""Six blocks of these nodes: a machine that is busy is no silent node."""
LOT: Final = 10**18
"""Raw units of the pool's base token in a lot of one whole token."""
QUOTE_UNIT: Final = 10**12
"""Raw units of the pool's quote token in one of the exchange's."""
TICKS: Final = 10**6
"""Prices a whole token: the tick is a millionth, as the exchange's unit of USDC is."""
FEE_PPM: Final = 1_000
WANTED: Final = 654_321
"""The whole tokens that the market orders want: half a percent of the pool."""

CONFIG: Final = """
[exchange]
account_shards = 1

[assets.USDC]
decimals = 6
paper_grant = "100000"

[assets.VAIX]
decimals = 6
paper_grant = "30000000"

[pairs.vaix]
base = "VAIX"
quote = "USDC"
tick_size = "0.000001"
lot_size = "1"

[[pairs.vaix.pools]]
chain = "ethereum"
venue = "Uniswap"
kind = "uniswap_v2"
address = "{pool}"
base_address = "{base}"
quote_address = "{quote}"
base_decimals = 18
quote_decimals = 18
fee_bps = 30

[chains.ethereum]
chain_id = 1
stale_after_s = 600
"""

BAD_POOLS: Final = {
    "no contract at 0x7777": {"address": "0x" + "77" * 20},
    "the pool's tokens are": {"address": "{other}"},
    "pools of kind 'nonsense'": {"kind": "nonsense", "address": "0x" + "78" * 20},
    "no connection to 127.0.0.1": {"chain": "base"},
    "chain id is 1, configured is 42161": {"chain": "arbitrum"},
}
"""Listings that name what is not there, and what the venue must say of each."""

pytestmark = pytest.mark.ray


def config_of(network: Network, node: Anvil) -> str:
    """List the pair's pool, and beside it everything that can be listed wrongly."""
    deployed = network.pairs["vaix"]
    places = {"pool": deployed.pair, "base": deployed.base, "quote": deployed.quote}
    addresses = {name: contract.address for name, contract in places.items()}
    first, pool, rest = CONFIG.partition("[[pairs.vaix.pools]]")
    text, _, chains = (pool + rest).partition("[chains.ethereum]")
    pools = [text]
    for changes in BAD_POOLS.values():
        bad = text
        for key, value in changes.items():
            lines = [
                f'{key} = "{value}"' if x.startswith(f"{key} =") else x for x in bad.split("\n")
            ]
            bad = "\n".join(lines)
        pools.append(bad.replace("{other}", network.pairs["btc"].pair.address))
    nodes = {"base": (8453, f"ws://127.0.0.1:{free_port()}"), "arbitrum": (42161, node.ws_url)}
    tables = [
        f'[chains.{chain}]\nchain_id = {number}\nws_url = "{url}"\n'
        for chain, (number, url) in nodes.items()
    ]
    whole = "".join([first, *pools, "[chains.ethereum]", chains, *tables])
    return whole.format(**addresses)


class Client:
    """Speaks to one exchange, as one of its users where there is a token."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.token = ""

    def register(self, name: str) -> "Client":
        """Open an account and return a client of its own for it."""
        user = Client(self.url)
        body = {"email": f"{name}@example.com", "username": name, "password": "correct horse"}
        agreed = {"tos_accepted": True, "privacy_policy_accepted": True}
        user.token = self.ask("POST", "/auth/register", body | agreed)["access_token"]
        return user

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request and read the answer; a refusal is an error."""
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def book(self) -> Any:
        """The hybrid book."""
        return self.ask("GET", "/api/v1/exchange/vaix/book/hybrid?depth=60")

    def uniswap(self) -> Any:
        """The pool's row among the venues."""
        return self.venues()[0]

    def venues(self) -> Any:
        """The pools' rows in the order of the listing."""
        rows = self.ask("GET", "/api/v1/exchange/vaix/venues")["venues"]
        return [row for row in rows if row["venue"] == "Uniswap"]

    def feeds(self) -> Any:
        """How the feeds are, by chain."""
        feeds = self.ask("GET", "/api/v1/exchange/vaix/venues")["feeds"]
        return {feed["chain"]: feed for feed in feeds}

    def order(self, **fields: str) -> Any:
        """Place an order."""
        return self.ask("POST", "/api/v1/exchange/vaix/orders", fields)

    def money(self) -> tuple[int, int]:
        """What the user owns: whole base tokens, raw quote units of the exchange."""
        balance = self.ask("GET", "/api/v1/exchange/vaix/balance")
        base, quote = (Decimal(balance[side]["total"]) for side in ("base", "quote"))
        return int(base), int(quote * TICKS)


class Stage:
    """A node with a pair, the exchange on it, and what they are compared by."""

    def __init__(self, node: Anvil, network: Network, exchange: RunningExchange) -> None:
        self.node = node
        self.network = network
        self.exchange = exchange
        self.public = Client(exchange.base_url)
        self.random = Random(20_26)

    @property
    def deployed(self) -> Deployed:
        """The pair contract."""
        return self.network.pairs["vaix"]

    def wait_for_status(self, status: str) -> None:
        """Wait until the pool's row says a status."""
        wait_until(lambda: self.public.uniswap()["status"] == status, 60.0, status)

    def swap(self) -> None:
        """Swap about a percent of the pool, and wait until the exchange knows."""
        buy = self.random.random() < 0.5
        base, quote = self.deployed.reserves()
        amount = int((quote if buy else base) * self.random.uniform(0.003, 0.015))
        receipt = self.network.w3.eth.wait_for_transaction_receipt(
            self.network.swap("vaix", buy=buy, amount_in=amount), poll_latency=0.01
        )
        assert receipt["status"] == 1
        self.wait_for_block(receipt["blockNumber"])

    def wait_for_block(self, number: int) -> None:
        """Wait until the exchange has heard of the pool at a block."""

        def heard() -> bool:
            row = self.public.uniswap()
            return row["status"] == "live" and row["block"] >= number

        wait_until(heard, 60.0, f"block {number}")

    def assert_book_is_the_contracts(self) -> None:
        """Each level together with all better ones is one swap, and never promises more."""
        router = self.network.router.functions
        base, quote = self.deployed.reserves()
        book = self.public.book()
        assert len(book["asks"]) >= 30
        assert len(book["bids"]) >= 30
        asks, bids = cumulated(book["asks"]), cumulated(book["bids"])
        for lots, paid in asks[:: len(asks) // 5]:
            cost = router.getAmountsIn(lots * LOT, self.path(buy=True)).call()[0]
            assert cost == router.getAmountIn(lots * LOT, quote, base).call()
            assert 0 <= paid - cost // QUOTE_UNIT <= lots, "not the price of the contract"
            assert cost <= paid * QUOTE_UNIT, "the book promises more than the contract gives"
        for lots, brought in bids[:: len(bids) // 5]:
            gain = router.getAmountsOut(lots * LOT, self.path(buy=False)).call()[1]
            assert gain == router.getAmountOut(lots * LOT, base, quote).call()
            assert 0 <= gain // QUOTE_UNIT - brought <= lots, "not the price of the contract"

    def path(self, *, buy: bool) -> list[str]:
        """The way of a swap through the router."""
        tokens = [self.deployed.base.address, self.deployed.quote.address]
        return tokens[::-1] if buy else tokens


def cumulated(levels: list[list[str]]) -> list[tuple[int, int]]:
    """Sum levels from the best one: (whole tokens, raw quote units)."""
    sums, lots, quote = [], 0, 0
    for price, size in levels:
        lots += int(Decimal(size))
        quote += int(Decimal(size)) * int(Decimal(price) * TICKS)
        sums.append((lots, quote))
    return sums


def with_blocks(node: Anvil) -> Network:
    """Deploy the pair, then let the node make a block every second."""
    network = Network(
        node.http_url, (Market("vaix", 0.003, 400_000.0), Market("btc", 65_000.0, 8_000_000.0))
    )
    network.rpc("evm_setIntervalMining", 1)
    return network


@pytest.fixture
def stage(packages: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The exchange, pointed at the node by the environment alone."""
    with Anvil() as node:
        network = with_blocks(node)
        config = tmp_path / "exchange.toml"
        config.write_text(config_of(network, node), "utf-8")
        monkeypatch.setenv("TANDEM_RPC_ETHEREUM", node.ws_url)
        monkeypatch.setenv("TANDEM_STALE_AFTER_ETHEREUM", str(STALE_AFTER_S))
        options = ("--config", str(config), "--limits", "off")
        with RunningExchange(tmp_path / "data", *options) as exchange:
            yield Stage(node, network, exchange)
        assert processes_of(tmp_path / "data") == []


def test_exchange_on_a_node_follows_trades_at_and_survives_its_pool(stage: Stage) -> None:
    """One exchange through swaps, fills, a reorganisation, silence, and the node's return."""
    stage.wait_for_status("live")
    row = stage.public.uniswap()
    assert (row["source"], row["chain"]) == ("node", "ethereum")
    check_bad_listings(stage)
    for _ in range(4):
        stage.swap()
        assert stage.public.uniswap()["age_ms"] < STALE_AFTER_S * 1_000
        stage.assert_book_is_the_contracts()
    check_fills(stage)
    check_reorganisation(stage)
    check_silence(stage)
    check_return(stage)


def check_bad_listings(stage: Stage) -> None:
    """Whatever is listed wrongly is down and says why; the pair trades with the right pool."""

    def all_said() -> bool:
        pairs = zip(stage.public.venues()[1:], BAD_POOLS, strict=True)
        return all(reason in (row["detail"] or "") for row, reason in pairs)

    wait_until(all_said, 60.0, "every reason")
    for row in stage.public.venues()[1:]:
        assert row["status"] == "down"
        assert "\n" not in row["detail"]
        assert (Decimal(row["liquidity"]), row["block"]) == (0, 0)
    # Published every few seconds.
    wait_until(lambda: len(stage.public.feeds()) == 3, 60.0, "every feed's own word")
    wait_until(lambda: stage.public.feeds()["base"]["reconnects"] > 0, 60.0, "another try")
    feeds = stage.public.feeds()
    assert (feeds["ethereum"]["node"], feeds["ethereum"]["nodes"]) == (0, 1)
    assert feeds["ethereum"]["block"] > 0
    assert "127.0.0.1" in feeds["base"]["problem"]
    with urllib.request.urlopen(stage.public.url + "/metrics", timeout=60) as answer:
        shown = answer.read().decode()
    assert 'tandem_feed_reorgs{chain="ethereum"} 0.0' in shown
    pool = stage.deployed.pair.address
    live = 'tandem_venue_live{chain="%s",pair="vaix",pool="%s",venue="Uniswap"} %s'
    assert live % ("ethereum", pool, "1.0") in shown
    assert live % ("base", pool, "0.0") in shown


def check_fills(stage: Stage) -> None:
    """Market orders to the pool cost what getAmountIn and bring what getAmountOut says.

    They are printed at the two ticks around the average, so that the prints add up to it exactly
    where a lot at a tick is one raw unit, as here. Each print pays its own fee.
    """
    router = stage.network.router.functions
    user = stage.public.register("taker")
    for side in ("buy", "sell"):
        stage.swap()  # the chain's word replaces what the last fill made of the pool
        base, quote = stage.deployed.reserves()
        before = user.money()
        order = user.order(side=side, order_type="market", quantity=str(WANTED), route_mode="dex")
        assert order["status"] == "filled", order
        assert {fill["venue"] for fill in order["fills"]} == {"AMM"}
        got_base, got_quote = (now - then for now, then in zip(user.money(), before, strict=True))
        prints = [
            int(Decimal(fill["price"]) * TICKS) * int(Decimal(fill["quantity"]))
            for fill in order["fills"]
        ]
        fees = sum(map(fee, prints))
        if side == "buy":
            cost = -(-router.getAmountIn(WANTED * LOT, quote, base).call() // QUOTE_UNIT)
            assert (got_base, got_quote, sum(prints)) == (WANTED, -cost - fees, cost)
        else:
            gain = router.getAmountOut(WANTED * LOT, base, quote).call() // QUOTE_UNIT
            assert (got_base, got_quote, sum(prints)) == (-WANTED, gain - fees, gain)


def fee(quote: int) -> int:
    """The taker's fee, rounded up."""
    return -(-quote * FEE_PPM // 10**6)


def check_reorganisation(stage: Stage) -> None:
    """The block of a swap is replaced by an empty one: the book is the new chain's."""
    eth = stage.network.w3.eth
    before = eth.block_number
    stage.swap()
    swapped = stage.deployed.reserves()
    stage.network.rpc("anvil_reorg", eth.block_number - before + 1, [])
    assert stage.deployed.reserves() != swapped
    price = Decimal(stage.deployed.reserves()[1]) / Decimal(stage.deployed.reserves()[0])

    def followed() -> bool:
        row = stage.public.uniswap()
        return row["status"] == "live" and abs(Decimal(row["price"]) / price - 1) < Decimal("0.001")

    wait_until(followed, 60.0, "the new chain's price")
    stage.assert_book_is_the_contracts()


def check_silence(stage: Stage) -> None:
    """A node that says nothing has no depth, and resting orders trade on without it."""
    os.kill(stage.node.pid, signal.SIGSTOP)
    stage.wait_for_status("stale")
    book = stage.public.book()
    assert (book["bids"], book["asks"]) == ([], [])
    maker, taker = stage.public.register("maker"), stage.public.register("other")
    resting = maker.order(side="sell", order_type="limit", quantity="1000", price="0.004")
    assert resting["status"] == "open"
    order = taker.order(side="buy", order_type="limit", quantity="400", price="0.004")
    assert (order["status"], order["average_price"]) == ("filled", "0.00400000")
    assert maker.ask("DELETE", f"/api/v1/exchange/vaix/orders/{resting['id']}")["status"]
    os.kill(stage.node.pid, signal.SIGCONT)
    stage.wait_for_status("live")
    stage.assert_book_is_the_contracts()


def check_return(stage: Stage) -> None:
    """The node dies; another one stands up at its place, with another chain."""
    stage.node.kill()
    stage.wait_for_status("stale")
    assert stage.public.uniswap()["liquidity"] in {"0", "0.000000"}
    with Anvil(port=stage.node.port) as node:
        stage.network = with_blocks(node)
        stage.wait_for_status("live")
        stage.swap()
        stage.assert_book_is_the_contracts()
