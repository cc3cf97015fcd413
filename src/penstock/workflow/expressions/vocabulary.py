"""Names that stand for functions."""

from __future__ import annotations

from penstock.workflow.expressions import functions, moment, sprig
from penstock.workflow.expressions.syntax import PREDICATES

__all__ = ["known_function"]


def known_function(name: str) -> bool:
    """True for a function of expr-lang or of Argo, `sprig` and what lies below it."""
    if name.startswith("sprig."):
        return name.removeprefix("sprig.") in (*sprig.FUNCTIONS, *moment.SPRIG)
    return name == "sprig" or name in (*functions.FUNCTIONS, *moment.FUNCTIONS) or name in PREDICATES
