"""The people's commands as `tandem` has them."""

from typing import Final

import typer

from tandem.terminal import account_commands, market_commands, order_commands

PANEL: Final = "Trading"

_COMMANDS: Final = (
    account_commands.register,
    account_commands.login,
    account_commands.logout,
    account_commands.account,
    market_commands.markets,
    market_commands.book,
    market_commands.trades,
    order_commands.buy,
    order_commands.sell,
    order_commands.orders,
    order_commands.cancel,
    order_commands.balance,
)


def add_to(app: typer.Typer) -> None:
    """Add the commands to the `tandem` application."""
    for command in _COMMANDS:
        app.command(rich_help_panel=PANEL)(command)
    app.add_typer(account_commands.keys, rich_help_panel=PANEL)
