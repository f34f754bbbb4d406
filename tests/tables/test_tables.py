"""Every table of matching, line by line, and what all of them together must have tried."""

import re

import pytest

from actors.engine.commands import AnyCommand, ClockTick, TwapSlice
from actors.engine.units import Reason
from tests.market_tables import FOLDER, Player, Table, read_tables

TABLES = [
    (path.stem, table) for path in sorted(FOLDER.glob("*.txt")) for table in read_tables(path)
]
ISSUED_BY_THE_ENGINE = {ClockTick, TwapSlice}
"""Commands that `due` makes; a table reaches them by ``wait``."""
GIVEN_BY_CALLERS = {"DEAD_MANS_SWITCH", "BOT_PAUSED", "MARKET_DELISTED"}
"""Reasons that a CancelAll carries, as KILL_SWITCH does in a table."""


@pytest.mark.parametrize(
    "table", [table for _, table in TABLES], ids=[f"{stem}: {table.name}" for stem, table in TABLES]
)
def test_table_each_line_gives_what_it_says(table: Table):
    """Each command of a table has the outcome in its last column."""
    player = Player(table.options)
    for number, command, expected in table.lines:
        assert player.play(command) == expected, f"line {number}: {command}"


def test_tables_together_try_every_command_and_reason():
    """No command and no reason is without a line."""
    used: set[type] = set(ISSUED_BY_THE_ENGINE)
    words: set[str] = set()
    for _, table in TABLES:
        player = Player(table.options)
        for _, command, expected in table.lines:
            player.play(command)
            words.update(re.findall(r"[A-Z_]{4,}", expected))
        used |= player.used
    assert used == set(AnyCommand.__args__)
    absent = {reason.name for reason in Reason} - words - GIVEN_BY_CALLERS
    assert absent == {"NONE", "CLOSE_REASONS", "NO_REFERENCE_PRICE"}
