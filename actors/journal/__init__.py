"""The durable journal: framing, backends, recovery and the readers' projections."""
