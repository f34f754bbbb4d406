"""Unified methods written once, for ccxt's sync and async classes alike.

A method is a generator: it yields each call that it needs (`Ask`), is sent the answer, and returns
the result. `waiting` drives it with plain calls, `awaiting` with awaited ones. So requests, parsing
and decisions stand in one place, and only these two functions know which world they are in.
"""

import functools
from collections.abc import Callable, Generator
from typing import Any, NamedTuple


class Ask(NamedTuple):
    """A call of a method of the exchange."""

    method: str
    arguments: tuple[Any, ...] = ()


Steps = Generator[Ask, Any, Any]
Method = Callable[..., Steps]

UNIFIED: dict[str, Method] = {}
"""Every method that `unified` marks, by name."""


def unified(method: Method) -> Method:
    """Make a generator a method of every Tandem class, under its own name."""
    UNIFIED[method.__name__] = method
    return method


def call(method: str, *arguments: Any) -> Ask:
    """Ask for a method's result."""
    return Ask(method, arguments)


def waiting(method: Method) -> Callable[..., Any]:
    """Turn the generator into a method that waits for every answer."""

    @functools.wraps(method)
    def run(exchange: Any, *arguments: Any, **options: Any) -> Any:
        steps = method(exchange, *arguments, **options)
        move, given = steps.send, None
        while True:
            try:
                asked = move(given)
            except StopIteration as end:
                return end.value
            try:
                given = getattr(exchange, asked.method)(*asked.arguments)
                move = steps.send
            except Exception as error:  # noqa: BLE001 (the generator decides what to do with it)
                move, given = steps.throw, error

    return run


def awaiting(method: Method) -> Callable[..., Any]:
    """Turn the generator into a coroutine function."""

    @functools.wraps(method)
    async def run(exchange: Any, *arguments: Any, **options: Any) -> Any:
        steps = method(exchange, *arguments, **options)
        move, given = steps.send, None
        while True:
            try:
                asked = move(given)
            except StopIteration as end:
                return end.value
            try:
                given = await getattr(exchange, asked.method)(*asked.arguments)
                move = steps.send
            except Exception as error:  # noqa: BLE001 (the generator decides what to do with it)
                move, given = steps.throw, error

    return run
