"""The exchange's stateful side: pure engine, journal, and the thin Ray shells around them."""
