"""Every public method of the client has an example in its docstring, and every example runs."""

import ast
import asyncio
import doctest
import inspect
import secrets
import types
from typing import Any, NamedTuple

import event_trader
import pytest
from event_trader import APIError, EventTrader, LocalBook, SyncEventTrader, streams, sync
from event_trader import account as accounts
from event_trader.clob import Clob
from event_trader.sync_account import SyncAccount, SyncSystem
from event_trader.sync_clob import SyncClob
from event_trader.transport import HttpTransport

from docs_site.calls import public_methods
from tests.clients import PASSWORD, Account, new_account
from tests.running import RunningExchange

WITHIN_S = 120.0
ASYNC = (
    Clob,
    accounts.Account,
    accounts.System,
    streams.Streams,
    streams.Stream,
    HttpTransport,
    EventTrader,
)
SYNC = (
    SyncClob, SyncAccount, SyncSystem, sync.SyncStreams, sync.SyncStream, sync.SyncEventTrader,
)  # fmt: skip
PLAIN = {"close", "renew", "http", "credentials", "use_session"}
"""What a user has no reason to call, or what says everything in its first line."""


def examples(kinds: tuple[type, ...]) -> dict[str, str]:
    """Give the program of each documented example, by the name of what it documents."""
    found = {}
    for kind in kinds:
        members = {f"{kind.__name__}.{name}": made for name, made in public_methods(kind).items()}
        for name, made in {kind.__name__: kind, **members, **class_methods(kind)}.items():
            parts = doctest.DocTestParser().get_examples(inspect.getdoc(made) or "")
            if parts:
                found[name] = "".join(part.source for part in parts)
    return found


def class_methods(kind: type) -> dict[str, Any]:
    """List a class's own public class methods."""
    return {
        f"{kind.__name__}.{name}": getattr(kind, name)
        for name, made in vars(kind).items()
        if isinstance(made, classmethod) and not name.startswith("_")
    }


@pytest.mark.parametrize("kind", [*ASYNC, *SYNC])
def test_every_public_method_has_an_example(kind: type) -> None:
    """The plain ones aside."""
    documented = examples((kind,))
    for name in public_methods(kind):
        assert f"{kind.__name__}.{name}" in documented or name in PLAIN, name


async def prepared(client: EventTrader, program: str) -> dict[str, Any]:
    """Make what an example uses by name: an order, a TWAP, a key, a sub-account."""
    names: dict[str, Any] = {}
    if "order[" in program:
        names["order"] = await client.clob.place_order("vaix", "buy", "1000", price="0.001")
    if 'twap["twap_id"]' in program and "place_twap" not in program:
        names["twap"] = await client.clob.place_twap("vaix", "buy", "50000")
    if "made[" in program and "create_api_key" not in program:
        names["made"] = await client.account.create_api_key("documented")
    if "sub[" in program:
        names["sub"] = await client.account.create_sub_account("documented")
    return names


def adapted(program: str, account: Account) -> str:
    """Write the account's key and log-in in place of the examples'."""
    new = f"{secrets.token_hex(6)}@example.com"
    replaced = {
        "ada@example.com": new if "register" in program else account.email,
        '"ada"': f'"{new.split("@", maxsplit=1)[0]}"',
        "a password": PASSWORD,
        "evt_...": account.key,
    }
    for old, fresh in replaced.items():
        program = program.replace(old, fresh)
    return program


class Shown(Exception):  # noqa: N818 (it ends an example that would go on for ever)
    """An example has printed something."""


def show(*values: object) -> None:
    """Print, and end the example."""
    assert values
    raise Shown


async def trade_again_and_again(client: EventTrader) -> None:
    """Let fills happen, for the examples that wait for one."""
    while True:
        await client.clob.place_order("vaix", "buy", "1000", order_type="market")


class Person(NamedTuple):
    """Whose account the examples use, with the tokens of a log-in."""

    account: Account
    tokens: dict[str, Any]


@pytest.fixture(scope="module")
def person(running_exchange: RunningExchange) -> Person:
    """One account for all examples but those that change it."""
    return asyncio.run(log_in(running_exchange.base_url))


async def log_in(url: str) -> Person:
    """Open an account and log in to it."""
    account = await new_account(url)
    async with EventTrader(base_url=url) as client:
        body = {"email": account.email, "password": PASSWORD}
        return Person(account, await client._http.post("/auth/login", json=body))


async def of_whom(url: str, program: str, person: Person) -> Person:
    """Give somebody else where an example changes the account."""
    changes = "logout" in program or "simulation_mode=" in program
    return await log_in(url) if changes else person


@pytest.fixture
def _default_url(running_exchange: RunningExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client's default address be the exchange's."""
    for opened in (
        EventTrader.__init__, EventTrader.from_credentials, EventTrader.register,
        EventTrader.create_api_key, SyncEventTrader.__init__,
    ):  # fmt: skip
        function: Any = getattr(opened, "__func__", opened)
        defaults = {**function.__kwdefaults__, "base_url": running_exchange.base_url}
        monkeypatch.setattr(function, "__kwdefaults__", defaults)


@pytest.mark.usefixtures("_default_url")
@pytest.mark.parametrize("name", examples((*ASYNC, LocalBook, APIError)))
async def test_example_runs(running_exchange: RunningExchange, person: Person, name: str) -> None:
    """As it stands, in an event loop, with an account; streams until they print."""
    program = examples((*ASYNC, LocalBook, APIError))[name]
    account, tokens = await of_whom(running_exchange.base_url, program, person)
    endless = "async for" in program
    async with EventTrader() as client:
        client._http.use_session(tokens)
        names = {**vars(event_trader), "client": client, **await prepared(client, program)}
        names["print"] = show if endless else print
        code = compile(
            adapted(program, account), name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        )
        trading = asyncio.create_task(trade_again_and_again(client)) if endless else None
        async with asyncio.timeout(WITHIN_S):
            try:
                running = types.FunctionType(code, names)()
                if inspect.isawaitable(running):
                    await running
            except Shown:
                endless = False
        assert not endless, "it printed nothing"
        if trading is not None:
            trading.cancel()
        for made in names.values():
            if isinstance(made, EventTrader):
                await made.close()


@pytest.mark.usefixtures("_default_url")
@pytest.mark.parametrize("name", examples(SYNC))
def test_example_runs_without_async(
    running_exchange: RunningExchange, person: Person, name: str
) -> None:
    """As it stands, with no event loop."""
    program = examples(SYNC)[name]
    account, tokens = asyncio.run(of_whom(running_exchange.base_url, program, person))
    with SyncEventTrader() as client:
        client._async._http.use_session(tokens)
        names = client._loop.run(prepared(client._async, program))
        code = compile(adapted(program, account), name, "exec")
        exec(code, {**vars(event_trader), "client": client, **names})
