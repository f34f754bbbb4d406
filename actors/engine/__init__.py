"""The pure core: commands in, events out.

Nothing in this package reads a clock, draws a random number, logs, waits, or knows of Ray,
Redis or HTTP. Time, identities and pool states arrive inside commands, so the same commands on
the same state always give the same events, bit for bit.
"""
