"""The whole exchange as a user starts it: it comes up, trades, recovers, continues, and ends.

One exchange serves the whole file, stopped and started again once; snapshots are taken every two
seconds, so that every recovery here begins at one.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import psutil
import pytest

from actors.journal.redis import connect, key
from actors.journal.snapshots import RedisSnapshots
from tandem.settings import DEFAULT_CONFIG
from tests.running import RunningExchange, wait_until

pytestmark = pytest.mark.ray
PREFIX = "/api/v1/exchange"
SNAPSHOTS = "snapshot_every_records = 100\nsnapshot_every_s = 2\n"
KILL = """
import ray, sys
ray.init(address=sys.argv[1], namespace="tandem", log_to_driver=False, logging_level="ERROR")
for name in sys.argv[2:]:
    ray.kill(ray.get_actor(name), no_restart=True)
ray.shutdown()
"""


def call(
    exchange: RunningExchange, method: str, path: str, body: object = None, token: str = ""
) -> tuple[int, dict[str, Any]]:
    """Make one request; returns status and body, (0, {}) where nobody answers."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(exchange.base_url + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
    except OSError:
        return 0, {}


def register(exchange: RunningExchange, name: str) -> str:
    """Open an account; returns its token."""
    agreed = {"tos_accepted": True, "privacy_policy_accepted": True}
    body = {"email": f"{name}@example.com", "username": name, "password": "correct horse", **agreed}
    status, answer = call(exchange, "POST", "/auth/register", body)
    assert status == 201, answer
    return str(answer["access_token"])


def place(exchange: RunningExchange, token: str, price: str) -> str:
    """Place a resting buy of 1,000 VAIX; returns its id."""
    order = {"side": "buy", "quantity": "1000", "price": price}
    status, placed = call(exchange, "POST", f"{PREFIX}/vaix/orders", order, token)
    assert status == 200, placed
    return str(placed["order_id"])


def open_orders(exchange: RunningExchange, token: str) -> list[str]:
    """Name a user's open orders on VAIX, by id."""
    status, found = call(exchange, "GET", f"{PREFIX}/vaix/orders/open", token=token)
    assert status == 200, found
    return sorted(one["order_id"] for one in found["orders"])


def running(exchange: RunningExchange) -> dict[str, Any]:
    """Read what `tandem up` notes of itself."""
    noted: dict[str, Any] = json.loads((exchange.data_dir / "running.json").read_text("utf-8"))
    return noted


def process_of(exchange: RunningExchange, title: str) -> psutil.Process | None:
    """Find an actor's process by its title."""
    assert exchange.process is not None
    for process in psutil.Process(exchange.process.pid).children(recursive=True):
        try:
            if f"ray::{title}" in " ".join(process.cmdline()):
                return process
        except psutil.Error:
            continue
    return None


def is_running(exchange: RunningExchange, title: str) -> bool:
    """Tell whether an actor has a process."""
    return process_of(exchange, title) is not None


def ray_address(exchange: RunningExchange) -> str:
    """Read where the exchange's own Ray listens from its raylet's command line."""
    assert exchange.process is not None
    for process in psutil.Process(exchange.process.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):  # one that ended meanwhile
            for part in process.cmdline():
                if part.startswith("--gcs-address="):
                    return part.partition("=")[2]
    raise AssertionError("no raylet found")


def is_ready(exchange: RunningExchange) -> bool:
    """Ask whether it can trade."""
    return call(exchange, "GET", "/ready")[0] == 200


def snapshots_of(exchange: RunningExchange, stream: str) -> list[int]:
    """Name the records at which a stream has snapshots."""
    snapshots = RedisSnapshots(running(exchange)["redis_url"])
    numbers = snapshots.numbers(stream)
    snapshots.close()
    return numbers


def any_snapshot(exchange: RunningExchange, streams: Sequence[str]) -> bool:
    """Tell whether one of the streams has a snapshot."""
    return any(snapshots_of(exchange, stream) for stream in streams)


def trimmed(exchange: RunningExchange, stream: str) -> bool:
    """Tell whether the stream has snapshots, and no longer begins at its first record."""
    with connect(running(exchange)["redis_url"]) as client:
        first: Any = client.xrange(key(stream, "journal"), count=1)
    return len(snapshots_of(exchange, stream)) == 2 and int(first[0][0].split(b"-")[0]) > 1


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningExchange]:
    """Start one exchange for the tests of this file; at the end its driver is killed."""
    directory = tmp_path_factory.mktemp("exchange")
    listed = DEFAULT_CONFIG.read_text("utf-8").splitlines(keepends=True)
    text = "".join(line for line in listed if not line.startswith("snapshot_every"))
    config = directory / "exchange.toml"
    config.write_text(text.replace("[exchange]\n", f"[exchange]\n{SNAPSHOTS}"), "utf-8")
    started = RunningExchange(directory / "data", "--limits", "off", "--config", str(config))
    with started:
        yield started
        assert started.process is not None
        family = psutil.Process(started.process.pid).children(recursive=True)
        started.kill()
        _, alive = psutil.wait_procs(family, timeout=90)
        assert alive == [], "a driver killed without warning leaves processes behind"


def test_start_gives_every_pair_thirty_hybrid_levels(exchange: RunningExchange) -> None:
    """Each default pair shows at least 30 levels a side; on a busy machine a feed may lag once."""

    def is_deep(symbol: str) -> bool:
        _, book = call(exchange, "GET", f"{PREFIX}/{symbol}/book/hybrid?depth=30")
        return min(len(book["bids"]), len(book["asks"])) >= 30

    for symbol in ("vaix", "sbio", "btc", "eth"):
        wait_until(partial(is_deep, symbol), 60, f"thirty levels of {symbol}")


def test_pair_and_shards_killed_recover_from_snapshots(exchange: RunningExchange) -> None:
    """After kill -9, with the journals' beginnings gone, orders and funds are as they were."""
    token = register(exchange, "killed")
    orders = [place(exchange, token, "0.002")]
    wait_until(lambda: trimmed(exchange, "vaix.paper"), 120, "the market's trimming")
    shards = ("account.0", "account.1")
    wait_until(partial(any_snapshot, exchange, shards), 120, "a shard's snapshot")
    orders.append(place(exchange, token, "0.001"))
    before = call(exchange, "GET", f"{PREFIX}/vaix/balance", token=token)[1]
    for title in ("PairActor:vaix", "AccountShard:0", "AccountShard:1"):
        process = process_of(exchange, title)
        assert process is not None, title
        process.kill()
        process.wait(60)
    wait_until(lambda: is_ready(exchange), 180, "the recovery")
    wait_until(
        lambda: call(exchange, "GET", f"{PREFIX}/vaix/balance", token=token)[1] == before,
        60,
        "the same balance",
    )
    assert open_orders(exchange, token) == sorted(orders)
    for order in orders:
        status, answer = call(exchange, "DELETE", f"{PREFIX}/vaix/orders/{order}", token=token)
        assert (status, answer["status"]) == (200, "canceled")
    _, balance = call(exchange, "GET", f"{PREFIX}/vaix/balance", token=token)
    assert (balance["quote"]["available"], balance["quote"]["locked"]) == ("100000", "0")


def test_actor_gone_for_good_is_made_again(exchange: RunningExchange) -> None:
    """What Ray will not restart any more comes back: by the supervisor, itself by the driver."""
    token = register(exchange, "revived")
    order = place(exchange, token, "0.001")
    titles = {"supervisor": "SupervisorActor", "pair:vaix": "PairActor:vaix"}
    old = [process_of(exchange, title) for title in titles.values()]
    token_path = str(exchange.data_dir / "ray_token")
    environ = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": token_path}
    command = [sys.executable, "-c", KILL, ray_address(exchange), *titles]
    subprocess.run(command, check=True, timeout=120, env=environ)
    _, alive = psutil.wait_procs([one for one in old if one is not None], timeout=60)
    assert (alive, None in old) == ([], False)
    for title in titles.values():
        wait_until(partial(is_running, exchange, title), 180, title)
    wait_until(lambda: is_ready(exchange), 180, "the recovery")
    assert order in open_orders(exchange, token)


def test_stop_leaves_no_process_and_the_next_start_continues(exchange: RunningExchange) -> None:
    """SIGTERM, like Ctrl-C, ends every process; the next start has the same orders and funds."""
    token = register(exchange, "stayer")
    order = place(exchange, token, "0.001")
    _, balance = call(exchange, "GET", f"{PREFIX}/vaix/balance", token=token)
    assert exchange.process is not None
    family = psutil.Process(exchange.process.pid).children(recursive=True)
    exchange.process.send_signal(signal.SIGTERM)
    assert exchange.process.wait(60) == 0, "\n".join(exchange.lines[-20:])
    _, alive = psutil.wait_procs(family, timeout=30)
    assert alive == []
    exchange.start()
    assert open_orders(exchange, token) == [order]
    assert call(exchange, "GET", f"{PREFIX}/vaix/balance", token=token)[1] == balance
