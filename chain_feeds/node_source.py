"""What a feed needs of a node, whatever the chain speaks.

A source is one connection: it is made inside the running event loop, followed until it ends, and
closed. Those that are never followed are only asked.
"""

from collections.abc import Callable
from typing import Protocol

from chain_feeds.inputs import Head, PoolEvent, Snapshot
from chain_feeds.missed import Gap, MissedSwap

Emit = Callable[[Head | PoolEvent], None]
"""Takes heads and events as they come; must only store them."""


class NodeSource(Protocol):
    """One connection to a node."""

    async def check(self) -> dict[str, str]:
        """Ask the node who it is, and each pool whether it is what was listed.

        Returns:
            What is wrong, one line each, by `FeedPool.key`; nothing for a pool that is right.

        Raises:
            WrongChainError: the node is of another chain.
            SourceLostError: the node does not answer.
        """
        ...

    async def follow(self) -> None:
        """Subscribe, emit the newest block, and pass on what comes until the connection ends.

        Raises:
            SourceLostError: always, in the end.
        """
        ...

    async def read(self, head: Head) -> Snapshot:
        """Read every pool at a block, or at a later one that the snapshot names.

        Raises:
            SourceLostError: the node does not answer, or does not know the block (yet).
        """
        ...

    async def missed(self, gap: Gap) -> list[MissedSwap]:
        """Return the swaps of some blocks; nothing on a chain whose feed asks for none (Solana).

        Raises:
            SourceLostError: the node does not answer.
        """
        ...

    async def hash_at(self, number: int) -> str:
        """Return the hash of the block of that number, "" where the node has none (yet).

        Raises:
            SourceLostError: the node does not answer.
        """
        ...

    async def supplies(self, head: Head) -> dict[str, int]:
        """Return what exists of each pool's base token, in raw units, by `FeedPool.key`.

        Raises:
            SourceLostError: the node does not answer.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
