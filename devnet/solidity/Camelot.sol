// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

interface IPaid {
    function balanceOf(address owner) external view returns (uint256);
    function decimals() external view returns (uint8);
    function transfer(address to, uint256 value) external returns (bool);
}

/// What a Camelot V2 pair asks of its factory: who gets the owner's share of the fees, and how much.
contract CamelotFactoryDouble {
    address public feeTo;
    uint256 public ownerFeeShare = 50_000;

    function setFeeTo(address to) external {
        feeTo = to;
    }

    function createPair(address tokenA, address tokenB) external returns (address pair) {
        (address first, address second) = tokenA < tokenB ? (tokenA, tokenB) : (tokenB, tokenA);
        return address(new CamelotPairDouble(first, second));
    }
}

/// A stand-in for Camelot's V2 pair, which no package holds: its swaps, fees, stable curve, state
/// and events as documented; no LP token, no referrers, no oracle.
contract CamelotPairDouble {
    uint256 private constant FEE_DENOMINATOR = 100_000;
    uint256 private constant MAX_FEE_PERCENT = 2_000;

    CamelotFactoryDouble public immutable factory;
    address public immutable token0;
    address public immutable token1;
    uint256 public immutable precisionMultiplier0;
    uint256 public immutable precisionMultiplier1;
    uint16 public token0FeePercent = 300;
    uint16 public token1FeePercent = 300;
    bool public stableSwap;
    uint112 private reserve0;
    uint112 private reserve1;

    event Sync(uint112 reserve0, uint112 reserve1);
    event Swap(
        address indexed sender,
        uint256 amount0In,
        uint256 amount1In,
        uint256 amount0Out,
        uint256 amount1Out,
        address indexed to
    );
    event FeePercentUpdated(uint16 token0FeePercent, uint16 token1FeePercent);
    event SetStableSwap(bool prevStableSwap, bool stableSwap);

    constructor(address first, address second) {
        factory = CamelotFactoryDouble(msg.sender);
        (token0, token1) = (first, second);
        precisionMultiplier0 = 10 ** IPaid(first).decimals();
        precisionMultiplier1 = 10 ** IPaid(second).decimals();
    }

    function getReserves() external view returns (uint112, uint112, uint16, uint16) {
        return (reserve0, reserve1, token0FeePercent, token1FeePercent);
    }

    function setFeePercent(uint16 fee0, uint16 fee1) external {
        require(fee0 <= MAX_FEE_PERCENT && fee1 <= MAX_FEE_PERCENT, "fee");
        (token0FeePercent, token1FeePercent) = (fee0, fee1);
        emit FeePercentUpdated(fee0, fee1);
    }

    function setStableSwap(bool stable) external {
        emit SetStableSwap(stableSwap, stable);
        stableSwap = stable;
    }

    /// Takes what lies in the pair as its reserves.
    function sync() external {
        _update(IPaid(token0).balanceOf(address(this)), IPaid(token1).balanceOf(address(this)));
    }

    function getAmountOut(uint256 amountIn, address tokenIn) external view returns (uint256) {
        uint256 fee = tokenIn == token0 ? token0FeePercent : token1FeePercent;
        (uint256 x, uint256 y) = tokenIn == token0
            ? (uint256(reserve0), uint256(reserve1))
            : (uint256(reserve1), uint256(reserve0));
        if (!stableSwap) {
            uint256 paid = amountIn * (FEE_DENOMINATOR - fee);
            return paid * y / (x * FEE_DENOMINATOR + paid);
        }
        (uint256 unitIn, uint256 unitOut) = tokenIn == token0
            ? (precisionMultiplier0, precisionMultiplier1)
            : (precisionMultiplier1, precisionMultiplier0);
        uint256 k = _k(reserve0, reserve1);
        uint256 net = (amountIn - amountIn * fee / FEE_DENOMINATOR) * 1e18 / unitIn;
        y = y * 1e18 / unitOut;
        return (y - _y(net + x * 1e18 / unitIn, k, y)) * unitOut / 1e18;
    }

    function swap(uint256 out0, uint256 out1, address to, bytes calldata) external {
        require(out0 > 0 || out1 > 0, "output");
        require(out0 < reserve0 && out1 < reserve1, "liquidity");
        if (out0 > 0) IPaid(token0).transfer(to, out0);
        if (out1 > 0) IPaid(token1).transfer(to, out1);
        uint256 in0 = _paidIn(token0, reserve0 - out0);
        uint256 in1 = _paidIn(token1, reserve1 - out1);
        require(in0 > 0 || in1 > 0, "input");
        _settle(in0, in1);
        emit Swap(msg.sender, in0, in1, out0, out1, to);
    }

    function _paidIn(address token, uint256 before) private view returns (uint256) {
        uint256 balance = IPaid(token).balanceOf(address(this));
        return balance > before ? balance - before : 0;
    }

    function _settle(uint256 in0, uint256 in1) private {
        uint256 fee0 = in0 * token0FeePercent / FEE_DENOMINATOR;
        uint256 fee1 = in1 * token1FeePercent / FEE_DENOMINATOR;
        uint256 balance0 = IPaid(token0).balanceOf(address(this));
        uint256 balance1 = IPaid(token1).balanceOf(address(this));
        if (stableSwap) {
            require(_k(balance0 - fee0, balance1 - fee1) >= _k(reserve0, reserve1), "K");
            balance0 -= _payOwner(token0, in0, token0FeePercent);
            balance1 -= _payOwner(token1, in1, token1FeePercent);
        } else {
            uint256 left0 = balance0 * FEE_DENOMINATOR - in0 * token0FeePercent;
            uint256 left1 = balance1 * FEE_DENOMINATOR - in1 * token1FeePercent;
            uint256 least = uint256(reserve0) * reserve1 * FEE_DENOMINATOR ** 2;
            require(left0 * left1 >= least, "K");
        }
        _update(balance0, balance1);
    }

    function _payOwner(address token, uint256 paid, uint256 fee) private returns (uint256 owed) {
        address feeTo = factory.feeTo();
        if (feeTo == address(0) || paid == 0) return 0;
        owed = paid * FEE_DENOMINATOR * factory.ownerFeeShare() * fee / FEE_DENOMINATOR ** 3;
        IPaid(token).transfer(feeTo, owed);
    }

    function _update(uint256 balance0, uint256 balance1) private {
        (reserve0, reserve1) = (uint112(balance0), uint112(balance1));
        emit Sync(reserve0, reserve1);
    }

    function _k(uint256 balance0, uint256 balance1) private view returns (uint256) {
        uint256 x = balance0 * 1e18 / precisionMultiplier0;
        uint256 y = balance1 * 1e18 / precisionMultiplier1;
        return (x * y / 1e18) * (x * x / 1e18 + y * y / 1e18) / 1e18;
    }

    function _y(uint256 x, uint256 k, uint256 y) private pure returns (uint256) {
        for (uint256 round = 0; round < 255; round++) {
            uint256 before = y;
            uint256 now_ = x * (y * y / 1e18 * y / 1e18) / 1e18 + (x * x / 1e18 * x / 1e18) * y / 1e18;
            uint256 slope = 3 * x * (y * y / 1e18) / 1e18 + (x * x / 1e18 * x / 1e18);
            if (now_ < k) y += (k - now_) * 1e18 / slope;
            else y -= (now_ - k) * 1e18 / slope;
            if (y > before ? y - before <= 1 : before - y <= 1) return y;
        }
        return y;
    }
}
