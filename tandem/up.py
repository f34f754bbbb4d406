"""`tandem up`: start everything in order, say when it is ready, stop everything in order.

The order of starting is store, Ray, account shards, pairs, feeds, gateways, supervisor; stopping is
the reverse. What each of them is comes from `plans`.
"""

import contextlib
import errno
import http.client
import json
import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

import msgspec

from actors.errors import JournalUnavailableError, TandemError
from tandem.janitor import Janitor
from tandem.settings import Settings, jwt_secret, make_data_dir

if TYPE_CHECKING:
    from tandem.plans import Exchange

READY_TIMEOUT_S: Final = 180.0
"""Recovery of a large journal is part of starting; a first start takes some ten seconds."""
READY_PER_PAIR_S: Final = 8.0
"""And each pair is a process that loads its libraries, on whatever cores there are."""
POLL_S: Final = 0.05
STOP_TIMEOUT_S: Final = 20.0
WATCH_S: Final = 5.0
"""How often the supervisor is looked for; Ray restarts it where only its process ended."""
RUNNING_FILE: Final = "running.json"
"""In the data directory while the exchange runs: where it listens, for `tandem status`."""


class StartError(TandemError):
    """The exchange cannot start; the argument says why, and what to do."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        return self.detail


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    settings: Settings
    host: str
    port: int
    gateways: int
    address: str


class Interrupted(Exception):  # noqa: N818 (not an error: the wish to stop)
    """Ctrl-C or SIGTERM came while the exchange was starting."""


def run(options: Options) -> int:
    """Run the exchange until it is told to stop; returns the exit status.

    Raises:
        StartError: the port is taken, or something did not become ready.
        TandemError: a part refused to start; the message says what to do.
    """
    stop = threading.Event()
    _on_signals(stop)
    check_port(options)
    begun = time.monotonic()
    with ExitStack() as parts:
        parts.enter_context(Janitor())
        try:
            keep_supervised = _start(options, parts, stop)
        except Interrupted:
            _say("Stopped before it was ready.")
            return 130
        _say(f"Started in {time.monotonic() - begun:.1f} s; Ctrl-C stops it.")
        _say(f"Tandem is ready at {_url(options)}")
        while not stop.wait(WATCH_S):
            keep_supervised()
        _stop_in_time()
    _say("Stopped. Everything acknowledged is on disk.")
    return 0


def _stop_in_time() -> None:
    """End this process where stopping takes too long; the janitor then ends all the others.

    Ray waits a minute for its own processes when a signal to the whole group ended them first.
    """

    def give_up() -> None:
        _say("Stopping takes too long: the rest ends by force. Everything acknowledged is on disk.")
        os._exit(1)

    timer = threading.Timer(STOP_TIMEOUT_S, give_up)
    timer.daemon = True
    timer.start()


def check_port(options: Options) -> None:
    """Make sure that nobody listens there yet.

    Raises:
        StartError: the port is taken, or the address is not this machine's.
    """
    host, port = options.host, options.port
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            by = "a Tandem that runs already" if _is_tandem(options) else "another program"
            raise StartError(
                f"port {port} on {host} is taken by {by}; stop that one, or choose "
                "another port with --port"
            ) from None
        if error.errno == errno.EACCES:
            raise StartError(f"port {port} needs privileges; choose one above 1023") from None
        raise StartError(
            f"cannot listen on {host}:{port} ({error.strerror}); choose another address with --host"
        ) from None


def _is_tandem(options: Options) -> bool:
    try:
        with urllib.request.urlopen(_url(options) + "/health", timeout=2) as answer:  # noqa: S310
            return "gateway" in json.load(answer)
    except (OSError, ValueError, TypeError, http.client.HTTPException):
        return False


def _start(options: Options, parts: ExitStack, stop: threading.Event) -> Callable[[], None]:
    """Start everything; returns what makes the supervisor anew where it is gone for good."""
    settings = options.settings
    make_data_dir(settings.data_dir)
    redis_url = _start_store(options, parts)
    _heed(stop)
    from tandem import ray_runtime

    if not options.address:
        ray_runtime.prepare(settings.data_dir)
    from actors import registry
    from gateway.settings import GatewaySettings
    from tandem import plans

    table = msgspec.to_builtins(settings.gateway)
    gateway = GatewaySettings(
        **{**table, "trusted_proxies": settings.gateway.trusted_proxies},
        secret=jwt_secret(settings.data_dir).encode(),
        limits=settings.limits,
    )
    place = (options.host, options.port)
    make_data_dir(plans.lanes_directory(settings))
    exchange = plans.plan(settings, redis_url, gateway, place, options.gateways)
    parts.callback(ray_runtime.stop)
    if options.address:
        _say(f"Joining the Ray cluster at {options.address} ...")
        ray_runtime.join(options.address)
    else:
        _say("Starting Ray ...")
        _start_ray(settings, exchange, stop)
    _on_signals(stop)  # Ray puts handlers of its own in place
    _heed(stop)
    handles: list[object] = []
    parts.callback(handles.clear)  # an actor lives no longer than its maker's handle
    can_trade = False

    def stop_all() -> None:
        # What is acknowledged is on disk; who is still starting ends with Ray, unasked.
        if can_trade or options.address:
            for actor in reversed(exchange.all()):
                registry.stop(actor.name)

    parts.callback(stop_all)
    for title, plans_of_kind in exchange.groups():
        _heed(stop)
        _say(f"Starting {title} ...")
        handles.extend(registry.start(actor) for actor in plans_of_kind)
    _await_ready(options, stop)
    can_trade = True
    _note_running(options, redis_url, parts)

    def keep_supervised() -> None:
        """The supervisor looks after all others; this after the supervisor."""
        if not registry.is_there(exchange.supervisor.name):
            _say("The supervisor is gone; starting another one ...")
            handles.append(registry.start(exchange.supervisor))

    return keep_supervised


def _start_ray(settings: Settings, exchange: "Exchange", stop: threading.Event) -> None:
    """Start Ray on this machine, with a second try.

    Ray's own processes must be there within seconds, which they are not where everything is read
    from a cold disk or the machine is busy; the second time it is warm.

    Raises:
        RayStartError: it did not start the second time either.
    """
    from tandem import plans, ray_runtime

    resources, everybody = plans.resources(exchange), len(exchange.all())
    try:
        ray_runtime.start_local(settings.data_dir, resources, everybody)
    except ray_runtime.RayStartError as error:
        _heed(stop)
        _say(f"{error}")
        _say("Starting Ray once more ...")
        ray_runtime.start_local(settings.data_dir, resources, everybody)


def _start_store(options: Options, parts: ExitStack) -> str:
    """Start the embedded store, or check the external one; returns its URL."""
    settings = options.settings
    if not settings.redis_url:
        from tandem.valkey import EmbeddedValkey

        _say(f"Starting the store in {settings.data_dir} ...")
        return parts.enter_context(EmbeddedValkey(settings.data_dir)).url
    from actors.journal.redis import connect
    from actors.journal.server import check_server

    weak = os.environ.get("TANDEM_REDIS_ALLOW_WEAK_DURABILITY", "").lower() == "true"
    try:
        with connect(settings.redis_url) as client:
            report = check_server(client, allow_weak_durability=weak)
    except JournalUnavailableError as error:
        raise StartError(
            f"no Redis answers at TANDEM_REDIS_URL ({error.detail}); start it, correct the URL, or "
            "leave it out for the embedded store"
        ) from None
    _say(f"Using {report.product} {report.version} ...")
    for warning in report.warnings:
        _say(f"Warning: {warning}")
    return settings.redis_url


def _await_ready(options: Options, stop: threading.Event) -> None:
    """Poll ``/ready`` until the exchange can trade.

    Raises:
        StartError: it takes too long.
    """
    _say("Waiting until everything can trade ...")
    timeout_s = READY_TIMEOUT_S + READY_PER_PAIR_S * len(options.settings.listing.pairs)
    deadline = time.monotonic() + timeout_s
    last = ""
    while True:
        _heed(stop)
        ready, said = _ask_ready(options)
        if ready:
            return
        if said and said != last:
            last = said
            _say(f"Waiting: {said}")
        if time.monotonic() > deadline:
            raise StartError(
                f"the exchange was not ready within {timeout_s:g} s ({last or 'no answer'}); "
                f"the logs are in {options.settings.data_dir / 'ray'}"
            )
        stop.wait(POLL_S)


def _ask_ready(options: Options) -> tuple[bool, str]:
    try:
        with urllib.request.urlopen(_url(options) + "/ready", timeout=5) as answer:  # noqa: S310
            return answer.status == 200, ""
    except urllib.error.HTTPError as error:
        with error:
            try:
                details = json.load(error)["error"]["details"]
                parts = {**details["pairs"], **details["shards"]}
                waits = [f"{name} {state}" for name, state in parts.items() if state != "ready"]
            except (ValueError, KeyError, TypeError):
                return False, f"/ready answers {error.code}"
        return False, ", ".join(sorted(waits)) or "the store"
    except OSError:
        return False, ""


def _note_running(options: Options, redis_url: str, parts: ExitStack) -> None:
    path = options.settings.data_dir / RUNNING_FILE
    # A URL of an external store may hold a password: only the embedded one's path is noted.
    store = redis_url if redis_url.startswith("unix://") else ""
    said = {"url": _url(options), "pid": os.getpid(), "redis_url": store}
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(said, file)
    parts.callback(Path.unlink, path, missing_ok=True)


def _url(options: Options) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(options.host, options.host)  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host and '[' not in host else host}:{options.port}"


def _on_signals(stop: threading.Event) -> None:
    """Turn Ctrl-C, SIGTERM and a closed terminal into a wish to stop; a second changes nothing."""

    def wish(_number: int, _frame: FrameType | None) -> None:
        if not stop.is_set():
            stop.set()
            # Not `_say`: the line that was interrupted may be inside it.
            with contextlib.suppress(OSError):
                os.write(1, b"Stopping ...\n")

    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup wants it to go on
        numbers.append(signal.SIGHUP)
    for number in numbers:
        signal.signal(number, wish)


def _heed(stop: threading.Event) -> None:
    if stop.is_set():
        raise Interrupted


def _say(line: str) -> None:
    """Tell the person who started it; a terminal that is gone, or a full disk, stops nothing."""
    with contextlib.suppress(OSError):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
