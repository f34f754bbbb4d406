"""Secrets leave no trace: canaries sent in every way are looked for in every file and every key."""

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import secrets
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import redis

from actors.journal.redis import connect
from tandem.ray_runtime import _temporary
from tests.integration.cluster import PREFIX, Cluster
from tests.running import processes_of

pytestmark = pytest.mark.ray

WITHIN_S = 60.0
ADDRESS = "0xCa9a51" + secrets.token_hex(17)


class Canaries:
    """Everything that must never be written down, by name."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def new(self, name: str, prefix: str = "") -> str:
        """Make one that nobody else could have written."""
        return self.keep(name, prefix + "canary" + secrets.token_hex(20))

    def keep(self, name: str, value: str) -> str:
        """Look for a value that the exchange made."""
        self.values[name] = value
        return value

    def needles(self) -> dict[str, bytes]:
        """Give every form in which one could have been written."""
        found = {}
        for name, value in self.values.items():
            raw = value.encode()
            found[name] = raw
            found[f"{name}, quoted"] = urllib.parse.quote(value, safe="").encode()
            found[f"{name}, without its ends"] = raw[4:-4]
            found[f"{name}, in hexadecimal"] = raw.hex().encode()
            found[f"{name}, in base64"] = base64.b64encode(raw)[:-4]
            if "." in value:  # a token's signature is what makes it one
                found[f"{name}, its signature"] = value.rpartition(".")[2].encode()
        return found


async def _identities(
    cluster: Cluster, http: aiohttp.ClientSession, canaries: Canaries
) -> dict[str, Any]:
    """Register, log in, refresh, make keys; every secret that comes back becomes a canary."""
    password = canaries.new("password", "Pw-")
    key = canaries.new("password of another attempt")
    account: dict[str, Any] = await cluster.register(http, password)
    name = account["user"]["username"]
    login = {"username": name, "password": password}
    for number in range(2):  # the second one is answered from the stored, sealed outcome
        answer = await cluster.ask(http, "POST", "/auth/login", login, Idempotency_Key=name)
        assert answer.status == 200, answer.raw
        canaries.keep(f"access token {number}", answer.body["access_token"])
        canaries.keep(f"refresh token {number}", answer.body["refresh_token"])
    used = {"refresh_token": account["refresh_token"]}
    fresh = await cluster.ask(http, "POST", "/auth/refresh", used)
    assert fresh.status == 200, fresh.raw
    assert (await cluster.ask(http, "POST", "/auth/refresh", used)).status == 401  # it is used up
    for number, tokens in enumerate((account, fresh.body)):
        canaries.keep(f"first tokens {number}", tokens["access_token"])
        canaries.keep(f"first refresh {number}", tokens["refresh_token"])
    made = await cluster.ask(http, "POST", "/auth/api-key", {**login, "key_name": "canary"})
    assert made.status in {200, 201}, made.raw
    canaries.keep("api key", made.body["api_key"])
    for wrong in (name, "nobody-of-that-name"):
        body = {"username": wrong, "password": key}
        assert (await cluster.ask(http, "POST", "/auth/login", body)).status == 401
    token = (await cluster.ask(http, "POST", "/auth/login", login)).body["access_token"]
    return {"token": canaries.keep("the token", token), "key": made.body["api_key"], **login}


async def _requests(
    cluster: Cluster, http: aiohttp.ClientSession, who: dict[str, Any], canaries: Canaries
) -> list[int]:
    """Carry the secrets in headers, queries, paths and bodies, where they belong and where not."""
    token, key, password = who["token"], who["key"], who["password"]
    made_up = canaries.new("an unknown key", "evt_")
    place = f"{PREFIX}/vaix/orders"
    statuses = []
    for headers in (
        {"Authorization": f"Bearer {token}"},
        {"Authorization": f"Bearer {key}"},
        {"X_API_Key": key},
        {"X_API_Key": made_up},
        {"Authorization": f"Bearer {made_up}"},
        {"Authorization": f"Bearer {token}x"},
        {"Authorization": "Basic " + base64.b64encode(f"a:{password}".encode()).decode()},
        {"Authorization": f"Nonsense {password}"},
        {"Idempotency_Key": token[:120], "X_API_Key": key},
        {"Cookie": f"session={token}", "Referer": f"http://x/?token={token}"},
    ):
        for method, path, body in (
            ("GET", "/auth/me", None),
            ("POST", place, {"side": "buy", "quantity": password, "price": token}),
            ("POST", place, {"side": "buy", "quantity": "1", "price": "0.001", password: key}),
        ):
            statuses.append((await cluster.ask(http, method, path, body, **headers)).status)
    quoted = urllib.parse.quote(password)
    for path in (
        f"{PREFIX}/vaix/book?token={token}",
        f"{PREFIX}/vaix/book?api_key={key}&password={quoted}",
        f"{PREFIX}/{key}/book",
        f"/{token}",
        f"{place}/{token}?mode={key}",
        f"/auth/login?password={quoted}",
    ):
        answer = await cluster.ask(http, "GET", path, Authorization=f"Bearer {token}")
        statuses.append(answer.status)
    withdrawal = {"amount": "1", "destination": ADDRESS, "chain": "ethereum"}
    for body in (withdrawal, withdrawal | {"amount": key}, {"destination_address": ADDRESS}):
        path = f"{PREFIX}/vaix/withdraw"
        answer = await cluster.ask(http, "POST", path, body, Authorization=f"Bearer {token}")
        statuses.append(answer.status)
    for name in ("et_clob_bbo", token):
        for method in ("tools/call", key):
            asked = {
                "name": name,
                "arguments": {"symbol": token, password: key},
                "_meta": {"k": key},
            }
            message = {"jsonrpc": "2.0", "id": token, "method": method, "params": asked}
            for headers in ({"Authorization": f"Bearer {token}"}, {"X_API_Key": made_up}):
                answer = await cluster.ask(http, "POST", "/mcp", message, **headers)
                statuses.append(answer.status)
    for raw in (f'{{"password": "{password}"', f'{{"refresh_token": "{token}"}}' * 2, password):
        for kind in ("application/json", "text/plain"):
            headers = {"Content-Type": kind}
            async with http.post(f"{cluster.url}/auth/login", data=raw, headers=headers) as said:
                statuses.append(said.status)
    return statuses


async def _malformed(cluster: Cluster, who: dict[str, Any]) -> int:
    """Speak broken HTTP with secrets in it; returns how many were answered or cut off."""
    token, key = who["token"].encode(), who["key"].encode()
    served = 0
    for raw in (
        b"GET /auth/me?token=" + token + b" HTTP/9.9\r\n\r\n",
        b"GET " + key + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nAuthorization Bearer " + token + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nX-API-Key: " + key + b"\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-API-Key: " + key * 300 + b"\r\n\r\n",
        b"POST /auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n" + token,
        b"POST /auth/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + key,
        b"\x16\x03\x01" + token + key,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", cluster.exchange.port)
        writer.write(raw)
        writer.write_eof()
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(reader.read(), WITHIN_S)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        served += 1
    return served


async def _sockets(cluster: Cluster, http: aiohttp.ClientSession, who: dict[str, Any]) -> int:
    """Carry the secrets over WebSockets: in queries, in frames, in frames that are no JSON."""
    token, key = who["token"], who["key"]
    private = f"{cluster.url}/ws/exchange/private"
    heard = 0
    for url in (
        f"{private}?token={token}",
        f"{private}?token={key}",
        f"{private}?token={token}x",
        private,
        f"{cluster.url}/ws/exchange/vaix/book?mode=paper&token={token}",
        f"{cluster.url}/ws/clob?pair=VAIX/USDC&token={key}",
    ):
        async with http.ws_connect(url) as socket:
            for text in (
                json.dumps({"type": "auth", "token": token}),
                json.dumps({"action": "auth", "token": key}),
                json.dumps({"action": token, key: [token]}),
                f'{{"action": "auth", "token": "{token}',
                key,
            ):
                with contextlib.suppress(ConnectionError, aiohttp.ClientError):
                    await socket.send_str(text)
            with contextlib.suppress(ConnectionError, aiohttp.ClientError):
                await socket.send_str("ping")
            while (message := await socket.receive(WITHIN_S)).type is aiohttp.WSMsgType.TEXT:
                heard += 1
                if message.data == "pong":
                    break
    return heard


def _files(cluster: Cluster) -> Iterator[tuple[str, bytes]]:
    """Read every file the exchange wrote, wherever its logs are."""
    assert cluster.exchange.process is not None
    here = cluster.exchange.data_dir
    for directory in {here, _temporary(here)}:
        for place, _, names in os.walk(directory):
            for path in (Path(place, name) for name in names):
                with contextlib.suppress(OSError):  # one that went away meanwhile
                    if path.is_file() and not path.is_symlink():
                        yield str(path), path.read_bytes()


def _keys(cluster: Cluster) -> Iterator[tuple[str, bytes]]:
    """Read every key of the store with everything in it."""
    noted = json.loads((cluster.exchange.data_dir / "running.json").read_text("utf-8"))
    with connect(noted["redis_url"]) as client:
        for name in client.scan_iter("*"):
            yield f"key {name!r}", name + b"\0" + b"\0".join(_value(client, name))


def _value(client: "redis.Redis", name: bytes) -> list[bytes]:
    made: Any = client
    kind = made.type(name)
    if kind == b"hash":
        return [part for pair in made.hgetall(name).items() for part in pair]
    if kind == b"stream":
        return [part for _, entry in made.xrange(name) for p in entry.items() for part in p]
    if kind == b"zset":
        return list(made.zrange(name, 0, -1))
    if kind == b"set":
        return list(made.smembers(name))
    if kind == b"list":
        return list(made.lrange(name, 0, -1))
    assert kind == b"string", kind
    return [made.get(name)]


async def test_secrets_sent_in_every_way_are_written_nowhere(cluster: Cluster) -> None:
    """No file, key, value, line of output or process title holds one; their hashes do."""
    await cluster.complete()
    canaries = Canaries()
    canaries.keep("withdrawal address", ADDRESS)
    async with aiohttp.ClientSession() as http:
        who = await _identities(cluster, http, canaries)
        statuses = await _requests(cluster, http, who, canaries)
        assert await _sockets(cluster, http, who) > 0
    assert await _malformed(cluster, who) == 8
    assert 200 in statuses
    assert {401, 404, 422} <= set(statuses)
    assert not [status for status in statuses if status >= 500]
    await cluster.ready()
    needles = canaries.needles()
    needles["the password's digest"] = hashlib.sha256(who["password"].encode()).hexdigest().encode()
    sources = [*_files(cluster), *_keys(cluster)]
    output = "\n".join(cluster.exchange.lines).encode()
    titles = [Path(f"/proc/{pid}/cmdline") for pid in processes_of(cluster.exchange.data_dir)]
    sources += [("the driver's output", output)]
    for path in titles:
        with contextlib.suppress(OSError):  # a process that ended meanwhile
            sources.append((str(path), path.read_bytes()))
    found = [
        f"{what} in {where}"
        for where, data in sources
        for what, needle in needles.items()
        if needle in data
    ]
    assert found == []
    everything = b"\0".join(data for _, data in sources)
    assert b"$argon2id$" in everything
    assert hashlib.sha256(who["key"].encode()).hexdigest().encode() in everything
    assert who["username"].encode() in everything
    logs = [where for where, data in sources if b"/auth/login" in data]
    print(f"{len(needles)} needles in {len(sources)} sources, {len(everything):,} bytes: none")
    assert logs, "the access log was not among what was searched"


async def test_signing_key_is_in_its_own_file_alone(cluster: Cluster) -> None:
    """The key that signs tokens is in one file that only its owner can read."""
    await cluster.complete()
    home = cluster.exchange.data_dir / "jwt_secret"
    assert home.stat().st_mode & 0o077 == 0
    secret = home.read_bytes().strip()
    places = [where for where, data in (*_files(cluster), *_keys(cluster)) if secret in data]
    assert places == [str(home)]
