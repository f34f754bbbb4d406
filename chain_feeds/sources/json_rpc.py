"""Batches of JSON-RPC calls over HTTP, on one session that is closed for good.

web3's own HTTP provider drops a connection after every request without waiting until it has left
the event loop, so a feed that stops would leave sockets behind. What answers mean lives elsewhere.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import aiohttp
import msgspec

Call = tuple[str, Sequence[Any]]
"""A method of the node and its parameters."""

Answer = Mapping[str, Any]
"""One response object of JSON-RPC 2.0: ``result`` or ``error``."""

BATCH_MAX: Final = 100
"""Calls in one request; providers refuse long batches."""
_ANSWER_BYTES_MAX: Final = 32 * 1024 * 1024


class JsonRpc:
    """Asks one node. Make it inside a running event loop, and close it there.

    Args:
        url: where requests go.
        timeout_s: the longest that one request may take.
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url = url
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout_s))

    async def batch(self, calls: Sequence[Call]) -> list[Answer]:
        """Ask everything, and return the answers in the order of the calls.

        Raises:
            aiohttp.ClientError, OSError, TimeoutError: the node does not answer.
            ValueError: it answers something that is no batch of these answers.
        """
        answers: list[Answer] = []
        for start in range(0, len(calls), BATCH_MAX):
            answers += await self._ask(calls[start : start + BATCH_MAX])
        return answers

    async def close(self) -> None:
        """Close the connections, and wait until they are closed."""
        await self._session.close()

    async def ask(self, call: Call) -> Answer:
        """Ask one thing, outside any batch: some providers refuse batches.

        Raises:
            aiohttp.ClientError, OSError, TimeoutError: the node does not answer.
            ValueError: it answers something that is no answer to this.
        """
        return _in_order([await self._post(_request(0, call))], 1)[0]

    async def _ask(self, calls: Sequence[Call]) -> list[Answer]:
        given = await self._post([_request(number, call) for number, call in enumerate(calls)])
        return _in_order(given, len(calls))

    async def _post(self, request: object) -> object:
        body = msgspec.json.encode(request)
        headers = {"Content-Type": "application/json"}
        async with self._session.post(self._url, data=body, headers=headers) as response:
            response.raise_for_status()
            text = await response.content.read(_ANSWER_BYTES_MAX + 1)
            while len(text) <= _ANSWER_BYTES_MAX and (
                part := await response.content.read(_ANSWER_BYTES_MAX + 1 - len(text))
            ):
                text += part
        if len(text) > _ANSWER_BYTES_MAX:
            raise ValueError(f"an answer is longer than {_ANSWER_BYTES_MAX} bytes")
        answer: object = msgspec.json.decode(text)
        return answer


def _request(number: int, call: Call) -> dict[str, object]:
    method, params = call
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def _in_order(given: object, count: int) -> list[Answer]:
    """Sort the answers by their ids: a node may give them in any order."""
    if not isinstance(given, list):
        raise ValueError("expected an array of answers")  # noqa: TRY004 -- bad bytes, not a bug
    found: dict[object, Answer] = {}
    for answer in given:
        if not isinstance(answer, dict) or type(answer.get("id")) is not int:
            raise ValueError("expected answers with the ids of the calls")
        found[answer["id"]] = answer
    if len(given) != count or set(found) != set(range(count)):
        raise ValueError(f"expected {count} answers, each once")
    return [found[number] for number in range(count)]
