"""Steps that use Amazon's cloud: `step.apply(aws.use_aws_secret())`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.dsl.secrets import variables

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["use_aws_secret"]


def use_aws_secret(
    secret_name: str = "aws-secret",  # noqa: S107 (a name)
    aws_access_key_id_name: str = "AWS_ACCESS_KEY_ID",
    aws_secret_access_key_name: str = "AWS_SECRET_ACCESS_KEY",  # noqa: S107 (a name)
    aws_region: str | None = None,
) -> Callable[[Any], Any]:
    """Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY from keys of a secret, and AWS_REGION to a region."""
    keys = {"AWS_ACCESS_KEY_ID": aws_access_key_id_name, "AWS_SECRET_ACCESS_KEY": aws_secret_access_key_name}
    from_secret = variables(secret_name, keys)

    def change(step: Any) -> Any:
        from_secret(step)
        if aws_region and hasattr(step, "container"):
            step.add_env_variable({"name": "AWS_REGION", "value": aws_region})
        return step

    return change
