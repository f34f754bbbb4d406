"""What the documentation says of the WebSocket channels."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "channels.md"


def described() -> dict[str, dict[str, set[str]]]:
    """Read the page: by path, by frame, the names of its fields."""
    found: dict[str, dict[str, set[str]]] = {}
    for section in re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        path = re.search(r"`(/ws/[^`?]+)", section)
        assert path is not None, section
        frames = re.split(r"^### `(\w+)`$", section, flags=re.MULTILINE)[1:]
        found[path[1]] = {
            kind: set(re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE))
            for kind, table in zip(frames[::2], frames[1::2], strict=True)
        }
    return found
