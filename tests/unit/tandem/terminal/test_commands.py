"""The page of the command line tells of every command and option there is, and of no other."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.core import TyperGroup

from tandem.cli import app
from tandem.terminal import commands

PAGE = (Path(__file__).parents[4] / "docs" / "command-line.md").read_text("utf-8")
TREE = typer.main.get_command(app)
UNIVERSAL = {"--help", "--json", "--base-url", "--mode"}


def people() -> dict[str, Any]:
    """Give the people's commands by what one types, those of groups too."""
    alone = typer.Typer()
    commands.add_to(alone)
    tree = typer.main.get_command(alone)
    assert isinstance(tree, TyperGroup)
    found: dict[str, Any] = {}
    for name, command in tree.commands.items():
        if isinstance(command, TyperGroup):
            found |= {f"{name} {inner}": one for inner, one in command.commands.items()}
        else:
            found[name] = command
    return found


@pytest.mark.parametrize("name", sorted(people()))
def test_page_tells_of_the_command_and_its_options(name: str) -> None:
    """By name in the table, with each option that is its own."""
    command = people()[name]
    assert f"`{name}" in PAGE, name
    options = {long for parameter in command.params for long in parameter.opts if "--" in long}
    assert [one for one in sorted(options - UNIVERSAL) if f"{one}" not in PAGE] == []


def test_page_names_no_option_that_is_not_there() -> None:
    """What it promises can be typed."""
    there = {long for one in people().values() for p in one.params for long in p.opts}
    there |= {"--help", "--install-completion", "--show-completion"}
    assert set(re.findall(r"(--[a-z][a-z-]+)", PAGE)) - there == set()


def test_every_command_has_json_a_base_url_and_a_sentence() -> None:
    """Scripts and people can count on it."""
    for name, command in people().items():
        options = {long for parameter in command.params for long in parameter.opts}
        assert {"--json", "--base-url"} <= options, name
        assert command.help, name
    assert set(people()) >= {"login", "book", "keys list"}
    assert isinstance(TREE, TyperGroup)
    assert {name.partition(" ")[0] for name in people()} <= set(TREE.commands)
