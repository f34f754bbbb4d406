// SPDX-License-Identifier: MIT
pragma solidity =0.7.6;
pragma abicoder v2;

import "@cryptoalgebra/v1-core/contracts/libraries/AdaptiveFee.sol";
import "@cryptoalgebra/v1-core/contracts/libraries/DataStorage.sol";
import "@cryptoalgebra/v1-core/contracts/libraries/LiquidityMath.sol";
import "@cryptoalgebra/v1-core/contracts/libraries/PriceMovementMath.sol";
import "@cryptoalgebra/v1-core/contracts/libraries/Sqrt.sol";
import "@cryptoalgebra/v1-core/contracts/libraries/TickManager.sol";
import "@cryptoalgebra/v1-core/contracts/libraries/TickMath.sol";
import "@cryptoalgebra/v1-core/contracts/libraries/TickTable.sol";
import "@cryptoalgebra/v1-core/contracts/libraries/TokenDeltaMath.sol";
import "@cryptoalgebra/v1-core/contracts/libraries/TransferHelper.sol";

interface IHeld {
    function balanceOf(address owner) external view returns (uint256);
}

interface IPayer {
    function algebraMintCallback(uint256 owed0, uint256 owed1, bytes calldata data) external;

    function algebraSwapCallback(int256 owed0, int256 owed1, bytes calldata data) external;
}

/// A stand-in for Camelot's V3 pool, which no package holds: Algebra V1's own published libraries of
/// prices, ticks, volatility and fees, and on them the documented pool with a fee for each direction.
/// Left out: factory, community fee, farming, flash loans, and what positions earn and collect.
contract CamelotV3PoolDouble {
    using DataStorage for DataStorage.Timepoint[65536];
    using TickManager for mapping(int24 => TickManager.Tick);
    using TickTable for mapping(int16 => uint256);

    struct GlobalState {
        uint160 price;
        int24 tick;
        uint16 feeZto;
        uint16 feeOtz;
        uint16 timepointIndex;
        uint8 communityFeeToken0;
        uint8 communityFeeToken1;
        bool unlocked;
    }

    /// A swap under way: what is left to be given or got, the other side's sum, and where it stands.
    struct Run {
        bool zeroToOne;
        bool exactInput;
        uint16 fee;
        uint160 price;
        uint160 limit;
        int24 tick;
        uint128 liquidity;
        int256 left;
        int256 other;
    }

    uint128 private constant MAX_VOLUME_PER_LIQUIDITY = 100_000 << 64;

    address public immutable token0;
    address public immutable token1;
    int24 public immutable tickSpacing = Constants.TICK_SPACING;
    GlobalState public globalState;
    uint128 public liquidity;
    mapping(int24 => TickManager.Tick) public ticks;
    mapping(int16 => uint256) public tickTable;
    mapping(address => mapping(int24 => mapping(int24 => uint128))) public positions;
    DataStorage.Timepoint[65536] public timepoints;
    mapping(bool => AdaptiveFee.Configuration) public feeConfig;
    uint128 private volumeInBlock;

    event Initialize(uint160 price, int24 tick);
    event Mint(
        address sender,
        address indexed owner,
        int24 indexed bottomTick,
        int24 indexed topTick,
        uint128 liquidityAmount,
        uint256 amount0,
        uint256 amount1
    );
    event Burn(
        address indexed owner,
        int24 indexed bottomTick,
        int24 indexed topTick,
        uint128 liquidityAmount,
        uint256 amount0,
        uint256 amount1
    );
    event Swap(
        address indexed sender,
        address indexed recipient,
        int256 amount0,
        int256 amount1,
        uint160 price,
        uint128 liquidity,
        int24 tick
    );
    event Fee(uint16 feeZto, uint16 feeOtz);
    event FeeConfiguration(bool zto, AdaptiveFee.Configuration feeConfig);

    modifier lock() {
        require(globalState.unlocked, "LOK");
        globalState.unlocked = false;
        _;
        globalState.unlocked = true;
    }

    constructor(address first, address second) {
        require(first < second, "order");
        (token0, token1) = (first, second);
        (globalState.feeZto, globalState.feeOtz) = (Constants.BASE_FEE, Constants.BASE_FEE);
        AdaptiveFee.Configuration memory usual =
            AdaptiveFee.Configuration(2_900, 12_000, 360, 60_000, 59, 8_500, 0, 10, Constants.BASE_FEE);
        (feeConfig[true], feeConfig[false]) = (usual, usual);
    }

    function initialize(uint160 price) external {
        require(globalState.price == 0, "AI");
        int24 tick = TickMath.getTickAtSqrtRatio(price);
        timepoints.initialize(uint32(block.timestamp), tick);
        (globalState.price, globalState.tick, globalState.unlocked) = (price, tick, true);
        emit Initialize(price, tick);
    }

    /// Sets how the fee of one direction is found; it is found anew in the next block that trades.
    function changeFeeConfiguration(bool zto, AdaptiveFee.Configuration calldata chosen) external {
        uint256 most = uint256(chosen.alpha1) + chosen.alpha2 + chosen.baseFee;
        require(most <= type(uint16).max, "Max fee exceeded");
        require(chosen.gamma1 != 0 && chosen.gamma2 != 0 && chosen.volumeGamma != 0, "gamma");
        feeConfig[zto] = chosen;
        emit FeeConfiguration(zto, chosen);
    }

    function mint(
        address,
        address owner,
        int24 bottomTick,
        int24 topTick,
        uint128 amount,
        bytes calldata data
    ) external lock returns (uint256 amount0, uint256 amount1, uint128 liquidityActual) {
        require(amount > 0, "IL");
        (int256 owed0, int256 owed1) = _position(owner, bottomTick, topTick, int128(amount));
        (amount0, amount1, liquidityActual) = (uint256(owed0), uint256(owed1), amount);
        _askForDeposit(amount0, amount1, data);
        emit Mint(msg.sender, owner, bottomTick, topTick, amount, amount0, amount1);
    }

    function burn(int24 bottomTick, int24 topTick, uint128 amount)
        external
        lock
        returns (uint256 amount0, uint256 amount1)
    {
        (int256 owed0, int256 owed1) = _position(msg.sender, bottomTick, topTick, -int128(amount));
        (amount0, amount1) = (uint256(-owed0), uint256(-owed1));
        emit Burn(msg.sender, bottomTick, topTick, amount, amount0, amount1);
    }

    function swap(
        address recipient,
        bool zeroToOne,
        int256 amountRequired,
        uint160 limitSqrtPrice,
        bytes calldata data
    ) external lock returns (int256 amount0, int256 amount1) {
        (amount0, amount1) = _trade(zeroToOne, amountRequired, limitSqrtPrice);
        (address tokenIn, address tokenOut) = zeroToOne ? (token0, token1) : (token1, token0);
        (int256 paid, int256 got) = zeroToOne ? (amount0, amount1) : (amount1, amount0);
        if (got < 0) TransferHelper.safeTransfer(tokenOut, recipient, uint256(-got));
        uint256 before = IHeld(tokenIn).balanceOf(address(this));
        IPayer(msg.sender).algebraSwapCallback(amount0, amount1, data);
        require(IHeld(tokenIn).balanceOf(address(this)) >= before + uint256(paid), "IIA");
        GlobalState memory state = globalState;
        emit Swap(msg.sender, recipient, amount0, amount1, state.price, liquidity, state.tick);
    }

    /// Renews both fees, before the block's first swap or change of the liquidity in use.
    function _renewFees() private {
        GlobalState memory state = globalState;
        uint32 time = uint32(block.timestamp);
        uint16 index =
            timepoints.write(state.timepointIndex, time, state.tick, liquidity, volumeInBlock);
        if (index == state.timepointIndex) return;
        (uint88 volatility, uint256 volume) =
            timepoints.getAverages(time, state.tick, index, liquidity);
        volatility /= 15;
        state.feeZto = AdaptiveFee.getFee(volatility, volume, feeConfig[true]);
        state.feeOtz = AdaptiveFee.getFee(volatility, volume, feeConfig[false]);
        state.timepointIndex = index;
        volumeInBlock = 0;
        globalState = state;
        emit Fee(state.feeZto, state.feeOtz);
    }

    function _position(address owner, int24 bottom, int24 top, int128 change)
        private
        returns (int256 amount0, int256 amount1)
    {
        require(TickMath.MIN_TICK <= bottom && bottom < top && top <= TickMath.MAX_TICK, "ticks");
        positions[owner][bottom][top] =
            LiquidityMath.addDelta(positions[owner][bottom][top], change);
        _markTick(bottom, change, false);
        _markTick(top, change, true);
        (uint160 price, int24 tick) = (globalState.price, globalState.tick);
        (uint160 low, uint160 high) =
            (TickMath.getSqrtRatioAtTick(bottom), TickMath.getSqrtRatioAtTick(top));
        if (bottom <= tick && tick < top) {
            _renewFees();
            liquidity = LiquidityMath.addDelta(liquidity, change);
        }
        if (tick < top) {
            uint160 from = tick < bottom ? low : price;
            amount0 = TokenDeltaMath.getToken0Delta(from, high, change);
        }
        if (tick >= bottom) {
            uint160 to = tick < top ? price : high;
            amount1 = TokenDeltaMath.getToken1Delta(low, to, change);
        }
    }

    function _markTick(int24 tick, int128 change, bool isTop) private {
        bool toggled =
            ticks.update(tick, globalState.tick, change, 0, 0, 0, 0, uint32(block.timestamp), isTop);
        if (!toggled) return;
        tickTable.toggleTick(tick);
        if (change < 0) delete ticks[tick];
    }

    function _trade(bool zeroToOne, int256 amount, uint160 limit)
        private
        returns (int256 amount0, int256 amount1)
    {
        require(amount != 0, "AS");
        require(limit > TickMath.MIN_SQRT_RATIO && limit < TickMath.MAX_SQRT_RATIO, "SPL");
        require(zeroToOne ? limit < globalState.price : limit > globalState.price, "SPL");
        _renewFees();
        Run memory run;
        (run.zeroToOne, run.exactInput, run.limit, run.left) = (zeroToOne, amount > 0, limit, amount);
        (run.price, run.tick, run.liquidity) = (globalState.price, globalState.tick, liquidity);
        run.fee = zeroToOne ? globalState.feeZto : globalState.feeOtz;
        while (_step(run) && run.left != 0 && run.price != limit) {}
        (globalState.price, globalState.tick, liquidity) = (run.price, run.tick, run.liquidity);
        int256 done = amount - run.left;
        (amount0, amount1) = zeroToOne == run.exactInput ? (done, run.other) : (run.other, done);
        volumeInBlock += _volumePerLiquidity(amount0, amount1);
    }

    /// Trades as far as the next tick of the row, or the limit; false where it ended before either.
    function _step(Run memory run) private returns (bool) {
        uint160 before = run.price;
        (int24 next, bool initialized) = tickTable.nextTickInTheSameRow(run.tick, run.zeroToOne);
        uint160 nextPrice = TickMath.getSqrtRatioAtTick(next);
        bool limited = run.zeroToOne ? nextPrice < run.limit : nextPrice > run.limit;
        _move(run, limited ? run.limit : nextPrice);
        if (run.price == nextPrice) {
            if (initialized) {
                int128 net = ticks.cross(next, 0, 0, 0, 0, uint32(block.timestamp));
                run.liquidity = LiquidityMath.addDelta(run.liquidity, run.zeroToOne ? -net : net);
            }
            run.tick = run.zeroToOne ? next - 1 : next;
            return true;
        }
        if (run.price == before) return true;
        run.tick = TickMath.getTickAtSqrtRatio(run.price);
        return false;
    }

    function _move(Run memory run, uint160 target) private pure {
        (uint160 price, uint256 input, uint256 output, uint256 fee) =
            PriceMovementMath.movePriceTowardsTarget(
                run.zeroToOne, run.price, target, run.liquidity, run.left, run.fee
            );
        run.price = price;
        run.left = run.exactInput ? run.left - int256(input + fee) : run.left + int256(output);
        run.other = run.exactInput ? run.other - int256(output) : run.other + int256(input + fee);
    }

    /// The root of the product of both amounts for a unit of liquidity, in 1/2^64, bounded.
    function _volumePerLiquidity(int256 amount0, int256 amount1) private view returns (uint128) {
        uint256 volume = Sqrt.sqrtAbs(amount0) * Sqrt.sqrtAbs(amount1);
        uint256 shifted = volume >= 2**192 ? type(uint256).max : volume << 64;
        uint256 ratio = shifted / (liquidity > 0 ? liquidity : 1);
        return ratio >= MAX_VOLUME_PER_LIQUIDITY ? MAX_VOLUME_PER_LIQUIDITY : uint128(ratio);
    }

    function _askForDeposit(uint256 amount0, uint256 amount1, bytes calldata data) private {
        (uint256 before0, uint256 before1) = _balances();
        IPayer(msg.sender).algebraMintCallback(amount0, amount1, data);
        (uint256 after0, uint256 after1) = _balances();
        require(after0 >= before0 + amount0 && after1 >= before1 + amount1, "IIAM");
    }

    function _balances() private view returns (uint256, uint256) {
        return (IHeld(token0).balanceOf(address(this)), IHeld(token1).balanceOf(address(this)));
    }
}
