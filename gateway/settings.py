"""The numbers and names a gateway runs with. Nothing here reads a file or the environment.

What a rate counts, and why these defaults: `limits`. The composition root fills these structs from
``exchange.toml`` and the command line.
"""

from typing import Literal

import msgspec

LimitPreset = Literal["default", "relaxed", "off"]


class GatewayPlace(msgspec.Struct, frozen=True):
    """Where a gateway listens, and where the store is."""

    host: str
    port: int
    redis_url: str


class Rate(msgspec.Struct, frozen=True):
    """At most ``count`` events in any window of ``per_s`` seconds."""

    count: int
    per_s: int

    def __post_init__(self) -> None:
        """Refuse a rate that lets nothing through."""
        if self.count < 1 or self.per_s < 1:
            raise ValueError(f"a rate needs count >= 1 and per_s >= 1, was {self}")


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """What an account may do; ``-1`` for a fee takes the pair's own."""

    user: Rate = Rate(60, 60)
    """Authenticated requests that neither place nor cancel, per user."""
    cancelling: Rate = Rate(60, 60)
    """Cancels, per user: a count of their own, so that no other limit can refuse one."""
    placing: Rate = Rate(30, 60)
    """Orders placed, per user."""
    placing_pair: Rate = Rate(10, 1)
    """Orders placed, per user and pair."""
    open_orders_max: int = 200
    maker_fee_ppm: int = -1
    taker_fee_ppm: int = -1


STANDARD = Tier()
PREMIUM = Tier(
    user=Rate(600, 60),
    cancelling=Rate(1_200, 60),
    placing=Rate(600, 60),
    placing_pair=Rate(50, 1),
    open_orders_max=500,
)
MARKET_MAKER = Tier(
    user=Rate(6_000, 60),
    cancelling=Rate(30_000, 60),
    placing=Rate(30_000, 60),
    placing_pair=Rate(500, 1),
    open_orders_max=5_000,
)


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All rate limits of a gateway. ``enabled`` false does no counting at all."""

    enabled: bool = True
    public_ip: Rate = Rate(30, 60)
    """Requests without a principal, per IP."""
    login_ip: Rate = Rate(20, 60)
    """Attempts to prove an identity by password or refresh token, per IP."""
    login_account: Rate = Rate(10, 60)
    """Password attempts per account name, whether it exists or not."""
    register_ip: Rate = Rate(10, 60)
    websockets_per_ip: int = 5
    """Open WebSocket connections per IP and channel."""
    tiers: dict[str, Tier] = msgspec.field(
        default_factory=lambda: {
            "standard": STANDARD,
            "premium": PREMIUM,
            "market_maker": MARKET_MAKER,
        }
    )

    def tier(self, name: str) -> Tier:
        """Find an account's tier; an unknown name gets the standard one."""
        return self.tiers.get(name) or self.tiers.get("standard", STANDARD)


_RELAXED_TIER = Tier(
    user=Rate(60_000, 60),
    cancelling=Rate(600_000, 60),
    placing=Rate(600_000, 60),
    placing_pair=Rate(20_000, 1),
    open_orders_max=5_000,
)


def limit_preset(name: LimitPreset) -> LimitSettings:
    """Make the limits of a preset: ``default`` (the contract's), ``relaxed``, or ``off``.

    Raises:
        ValueError: there is no preset of that name.
    """
    if name == "default":
        return LimitSettings()
    if name == "relaxed":
        return LimitSettings(
            public_ip=Rate(60_000, 60),
            login_ip=Rate(6_000, 60),
            login_account=Rate(600, 60),
            register_ip=Rate(6_000, 60),
            websockets_per_ip=5_000,
            tiers=dict.fromkeys(("standard", "premium", "market_maker"), _RELAXED_TIER),
        )
    if name == "off":
        open_tier = Tier(open_orders_max=100_000)
        tiers = dict.fromkeys(("standard", "premium", "market_maker"), open_tier)
        return LimitSettings(enabled=False, websockets_per_ip=1_000_000, tiers=tiers)
    raise ValueError(f"limits must be default, relaxed or off, was {name!r}")


class PasswordSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The cost of argon2id (RFC 9106, second recommended option) and of its thread pool."""

    time_cost: int = 3
    memory_kib: int = 65_536
    parallelism: int = 4
    threads: int = 2
    waiting_max: int = 64
    """Hashes that may wait for a thread; beyond it a login is answered 503 BUSY."""


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a gateway can be told.

    ``secret`` signs tokens and seals stored outcomes: at least 32 random bytes, the same on every
    gateway of an exchange and after every restart.
    """

    secret: bytes
    name: str = "gateway.0"
    """Shown as the ``gateway`` label of metrics and logs."""
    version: str = "0.1.0"
    issuer: str = "tandem"
    audience: str = "tandem-api"
    access_ttl_s: int = 900
    refresh_ttl_s: int = 30 * 86_400
    principal_cache_s: float = 0.25
    """How long a verified token or key is trusted without asking Redis again; at most 0.5."""
    api_keys_max: int = 50
    sub_accounts_max: int = 50
    body_bytes_max: int = 65_536
    body_timeout_s: float = 20.0
    """How long a request's body may take to arrive."""
    idempotency_ttl_s: int = 86_400
    idempotency_lease_s: float = 10.0
    """After this long without an outcome, a runner counts as gone and another takes over."""
    submit_timeout_s: float = 10.0
    trusted_proxies: tuple[str, ...] = ()
    """Networks whose ``X-Forwarded-For`` is believed; none by default."""
    cors_origins: tuple[str, ...] = ("*",)
    """Origins a browser may call from. No cookie exists, so ``*`` gives a page nothing extra."""
    access_log: Literal["all", "errors", "off"] = "errors"
    """Which requests are logged: a line costs a tenth of an order, and metrics count them all."""
    limits: LimitSettings = msgspec.field(default_factory=LimitSettings)
    passwords: PasswordSettings = msgspec.field(default_factory=PasswordSettings)

    def __post_init__(self) -> None:
        """Refuse a configuration that would be unsafe."""
        if len(self.secret) < 32:
            raise ValueError(f"secret needs at least 32 bytes, was {len(self.secret)}")
        if not 0 <= self.principal_cache_s <= 0.5:
            raise ValueError(f"principal_cache_s must be 0 to 0.5, was {self.principal_cache_s}")
