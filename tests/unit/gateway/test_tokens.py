"""Tokens are accepted only as they were made."""

import time

import jwt
import pytest

from gateway.errors import ApiError
from gateway.settings import GatewaySettings
from gateway.tokens import Tokens, derive

SECRET = b"0123456789abcdef0123456789abcdef"
TOKENS = Tokens(GatewaySettings(secret=SECRET))
NOW_S = int(time.time())
"""When these tests were collected; they may run much later, so nothing made here ends soon."""


def test_access_token_made_and_verified_names_user_and_session() -> None:
    """The claims come back."""
    claims = TOKENS.verify_access(TOKENS.access("usr_1", "sid", NOW_S))
    assert (claims.user, claims.session, claims.expires_s) == ("usr_1", "sid", NOW_S + 900)


def test_access_token_that_expired_says_so() -> None:
    """An old token has its own code."""
    with pytest.raises(ApiError) as refused:
        TOKENS.verify_access(TOKENS.access("usr_1", "sid", NOW_S - 1_000))
    assert (refused.value.status, refused.value.code) == (401, "TOKEN_EXPIRED")


@pytest.mark.parametrize(
    ("change", "key", "algorithm"),
    [
        ({"aud": "other"}, None, "HS256"),
        ({"iss": "other"}, None, "HS256"),
        ({"sid": None}, None, "HS256"),
        ({}, b"another key of thirty-two bytes!!", "HS256"),
        ({}, None, "HS512"),
        ({}, b"", "none"),
    ],
)
@pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")
def test_access_token_made_otherwise_is_invalid(
    change: dict[str, str | None], key: bytes | None, algorithm: str
) -> None:
    """Another audience, issuer, key or algorithm is refused."""
    claims = {
        "iss": "tandem", "aud": "tandem-api", "sub": "usr_1", "sid": "s", "jti": "j",
        "iat": NOW_S, "exp": NOW_S + 86_400,
    }  # fmt: skip
    claims |= change
    made = {name: value for name, value in claims.items() if value is not None}
    signing = derive(SECRET, "jwt") if key is None else key
    token = jwt.encode(made, signing or None, algorithm)
    with pytest.raises(ApiError) as refused:
        TOKENS.verify_access(token)
    assert refused.value.code == "TOKEN_INVALID"


@pytest.mark.parametrize(
    "token",
    ["", "rt_", "rt_a.1", "rt_a.1.x", "rt_sid.0.", "sid.0.mac", "rt_sid.-1.x", "rt_sid.٣.x"],
)
def test_refresh_token_that_is_forged_is_invalid(token: str) -> None:
    """Only what was made with the key is authentic."""
    with pytest.raises(ApiError):
        TOKENS.verify_refresh(token)


def test_refresh_token_of_one_generation_is_not_another() -> None:
    """The MAC covers session and generation."""
    token = TOKENS.refresh("sid", 3)
    claims = TOKENS.verify_refresh(token)
    assert (claims.session, claims.generation) == ("sid", 3)
    with pytest.raises(ApiError):
        TOKENS.verify_refresh(token.replace(".3.", ".4."))
