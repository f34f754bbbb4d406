"""What `/ready` says while a part of the exchange is not there: which part, and how it is."""

from actors.engine.ledger_commands import shard_of
from actors.engine.units import UserId
from actors.journal.redis import connect, key
from actors.listing import shard_stream
from tests.gateways import BTC, Exchange, Gateway
from tests.running import wait_until


def damage(url: str, stream: str) -> None:
    """Take the first record out of a stream."""
    with connect(url) as client:
        assert client.xdel(key(stream, "journal"), "1-0") == 1


async def test_ready_names_the_pair_and_the_shard_that_cannot_be_replayed(
    exchange: Exchange, gateway: Gateway
) -> None:
    """A part whose journal is damaged is `failed` by name, the others are `ready`."""
    session = await gateway.register()
    await gateway.order(session["access_token"], "btc", side="buy", quantity="1", price="100")
    status, answer = await gateway.call("GET", "/ready")
    pairs = {"vaix": "ready", "btc": "ready"}
    shards = {"account.0": "ready", "account.1": "ready"}
    assert status == 200
    assert (answer["redis"], answer["pairs"], answer["shards"]) == (True, pairs, shards)

    exchange.runtimes["btc"].stop()
    damage(exchange.url, "btc.paper")
    exchange.make_pair(BTC).start()
    wait_until(
        lambda: exchange.runtimes["btc"].status().state == "failed", 60, "the pair's failure"
    )
    status, answer = await gateway.call("GET", "/ready")
    assert (status, answer["error"]["code"]) == (503, "RECOVERING")
    assert answer["error"]["details"]["pairs"] == pairs | {"btc": "failed"}
    assert answer["error"]["details"]["shards"] == shards
    assert "btc has failed" in answer["detail"]
    assert gateway.last_headers["Retry-After"] == "1"

    number = shard_of(UserId(session["user"]["id"]), 2)
    exchange.shards[number].runtime.stop()
    damage(exchange.url, shard_stream(number))
    made = exchange.make_shard(number)
    made.start()
    wait_until(lambda: made.status().state == "failed", 60, "the shard's failure")
    status, answer = await gateway.call("GET", "/ready")
    assert status == 503
    assert answer["error"]["details"]["shards"] == shards | {shard_stream(number): "failed"}
    assert f"{shard_stream(number)} has failed" in answer["detail"]
