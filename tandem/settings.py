"""The configuration: `exchange.toml` and the environment, checked before anything starts.

Tables are read one by one, so that an error says file, line, what was expected, and what to do.
The environment is read here and nowhere else: ``TANDEM_REDIS_URL``, ``TANDEM_DATA_DIR``,
``TANDEM_JWT_SECRET``, ``TANDEM_RPC_<CHAIN>`` and ``TANDEM_STALE_AFTER_<CHAIN>``.
"""

import os
import re
import secrets
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from actors.engine.pair_spec import AssetSpec, PairSpec, PoolSpec
from actors.listing import Listing
from chain_feeds.errors import ChainSettingsError
from chain_feeds.settings import ChainSettings, read_chains
from gateway.settings import LimitPreset, LimitSettings, limit_preset
from tandem.toml_lines import line_of

DEFAULT_CONFIG = Path(__file__).resolve().parent.parent / "exchange.toml"
_TableT = TypeVar("_TableT")
_BPS_IN_PPM = 100


class SettingsError(Exception):
    """The configuration cannot be used; the message says where, and what was expected."""


class ExchangeTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[exchange]``: how the exchange runs."""

    account_shards: Annotated[int, msgspec.Meta(ge=1, le=256)] = 2
    inbox_commands_max: Annotated[int, msgspec.Meta(ge=100, le=1_000_000)] = 20_000
    lanes: bool = True
    snapshot_every_records: Annotated[int, msgspec.Meta(ge=100)] = 20_000
    snapshot_every_s: Annotated[int, msgspec.Meta(ge=1)] = 300


class AssetTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[assets.X]``. At most 8 decimals: 90 billion whole units still fit in 63 bits."""

    decimals: Annotated[int, msgspec.Meta(ge=0, le=8)]
    paper_grant: str = "0"
    supply: str = "0"


class PoolTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[[pairs.x.pools]]``: an AMM pool beside the pair's book."""

    chain: str
    venue: str
    kind: str
    address: str
    base_address: str
    quote_address: str
    base_decimals: Annotated[int, msgspec.Meta(ge=0, le=36)]
    quote_decimals: Annotated[int, msgspec.Meta(ge=0, le=36)]
    fee_bps: Annotated[int, msgspec.Meta(ge=0, lt=10_000)]


class PairTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[pairs.x]``: one listed pair."""

    base: str
    tick_size: str
    lot_size: str
    quote: str = "USDC"
    min_order_size: str = ""
    max_order_size: str = ""
    maker_fee_bps: Annotated[int, msgspec.Meta(ge=0, lt=10_000)] = 0
    taker_fee_bps: Annotated[int, msgspec.Meta(ge=0, lt=10_000)] = 10
    price_protection_pct: Annotated[int, msgspec.Meta(ge=1, le=90)] = 5
    max_open_orders: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 200
    ladder_levels: Annotated[int, msgspec.Meta(ge=1, le=500)] = 40
    ladder_step_ppm: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 500
    live_enabled: bool = False
    pools: list[PoolTable] = []


class GatewayTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[gateway]``: what `gateway.settings.GatewaySettings` takes from the file."""

    access_ttl_s: Annotated[int, msgspec.Meta(ge=60, le=86_400)] = 900
    refresh_ttl_s: Annotated[int, msgspec.Meta(ge=3_600)] = 30 * 86_400
    body_bytes_max: Annotated[int, msgspec.Meta(ge=1_024, le=16_777_216)] = 65_536
    idempotency_ttl_s: Annotated[int, msgspec.Meta(ge=300)] = 86_400
    trusted_proxies: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ("*",)
    access_log: Literal["all", "errors", "off"] = "errors"


class Settings(msgspec.Struct, frozen=True):
    """Everything `tandem up` needs to know."""

    listing: Listing
    exchange: ExchangeTable
    data_dir: Path
    redis_url: str
    """"" for the embedded Valkey."""
    chains: tuple[ChainSettings, ...]
    gateway: GatewayTable
    limits: LimitSettings


class ConfigFile:
    """One TOML file with its positions.

    Raises:
        SettingsError: the file is missing or is not TOML.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise SettingsError(
                f"{path}: cannot be read ({error.strerror}); name another file with --config"
            ) from None
        except UnicodeDecodeError as error:
            raise SettingsError(f"{path}: expected UTF-8 text ({error.reason})") from None
        try:
            self.tables: dict[str, Any] = tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{path}: not valid TOML: {error}") from None

    def error(self, at: Sequence[str | int], message: str) -> SettingsError:
        """Make the error for the key or table at ``at``."""
        return SettingsError(f"{self.path}:{line_of(self._text, at)}: {_shown(at)}: {message}")

    def table(self, at: Sequence[str], kind: type[_TableT]) -> _TableT:
        """Read the table at ``at`` as ``kind``.

        Raises:
            SettingsError: a key is unknown, missing or of the wrong type.
        """
        raw: Any = self.tables
        for name in at:
            raw = raw.get(name, {}) if isinstance(raw, dict) else raw
        try:
            return msgspec.convert(raw, kind)
        except msgspec.ValidationError as error:
            where, message = _blame(at, str(error))
            raise self.error(where, message) from None

    def names(self, section: str) -> list[str]:
        """Name the sub-tables of a section.

        Raises:
            SettingsError: the section holds something else than tables.
        """
        tables = self.tables.get(section, {})
        if not isinstance(tables, dict):
            raise self.error((section,), f"expected tables such as [{section}.NAME]")
        return list(tables)


def load(
    config: Path | None = None,
    data_dir: Path | None = None,
    limits: LimitPreset = "default",
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Read and check the configuration.

    Args:
        config: the TOML file; the listing that ships with Tandem when None.
        data_dir: where journal, secrets and logs live; wins over ``TANDEM_DATA_DIR``.
        limits: the preset of rate limits; ``[limits.<preset>]`` changes its numbers.
        environ: the environment.

    Raises:
        SettingsError: with file, line and what was expected.
    """
    file = ConfigFile(config or DEFAULT_CONFIG)
    known = {"exchange", "assets", "pairs", "chains", "gateway", "limits"}
    for name in file.tables:
        if name not in known:
            raise file.error((name,), f"unknown table; expected one of {', '.join(sorted(known))}")
    exchange = file.table(("exchange",), ExchangeTable)
    assets = {name: _asset(file, name) for name in file.names("assets")}
    pairs = tuple(_pair(file, name, assets) for name in file.names("pairs"))
    if not pairs:
        raise file.error(("pairs",), "no pair is listed; add a table such as [pairs.vaix]")
    return Settings(
        listing=Listing(pairs=pairs, shards=exchange.account_shards),
        exchange=exchange,
        data_dir=find_data_dir(data_dir, environ),
        redis_url=_redis_url(environ),
        chains=_chains(file, pairs, environ),
        gateway=file.table(("gateway",), GatewayTable),
        limits=_limits(file, limits),
    )


def _redis_url(environ: Mapping[str, str]) -> str:
    """Read where an external store is; the URL itself may hold a password, and is never shown."""
    url = environ.get("TANDEM_REDIS_URL", "")
    if url and not url.startswith(("redis://", "rediss://", "unix://")):
        raise SettingsError(
            "TANDEM_REDIS_URL: expected a URL such as redis://127.0.0.1:6379/0, rediss://… or "
            "unix:///path; leave it out for the embedded store"
        )
    return url


def find_data_dir(given: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """Choose where everything durable lives: as given, else ``TANDEM_DATA_DIR``, else a default."""
    chosen = given or Path(environ.get("TANDEM_DATA_DIR") or "~/.tandem")
    return chosen.expanduser().absolute()


def make_data_dir(path: Path) -> None:
    """Make the data directory where there is none, for its owner alone.

    Raises:
        SettingsError: it cannot be made, or nothing can be written in it.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(path, error.strerror) from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise _unusable(path, "no permission to write in it")


def _unusable(path: Path, why: str | None) -> SettingsError:
    return SettingsError(
        f"the data directory {path} cannot be used ({why}); choose another one with --data-dir"
    )


def jwt_secret(data_dir: Path, environ: Mapping[str, str] = os.environ) -> str:
    """Read the key that signs access tokens; made once per data directory, mode 0600.

    Raises:
        SettingsError: the key in the environment is too short to be safe.
    """
    if given := environ.get("TANDEM_JWT_SECRET"):
        if len(given) < 32:
            raise SettingsError(
                f"TANDEM_JWT_SECRET: expected at least 32 characters, was {len(given)}; leave it "
                "out, and one is made and kept in the data directory"
            )
        return given
    return stored_secret(data_dir / "jwt_secret")


def stored_secret(path: Path) -> str:
    """Read a secret from a file that only its owner can read, making it when there is none."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        secret = secrets.token_hex(32)
        file.write(secret)
    return secret


def _chains(
    file: ConfigFile, pairs: tuple[PairSpec, ...], environ: Mapping[str, str]
) -> tuple[ChainSettings, ...]:
    try:
        return read_chains(file.tables.get("chains", {}), pairs, environ)
    except ChainSettingsError as error:
        raise file.error(("chains", error.chain, error.key), error.problem) from None


def _limits(file: ConfigFile, preset: LimitPreset) -> LimitSettings:
    numbers = msgspec.to_builtins(limit_preset(preset))
    at: tuple[str, ...] = ("limits", preset)
    _merge(file, at, numbers, file.tables.get("limits", {}).get(preset, {}))
    try:
        return msgspec.convert(numbers, LimitSettings)
    except msgspec.ValidationError as error:
        where, message = _blame(at, str(error))
        raise file.error(where, message) from None


def _merge(
    file: ConfigFile, at: tuple[str, ...], numbers: dict[str, Any], given: dict[str, Any]
) -> None:
    """Put what the file gives over the preset's numbers; only known names are taken."""
    for key, value in given.items():
        if key not in numbers:
            expected = ", ".join(sorted(numbers))
            raise file.error((*at, key), f"unknown key; expected one of {expected}")
        if isinstance(numbers[key], dict) and isinstance(value, dict):
            _merge(file, (*at, key), numbers[key], value)
        else:
            numbers[key] = value


def _asset(file: ConfigFile, name: str) -> AssetSpec:
    table = file.table(("assets", name), AssetTable)
    for key in ("paper_grant", "supply"):
        _units(file, ("assets", name, key), getattr(table, key), table.decimals)
    return AssetSpec(
        symbol=name, decimals=table.decimals, paper_grant=table.paper_grant, supply=table.supply
    )


def _pair(file: ConfigFile, name: str, assets: dict[str, AssetSpec]) -> PairSpec:
    at = ("pairs", name)
    table = file.table(at, PairTable)
    if not re.fullmatch(r"[a-z0-9]{1,16}", name):
        raise file.error(at, "a pair's name is 1 to 16 lower-case letters or digits")
    for key in ("base", "quote"):
        if (symbol := getattr(table, key)) not in assets:
            raise file.error(
                (*at, key), f"{symbol!r} is not listed; add [assets.{symbol}] or correct the name"
            )
    if table.base == table.quote:
        raise file.error((*at, "base"), "base and quote must be different assets")
    if table.maker_fee_bps > table.taker_fee_bps:
        raise file.error((*at, "maker_fee_bps"), "must not be above taker_fee_bps")
    for key in ("tick_size", "lot_size"):
        _positive(file, (*at, key), getattr(table, key))
    pools = tuple(_pool(file, name, position, pool) for position, pool in enumerate(table.pools))
    try:
        return PairSpec(
            symbol=name,
            base=assets[table.base],
            quote=assets[table.quote],
            tick_size=table.tick_size,
            lot_size=table.lot_size,
            min_order_lots=_lots(file, name, "min_order_size", table) or 1,
            max_order_lots=_lots(file, name, "max_order_size", table) or 10**15,
            maker_fee_ppm=table.maker_fee_bps * _BPS_IN_PPM,
            taker_fee_ppm=table.taker_fee_bps * _BPS_IN_PPM,
            price_protection_ppm=table.price_protection_pct * 10_000,
            max_open_orders=table.max_open_orders,
            ladder_levels=table.ladder_levels,
            ladder_step_ppm=table.ladder_step_ppm,
            pools=pools,
            live_enabled=table.live_enabled,
        )
    except ValueError as error:
        raise file.error((*at, "tick_size"), str(error)) from None


def _pool(file: ConfigFile, pair: str, position: int, table: PoolTable) -> PoolSpec:
    if not table.address or not table.chain:
        raise file.error(("pairs", pair, "pools", position), "chain and address must not be empty")
    return PoolSpec(
        pool_id=f"{table.chain}:{table.address}".lower(),
        venue=table.venue,
        chain=table.chain,
        kind=table.kind,
        address=table.address,
        base_address=table.base_address,
        quote_address=table.quote_address,
        base_decimals=table.base_decimals,
        quote_decimals=table.quote_decimals,
        fee_ppm=table.fee_bps * _BPS_IN_PPM,
    )


def _lots(file: ConfigFile, pair: str, key: str, table: PairTable) -> int:
    text: str = getattr(table, key)
    if not text:
        return 0
    at = ("pairs", pair, key)
    lots = _positive(file, at, text) / Decimal(table.lot_size)
    if lots != lots.to_integral_value():
        raise file.error(at, f"{text!r} is not a multiple of lot_size {table.lot_size}")
    return int(lots)


def _positive(file: ConfigFile, at: Sequence[str], text: str) -> Decimal:
    value = _decimal(file, at, text)
    if value <= 0:
        raise file.error(at, f"expected a decimal string above zero, was {text!r}")
    return value


def _units(file: ConfigFile, at: Sequence[str], text: str, decimals: int) -> None:
    value = _decimal(file, at, text).scaleb(decimals)
    if value < 0 or value != value.to_integral_value():
        raise file.error(at, f"expected at least 0 with at most {decimals} decimals, was {text!r}")


def _decimal(file: ConfigFile, at: Sequence[str], text: str) -> Decimal:
    try:
        value = Decimal(text) if re.fullmatch(r"[0-9.]{1,40}", text) else None
    except InvalidOperation:
        value = None
    if value is None:
        raise file.error(at, f"expected a plain decimal string such as '0.001', was {text!r}")
    return value


def _blame(at: Sequence[str], message: str) -> tuple[list[str | int], str]:
    """Turn msgspec's ``… - at `$.pools[0].fee_bps``` into a path and a plain message."""
    text, _, path = message.partition(" - at `$")
    where: list[str | int] = list(at)
    for name, index in re.findall(r"\.([A-Za-z0-9_-]+)|\[(\d+)\]", path):
        where.append(int(index) if index else name)
    if unknown := re.search(r"unknown field `([^`]+)`", text):
        where.append(unknown.group(1))
        text = "unknown key; check its spelling"
    elif missing := re.search(r"missing required field `([^`]+)`", text):
        text = f"the key {missing.group(1)!r} is missing"
    return where, text


def _shown(at: Sequence[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in at)[1:]
