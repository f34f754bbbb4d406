"""Feeds: from a node (or a recording) to the states of AMM pools that a pair is told."""
