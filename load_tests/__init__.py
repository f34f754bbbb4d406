"""Benchmarks and load: what the exchange reaches on this machine, and how it was measured."""
