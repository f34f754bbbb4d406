"""Who is logged in where: a file that only its owner can read.

It lies in ``$XDG_CONFIG_HOME/tandem`` (``~/.config/tandem``), has mode 0600, and holds per exchange
an API key, or a pair of tokens. A credential is only ever given to the exchange it belongs to.
"""

import contextlib
import fcntl
import json
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tandem.terminal.failures import TerminalError

Login = dict[str, Any]
"""``name``, ``mode``, and ``api_key`` or the tokens with their expiry (Unix seconds)."""

_FILE_MODE: Final = 0o600


class StoreError(TerminalError):
    """The file cannot be used; the message says what to do."""


class Store:
    """The file of log-ins.

    Args:
        environ: for ``XDG_CONFIG_HOME`` and ``HOME``.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        base = environ.get("XDG_CONFIG_HOME") or ""
        home = Path(base) if Path(base).is_absolute() else Path.home() / ".config"
        self.path = home / "tandem" / "credentials.json"

    def current(self) -> str:
        """Name the exchange that was logged in to last; "" for none."""
        return str(self._read().get("current", ""))

    def login(self, base_url: str) -> Login | None:
        """Find the log-in at an exchange.

        Raises:
            StoreError: the file is readable by others, or is not what this program writes.
        """
        found: Login | None = self._read().get("exchanges", {}).get(base_url)
        return found

    def save(self, base_url: str, login: Login) -> None:
        """Keep a log-in, and make its exchange the current one."""
        content = self._read()
        content.setdefault("exchanges", {})[base_url] = login
        content["current"] = base_url
        self._write(content)

    def forget(self, base_url: str) -> None:
        """Drop a log-in."""
        content = self._read()
        content.get("exchanges", {}).pop(base_url, None)
        if content.get("current") == base_url:
            content.pop("current")
        self._write(content)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Let nobody else read and then write meanwhile: a refresh token is good only once."""
        self._make_room()
        with self._reporting():
            lock = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, _FILE_MODE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _read(self) -> dict[str, Any]:
        try:
            with self._reporting(), self.path.open("rb") as file:
                if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                    raise StoreError(f"{self.path} is readable by others: chmod 600 {self.path}")
                content = json.loads(file.read())
        except FileNotFoundError:
            return {}
        except ValueError:
            content = None
        if not isinstance(content, dict) or not isinstance(content.get("exchanges", {}), dict):
            raise StoreError(f"{self.path} is damaged: delete it, and log in with `tandem login`")
        return content

    def _write(self, content: dict[str, Any]) -> None:
        self._make_room()
        made = self.path.with_name(f".credentials.{secrets.token_hex(4)}")
        with self._reporting():
            handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
            with os.fdopen(handle, "w") as file:
                json.dump(content, file, indent=2)
            made.replace(self.path)

    def _make_room(self) -> None:
        with self._reporting():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextlib.contextmanager
    def _reporting(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            place = self.path.parent
            raise StoreError(
                f"{place} cannot be used ({error.strerror}); name another with XDG_CONFIG_HOME"
            ) from None
