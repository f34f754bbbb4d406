"""What an exchange consists of: settings in, the plan of every actor out.

The order of the plans is the order in which the exchange starts; it stops in the reverse one.
Nothing that an actor runs is imported here: whoever starts the exchange only names it.
"""

from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import msgspec

from actors.lane import LanePlan
from actors.listing import account_actor, pair_actor
from actors.registry import ActorPlan, packed
from actors.wiring import open_pair, open_shard, pair_ports
from chain_feeds.settings import pools_of
from gateway.settings import GatewayPlace, GatewaySettings
from tandem.feeds import ChainPools, make_feeds
from tandem.settings import Settings

SUBMIT_THREADS = 16
"""Batches that may wait in a pair at once: two per gateway for eight gateways."""
SHARD_THREADS = 16
SUPERVISOR = "actors.supervisor:SupervisorActor"


class Exchange(NamedTuple):
    """Everything that runs, by kind."""

    shards: list[ActorPlan]
    pairs: list[ActorPlan]
    feeds: list[ActorPlan]
    gateways: list[ActorPlan]
    supervisor: ActorPlan

    def all(self) -> list[ActorPlan]:
        """List every plan in the order of starting."""
        return [plan for _, plans in self.groups() for plan in plans]

    def groups(self) -> list[tuple[str, list[ActorPlan]]]:
        """List every plan in the order of starting, each kind with what a person calls it."""
        return [
            (_counted(self.shards, "account shard"), self.shards),
            (_counted(self.pairs, "pair"), self.pairs),
            (_counted(self.feeds, "chain feed"), self.feeds),
            (_counted(self.gateways, "gateway"), self.gateways),
            ("the supervisor", [self.supervisor]),
        ]


def _counted(plans: list[ActorPlan], name: str) -> str:
    return f"{len(plans)} {name}{'' if len(plans) == 1 else 's'}"


def plan(
    settings: Settings,
    redis_url: str,
    gateway: GatewaySettings,
    place: tuple[str, int],
    gateways: int,
) -> Exchange:
    """Plan the exchange.

    Args:
        settings: the configuration.
        redis_url: the store, embedded or external.
        gateway: what every gateway is told; each gets a name of its own.
        place: host and port that the gateways share.
        gateways: how many there are.
    """
    listing = settings.listing
    fronts = [
        ActorPlan(
            name=f"gateway:{number}",
            class_path="gateway.actor:GatewayActor",
            arguments=(
                GatewayPlace(host=place[0], port=place[1], redis_url=redis_url),
                _named(gateway, f"gateway.{number}"),
                listing,
            ),
            resource="gateway",
        )
        for number in range(gateways)
    ]
    shards, pairs, feeds = (
        _shards(settings, redis_url),
        _pairs(settings, redis_url),
        _feeds(settings),
    )
    looked_after = {plan.name: packed(plan) for plan in (*shards, *pairs, *feeds, *fronts)}
    due = (settings.exchange.snapshot_every_records, float(settings.exchange.snapshot_every_s))
    supervisor = ActorPlan(
        "supervisor", SUPERVISOR, (listing, redis_url, looked_after, due), "supervisor"
    )
    return Exchange(shards, pairs, feeds, fronts, supervisor)


def resources(exchange: Exchange) -> Mapping[str, float]:
    """Give this machine's custom resources, enough for every actor of the exchange."""
    return {plan.resource: 1.0 for plan in exchange.all()}


def _shards(settings: Settings, redis_url: str) -> list[ActorPlan]:
    count = settings.listing.shards
    return [
        ActorPlan(
            name=account_actor(number),
            class_path="actors.account:AccountShard",
            arguments=(number, count, partial(open_shard, redis_url, number, count)),
            resource="account",
            threads=SHARD_THREADS,
            lane=_lane(settings, "call"),
        )
        for number in range(count)
    ]


def _pairs(settings: Settings, redis_url: str) -> list[ActorPlan]:
    return [
        ActorPlan(
            name=pair_actor(spec.symbol),
            class_path="actors.pair:PairActor",
            arguments=(
                spec,
                partial(open_pair, redis_url, spec, settings.listing.shards),
                settings.exchange.inbox_commands_max,
            ),
            resource="pair",
            threads=SUBMIT_THREADS,
            lane=_lane(settings, "submit"),
        )
        for spec in settings.listing.pairs
    ]


def lanes_directory(settings: Settings) -> Path:
    """Say where the actors' sockets lie; on hosts without it, in a place like it."""
    return settings.data_dir / "lanes"


def _lane(settings: Settings, method: str) -> LanePlan | None:
    if not settings.exchange.lanes:
        return None
    return LanePlan(method, str(lanes_directory(settings)))


def _feeds(settings: Settings) -> list[ActorPlan]:
    """Plan one actor per chain with a node, and one for all recordings."""
    groups: dict[str, list[ChainPools]] = {}
    for chain in settings.chains:
        if pools := pools_of(chain.name, settings.listing.pairs):
            name = f"feed:{chain.name}" if chain.has_node else "feed:recorded"
            groups.setdefault(name, []).append((chain, pools))
    return [
        ActorPlan(
            name=name,
            class_path="actors.feed:FeedActor",
            arguments=(partial(make_feeds, chains), partial(pair_ports, _symbols(chains))),
            resource="feed",
            closer_resource=name.replace(":", "_"),
        )
        for name, chains in groups.items()
    ]


def _symbols(chains: list[ChainPools]) -> tuple[str, ...]:
    return tuple(sorted({pool.symbol for _, pools in chains for pool in pools}))


def _named(settings: GatewaySettings, name: str) -> GatewaySettings:
    return msgspec.structs.replace(settings, name=name, version=version("tandem-exchange"))
