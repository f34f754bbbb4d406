"""The way from a feed to a pair: the newest state of each pool, every swap, in both modes."""

import threading

import msgspec

from actors.engine.commands import AnyCommand, PoolTraded, PoolUpdated
from actors.engine.market_api import BatchReply, BusyReply, Request
from actors.engine.pools.state import PoolState, PoolStatus
from actors.engine.units import Mode, Side
from actors.errors import UnavailableError
from actors.feed import SWAPS_MAX, PairSink


class Pair:
    """A pair that keeps what it is told, and may be away or busy at first."""

    def __init__(self, *, failures: int = 0, busy: int = 0) -> None:
        self.failures, self.busy = failures, busy
        self.told: list[list[tuple[Mode, AnyCommand]]] = []
        self.changed = threading.Condition()
        self.gate = threading.Event()
        self.gate.set()
        self._requests = msgspec.msgpack.Decoder(list[Request])
        self._commands = msgspec.msgpack.Decoder(AnyCommand)

    def start(self, request: bytes) -> object:
        """Keep the request for `wait`."""
        return request

    def wait(self, tickets: list[object]) -> list[bytes]:
        """Answer it."""
        self.gate.wait(30)
        (request,) = tickets
        assert isinstance(request, bytes)
        requests = self._requests.decode(request)
        if self.failures:
            self.failures -= 1
            raise UnavailableError("pair:vaix", "away")
        if self.busy:
            self.busy -= 1
            return [
                msgspec.msgpack.encode(
                    BatchReply(
                        [BusyReply(recovering=True, retry_after_ms=1)] * len(requests), ([], [])
                    )
                )
            ]
        with self.changed:
            self.told.append([(one.mode, self._commands.decode(one.body)) for one in requests])
            self.changed.notify_all()
        return [msgspec.msgpack.encode(BatchReply([], ([], [])))]

    def commands(self) -> list[AnyCommand]:
        """Everything it was told in paper mode, in order."""
        return [command for batch in self.told for mode, command in batch if mode is Mode.PAPER]

    def wait_for(self, count: int) -> None:
        """Wait until so many commands came."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.commands()) >= count, 30), self.told


def state(block: int) -> PoolState:
    """A state that differs by its block."""
    return PoolState("ethereum:0xa0", PoolStatus.DOWN, None, block, 0)


def swap(number: int) -> PoolTraded:
    """A swap with a name of its own."""
    return PoolTraded.of(f"swap/{number}/0", "ethereum:0xa0", Side.BUY, (5, 7))


def names(pair: Pair) -> list[str]:
    """The swaps that a pair was told of, in order."""
    return [told.command_id for told in pair.commands() if isinstance(told, PoolTraded)]


def blocks(pair: Pair) -> list[int]:
    """The blocks of the states that a pair was told, in order."""
    return [told.pool.block for told in pair.commands() if isinstance(told, PoolUpdated)]


def test_swaps_and_states_reach_both_modes_the_swaps_first():
    """One batch holds both, whatever came first while the pair was busy."""
    pair = Pair()
    pair.gate.clear()
    sink = PairSink({"vaix": pair})
    sink.publish("vaix", state(1))
    sink.start()
    sink.publish("vaix", state(2))
    sink.trade("vaix", swap(1))
    pair.gate.set()
    pair.wait_for(2)
    sink.stop()
    assert names(pair) == ["swap/1/0"]
    assert blocks(pair)[-1] == 2
    for batch in pair.told:
        assert [mode for mode, _ in batch] == list(Mode) * (len(batch) // 2)
        kinds = [isinstance(command, PoolTraded) for _, command in batch]
        assert kinds == sorted(kinds, reverse=True)


def test_swaps_survive_a_pair_that_is_away_or_busy_and_overtaken_states_do_not():
    """After failures every swap comes once more, in order; of the states the newest."""
    pair = Pair(failures=2, busy=1)
    pair.gate.clear()
    sink = PairSink({"vaix": pair})
    sink.start()
    for number in range(3):
        sink.trade("vaix", swap(number))
        sink.publish("vaix", state(number))
    pair.gate.set()
    pair.wait_for(4)
    sink.stop()
    assert names(pair) == ["swap/0/0", "swap/1/0", "swap/2/0"]
    assert blocks(pair)[-1] == 2


def test_swaps_beyond_the_bound_push_out_the_oldest():
    """Memory is bounded while a pair does not answer."""
    pair = Pair()
    sink = PairSink({"vaix": pair})
    for number in range(SWAPS_MAX + 5):
        sink.trade("vaix", swap(number))
    sink.start()
    pair.wait_for(SWAPS_MAX)
    sink.stop()
    assert names(pair) == [f"swap/{number}/0" for number in range(5, SWAPS_MAX + 5)]
