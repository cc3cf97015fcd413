"""What a caller says of lists → query parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["listing", "named"]


def listing(page_token: str, page_size: int, sort_by: str, filter: str | Mapping[str, Any] | None) -> dict[str, Any]:
    """The query of one page. `filter` is JSON as Kubeflow Pipelines has it, as a text or as its value."""
    text = filter if isinstance(filter, str) or filter is None else json.dumps(filter)
    return {"page_token": page_token, "page_size": page_size, "sort_by": sort_by, "filter": text}


def named(key: str, name: str) -> dict[str, Any]:
    """The query for the one row whose `key` is that name."""
    predicate = {"operation": "EQUALS", "key": key, "string_value": name}
    return listing("", 1, "", {"predicates": [predicate]})
