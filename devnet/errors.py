"""What goes wrong on a development network."""


class DevnetError(Exception):
    """The development network cannot run; the message says what to do."""
