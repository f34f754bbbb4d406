"""What the pools of concentrated liquidity share: a window of ticks, and the logs that change it.

Sources: `UniswapV3Pool.sol` and `TickBitmap.sol` of @uniswap/v3-core 1.0.1; Slipstream and Algebra
keep the three events and differ in the calls (`Dialect`). A window is a run of whole bitmap words
around the price; a swap that comes near its end asks for another one.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from actors.engine.pair_spec import PoolSpec
from actors.engine.pools.state import (
    Concentrated,
    ConcentratedTerms,
    CurveState,
    TickSteps,
    TickWindow,
)
from actors.engine.pools.tick_math import MAX_TICK
from chain_feeds.errors import DecodeError
from chain_feeds.inputs import Applied, Change
from chain_feeds.venues.abi import (
    call_data,
    expect,
    selector,
    signed,
    topic,
    topic_number,
    within,
    words,
)
from chain_feeds.venues.venue import (
    Conversation,
    Exchanged,
    Read,
    Reading,
    Told,
    base_is_token0,
)

SWAP: Final = topic("Swap(address,address,int256,int256,uint160,uint128,int24)")
MINT: Final = topic("Mint(address,address,int24,int24,uint128,uint256,uint256)")
BURN: Final = topic("Burn(address,int24,int24,uint128,uint256,uint256)")
LIQUIDITY: Final = selector("liquidity()")
TICK_SPACING: Final = selector("tickSpacing()")
FEE: Final = selector("fee()")
TICKS: Final = selector("ticks(int24)")

_UINT128: Final = 2**128 - 1
_UINT160: Final = 2**160 - 1
_WORD_TICKS: Final = 256
_REACH_TICKS: Final = 2_500
"""A window reaches at least so far each way where its words allow: a factor of 1.28 in price."""
_WORDS_MAX: Final = 10
"""Words each way, so that a window is read in a few batches."""


class Price(NamedTuple):
    """What a pool says of its price: the root, the tick and its fee (-1 where it is asked for)."""

    sqrt_price: int
    tick: int
    fee_ppm: int = -1
    sell_fee_ppm: int = -1


class Dialect(NamedTuple):
    """How one family of contracts is asked.

    Args:
        state: the selector of the call that gives the price.
        state_words: how many words its answer has, by which a family is told from its neighbours.
        price: (pool, its answer as words) to the price.
        bitmap: the selector that gives one word of the bitmap.
        compressed: whether a bit of the bitmap stands for a multiple of the tick spacing.
        net_word: which word of ``ticks(int24)`` is the liquidityNet.
        steps: where a swap rounds.
        fee: the selector that gives the fee, "" where the price tells it.
        fee_moves: whether the fee changes without a log, so that every block is asked.
    """

    state: str
    state_words: int
    price: Callable[[PoolSpec, list[int]], Price]
    bitmap: str
    compressed: bool = True
    net_word: int = 1
    steps: TickSteps = TickSteps.WORDS
    fee: str = FEE
    fee_moves: bool = False


def read(spec: PoolSpec, dialect: Dialect) -> Conversation:
    """Ask for price, liquidity, spacing and fee, then for the bitmap, then for its ticks.

    Raises:
        DecodeError: an answer is none that such a pool gives.
    """
    told = yield [
        Read(spec.address, data)
        for data in (dialect.state, LIQUIDITY, TICK_SPACING, dialect.fee)
        if data
    ]
    state = words(told[0], 2, "the price")
    if len(state) != dialect.state_words:
        raise DecodeError(
            f"the pool tells its price in {len(state)} words, expected {dialect.state_words}: "
            f"it is not of kind {spec.kind!r}"
        )
    price = dialect.price(spec, state)
    liquidity = within(words(told[1], 1, "liquidity()")[0], _UINT128, "the liquidity")
    spacing = signed(words(told[2], 1, "tickSpacing()")[0])
    if not 0 < spacing <= 32_767 or abs(price.tick) > MAX_TICK:
        raise DecodeError(f"a tick spacing of {spacing} at tick {price.tick} is no pool's")
    buy, sell = price.fee_ppm, price.sell_fee_ppm
    if dialect.fee:
        buy = words(told[3], 1, "fee()")[0]
    unit = spacing if dialect.compressed else 1
    run = word_run(price.tick, unit)
    maps = yield [Read(spec.address, call_data(dialect.bitmap, word)) for word in run]
    ticks = [
        (word * _WORD_TICKS + bit) * unit
        for word, answer in zip(run, maps, strict=True)
        for bit in _bits(words(answer, 1, "a word of the bitmap")[0])
    ]
    answers: list[bytes] = []
    if ticks:
        answers = yield [Read(spec.address, call_data(TICKS, tick)) for tick in ticks]
    nets = [
        (tick, signed(words(answer, dialect.net_word + 1, "ticks()")[dialect.net_word]))
        for tick, answer in zip(ticks, answers, strict=True)
    ]
    terms = ConcentratedTerms(spacing, buy, base_is_token0(spec), sell, dialect.steps)
    window = TickWindow(
        max(run.start * _WORD_TICKS * unit, -MAX_TICK),
        min((run.stop * _WORD_TICKS - 1) * unit, MAX_TICK),
        nets,
    )
    curve = Concentrated.of(price.sqrt_price, liquidity, price.tick, window, terms)
    moving = (Read(spec.address, dialect.fee),) if dialect.fee_moves else ()
    return Reading(curve, moving)


def word_run(tick: int, unit: int) -> range:
    """Choose the bitmap words of a window around a tick; ``unit`` ticks to the bit."""
    here = tick // unit // _WORD_TICKS
    reach = min(_WORDS_MAX, -(-_REACH_TICKS // (unit * _WORD_TICKS)))
    return range(here - reach, here + reach + 1)


def decode_log(spec: PoolSpec, topics: list[str], data: bytes) -> Told:
    """Decode a Swap, Mint or Burn.

    Raises:
        DecodeError: it is none of the three, or holds what no pool can.
    """
    kind = topics[0].lower() if topics else ""
    if kind == SWAP:
        expect(topics, SWAP, 2, "Swap")
        return swapped(spec, words(data, 5, "a Swap log"))
    if kind == MINT:
        expect(topics, MINT, 3, "Mint")
        amount = words(data, 2, "a Mint log")[1]
        return Told(change=positioned(topics[2], topics[3], amount))
    expect(topics, BURN, 3, "Burn")
    return Told(change=positioned(topics[2], topics[3], -words(data, 1, "a Burn log")[0]))


def swapped(spec: PoolSpec, told: list[int]) -> Told:
    """Read a Swap's words: both amounts into the pool, root, liquidity, tick."""
    first, second = signed(told[0]), signed(told[1])
    root = within(told[2], _UINT160, "the root of a Swap")
    liquidity = within(told[3], _UINT128, "the liquidity of a Swap")
    tick = signed(told[4])
    base, quote = (first, second) if base_is_token0(spec) else (second, first)

    def change(curve: CurveState) -> Applied:
        if not isinstance(curve, Concentrated) or not curve.low_tick <= tick <= curve.high_tick:
            return Applied(None)
        return Applied(curve.moved(root, liquidity, tick), read_again=_is_near_end(curve, tick))

    return Told(change=change, swap=Exchanged.of(base, quote))


def positioned(low_topic: str, high_topic: str, amount: int) -> Change:
    """Read a Mint (a Burn: a negative amount) of liquidity between two ticks."""
    low, high = topic_number(low_topic), topic_number(high_topic)
    if not -MAX_TICK <= low < high <= MAX_TICK or abs(amount) > _UINT128:
        raise DecodeError("a log names a position that no pool can have")

    def change(curve: CurveState) -> Applied:
        if not isinstance(curve, Concentrated):
            return Applied(None)
        nets = dict(curve.nets())
        nets[low] = nets.get(low, 0) + amount
        nets[high] = nets.get(high, 0) - amount
        liquidity = curve.liquidity + (amount if low <= curve.tick < high else 0)
        if not 0 <= liquidity <= _UINT128:
            return Applied(None)
        terms = ConcentratedTerms(
            curve.tick_spacing,
            curve.fee_ppm,
            curve.base_is_token0,
            curve.sell_fee_ppm,
            curve.steps,
            curve.q64,
        )
        window = TickWindow(curve.low_tick, curve.high_tick, nets.items())
        return Applied(Concentrated.of(curve.sqrt_price, liquidity, curve.tick, window, terms))

    return change


def fee_change(spec: PoolSpec, answers: list[bytes]) -> Change:  # noqa: ARG001 -- as `Venue` has it
    """Read the answer of ``fee()`` at a block."""
    return with_fees(words(answers[0], 1, "fee()")[0])


def with_fees(buy_ppm: int, sell_ppm: int = -1) -> Change:
    """Change the fee, and nothing else."""

    def change(curve: CurveState) -> Applied:
        if not isinstance(curve, Concentrated):
            return Applied(None)
        return Applied(msgspec.structs.replace(curve, fee_ppm=buy_ppm, sell_fee_ppm=sell_ppm))

    return change


def _is_near_end(curve: Concentrated, tick: int) -> bool:
    """Tell whether a quarter of the window or less is left in front of the price."""
    margin = (curve.high_tick - curve.low_tick) // 8
    near_low = tick - curve.low_tick < margin and curve.low_tick > -MAX_TICK
    return near_low or (curve.high_tick - tick < margin and curve.high_tick < MAX_TICK)


def _bits(word: int) -> list[int]:
    return [bit for bit in range(_WORD_TICKS) if word >> bit & 1]
