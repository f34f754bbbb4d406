// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

interface IToken {
    function transfer(address to, uint256 value) external returns (bool);
}

interface ITokens {
    function token0() external view returns (address);
    function token1() external view returns (address);
}

/// Holds tokens, and pays what pools of any kind ask of it: for development networks only, since
/// it pays whoever asks.
contract Hand {
    bytes4 private constant SWAP_TICKS = bytes4(keccak256("swap(address,bool,int256,uint160,bytes)"));
    bytes4 private constant SWAP_RESERVES = bytes4(keccak256("swap(uint256,uint256,address,bytes)"));
    bytes4 private constant MINT = bytes4(keccak256("mint(address,int24,int24,uint128,bytes)"));
    bytes4 private constant MINT_ALGEBRA =
        bytes4(keccak256("mint(address,address,int24,int24,uint128,bytes)"));

    /// Calls a pool with anything: a burn, a fee to be set.
    function act(address target, bytes calldata data) external returns (bytes memory) {
        return _call(target, data);
    }

    function mint(address pool, int24 low, int24 high, uint128 liquidity) external {
        _call(pool, abi.encodeWithSelector(MINT, address(this), low, high, liquidity, ""));
    }

    function mintAlgebra(address pool, int24 low, int24 high, uint128 liquidity) external {
        address me = address(this);
        _call(pool, abi.encodeWithSelector(MINT_ALGEBRA, me, me, low, high, liquidity, ""));
    }

    /// Swaps in a pool of concentrated liquidity: an exact input, or (below zero) an exact output.
    function swapTicks(address pool, bool zeroForOne, int256 amount, uint160 limit)
        external
        returns (int256 amount0, int256 amount1)
    {
        bytes memory data =
            abi.encodeWithSelector(SWAP_TICKS, address(this), zeroForOne, amount, limit, "");
        return abi.decode(_call(pool, data), (int256, int256));
    }

    /// Swaps in a pool of reserves, which pays any output that its own check lets pass.
    function swapReserves(address pool, address tokenIn, uint256 paid, uint256 out0, uint256 out1)
        external
    {
        IToken(tokenIn).transfer(pool, paid);
        _call(pool, abi.encodeWithSelector(SWAP_RESERVES, out0, out1, address(this), ""));
    }

    function uniswapV3MintCallback(uint256 owed0, uint256 owed1, bytes calldata) external {
        _pay(int256(owed0), int256(owed1));
    }

    function algebraMintCallback(uint256 owed0, uint256 owed1, bytes calldata) external {
        _pay(int256(owed0), int256(owed1));
    }

    function uniswapV3SwapCallback(int256 owed0, int256 owed1, bytes calldata) external {
        _pay(owed0, owed1);
    }

    function algebraSwapCallback(int256 owed0, int256 owed1, bytes calldata) external {
        _pay(owed0, owed1);
    }

    function _pay(int256 owed0, int256 owed1) private {
        if (owed0 > 0) IToken(ITokens(msg.sender).token0()).transfer(msg.sender, uint256(owed0));
        if (owed1 > 0) IToken(ITokens(msg.sender).token1()).transfer(msg.sender, uint256(owed1));
    }

    function _call(address target, bytes memory data) private returns (bytes memory) {
        (bool done, bytes memory answer) = target.call(data);
        if (!done) {
            assembly {
                revert(add(answer, 32), mload(answer))
            }
        }
        return answer;
    }
}
