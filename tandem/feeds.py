"""Makes the feeds of one actor; light to import, because every feed's process does.

Chains without a node share one actor: a recording needs no process of its own.
"""

from collections.abc import Sequence

import msgspec

from actors.feed import PairSink, RunningFeed
from chain_feeds.runner import Feed, FeedThread
from chain_feeds.settings import ChainSettings, FeedPool

ChainPools = tuple[ChainSettings, tuple[FeedPool, ...]]


def make_feeds(chains: Sequence[ChainPools], sink: PairSink) -> RunningFeed:
    """Make the feeds of these chains, publishing to ``sink``."""
    return _Feeds([FeedThread(Feed(chain, pools, sink)) for chain, pools in chains])


class _Feeds:
    """Several feeds that start and stop together."""

    def __init__(self, feeds: list[FeedThread]) -> None:
        self._feeds = feeds

    def start(self) -> None:
        """Start them all."""
        for feed in self._feeds:
            feed.start()

    def stop(self) -> None:
        """Stop them all."""
        for feed in self._feeds:
            feed.stop()

    def status(self) -> dict[str, object]:
        """Tell how each chain's feed is."""
        return {
            (status := feed.status()).chain: msgspec.to_builtins(status) for feed in self._feeds
        }
