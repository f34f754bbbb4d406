"""The gateway's own parts, built once from its ports: identity, keys, limits, idempotency."""

from decimal import Decimal

from aiohttp import web

from actors.engine.pair_spec import AssetSpec, PairSpec
from gateway.api_keys import ApiKeys
from gateway.auth import Authenticator
from gateway.deps import GatewayDeps
from gateway.idempotency import Idempotency
from gateway.identity import Identity
from gateway.limits import Limits
from gateway.metrics import GatewayMetrics
from gateway.passwords import Passwords
from gateway.remote import RemoteAddress
from gateway.tokens import Tokens


class Services:
    """Everything a route may use; one per gateway."""

    def __init__(self, deps: GatewayDeps) -> None:
        settings = deps.settings
        self.deps = deps
        self.settings = settings
        self.specs: dict[str, PairSpec] = {spec.symbol: spec for spec in deps.listing.pairs}
        self.assets: dict[str, AssetSpec] = deps.listing.assets()
        self.paper_grants: dict[str, int] = {
            name: int(Decimal(asset.paper_grant).scaleb(asset.decimals))
            for name, asset in self.assets.items()
            if Decimal(asset.paper_grant) > 0
        }
        self.metrics = GatewayMetrics(settings.name)
        self.tokens = Tokens(settings)
        self.passwords = Passwords(settings.passwords)
        self.identity = Identity(deps.redis, settings.refresh_ttl_s)
        self.api_keys = ApiKeys(deps.redis, settings.api_keys_max)
        self.auth = Authenticator(settings, self.tokens, self.identity, self.api_keys)
        self.limits = Limits(deps.redis, enabled=settings.limits.enabled)
        self.idempotency = Idempotency(deps.redis, settings)
        self.remote = RemoteAddress(settings.trusted_proxies)
        self._symbols: dict[str, PairSpec] = {}
        for spec in self.specs.values():
            base, quote = spec.base.symbol.lower(), spec.quote.symbol.lower()
            for form in (spec.symbol, f"{base}/{quote}", f"{base}-{quote}"):
                self._symbols[form] = spec

    def now_ms(self) -> int:
        """Tell the time, in Unix milliseconds."""
        return self.deps.clock_ns() // 1_000_000

    def find_spec(self, symbol: str) -> PairSpec | None:
        """Find a pair by any form of its symbol: ``VAIX``, ``VAIX/USDC``, ``vaix-usdc``."""
        return self._symbols.get(symbol) or self._symbols.get(symbol.lower())


SERVICES: web.AppKey[Services] = web.AppKey("services", Services)
