"""Penstock: write a pipeline, run it, see what every step made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penstock.client import Client
    from penstock.components import component

__all__ = ["Client", "__version__", "component"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`penstock.component` and `penstock.Client`, loaded when asked for: nothing waits for the others' imports."""
    if name == "component":
        from penstock.components import component

        return component
    if name == "Client":
        from penstock.client import Client

        return Client
    raise AttributeError(f"module 'penstock' has no attribute '{name}'")
