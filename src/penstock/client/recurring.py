"""Calls about recurring runs, under the names of `kfp.Client`. The server has none yet, so each is refused."""

from __future__ import annotations

from typing import Any, NoReturn

from penstock.errors import Final

__all__ = ["RecurringCalls", "not_served"]


def not_served(what: str) -> Final:
    """The refusal of `what`."""
    return Final(
        f"{what}: the server has no recurring runs yet; `penstock recurring document FILE --cron '0 9 * * 1-5'` makes "
        "a ScheduledWorkflow for a controller in a cluster"
    )


class RecurringCalls:
    """The part of a client that deals with recurring runs. All of it raises Final."""

    def create_recurring_run(self, *_: Any, **__: Any) -> NoReturn:
        """Not served yet."""
        raise not_served("create_recurring_run")

    def get_recurring_run(self, *_: Any, **__: Any) -> NoReturn:
        """Not served yet."""
        raise not_served("get_recurring_run")

    def list_recurring_runs(self, *_: Any, **__: Any) -> NoReturn:
        """Not served yet."""
        raise not_served("list_recurring_runs")

    def delete_job(self, *_: Any, **__: Any) -> NoReturn:
        """Not served yet."""
        raise not_served("delete_job")

    def disable_job(self, *_: Any, **__: Any) -> NoReturn:
        """Not served yet."""
        raise not_served("disable_job")
