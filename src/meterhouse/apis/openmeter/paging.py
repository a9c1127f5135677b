"""The two ways of OpenMeter to page a list: `page`/`pageSize` and `limit`/`offset` (openmeter 10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PAGE_SIZE_DEFAULT = 100
_OFFSET_MAX = 2**62  # larger ones would not fit the database's integers, and lie beyond every list


@dataclass(frozen=True)
class Paging:
    """What part of a list is wanted. `page` is 0 when it was told by limit and offset."""

    limit: int
    offset: int
    page: int

    @classmethod
    def from_wire(cls, query: Mapping[str, Any], *, pages: bool) -> Paging:
        """Read the parameters; a page wins over limit and offset. `pages`: without any, it is page 1."""
        if "page" in query or "pageSize" in query or (pages and not {"limit", "offset"} & query.keys()):
            page, size = query.get("page", 1), query.get("pageSize", PAGE_SIZE_DEFAULT)
            return cls(size, min((page - 1) * size, _OFFSET_MAX), page)
        return cls(query.get("limit", PAGE_SIZE_DEFAULT), min(query.get("offset", 0), _OFFSET_MAX), 0)

    def to_wire(self, items: Sequence[object], total: int) -> dict[str, object]:
        """The page envelope; with limit and offset, page and page size are told as 0."""
        size = self.limit if self.page else 0
        return {"items": items, "page": self.page, "pageSize": size, "totalCount": total}

    def array_or_page(self, items: Sequence[object], total: int) -> object:
        """The envelope when a page was asked for, else the bare items."""
        return self.to_wire(items, total) if self.page else items


WHOLE = Paging(limit=10_000, offset=0, page=0)
"""For arrays that have no parameters to page them."""
