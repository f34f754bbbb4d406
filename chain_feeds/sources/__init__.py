"""Sources: where heads, logs and snapshots of a chain come from."""
