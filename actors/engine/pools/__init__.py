"""AMM pools: their states, and their swap mathematics in integers, with the pool's own rounding."""
