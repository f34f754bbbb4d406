"""Accounts, sessions and API keys (section 2 of the API)."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from event_trader.wire.base import RequestModel, ResponseModel
from event_trader.wire.numbers import Timestamp

EMAIL_PATTERN = r"^[^@\s\x00-\x1f\x7f]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+$"
PASSWORD_BYTES_MIN = 8
PASSWORD_BYTES_MAX = 72


def _password(value: str) -> str:
    if not PASSWORD_BYTES_MIN <= len(value.encode("utf-8", "surrogatepass")) <= PASSWORD_BYTES_MAX:
        raise PydanticCustomError(
            "password_length", f"must have {PASSWORD_BYTES_MIN} to {PASSWORD_BYTES_MAX} bytes"
        )
    return encodable(value)


def encodable(value: str) -> str:
    """Refuse text with lone surrogates or NUL: it cannot be stored as UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("text", "must be valid Unicode text") from None
    if "\x00" in value:
        raise PydanticCustomError("text", "must not contain NUL")
    return value


Email = Annotated[
    str, Field(pattern=EMAIL_PATTERN, max_length=254, json_schema_extra={"format": "email"})
]
Username = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\-]{3,50}$", examples=["ada"])]
Password = Annotated[
    str,
    Field(min_length=1, max_length=PASSWORD_BYTES_MAX, json_schema_extra={"format": "password"}),
    AfterValidator(_password),
]
SecretText = Annotated[
    str,
    Field(min_length=1, max_length=1_024, json_schema_extra={"format": "password"}),
    AfterValidator(encodable),
]
Label = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(encodable)]


def _only_true(value: Any) -> Any:
    if value is not True:
        raise PydanticCustomError("consent", "must be true")
    return value


Consent = Annotated[Literal[True], BeforeValidator(_only_true)]
"""``true`` and nothing that is merely equal to it, such as 1."""


class RegisterRequest(RequestModel):
    """Open an account. Both consents must be true."""

    email: Email
    username: Username
    password: Password
    tos_accepted: Consent
    privacy_policy_accepted: Consent


class Credentials(RequestModel):
    """A name and a password: exactly one of ``email`` and ``username``."""

    email: Annotated[str, Field(min_length=1, max_length=254), AfterValidator(encodable)] | None = (
        None
    )
    username: (
        Annotated[str, Field(min_length=1, max_length=254), AfterValidator(encodable)] | None
    ) = None
    password: SecretText

    @model_validator(mode="after")
    def _one_name(self) -> "Credentials":
        if (self.email is None) == (self.username is None):
            raise PydanticCustomError("credentials", "needs exactly one of email and username")
        return self


class LoginRequest(Credentials):
    """Begin a session."""


class ApiKeyLoginRequest(Credentials):
    """Make an API key (read and trade) from a name and a password, in one call."""

    key_name: Label = "default"


class RefreshRequest(RequestModel):
    """Trade a refresh token for a new pair; the old one is used up."""

    refresh_token: SecretText


class LogoutRequest(RefreshRequest):
    """End the session the refresh token belongs to."""


class User(ResponseModel):
    """An account."""

    id: str = Field(examples=["usr_3f9a0c51d2e84b76"])
    email: str
    username: str
    role: Literal["user", "admin"]
    simulation_mode: bool
    created_at: Timestamp


class Session(ResponseModel):
    """A pair of tokens and whose they are."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"]
    expires_in: int
    user: User


class ApiKeyFromLogin(ResponseModel):
    """The new key; it is shown this once."""

    api_key: str = Field(pattern="^evt_[0-9a-f]{64}$")
    api_key_id: str


class Permissions(RequestModel):
    """What a key may do."""

    read: bool = True
    trade: bool = False
    withdraw: bool = False


IpNetwork = Annotated[str, Field(min_length=2, max_length=49, examples=["203.0.113.0/24"])]
MarketSymbol = Annotated[str, Field(min_length=1, max_length=32)]
ExpiryDays = Annotated[int, Field(ge=1, le=3650)]


def _networks(values: list[str]) -> list[str]:
    import ipaddress

    for value in values:
        try:
            ipaddress.ip_network(value, strict=False)
        except ValueError:
            raise PydanticCustomError(
                "ip_network", "must hold IP addresses or networks such as 203.0.113.0/24"
            ) from None
    return values


IpWhitelist = Annotated[list[IpNetwork], Field(max_length=20), AfterValidator(_networks)]
AllowedMarkets = Annotated[list[MarketSymbol], Field(max_length=100)]


class ApiKeyRequest(RequestModel):
    """Make an API key. Empty lists mean any address and any market."""

    name: Label
    permissions: Permissions = Permissions()
    ip_whitelist: IpWhitelist = Field(default_factory=list)
    allowed_markets: AllowedMarkets = Field(default_factory=list)
    expires_in_days: ExpiryDays | None = None


def _not_null(value: Any) -> Any:
    if value is None:
        raise PydanticCustomError("not_null", "must not be null; leave the field out to keep it")
    return value


class ApiKeyChange(RequestModel):
    """Change an API key; a field that is left out stays as it is."""

    name: Annotated[Label | None, BeforeValidator(_not_null)] = None
    permissions: Annotated[Permissions | None, BeforeValidator(_not_null)] = None
    ip_whitelist: Annotated[IpWhitelist | None, BeforeValidator(_not_null)] = None
    allowed_markets: Annotated[AllowedMarkets | None, BeforeValidator(_not_null)] = None
    is_active: Annotated[bool | None, BeforeValidator(_not_null)] = None


class KeyPermissions(ResponseModel):
    """What a key may do."""

    read: bool
    trade: bool
    withdraw: bool


class NewApiKey(ResponseModel):
    """A key at its birth: the only time ``key`` is shown."""

    key: str = Field(pattern="^evt_[0-9a-f]{64}$")
    id: str
    name: str
    permissions: KeyPermissions
    ip_whitelist: list[str]
    allowed_markets: list[str]
    is_active: bool
    expires_at: Timestamp | None
    created_at: Timestamp


class ApiKey(ResponseModel):
    """A key as it is listed."""

    id: str
    name: str
    key_prefix: str = Field(examples=["evt_1a2b3c4d"])
    permissions: KeyPermissions
    ip_whitelist: list[str]
    allowed_markets: list[str]
    is_active: bool
    last_used_at: Timestamp | None
    expires_at: Timestamp | None
    created_at: Timestamp


class ApiKeyList(ResponseModel):
    """The account's keys, oldest first."""

    api_keys: list[ApiKey]


class AccountChange(RequestModel):
    """Change the account; a field that is left out stays as it is."""

    simulation_mode: Annotated[bool | None, BeforeValidator(_not_null)] = None
    username: Annotated[Username | None, BeforeValidator(_not_null)] = None
    email: Annotated[Email | None, BeforeValidator(_not_null)] = None


class Account(User):
    """An account, with its tier and its open-order bound."""

    tier: str
    open_orders_max: int
