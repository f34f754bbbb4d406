"""Access and refresh tokens: made and verified here, with one pinned algorithm and no I/O.

An access token is a JWT (HS256) that names its session (``sid``). A refresh token is
``rt_<sid>.<generation>.<mac>``: authentic by its MAC, so the store only keeps the number of the
generation that is still good, and an authentic older one proves that a token was stolen.
"""

import hashlib
import hmac
import secrets
from typing import Any, Final

import jwt
import msgspec
from event_trader.wire.failure import ErrorCode

from gateway.errors import unauthenticated
from gateway.settings import GatewaySettings

ALGORITHM: Final = "HS256"
_REQUIRED: Final = ["exp", "iat", "iss", "aud", "sub", "sid", "jti"]


class AccessClaims(msgspec.Struct, frozen=True):
    """What a verified access token says."""

    user: str
    session: str
    expires_s: int


class RefreshClaims(msgspec.Struct, frozen=True):
    """What an authentic refresh token says."""

    session: str
    generation: int


class Tokens:
    """Signs and verifies, with keys derived from the gateway's secret."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._jwt_key = derive(settings.secret, "jwt")
        self._refresh_key = derive(settings.secret, "refresh")

    def access(self, user: str, session: str, now_s: int) -> str:
        """Make an access token."""
        claims = {
            "iss": self._settings.issuer,
            "aud": self._settings.audience,
            "sub": user,
            "sid": session,
            "jti": secrets.token_hex(8),
            "iat": now_s,
            "exp": now_s + self._settings.access_ttl_s,
        }
        return jwt.encode(claims, self._jwt_key, ALGORITHM)

    def verify_access(self, token: str) -> AccessClaims:
        """Check signature, algorithm, issuer, audience and expiry.

        Raises:
            ApiError: 401 TOKEN_EXPIRED or TOKEN_INVALID.
        """
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._jwt_key,
                algorithms=[ALGORITHM],
                audience=self._settings.audience,
                issuer=self._settings.issuer,
                options={"require": _REQUIRED},
            )
        except jwt.ExpiredSignatureError:
            message = "The access token has expired; refresh it."
            raise unauthenticated(ErrorCode.TOKEN_EXPIRED, message) from None
        except (jwt.InvalidTokenError, ValueError):
            raise unauthenticated(
                ErrorCode.TOKEN_INVALID, "The access token is not valid."
            ) from None
        return AccessClaims(str(claims["sub"]), str(claims["sid"]), int(claims["exp"]))

    def refresh(self, session: str, generation: int) -> str:
        """Make the refresh token of a session's generation."""
        return f"rt_{session}.{generation}.{self._mac(session, generation)}"

    def verify_refresh(self, token: str) -> RefreshClaims:
        """Check a refresh token's form and MAC.

        Raises:
            ApiError: 401 TOKEN_INVALID.
        """
        session, _, rest = token.removeprefix("rt_").partition(".")
        number, _, mac = rest.partition(".")
        if token.startswith("rt_") and number.isascii() and number.isdigit() and len(number) < 10:
            expected = self._mac(session, int(number))
            if hmac.compare_digest(mac.encode(), expected.encode()):
                return RefreshClaims(session, int(number))
        raise unauthenticated(ErrorCode.TOKEN_INVALID, "The refresh token is not valid.")

    def _mac(self, session: str, generation: int) -> str:
        message = f"{session}.{generation}".encode()
        return hmac.new(self._refresh_key, message, hashlib.sha256).hexdigest()


def derive(secret: bytes, purpose: str, *parts: str) -> bytes:
    """Derive 32 bytes for one purpose from the gateway's secret (HMAC-SHA256)."""
    message = "\x00".join((purpose, *parts)).encode()
    return hmac.new(secret, message, hashlib.sha256).digest()
