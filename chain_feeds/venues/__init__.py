"""Venues: one file for each kind of pool, pure, from a contract's bytes to a `PoolState`'s curve."""
