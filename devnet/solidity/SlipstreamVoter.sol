// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// What a Slipstream factory asks of a voter and of the factory before it: no gauges, no pools.
contract SlipstreamVoter {
    function factoryRegistry() external view returns (address) {
        return address(this);
    }

    function gauges(address) external pure returns (address) {
        return address(0);
    }

    function isAlive(address) external pure returns (bool) {
        return false;
    }

    function getPool(address, address, int24) external pure returns (address) {
        return address(0);
    }
}
