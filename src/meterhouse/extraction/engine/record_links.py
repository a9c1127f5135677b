"""Links that a page makes from a value of its records, such as `/jobs/{id}`: found by what the page shows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

SHARE_MIN = 0.8
LINKS_MAX = 60


def link_template(
    links: Sequence[str], values: Mapping[str, Sequence[str]], base: str
) -> tuple[str, str] | None:
    """The path of the value and the address with `{}` in its place that gives nearly all these links."""
    sample = list(dict.fromkeys(links))[:LINKS_MAX]
    if not sample:
        return None
    best: tuple[float, str, str] | None = None
    for path, known in values.items():
        if len(set(known)) < len(known) * 0.9:
            continue
        templates: Counter[str] = Counter()
        for link in sample:
            templates.update(_templates(link, set(known)))
        if not templates:
            continue
        template, hits = max(templates.items(), key=lambda one: (one[1], -len(one[0])))
        share = hits / len(sample)
        if share >= SHARE_MIN and (best is None or share > best[0]):
            best = (share, path, template)
    return None if best is None else (best[1], best[2])


def _templates(link: str, known: set[str]) -> set[str]:
    """The link with one of the values cut out where it stands between separators."""
    found = set()
    scheme, _, rest = link.partition("://")
    host, slash, path = rest.partition("/")
    for part in re.findall(r"[^/?#&=]+", path):
        for piece in {part, *re.findall(r"\d+", part)}:
            if piece in known and "{}" not in link and path.count(piece) == 1:
                found.add(f"{scheme}://{host}{slash}{path.replace(piece, '{}')}")
    return found
