"""Settings refuse what would be unsafe; presets are what the contract says."""

import pytest

from gateway.settings import GatewaySettings, Rate, limit_preset


def test_default_preset_has_the_contracts_numbers() -> None:
    """30 a minute per IP, 60 per user, 10 a second per pair and 30 a minute placed, 5 sockets."""
    limits = limit_preset("default")
    tier = limits.tier("standard")
    assert (limits.public_ip, tier.user) == (Rate(30, 60), Rate(60, 60))
    assert (tier.placing_pair, tier.placing) == (Rate(10, 1), Rate(30, 60))
    assert (limits.websockets_per_ip, tier.open_orders_max) == (5, 200)
    assert limits.tier("market_maker").placing.count > limits.tier("premium").placing.count


def test_off_preset_counts_nothing() -> None:
    """Nothing is counted, and an unknown tier is the standard one."""
    limits = limit_preset("off")
    assert not limits.enabled
    assert limits.tier("nobody") == limits.tier("standard")


@pytest.mark.parametrize(
    ("options", "words"),
    [({"secret": b"short"}, "32 bytes"), ({"secret": b"x" * 32, "principal_cache_s": 2.0}, "0.5")],
)
def test_unsafe_settings_are_refused(options: dict[str, object], words: str) -> None:
    """A short secret and a long memory of revoked tokens are refused."""
    with pytest.raises(ValueError, match=words):
        GatewaySettings(**options)  # type: ignore[arg-type]


def test_unknown_preset_and_empty_rate_are_refused() -> None:
    """The message says what is allowed."""
    with pytest.raises(ValueError, match="default, relaxed or off"):
        limit_preset("none")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="count >= 1"):
        Rate(0, 60)
