"""The configuration: what ships is valid, and an error names file, line and remedy."""

from pathlib import Path

import pytest

from tandem import settings
from tandem.settings import DEFAULT_CONFIG, SettingsError

SHIPPED = DEFAULT_CONFIG.read_text("utf-8")


def test_shipped_listing_is_the_documented_one() -> None:
    """Four pairs on their grids, each with a grant and pools on four chains."""
    read = settings.load(environ={})
    ticks = {spec.symbol: (spec.tick_size, spec.lot_size) for spec in read.listing.pairs}
    assert ticks["vaix"] == ("0.000001", "1")
    assert set(ticks) == {"vaix", "sbio", "btc", "eth"}
    assert read.listing.paper_grants()["USDC"] == 100_000 * 10**6
    assert {chain.name for chain in read.chains} == {"ethereum", "base", "arbitrum", "solana"}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('tick_size = "0.01"', 'tick_size = "0.001"', "whole number of quote units"),
        ("decimals = 8", "decimals = 18", "<= 8"),
        ('base = "ETH"', 'base = "DOGE"', "'DOGE' is not listed"),
        ('lot_size = "1"', 'lotsize = "1"', "unknown key"),
        ('min_order_size = "1"', 'min_order_size = "1.5"', "not a multiple of lot_size"),
        ('tick_size = "0.000001"', "tick_size = 3", "Expected `str`"),
        ('tick_size = "0.000001"', 'tick_size = "1e-6"', "plain decimal"),
        ("[exchange]", "[exchagne]", "unknown table"),
        ("account_shards = 2", "account_shards = 0", ">= 1"),
        ("[chains.base]", "[chains.bsae]", "add this table"),
    ],
)
def test_wrong_config_names_file_line_and_what_was_expected(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    """Each mistake is found before anything starts, at a line of the file."""
    config = tmp_path / "exchange.toml"
    config.write_text(SHIPPED.replace(before, after, 1), "utf-8")
    with pytest.raises(SettingsError) as caught:
        settings.load(config, environ={})
    assert str(caught.value).startswith(f"{config}:")
    assert said in str(caught.value)


def test_unknown_key_is_told_at_its_own_line(tmp_path: Path) -> None:
    """The line is that of the key, not of the table."""
    config = tmp_path / "exchange.toml"
    config.write_text(SHIPPED.replace('lot_size = "1"', 'lotsize = "1"', 1), "utf-8")
    wanted = config.read_text("utf-8").splitlines().index('lotsize = "1"') + 1
    with pytest.raises(SettingsError, match=f"exchange.toml:{wanted}: "):
        settings.load(config, environ={})


def test_config_missing_or_broken_is_one_sentence(tmp_path: Path) -> None:
    """Neither a missing file nor a syntax error is a traceback."""
    with pytest.raises(SettingsError, match="--config"):
        settings.load(tmp_path / "none.toml", environ={})
    (tmp_path / "bad.toml").write_text("[pairs", "utf-8")
    with pytest.raises(SettingsError, match="not valid TOML"):
        settings.load(tmp_path / "bad.toml", environ={})


def test_limits_of_the_file_change_the_preset_only(tmp_path: Path) -> None:
    """A number given under ``[limits.default]`` replaces that one, an unknown name is refused."""
    config = tmp_path / "exchange.toml"
    config.write_text(SHIPPED + "\n[limits.default.public_ip]\ncount = 7\n", "utf-8")
    assert settings.load(config, environ={}).limits.public_ip.count == 7
    assert settings.load(config, limits="relaxed", environ={}).limits.public_ip.count != 7
    config.write_text(SHIPPED + "\n[limits.default.pubic_ip]\ncount = 7\n", "utf-8")
    with pytest.raises(SettingsError, match="unknown key"):
        settings.load(config, environ={})


def test_secret_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    """The key that signs tokens survives restarts, in a file of mode 0600."""
    first = settings.jwt_secret(tmp_path, {})
    assert settings.jwt_secret(tmp_path, {}) == first
    assert (tmp_path / "jwt_secret").stat().st_mode & 0o777 == 0o600
    with pytest.raises(SettingsError, match="32 characters"):
        settings.jwt_secret(tmp_path, {"TANDEM_JWT_SECRET": "short"})
