"""The site's navigation: entries of ``mkdocs.yml`` are patterns, and no page is left out."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from typing import Any

REST_TITLE = "More"


def expand(nav: Sequence[Any], paths: Iterable[str]) -> list[Any]:
    """Replace every pattern by the pages it matches, in the order of their names.

    A pattern that matches nothing gives nothing, and a page that no pattern matches is listed at
    the end under `REST_TITLE`: whoever adds a page finds it in the site.
    """
    pages = sorted(paths, key=lambda path: (not path.endswith("index.md"), path))
    used: set[str] = set()
    made = _entries(nav, pages, used)
    left = [path for path in pages if path not in used]
    return [*made, {REST_TITLE: left}] if left else made


def _entries(nav: Sequence[Any], pages: Sequence[str], used: set[str]) -> list[Any]:
    made: list[Any] = []
    for entry in nav:
        if isinstance(entry, str):
            found = [path for path in pages if fnmatch(path, entry) and path not in used]
            used.update(found)
            made += found
            continue
        ((title, inner),) = entry.items()
        below = _entries(inner, pages, used) if isinstance(inner, list) else inner
        if isinstance(below, str):
            used.add(below)
        if below:
            made.append({title: below})
    return made
