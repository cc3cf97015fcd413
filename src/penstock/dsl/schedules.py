"""When a pipeline is to be run again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from penstock.dsl import tracing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

__all__ = ["Schedule"]


class Schedule:
    """When a pipeline is run: `dsl.pipeline(schedule=dsl.Schedule(cron="0 9 * * 1-5", zone="Europe/Berlin"))`.

    `cron` has five fields, minutes first, or six, seconds first, or is a name such as `@daily`; `every` is a number of
    seconds, or a text such as `30m`, `12h`, `1d`. One of them is given. `overlap` says what becomes of a run that is
    due while `max_concurrency` runs go on: it waits (`wait`), is left out (`skip`), takes the place of the oldest
    (`replace`), or of those that wait (`latest-only`). With `catchup`, runs that were missed are made up for.
    `arguments` are values of the pipeline's parameters. More than one run a minute needs `allow_high_frequency`.
    What is wrong is told when the schedule is compiled.
    """

    def __init__(
        self,
        cron: str | None = None,
        every: str | int | None = None,
        zone: str = "UTC",
        overlap: Literal["wait", "skip", "replace", "latest-only"] = "wait",
        catchup: bool = True,
        start: datetime | None = None,
        end: datetime | None = None,
        max_concurrency: int = 1,
        arguments: Mapping[str, Any] | None = None,
        allow_high_frequency: bool = False,
    ) -> None:
        self.place = tracing.place()
        """`file:line` that made it, for messages."""
        self.cron = cron
        self.every = every
        self.zone = zone
        self.overlap = overlap
        self.catchup = catchup
        self.start = start
        self.end = end
        self.max_concurrency = max_concurrency
        self.arguments = dict(arguments or {})
        self.allow_high_frequency = allow_high_frequency

    def __repr__(self) -> str:
        return f"Schedule(cron={self.cron!r}, every={self.every!r}, zone={self.zone!r})"
