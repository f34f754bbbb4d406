"""No state is told that never existed, in whatever order a node's notifications come."""

from collections.abc import Iterator
from itertools import count
from random import Random

import pytest

from chain_feeds.sources.solana_pairing import Settled, SlotPairing
from chain_feeds.venues.account_layout import Account
from chain_feeds.venues.raydium import Plan

A, B, POOL, CONFIG, CLOCK = "vault-a", "vault-b", "pool", "config", "clock"
SWAPPED = (A, B, POOL)
PLAN = Plan(frozenset(SWAPPED), frozenset({CONFIG}))
PATIENT = Plan(frozenset(SWAPPED), frozenset({CONFIG}), patient=True)
State = tuple[int, ...]


def account(version: int) -> Account:
    """An account whose bytes say which version it is."""
    return Account("program", version.to_bytes(4, "little"))


def versions(accounts: dict[str, Account]) -> State:
    """The versions of a pool's accounts, in a fixed order."""
    return tuple(int.from_bytes(accounts[name].data, "little") for name in (*SWAPPED, CONFIG))


class Chain:
    """A pool's history, slot by slot, and what a node tells of it."""

    def __init__(self) -> None:
        self.now = dict.fromkeys((*SWAPPED, CONFIG), 0)
        self.existed: set[State] = {self.state}
        self.ends: list[State] = []
        self.told: list[list[tuple[str, int]]] = []
        self._versions = count(1)

    @property
    def state(self) -> State:
        """The versions now."""
        return tuple(self.now[name] for name in (*SWAPPED, CONFIG))

    def slot(self, operations: list[tuple[str, ...]], *, coalesce: bool) -> None:
        """Add a slot in which transactions rewrote those accounts, one after another."""
        told: list[tuple[str, int]] = []
        for touched in operations:
            version = next(self._versions)
            for name in touched:
                self.now[name] = version
                told.append((name, version))
            self.existed.add(self.state)
        if coalesce:
            told = list(dict(told).items())
        self.ends.append(self.state)
        self.told.append(told)

    def read(self, slot: int) -> dict[str, Account]:
        """All accounts as that slot left them."""
        state = dict(zip((*SWAPPED, CONFIG), self.ends[slot], strict=True))
        return {name: account(version) for name, version in state.items()}

    def streams(self) -> list[list[tuple[str, int, int]]]:
        """Each account's notifications in their own order, and the clock's: (name, slot, version).

        The clock tells of one slot more, so that all are over in the end.
        """
        names = (*SWAPPED, CONFIG)
        streams = [
            [
                (name, slot, version)
                for slot, told in enumerate(self.told)
                for told_name, version in told
                if told_name == name
            ]
            for name in names
        ]
        return [*streams, [(CLOCK, slot, 0) for slot in range(len(self.told) + 1)]]


class Listener:
    """The pairing, started at slot 0, and what it said."""

    def __init__(self, chain: Chain, plan: Plan = PLAN) -> None:
        self.chain = chain
        self.pairing = SlotPairing()
        self.pairing.plan("pool", plan)
        self.said: list[Settled] = []
        self.reads = 0
        self.newest = 0
        self.read(0)

    def hear(self, name: str, slot: int, version: int) -> None:
        """One notification."""
        self.newest = max(self.newest, min(slot, len(self.chain.ends) - 1))
        if name == CLOCK:
            self.said += self.pairing.receive_slot(slot)
        else:
            self.said += self.pairing.receive_account(name, slot, account(version))

    def read(self, slot: int) -> None:
        """One read of all accounts, which the node answers from that slot."""
        self.reads += 1
        self.said += self.pairing.receive_read("pool", slot, self.chain.read(slot))

    def settle(self) -> None:
        """Read until nothing is in doubt."""
        while self.pairing.unsure():
            least = self.pairing.newest(["pool"])
            self.read(min(max(least, self.newest), len(self.chain.ends) - 1))

    def check(self) -> None:
        """Every state said existed, slots only grow, and the last is the truth."""
        assert {versions(dict(one.accounts)) for one in self.said} <= self.chain.existed
        slots = [one.slot for one in self.said]
        assert slots == sorted(slots)
        assert versions(dict(self.said[-1].accounts)) == self.chain.state


def merged(
    streams: list[list[tuple[str, int, int]]], random: Random
) -> Iterator[tuple[str, int, int]]:
    """Merge streams at random, each keeping its order."""
    left = [list(stream) for stream in streams if stream]
    while left:
        stream = random.choices(left, weights=[len(one) for one in left])[0]
        yield stream.pop(0)
        left = [one for one in left if one]


def by_slot(
    streams: list[list[tuple[str, int, int]]], random: Random
) -> Iterator[tuple[str, int, int]]:
    """Deliver as nodes do: slot after slot, within a slot in any order, each account in its own."""
    for slot in range(len(streams[-1])):
        now = [[one for one in stream if one[1] == slot] for stream in streams]
        yield from merged(now, random)


def interleavings(
    streams: list[list[tuple[str, int, int]]],
) -> Iterator[list[tuple[str, int, int]]]:
    """Every way to merge streams, each keeping its order."""
    if not any(streams):
        yield []
    for index, stream in enumerate(streams):
        if stream:
            rest = [one[1:] if at == index else one for at, one in enumerate(streams)]
            for tail in interleavings(rest):
                yield [stream[0], *tail]


def history(
    random: Random, slots: int, *, coalesce: bool = True, administered: bool = True
) -> Chain:
    """A pool that is swapped in, given presents and administered.

    A change of the config alone cannot be paired with anything: nodes that lose it, or tell of it
    slots too late, are found out by the next read only.
    """
    chain = Chain()
    chain.slot([], coalesce=coalesce)
    for _ in range(slots):
        kind = random.random()
        if kind < 0.7:
            operations: list[tuple[str, ...]] = [SWAPPED] * random.randint(1, 3)
        elif kind < 0.8:
            operations = [(random.choice((A, B)),)]
        elif kind < 0.85:
            operations = [(POOL,)]
        elif kind < 0.9 and administered:
            operations = [(CONFIG,)]
        else:
            operations = []
        chain.slot(operations, coalesce=coalesce)
    return chain


def test_two_swaps_in_every_interleaving_tell_no_torn_state() -> None:
    """All 7,560 orders of two swaps' notifications and the clock's."""
    chain = Chain()
    chain.slot([], coalesce=True)
    chain.slot([SWAPPED], coalesce=True)
    chain.slot([SWAPPED], coalesce=True)
    streams = chain.streams()
    streams[-1] = streams[-1][1:]
    tried = 0
    for order in interleavings([stream for stream in streams if stream]):
        listener = Listener(chain)
        for name, slot, version in order:
            listener.hear(name, slot, version)
        listener.settle()
        listener.check()
        tried += 1
    assert tried == 7_560


@pytest.mark.parametrize("seed", range(12))
def test_thousand_notifications_in_any_order_tell_no_torn_state(seed: int) -> None:
    """Presents and several swaps a slot; delivery over all slots at random."""
    random = Random(seed)
    chain = history(random, 450, administered=False)
    streams = chain.streams()
    assert sum(len(stream) for stream in streams) >= 1_000
    listener = Listener(chain)
    for name, slot, version in merged(streams, random):
        listener.hear(name, slot, version)
        if random.random() < 0.2:
            listener.settle()
    listener.settle()
    listener.check()


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("plan", [PLAN, PATIENT], ids=["at once", "patient"])
def test_thousand_notifications_slot_by_slot_tell_every_swap_without_a_read(
    seed: int, plan: Plan
) -> None:
    """Delivered as nodes do, each slot with swaps is told, and only other changes need reads."""
    random = Random(seed)
    chain = history(random, 450)
    others = [told for told in chain.told if told and {name for name, _ in told} != set(SWAPPED)]
    listener = Listener(chain, plan)
    for name, slot, version in by_slot(chain.streams(), random):
        listener.hear(name, slot, version)
        listener.settle()
    listener.check()
    swapped = {slot for slot, told in enumerate(chain.told) if set(SWAPPED) == set(dict(told))}
    assert swapped <= {one.slot for one in listener.said}
    assert listener.reads <= 1 + len(others)


@pytest.mark.parametrize("seed", range(6))
def test_node_that_tells_every_transaction_is_recognised_and_tells_no_torn_state(seed: int) -> None:
    """Several notifications per account and slot: from the second on a slot must be over."""
    random = Random(seed)
    chain = history(random, 300, coalesce=False)
    listener = Listener(chain)
    for name, slot, version in by_slot(chain.streams(), random):
        listener.hear(name, slot, version)
        listener.settle()
    listener.check()


@pytest.mark.parametrize("seed", range(6))
def test_lost_notifications_tell_no_torn_state_and_are_read_in_the_end(seed: int) -> None:
    """One notification in ten is lost; what was incomplete is read."""
    random = Random(seed)
    chain = history(random, 300, administered=False)
    listener = Listener(chain)
    for name, slot, version in by_slot(chain.streams(), random):
        if name == CLOCK or random.random() > 0.1:
            listener.hear(name, slot, version)
        listener.settle()
    listener.read(len(chain.ends) - 1)
    listener.check()
    assert listener.reads > 10


def test_state_settled_names_the_state_before_it() -> None:
    """What was swapped can be told from two states that follow each other."""
    chain = Chain()
    for operations in ([], [SWAPPED], [SWAPPED]):
        chain.slot(operations, coalesce=True)
    listener = Listener(chain)
    for name, slot, version in by_slot(chain.streams(), Random(0)):
        listener.hear(name, slot, version)
    first, second, third = listener.said
    assert first.before is None
    assert second.before == first.accounts
    assert third.before == second.accounts


def test_new_plan_needs_a_read_before_anything_counts() -> None:
    """Accounts that were never read are not made up."""
    chain = Chain()
    chain.slot([SWAPPED], coalesce=True)
    listener = Listener(chain)
    wider = Plan(PLAN.together, PLAN.beside | {"further"})
    assert listener.pairing.plan("pool", wider)
    assert not listener.pairing.plan("pool", wider)
    assert listener.pairing.unsure() == ["pool"]
    assert listener.pairing.receive_read("pool", 0, chain.read(0)) == []
    accounts = {**chain.read(0), "further": account(9)}
    assert [one.slot for one in listener.pairing.receive_read("pool", 0, accounts)] == [0]


def test_read_older_than_what_counts_is_not_believed() -> None:
    """A node behind the one that told answers from before: the pool stays as it was."""
    chain = Chain()
    for operations in ([], [SWAPPED], [SWAPPED]):
        chain.slot(operations, coalesce=True)
    listener = Listener(chain)
    for name, slot, version in by_slot(chain.streams(), Random(0)):
        listener.hear(name, slot, version)
    assert listener.pairing.receive_read("pool", 1, chain.read(1)) == []
    assert listener.pairing.state_of("pool")[0] == 2


def test_account_told_again_after_its_slot_counted_is_read_and_remembered() -> None:
    """A second word of a slot that counted: it is read anew, and later slots must be over."""
    chain = Chain()
    chain.slot([], coalesce=False)
    chain.slot([SWAPPED, SWAPPED], coalesce=False)
    chain.slot([SWAPPED], coalesce=False)
    listener = Listener(chain)
    first, second = chain.told[1][:3], chain.told[1][3:]
    for name, version in first:
        listener.hear(name, 1, version)
    assert [one.slot for one in listener.said] == [0, 1]
    listener.hear(second[0][0], 1, second[0][1])
    assert listener.pairing.unsure() == ["pool"]
    listener.read(1)
    for name, version in chain.told[2]:
        listener.hear(name, 2, version)
    assert listener.said[-1].slot == 1, "not before the slot is over"
    listener.hear(CLOCK, 3, 0)
    assert listener.said[-1].slot == 2
    listener.check()
