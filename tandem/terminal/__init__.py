"""The people's commands of `tandem`: log in, look, trade.

They go through the published Python client, as anybody's program would, and import nothing of the
exchange itself, so they start at once and work from any machine.
"""
