"""What is asked of a Solana node over HTTP: accounts in one call of one slot, slot and genesis."""

import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

import aiohttp
import msgspec
from solana.rpc.jsonrpc import SolanaJsonRpcError
from websockets.exceptions import WebSocketException

from chain_feeds.errors import SourceLostError
from chain_feeds.settings import ChainSettings, shown_host
from chain_feeds.sources.json_rpc import JsonRpc
from chain_feeds.venues.account_layout import Account, Accounts

CLOCK: Final = "SysvarC1ock11111111111111111111111111111111"
"""The sysvar account with the slot's number and time; every slot rewrites it."""
_CLOCK_TIME_AT: Final = 32
_ACCOUNTS_MAX: Final = 100
"""`getMultipleAccounts` takes no more."""
_REQUEST_TIMEOUT_S: Final = 5.0
_COMMITMENT: Final = "confirmed"

TROUBLE: Final = (
    OSError,
    TimeoutError,
    aiohttp.ClientError,
    WebSocketException,
    SolanaJsonRpcError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,
    msgspec.MsgspecError,
)
"""What a node or the network can make the libraries raise; answers of a wrong shape included."""


class Reads:
    """Asks one node. Make it inside a running event loop, and close it there.

    Args:
        chain: the chain with its node.
    """

    def __init__(self, chain: ChainSettings) -> None:
        self._chain = chain
        self._http = JsonRpc(chain.http_url, _REQUEST_TIMEOUT_S)

    async def genesis(self) -> str:
        """Ask for the hash of the first block, which names the cluster.

        Raises:
            SourceLostError: the node does not answer.
        """
        return str(await self._ask("getGenesisHash"))

    async def slot(self) -> int:
        """Ask for the newest confirmed slot.

        Raises:
            SourceLostError: the node does not answer.
        """
        try:
            return int(await self._ask("getSlot", {"commitment": _COMMITMENT}))
        except TROUBLE as error:
            raise lost(self._chain, self._chain.http_url, error) from None

    async def accounts(
        self, addresses: Sequence[str], least_slot: int = 0
    ) -> tuple[int, dict[str, Account]]:
        """Read accounts; those that do not exist are left out.

        Returns:
            The oldest slot that an answer is of, and the accounts: a hundred share a slot.

        Raises:
            SourceLostError: the node does not answer, or has not come to ``least_slot``.
        """
        slots, found = [], {}
        for start in range(0, len(addresses), _ACCOUNTS_MAX):
            slot, some = await self._some(addresses[start : start + _ACCOUNTS_MAX], least_slot)
            slots.append(slot)
            found.update(some)
        return min(slots, default=least_slot), found

    async def groups(
        self, wanted: Mapping[str, frozenset[str]], least_slot: int
    ) -> AsyncIterator[tuple[int, list[str], Accounts]]:
        """Read groups of accounts, none of them torn over two calls, and the clock with each.

        Yields:
            The slot, the names of the groups that it holds, and the accounts; one that does not
            exist has no owner.

        Raises:
            SourceLostError: the node does not answer, or has not come to ``least_slot``.
        """
        for names in _packed(wanted):
            addresses = sorted({CLOCK}.union(*(wanted[name] for name in names)))
            slot, found = await self._some(addresses, least_slot)
            if CLOCK not in found:
                raise SourceLostError(self._chain.name, "the node has no clock account")
            absent = dict.fromkeys(addresses, Account("", b""))
            yield slot, names, {**absent, **found}

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def _some(self, addresses: Sequence[str], least: int) -> tuple[int, dict[str, Account]]:
        options = {"commitment": _COMMITMENT, "encoding": "base64", "minContextSlot": least}
        answer = await self._ask("getMultipleAccounts", list(addresses), options)
        try:
            values = answer["value"]
            found = {
                address: Account(
                    str(value["owner"]), base64.b64decode(value["data"][0], validate=True)
                )
                for address, value in zip(addresses, values, strict=True)
                if value is not None
            }
            return int(answer["context"]["slot"]), found
        except TROUBLE as error:
            raise lost(self._chain, self._chain.http_url, error) from None

    async def _ask(self, method: str, *params: object) -> Any:  # noqa: ANN401 -- JSON of any shape
        try:
            answer = await self._http.ask((method, params))
        except TROUBLE as error:
            raise lost(self._chain, self._chain.http_url, error) from None
        if answer.get("result") is None:
            problem = str(answer.get("error"))[:120]
            raise SourceLostError(self._chain.name, f"{method}: no result: {problem}")
        return answer["result"]


def clock_time_s(clock: Account) -> int:
    """Return the Unix time of the clock account's slot."""
    return int.from_bytes(clock.data[_CLOCK_TIME_AT : _CLOCK_TIME_AT + 8], "little", signed=True)


def lost(chain: ChainSettings, url: str, error: BaseException) -> SourceLostError:
    """Say in one line, without a key that a URL may hold, why a node cannot be relied on."""
    if isinstance(error, SourceLostError):
        return error
    cause = error.__cause__ or error
    problem = f"no connection to {shown_host(url)} ({type(cause).__name__})"
    return SourceLostError(chain.name, problem)


def _packed(wanted: Mapping[str, frozenset[str]]) -> list[list[str]]:
    """Put as many groups into a call as fit beside the clock."""
    calls: list[list[str]] = []
    held: set[str] = set()
    for name, addresses in wanted.items():
        if not calls or len(held | addresses | {CLOCK}) > _ACCOUNTS_MAX:
            calls.append([])
            held = set()
        calls[-1].append(name)
        held |= addresses
    return calls
