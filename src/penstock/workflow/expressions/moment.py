"""Functions that read a clock or chance: they read the moment that an evaluation stands in.

Nothing here reads the machine's clock or its entropy. The engine sets a moment for each event, from the event's time
and the run's id, so the same events give the same values. Outside of a moment these functions fail.
"""

from __future__ import annotations

import base64
import random
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from penstock.workflow.expressions.syntax import ExpressionError

__all__ = ["FUNCTIONS", "METHODS", "SPRIG", "Time", "moment"]

_MAX = 10_000
"""Longest random text."""


class _Moment:
    def __init__(self, now: float, seed: str) -> None:
        self.now = now
        self.random = random.Random(seed)  # noqa: S311 - no secret: the same event must give the same values


_CURRENT: ContextVar[_Moment | None] = ContextVar("moment", default=None)


@contextmanager
def moment(now: float, seed: str) -> Iterator[None]:
    """While inside, expressions may ask for the time `now` (seconds since the epoch), and for what `seed` makes."""
    token = _CURRENT.set(_Moment(now, seed))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def _moment() -> _Moment:
    found = _CURRENT.get()
    if found is None:
        raise ExpressionError("there is no clock and no chance in this place")
    return found


class Time(str):
    """A time, as text in RFC 3339."""

    __slots__ = ("at",)
    at: datetime

    @classmethod
    def of(cls, seconds: float, zone: str = "UTC") -> Time:
        """The time of seconds since the epoch. Raises ExpressionError for an unknown zone."""
        try:
            at = datetime.fromtimestamp(seconds, UTC if zone in ("", "UTC", "Local") else ZoneInfo(zone))
        except (KeyError, ValueError, OSError):
            raise ExpressionError(f"unknown time zone {zone}") from None
        time = cls(at.isoformat(timespec="seconds").replace("+00:00", "Z"))
        time.at = at
        return time


# Longest first; the reference time of Go is Mon Jan 2 15:04:05 MST 2006.
_LAYOUT = {
    "January": "%B",
    "Monday": "%A",
    "2006": "%Y",
    "-07:00": "%:z",
    "Z07:00": "Z%:z",
    "-0700": "%z",
    "002": "%j",
    "Jan": "%b",
    "Mon": "%a",
    "MST": "%Z",
    "01": "%m",
    "02": "%d",
    "_2": "%e",
    "03": "%I",
    "04": "%M",
    "05": "%S",
    "06": "%y",
    "15": "%H",
    "PM": "%p",
    "pm": "%P",
    "1": "%-m",
    "2": "%-d",
    "3": "%-I",
    "4": "%-M",
    "5": "%-S",
}


def _formatted(time: Time, layout: str) -> str:
    """A time in a layout of Go."""
    found, position = "", 0
    while position < len(layout):
        token = next((each for each in _LAYOUT if layout.startswith(each, position)), "")
        found += _part(time.at, _LAYOUT[token]) if token else layout[position]
        position += len(token) or 1
    return found


def _part(at: datetime, form: str) -> str:
    offset = at.strftime("%z")
    if form in ("%:z", "Z%:z"):
        return "Z" if form == "Z%:z" and offset == "+0000" else f"{offset[:3]}:{offset[3:]}"
    if form == "%P":
        return at.strftime("%p").lower()
    return at.strftime(form)


def _time(value: Any) -> Time:
    if isinstance(value, Time):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Time.of(value)
    return _now()


def _now() -> Time:
    return Time.of(_moment().now)


def _chosen(letters: str) -> Callable[[int], str]:
    def text(count: int) -> str:
        if not 0 <= count <= _MAX:
            raise ExpressionError(f"a random text of {count} characters; limit {_MAX:,}")
        return "".join(_moment().random.choices(letters, k=count))

    return text


def _shuffled(text: str) -> str:
    letters = list(text)
    _moment().random.shuffle(letters)
    return "".join(letters)


def _between(low: int, high: int) -> int:
    if not low < high:
        raise ExpressionError(f"invalid argument: no number lies from {low} to below {high}")
    return _moment().random.randrange(low, high)


_LOWER = "abcdefghijklmnopqrstuvwxyz"
_DIGITS = "0123456789"
_LETTERS = _LOWER + _LOWER.upper()

FUNCTIONS: Mapping[str, Callable[..., Any]] = {"now": _now}
"""Those of expr-lang."""

SPRIG: Mapping[str, Callable[..., Any]] = {
    "date": lambda layout, time: _formatted(_time(time), layout),
    "dateInZone": lambda layout, time, zone: _formatted(Time.of(_time(time).at.timestamp(), zone), layout),
    "htmlDate": lambda time: _formatted(_time(time), "2006-01-02"),
    "now": _now,
    "randAlpha": _chosen(_LETTERS),
    "randAlphaNum": _chosen(_LETTERS + _DIGITS),
    "randAscii": _chosen("".join(map(chr, range(32, 127)))),
    "randBytes": lambda count: base64.b64encode(_moment().random.randbytes(min(int(count), _MAX))).decode(),
    "randInt": _between,
    "randNumeric": _chosen(_DIGITS),
    "shuffle": _shuffled,
    "unixEpoch": lambda time: str(int(_time(time).at.timestamp())),
    "uuidv4": lambda: str(uuid.UUID(int=_moment().random.getrandbits(128), version=4)),
}
"""Those of sprig."""

METHODS: Mapping[str, Callable[..., Any]] = {
    "Day": lambda time: time.at.day,
    "Format": _formatted,
    "Hour": lambda time: time.at.hour,
    "Minute": lambda time: time.at.minute,
    "Month": lambda time: time.at.month,
    "Second": lambda time: time.at.second,
    "String": str,
    "Unix": lambda time: int(time.at.timestamp()),
    "UnixMilli": lambda time: int(time.at.timestamp() * 1000),
    "Weekday": lambda time: (time.at.weekday() + 1) % 7,
    "Year": lambda time: time.at.year,
    "YearDay": lambda time: time.at.timetuple().tm_yday,
}
"""Methods of a time."""
