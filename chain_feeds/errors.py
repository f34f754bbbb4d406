"""The operating errors of the feeds' room: one tree, every argument positional, so each pickles.

What lives here: what goes wrong between a feed and what it listens to. A pool that cannot be used
is not an error but a `PoolState` that says so.

    FeedError
    ├── ChainSettingsError     the chains part of the configuration cannot be used
    ├── RecordingError         a recording is missing, damaged or impossible
    ├── DecodeError            a node's bytes are not what the contract would say
    └── SourceError
        ├── SourceLostError    the connection ended or the node does not answer; connect again
        └── WrongChainError    the node is of another chain than configured
"""


class FeedError(Exception):
    """The root of the feeds' errors."""


class ChainSettingsError(FeedError):
    """The chains part of the configuration cannot be used.

    Args:
        chain: the chain's name.
        key: the key in ``[chains.<chain>]``, or the environment variable.
        problem: what was wrong, what was expected, what to do.
    """

    def __init__(self, chain: str, key: str, problem: str) -> None:
        super().__init__(chain, key, problem)
        self.chain = chain
        self.key = key
        self.problem = problem

    def __str__(self) -> str:
        return f"chains.{self.chain}.{self.key}: {self.problem}"


class RecordingError(FeedError):
    """A recording is missing, damaged or impossible.

    Args:
        path: the file.
        problem: what was wrong and what was expected.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}; make it again with `make devnet RECORD=1`"


class DecodeError(FeedError):
    """A node's bytes are not what the contract would say.

    Args:
        problem: what was wrong and what was expected, one line.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


class SourceError(FeedError):
    """The root of what goes wrong with a node; ``chain`` is the chain's name."""

    def __init__(self, chain: str, problem: str) -> None:
        super().__init__(chain, problem)
        self.chain = chain
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.chain}: {self.problem}"


class SourceLostError(SourceError):
    """The connection ended or the node does not answer: connect again."""


class WrongChainError(SourceError):
    """The node is of another chain than the one configured."""
