"""Schedules of cron: what a text of five or six fields means, whether it ever comes, and when it comes next.

Five fields begin with minutes, six with seconds. In a document there are always six, since Kubeflow's controller takes
five for seconds, minutes, hours, days and months.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from penstock.errors import InvalidParameter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cronsim import CronSim

__all__ = ["MOST_A_DAY", "check_often", "check_zone", "cron_fields", "ticks"]

MOST_A_DAY = 1440
"""Most runs a day of a schedule that does not say that it means more: one a minute."""

_NAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_FIELD = re.compile(r"([0-9*,/?-]|[A-Z]{3})+")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def cron_fields(text: str, *, high_frequency: bool = False) -> str:
    """A schedule as six fields, seconds first.

    Raises InvalidParameter for what is no schedule, never comes, or comes more often than once a minute, unless
    `high_frequency` says that this is meant.
    """
    fields = _NAMES.get(text.strip().lower(), text).upper().split()
    if text.strip().startswith("@every"):
        raise InvalidParameter(f"cron: {text!r} is an interval; give it as such: every={text.split()[-1]!r}")
    if len(fields) not in (5, 6) or not all(_FIELD.fullmatch(field) for field in fields):
        raise InvalidParameter(
            f"cron: expected five fields (minute, hour, day, month, weekday), six with seconds first, or a name such "
            f"as @daily; got {text!r}"
        )
    if len(fields) == 5:
        fields.insert(0, "0")
    fields = [field.replace("?", "*") for field in fields]
    found = _read(text, fields)
    if not high_frequency:
        check_often(len(found.seconds or ()) * len(found.minutes) * len(found.hours), repr(text))
    if "7" in fields[5]:
        # Sunday is 0 alone where Kubeflow reads the document.
        fields[5] = ",".join(str(day) for day in sorted({int(str(day)) % 7 for day in found.weekdays}))
    return " ".join(fields)


def _read(text: str, fields: list[str]) -> CronSim:
    from cronsim import CronSim, CronSimError

    try:
        found = CronSim(" ".join(fields), _EPOCH)
        next(found)
    except CronSimError as error:
        raise InvalidParameter(f"cron: {text!r}: {str(error)[:1].lower()}{str(error)[1:]}") from None
    except StopIteration:
        raise InvalidParameter(f"cron: {text!r} never comes") from None
    return found


def check_often(runs: int, what: str) -> None:
    """Raise InvalidParameter for more runs a day than one a minute."""
    if runs > MOST_A_DAY:
        raise InvalidParameter(f"{what} makes {runs:,} runs a day; set allow_high_frequency")


def ticks(fields: str, zone: str, after: datetime) -> Iterator[datetime]:
    """The times of a schedule of six fields in a time zone, all after `after`.

    A time of day comes once on each day: where clocks go back, the first time; where they go forward and pass over it,
    when they do.
    """
    from zoneinfo import ZoneInfo

    from cronsim import CronSim

    # Five fields are what CronSim treats so.
    return iter(CronSim(fields.removeprefix("0 "), after.astimezone(ZoneInfo(zone))))


def check_zone(zone: str, fields: str, now: datetime) -> None:
    """Raise InvalidParameter for an unknown time zone, with one that may be meant and what the schedule is there."""
    from zoneinfo import available_timezones

    known = available_timezones()
    if zone in known:
        return
    meant = _meant(zone, known)
    times = islice(ticks(fields, meant, now), 3)
    told = ", ".join(f"{time:%Y-%m-%d %H:%M}" for time in times)
    raise InvalidParameter(f"Unknown time zone '{zone}'. Next three runs in '{meant}' would be {told}.")


def _meant(zone: str, known: set[str]) -> str:
    """The known zone that is most like a text: a whole name, or the city alone."""
    from difflib import get_close_matches

    names = {name.rpartition("/")[2].lower(): name for name in sorted(known)}
    names.update({name.lower(): name for name in sorted(known)})
    close = get_close_matches(zone.lower(), names, n=1, cutoff=0.6)
    return names[close[0]] if close else "UTC"
