"""The ledger against a dictionary, under everything that can be asked of it, in any order.

The model keeps one signed number per account and knows no markets, sequences or caches beyond what
the messages say. After each step both agree, everything sums to zero, and each message that was
sent before may be sent again without effect. Crashes replay the journal from any snapshot.
"""

from collections import defaultdict
from collections.abc import Iterable

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from actors.account_recovery import LedgerReplay, ShardName
from actors.engine.ledger import Ledger
from actors.engine.ledger_commands import (
    AnyLedgerCommand,
    AnyLedgerReply,
    Delivered,
    Done,
    Fenced,
    GrantPaper,
    MarketOpened,
    OpenMarket,
    Post,
    Posted,
    Receive,
    Reconcile,
    Refused,
    Settlement,
    Transfer,
)
from actors.engine.ledger_image import state_hash
from actors.engine.settlement import FillPosting, HoldNeed, Posting, ReleasePosting
from actors.engine.units import Mode, Side, UserId
from actors.journal.account_record import AccountRecord
from actors.journal.memory import MemoryJournal
from actors.journal.recovery import SnapshotFollower, recover
from actors.journal.snapshots import MemorySnapshots
from tests.ledgers import ALICE, BOB, CAROL, person

NAME = ShardName(0, 2)
HERE = (ALICE, BOB, person("dave", 0))
MARKETS = {
    "vaix.paper": ("VAIX", "USDC", Mode.PAPER),
    "sbio.paper": ("SBIO", "USDC", Mode.PAPER),
    "vaix.live": ("VAIX", "USDC", Mode.LIVE),
}
GRANT = {"USDC": 1_000, "VAIX": 500, "SBIO": 200}
Key = tuple[str, str, Mode]

users = st.sampled_from(HERE)
markets = st.sampled_from(sorted(MARKETS))
sides = st.sampled_from(Side)
amounts = st.integers(0, 400)


class Naive:
    """Every account one number: available funds, holds per market and side, house accounts."""

    def __init__(self) -> None:
        self.raw: defaultdict[Key, int] = defaultdict(int)
        self.held: defaultdict[tuple[str, UserId, Side], int] = defaultdict(int)

    def move(self, source: str, target: str, asset: str, mode: Mode, amount: int) -> None:
        """Take from one account and give to another."""
        self.raw[source, asset, mode] -= amount
        self.raw[target, asset, mode] += amount

    def hold(self, market: str, need: HoldNeed) -> int:
        """Hold what there is, up to the most."""
        base, quote, mode = MARKETS[market]
        asset = base if need.side is Side.SELL else quote
        available = self.raw[need.user, asset, mode]
        if available < need.least_raw:
            return -1
        amount = min(available, need.most_raw)
        self.move(need.user, "held", asset, mode, amount)
        self.held[market, need.user, need.side] += amount
        return amount

    def release(self, market: str, user: UserId, side: Side, amount: int) -> None:
        """Give held funds back."""
        base, quote, mode = MARKETS[market]
        self.held[market, user, side] -= amount
        self.move("held", user, base if side is Side.SELL else quote, mode, amount)

    def fill(self, market: str, fill: FillPosting) -> None:
        """Exchange base for quote, and take the fee."""
        base, quote, mode = MARKETS[market]
        other = f"pool:{fill.venue}" if fill.venue else f"clearing:{market}"
        if fill.side is Side.BUY:
            self.release(market, fill.user, fill.side, fill.quote_raw + fill.fee_raw)
            self.move(fill.user, other, quote, mode, fill.quote_raw)
            self.move(other, fill.user, base, mode, fill.base_raw)
        else:
            self.release(market, fill.user, fill.side, fill.base_raw)
            self.move(fill.user, other, base, mode, fill.base_raw)
            self.move(other, fill.user, quote, mode, fill.quote_raw)
        self.move(fill.user, "fees", quote, mode, fill.fee_raw)

    def held_of(self, user: UserId, asset: str, mode: Mode) -> int:
        """Add up what all markets hold of one account."""
        return sum(
            amount
            for (market, owner, side), amount in self.held.items()
            if owner == user and MARKETS[market][2] is mode
            if asset == MARKETS[market][0 if side is Side.SELL else 1]
        )


class LedgerMachine(RuleBasedStateMachine):
    """One shard, its journal, and the model beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(*NAME)
        self.naive = Naive()
        self.journal = MemoryJournal()
        self.writer = self.journal.acquire(NAME.stream)
        self.snapshots = MemorySnapshots(self.journal)
        self.replay = LedgerReplay(NAME)
        self.epochs = dict.fromkeys(MARKETS, 0)
        self.seqs = dict.fromkeys(MARKETS, 0)
        self.settled = dict.fromkeys(MARKETS, 0)
        self.last: dict[str, tuple[AnyLedgerCommand, AnyLedgerReply]] = {}
        self.granted: set[UserId] = set()
        self.sent = 0
        self.received = 0
        self.ids = 0

    def apply(self, command: AnyLedgerCommand) -> AnyLedgerReply:
        """Apply and journal a command, as the runtime does.

        Events tell each account that changed, once, as it is afterwards.
        """
        before = self.balances()
        applied = self.ledger.apply(command)
        after = self.balances()
        told = {(e.user, e.asset, e.mode): (e.available_raw, e.held_raw) for e in applied.events}
        assert len(told) == len(applied.events)
        assert told.items() <= after.items()
        assert {key for key, funds in after.items() if before.get(key) != funds} <= told.keys()
        assert applied.changed or (not told and after == before)
        if applied.changed:
            raw = msgspec.Raw(msgspec.msgpack.encode(command))
            record = AccountRecord(0, [raw], applied.events)
            self.writer.append([msgspec.msgpack.encode(record)])
        return applied.reply

    def balances(self) -> dict[Key, tuple[int, int]]:
        """Tell (available, held) of each account of a user that exists."""
        return {
            (a.user, a.asset, a.mode): (a.available, a.held)
            for a in self.ledger.accounts.of_users()
        }

    def again(self, command: AnyLedgerCommand, reply: AnyLedgerReply) -> None:
        """Send a message a second time: the same answer, no effect."""
        assert self.ledger.apply(command) == (reply, [], False)

    def new_id(self) -> str:
        """Make a command id."""
        self.ids += 1
        return f"c{self.ids}"

    @rule(market=markets, ahead=st.integers(1, 3))
    def open_market(self, market: str, ahead: int) -> None:
        """A new incarnation takes a market over."""
        base, quote, _ = MARKETS[market]
        self.epochs[market] += ahead
        self.seqs[market] = 0
        self.last.pop(market, None)
        command = OpenMarket(market, self.epochs[market], base, quote)
        assert self.apply(command) == MarketOpened(self.settled[market])
        self.again(command, MarketOpened(self.settled[market]))

    @rule(user=users, amount=st.integers(0, 300), data=st.data())
    def chain_money(self, user: UserId, amount: int, data: st.DataObject) -> None:
        """Live and paper funds come from another shard's owner, numbered; or one comes twice."""
        asset = data.draw(st.sampled_from(sorted(GRANT)))
        mode = data.draw(st.sampled_from(Mode))
        self.received += 1
        command = Receive(self.new_id(), 1, CAROL, user, asset, mode, amount + 1, self.received)
        skipping = msgspec.structs.replace(command, number=self.received + 1)
        assert isinstance(self.apply(skipping), Refused)
        assert self.apply(command) == Done()
        self.again(command, Done())
        self.naive.move("outbox:1", user, asset, mode, amount + 1)

    @rule(user=users)
    def grant(self, user: UserId) -> None:
        """The first grant counts, later ones never."""
        command = GrantPaper(self.new_id(), user, GRANT)
        assert self.apply(command) == Done()
        self.again(command, Done())
        if user not in self.granted:
            self.granted.add(user)
            for asset, amount in GRANT.items():
                self.naive.move("grant:paper", user, asset, Mode.PAPER, amount)

    @rule(user=users)
    def reset(self, user: UserId) -> None:
        """Back to the grant, unless something is held."""
        held = any(self.naive.held_of(user, asset, Mode.PAPER) for asset in GRANT)
        command = GrantPaper(self.new_id(), user, GRANT, reset=True)
        reply = self.apply(command)
        assert isinstance(reply, Refused if held else Done)
        if held:
            return
        self.again(command, reply)
        self.granted.add(user)
        for asset, amount in GRANT.items():
            change = amount - self.naive.raw[user, asset, Mode.PAPER]
            self.naive.move("grant:paper", user, asset, Mode.PAPER, change)

    @rule(sender=users, receiver=st.sampled_from((*HERE, CAROL)), data=st.data())
    def transfer(self, sender: UserId, receiver: UserId, data: st.DataObject) -> None:
        """Here at once, elsewhere through the outbox; never more than is available."""
        asset = data.draw(st.sampled_from(sorted(GRANT)))
        mode = data.draw(st.sampled_from(Mode))
        amount = data.draw(st.integers(-1, 600))
        command = Transfer(self.new_id(), sender, receiver, asset, mode, amount)
        reply = self.apply(command)
        funded = 0 < amount <= self.naive.raw[sender, asset, mode]
        if not funded or sender == receiver:
            assert isinstance(reply, Refused)
            return
        assert reply == Done()
        self.again(command, reply)
        self.sent += receiver == CAROL
        target = "outbox:1" if receiver == CAROL else receiver
        self.naive.move(sender, target, asset, mode, amount)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        """The other shard answered up to some number."""
        command = Delivered(1, data.draw(st.integers(1, self.sent)))
        assert self.apply(command) == Done()
        self.again(command, Done())

    @rule(market=markets, data=st.data())
    def post(self, market: str, data: st.DataObject) -> None:
        """Settle some of what is held, in one or more settlements, and hold anew."""
        if not self.epochs[market]:
            assert isinstance(self.apply(Post(market, 1, 1, [], [])), Refused)
            return
        settlements = [
            Settlement(self.settled[market] + n + 1, self.draw_postings(market, data))
            for n in range(data.draw(st.integers(0, 3)))
        ]
        old = [Settlement(n, []) for n in (self.settled[market] - 1, self.settled[market])]
        needs = [
            HoldNeed(user, side, min(one, other), max(one, other))
            for user, side, one, other in data.draw(
                st.lists(st.tuples(users, sides, amounts, amounts), max_size=4)
            )
        ]
        self.seqs[market] += 1
        sent = [s for s in old if s.number > 0 and data.draw(st.booleans())] + settlements
        command = Post(market, self.epochs[market], self.seqs[market], sent, needs)
        reply = self.apply(command)
        self.settled[market] += len(settlements)
        held = [self.naive.hold(market, need) for need in needs]
        assert reply == Posted(held, self.settled[market])
        self.last[market] = (command, reply)

    def draw_postings(self, market: str, data: st.DataObject) -> list[Posting]:
        """Draw postings that what is held justifies, and post them in the model."""
        postings: list[Posting] = []
        for user, side in data.draw(st.lists(st.tuples(users, sides), max_size=3)):
            held = self.naive.held[market, user, side]
            part = data.draw(st.integers(0, held))
            if data.draw(st.booleans()):
                postings.append(ReleasePosting(user, side, part))
                self.naive.release(market, user, side, part)
                continue
            fee = data.draw(st.integers(0, part // 2))
            quote = part - fee if side is Side.BUY else data.draw(st.integers(fee, 500))
            base = data.draw(st.integers(0, 100)) if side is Side.BUY else part
            venue = data.draw(st.sampled_from(("", "ethereum:0xab")))
            fill = FillPosting(user, side, base, quote, fee, venue)
            postings.append(fill)
            self.naive.fill(market, fill)
        return postings

    @rule(market=markets, data=st.data())
    def reconcile(self, market: str, data: st.DataObject) -> None:
        """A new incarnation justifies a part of what is held; the rest is free again."""
        self.open_market(market, 1)
        stated = []
        for (name, user, side), held in sorted(self.naive.held.items()):
            if name == market:
                justified = data.draw(st.integers(0, held))
                self.naive.release(market, user, side, held - justified)
                if justified:
                    stated.append((user, int(side), justified))
        command = Reconcile(market, self.epochs[market], stated)
        assert self.apply(command) == Done()
        self.again(Reconcile(market, self.epochs[market], []), Done())

    @precondition(lambda self: self.last)
    @rule(data=st.data())
    def send_last_post_again(self, data: st.DataObject) -> None:
        """An answer was lost; the message comes again, unchanged."""
        market = data.draw(st.sampled_from(sorted(self.last)))
        self.again(*self.last[market])

    @precondition(lambda self: any(epoch > 1 for epoch in self.epochs.values()))
    @rule(data=st.data())
    def send_from_older_incarnation(self, data: st.DataObject) -> None:
        """A zombie is fenced, whatever it says."""
        market = data.draw(st.sampled_from([m for m, e in self.epochs.items() if e > 1]))
        epoch = data.draw(st.integers(1, self.epochs[market] - 1))
        needs = [HoldNeed(user, side, 0, 100) for user in HERE for side in Side]
        self.again(Post(market, epoch, 1, [], needs), Fenced(self.epochs[market]))

    @rule()
    def save(self) -> None:
        """A follower makes a snapshot of now, from an older one and the journal."""
        reader = self.journal.reader(NAME.stream)
        follower = SnapshotFollower(NAME.stream, reader, self.snapshots, self.replay)
        assert follower.follow(force=True).stored == self.writer.head.number

    @rule(forget=st.booleans())
    def crash(self, *, forget: bool) -> None:
        """Only the journal is left, and perhaps snapshots."""
        if forget:
            self.snapshots = MemorySnapshots(self.journal)
        self.writer = self.journal.acquire(NAME.stream)
        reader = self.journal.reader(NAME.stream)
        recovered = recover(NAME.stream, reader, self.snapshots, self.replay)
        assert recovered.number == self.writer.head.number
        assert state_hash(recovered.state) == state_hash(self.ledger)
        self.ledger = recovered.state

    @invariant()
    def agrees_with_the_model(self) -> None:
        """Each account is what the dictionary says, and everything sums to zero."""
        self.ledger.validate()
        assets: Iterable[str] = GRANT
        for asset in assets:
            for mode in Mode:
                for user in HERE:
                    account = self.ledger.accounts.find(user, asset, mode)
                    have = (account.available, account.held) if account else (0, 0)
                    available = self.naive.raw[user, asset, mode]
                    assert have == (available, self.naive.held_of(user, asset, mode))
        house = {(a.owner, a.asset, a.mode): a.balance for a in self.ledger.accounts.of_house()}
        own = {
            key: raw
            for key, raw in self.naive.raw.items()
            if raw and key[0] not in HERE and key[0] != "held"
        }
        assert house == own


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
