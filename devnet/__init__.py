"""The development network: a real node with real Uniswap V2 contracts, for people and for tests."""
