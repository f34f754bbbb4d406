"""What the gateway counts: requests by route, latency per pair, limits, WebSocket readers.

Prometheus text for the root's `/metrics` and figures for the exchange's own. Labels are route
templates and symbols of the listing, so nobody can make the number of series grow.
"""

from collections import deque
from collections.abc import Iterable
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS: Final = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0)
_KEPT: Final = 4_096


class ChainGauges:
    """How the chain feeds are, as the supervisor last published it."""

    _FIGURES: Final = (
        ("block", "Number of the newest block."),
        ("block_age_seconds", "Time since the newest block was told."),
        ("node", "Which of the chain's RPC URLs is followed, counted from 0."),
        ("reconnects", "Connections after the first one."),
        ("reorgs", "Reorganisations seen."),
        ("gaps", "Times that blocks were missed."),
        ("missed_logs", "Changes of pools that no log had told."),
    )

    def __init__(self, registry: CollectorRegistry) -> None:
        self._gauges = {
            name: Gauge(f"tandem_feed_{name}", text, ["chain"], registry=registry)
            for name, text in self._FIGURES
        }
        self._venues = Gauge(
            "tandem_venue_live",
            "1 while a pool's depth counts, 0 while it is stale or down.",
            ["chain", "pair", "venue", "pool"],
            registry=registry,
        )

    def show(self, feeds: Iterable[dict[str, Any]]) -> None:
        """Replace everything by these feeds' own words (`chain_feeds.feed_status`)."""
        for gauge in (*self._gauges.values(), self._venues):
            gauge.clear()
        for feed in feeds:
            figures = {**feed, "block_age_seconds": feed["age_ms"] / 1_000}
            for name, gauge in self._gauges.items():
                gauge.labels(feed["chain"]).set(figures[name])
            for venue in feed["venues"]:
                labels = (feed["chain"], venue["pair"], venue["venue"], venue["pool"])
                self._venues.labels(*labels).set(venue["status"] == "live")


class GatewayMetrics:
    """One gateway's counters, each labelled with its name."""

    def __init__(self, gateway: str) -> None:
        self.gateway = gateway
        self.registry = CollectorRegistry()
        labels = ["gateway", "method", "route"]
        self._requests = Counter(
            "tandem_http_requests",
            "HTTP requests by route template and status.",
            [*labels, "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "tandem_http_request_seconds",
            "Time from the request's head to its response.",
            labels,
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.rate_limited = Counter(
            "tandem_rate_limited",
            "Requests refused by a rate limit.",
            ["gateway", "limit"],
            registry=self.registry,
        )
        self.internal_errors = Counter(
            "tandem_internal_errors",
            "Requests answered 500: each is a bug.",
            ["gateway"],
            registry=self.registry,
        )
        self.websockets = Gauge(
            "tandem_websocket_connections",
            "Open WebSocket connections by channel.",
            ["gateway", "channel"],
            registry=self.registry,
        )
        self.websocket_closed = Counter(
            "tandem_websocket_closed",
            "WebSocket connections closed by the server, by close code.",
            ["gateway", "code"],
            registry=self.registry,
        )
        self._ledger = Gauge(
            "tandem_ledger_sum_raw",
            "The sum of all accounts by asset and mode, as last audited: must be 0.",
            ["asset", "mode"],
            registry=self.registry,
        )
        self.chains = ChainGauges(self.registry)
        self.internal_errors.labels(gateway)
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._latencies: dict[str, deque[float]] = {}

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        key = (method, route, status)
        children = self._children.get(key)
        if children is None:
            counter = self._requests.labels(self.gateway, method, route, str(status))
            children = (counter, self._seconds.labels(self.gateway, method, route))
            self._children[key] = children
        children[0].inc()
        children[1].observe(seconds)

    def refused(self, limit: str) -> None:
        """Count a refusal of a rate limit."""
        self.rate_limited.labels(self.gateway, limit).inc()

    def pair_latency(self, symbol: str, seconds: float) -> None:
        """Note how long a pair took for one command, as seen from here."""
        kept = self._latencies.get(symbol)
        if kept is None:
            kept = self._latencies[symbol] = deque(maxlen=_KEPT)
        kept.append(seconds)

    def pair_quantiles(self, symbol: str) -> dict[str, float | int]:
        """Give p50, p99 and p999 of the last commands, in milliseconds."""
        kept = sorted(self._latencies.get(symbol, ()))
        shown: dict[str, float | int] = {}
        for name, share in (("p50_ms", 0.5), ("p99_ms", 0.99), ("p999_ms", 0.999)):
            at = min(len(kept) - 1, int(share * len(kept)))
            shown[name] = round(kept[at] * 1000, 3) if kept else 0.0
        shown["count"] = len(kept)
        return shown

    def ledger(self, sums: Iterable[tuple[str, str, int]]) -> None:
        """Show the ledger's sums: (asset, mode, raw), as they were last published."""
        self._ledger.clear()
        for asset, mode, raw in sums:
            self._ledger.labels(asset, mode).set(raw)

    def prometheus(self) -> bytes:
        """Render everything as Prometheus text."""
        return generate_latest(self.registry)
