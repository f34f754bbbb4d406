"""`tandem login`, `logout`, `register`, `account` and `keys`."""

import sys
from typing import Annotated, Any, Literal

import typer
from event_trader.bodies import member
from event_trader.errors import AuthenticationError, EventTraderError

from tandem.terminal import tables
from tandem.terminal.failures import NotLoggedInError, TerminalError, UsageError
from tandem.terminal.options import AsJson, BaseUrl, console, finish, place, show
from tandem.terminal.session import Place, kept
from tandem.terminal.store import Login

Json = dict[str, Any]

keys = typer.Typer(
    name="keys", help="List, make and revoke API keys.", no_args_is_help=True, add_completion=False
)


def login(
    base_url: BaseUrl = "",
    *,
    user: Annotated[str, typer.Option("--user", help="Email or username; asked for else.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    api_key_stdin: Annotated[
        bool, typer.Option("--api-key-stdin", help="Read an API key from standard input instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Log in, and stay so: with a password, or with an API key.

    What is kept lies in a file that only you can read; `tandem logout` ends it.
    """
    where = place(base_url)
    if api_key_stdin:
        key = sys.stdin.readline().strip()
        login_made = finish(lambda: _with_key(where, key))
    else:
        name = user or _asked("Email or username", "--user")
        password = _password(password_stdin)
        login_made = finish(lambda: _with_password(where, name, password))
    _kept(where, login_made, as_json=as_json)


def _password(stdin: bool, *, twice: bool = False) -> str:  # noqa: FBT001 (an option's value)
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return _asked("Password", "--password-stdin", secret=True, twice=twice)


def _asked(what: str, option: str, *, secret: bool = False, twice: bool = False) -> str:
    """Ask the person at the terminal.

    Raises:
        UsageError: there is no terminal; the message names the option that says it.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"{what.lower()}: there is no terminal to ask at, give {option}")
    return str(typer.prompt(what, hide_input=secret, confirmation_prompt=twice, err=True))


async def _with_password(where: Place, name: str, password: str) -> Login:
    body = {"email" if "@" in name else "username": name, "password": password}
    async with where.client() as client:
        try:
            answer: Json = await client._http.post("/auth/login", json=body)  # noqa: SLF001 (public)
        except AuthenticationError as error:
            raise NotLoggedInError(f"{error.message} Try again, or `tandem register`.") from None
        return _login_of(answer)


async def _with_key(where: Place, key: str) -> Login:
    if not key:
        raise UsageError("standard input was empty: give the key, as in `tandem login … < file`")
    async with where.client(key) as client:
        profile = await client.account.profile()
    mode = "paper" if member(profile, "simulation_mode") else "live"
    return {"name": profile["username"], "mode": mode, "api_key": key}


def _login_of(answer: Json) -> Login:
    user = member(answer, "user")
    mode = "paper" if user["simulation_mode"] else "live"
    return {"name": user["username"], "mode": mode, **kept(answer)}


def _kept(where: Place, login_made: Login, *, as_json: bool) -> None:
    with where.store.locked():
        where.store.save(where.base_url, login_made)
    told = {"name": login_made["name"], "mode": login_made["mode"], "base_url": where.base_url}
    said = f"Logged in at {where.base_url} as {login_made['name']}"
    show(told, as_json=as_json, table=lambda: tables.heading(said, login_made["mode"]))


def register(
    base_url: BaseUrl = "",
    *,
    email: Annotated[str, typer.Option("--email", help="Asked for when left out.")] = "",
    username: Annotated[str, typer.Option("--username", help="Asked for when left out.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    accept_terms: Annotated[
        bool, typer.Option("--accept-terms", help="Accept the terms and the privacy policy.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Open an account, with paper money, and log in to it."""
    where = place(base_url)
    named = {
        "email": email or _asked("Email", "--email"),
        "username": username or _asked("Username", "--username"),
    }
    password = _password(password_stdin, twice=True)
    asked = "Do you accept the exchange's terms of service and privacy policy?"
    if not accept_terms and not sys.stdin.isatty():
        raise UsageError("the terms: there is no terminal to ask at, give --accept-terms")
    if not accept_terms and not typer.confirm(asked, err=True):
        raise TerminalError("no account was opened")

    async def work() -> Login:
        async with where.client() as client:
            accepted = {"tos_accepted": True, "privacy_policy_accepted": True}
            body = {**named, "password": password, **accepted}
            return _login_of(await client._http.post("/auth/register", json=body))  # noqa: SLF001

    _kept(where, finish(work), as_json=as_json)


def logout(base_url: BaseUrl = "", *, as_json: AsJson = False) -> None:
    """End the log-in, here and at the exchange.

    An API key that was logged in with stays valid; `tandem keys revoke` ends it.
    """
    where = place(base_url)
    login_kept = where.store.login(where.base_url)
    if login_kept is None:
        raise TerminalError(f"nobody is logged in at {where.base_url}")
    ended = "refresh_token" in login_kept

    async def work() -> None:
        async with where.client() as client:
            token = {"refresh_token": login_kept["refresh_token"]}
            await client._http.post("/auth/logout", json=token)  # noqa: SLF001 (public)

    if ended:
        try:
            finish(work)
        except EventTraderError:
            # Nobody there, or ended already: the tokens are forgotten all the same.
            ended = False
    with where.store.locked():
        where.store.forget(where.base_url)
    told = {"base_url": where.base_url, "session_ended": ended}
    show(told, as_json=as_json, table=lambda: f"Logged out at {where.base_url}")


def account(
    base_url: BaseUrl = "",
    *,
    mode: Annotated[
        Literal["paper", "live"] | None,
        typer.Option("--mode", help="Switch the account to it.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show who is logged in, or switch to paper or live.

    --mode switches the account between the two.
    """
    where = place(base_url)

    async def work() -> Json:
        async with where.logged_in() as client:
            if mode is not None:
                await client.account.update(simulation_mode=mode == "paper")
            return await client.account.profile()

    profile = finish(work)
    now = "paper" if profile["simulation_mode"] else "live"
    with where.store.locked():
        login_kept = where.store.login(where.base_url)
        if login_kept is not None and not where.api_key:
            where.store.save(where.base_url, {**login_kept, "mode": now})
    said = f"{profile['username']} <{profile['email']}> at {where.base_url}, {profile['tier']}"
    show(profile, as_json=as_json, table=lambda: tables.heading(said, now))


@keys.command("list")
def list_keys(base_url: BaseUrl = "", *, as_json: AsJson = False) -> None:
    """List your API keys."""
    where = place(base_url)

    async def work() -> list[dict[str, Any]]:
        async with where.logged_in() as client:
            return await client.account.api_keys()

    rows = finish(work)
    show(rows, as_json=as_json, table=lambda: tables.keys(rows))


@keys.command("create")
def create_key(  # noqa: PLR0913 (one parameter per option, as typer reads them)
    name: Annotated[str, typer.Argument(help="What it is for.")],
    base_url: BaseUrl = "",
    *,
    trade: Annotated[bool, typer.Option("--trade", help="It may place and cancel.")] = False,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="It may withdraw.")] = False,
    market: Annotated[list[str] | None, typer.Option(help="Only this pair; repeatable.")] = None,
    ip: Annotated[list[str] | None, typer.Option(help="Only from here; repeatable.")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="Ends after so many.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make an API key; it is shown this once.

    It may read, and what you allow it.
    """
    where = place(base_url)

    async def work() -> Json:
        async with where.logged_in() as client:
            return await client.account.create_api_key(
                name,
                trade=trade,
                withdraw=withdraw,
                ip_whitelist=ip or (),
                allowed_markets=market or (),
                expires_in_days=days,
            )

    made = finish(work)
    if as_json:
        show(made, as_json=True, table=lambda: "")
        return
    # Alone on standard output, so that it can be put where it is needed.
    sys.stdout.write(made["key"] + "\n")
    typer.secho(f"{made['id']}: keep the key now, it is never shown again", err=True)


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="Its id, as `tandem keys list` shows it.")],
    base_url: BaseUrl = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Revoke an API key; what is open with it is closed."""
    where = place(base_url)

    async def work() -> None:
        async with where.logged_in() as client:
            await client.account.delete_api_key(key_id)

    finish(work)
    if as_json:
        show({"revoked": key_id}, as_json=True, table=lambda: "")
    else:
        console().print(f"{key_id} is revoked")
