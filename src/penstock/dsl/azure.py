"""Steps that use Microsoft's cloud: `step.apply(azure.use_azure_secret())`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.dsl.secrets import variables

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["use_azure_secret"]

_KEYS = ("AZ_SUBSCRIPTION_ID", "AZ_TENANT_ID", "AZ_CLIENT_ID", "AZ_CLIENT_SECRET")


def use_azure_secret(secret_name: str = "azcreds") -> Callable[[Any], Any]:  # noqa: S107 (a name)
    """Set AZ_SUBSCRIPTION_ID, AZ_TENANT_ID, AZ_CLIENT_ID and AZ_CLIENT_SECRET from the keys of a secret."""
    return variables(secret_name, {key: key for key in _KEYS})
