"""Texts of cron: what they mean, and which are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice

import pytest

from penstock.errors import InvalidParameter
from penstock.workflow.cron import check_zone, cron_fields, ticks

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("0 9 * * 1-5", "0 0 9 * * 1-5"),
        ("15 0 9 * * MON", "15 0 9 * * MON"),
        ("0 0 ? * ?", "0 0 0 * * *"),
        ("  */5   *  * jan-mar *", "0 */5 * * JAN-MAR *"),
        ("0 0 * * 7", "0 0 0 * * 0"),
        ("0 0 * * 5-7", "0 0 0 * * 0,5,6"),
        ("@daily", "0 0 0 * * *"),
        ("@Weekly", "0 0 0 * * 0"),
        ("* * * * *", "0 * * * * *"),
    ],
)
def test_a_schedule_has_six_fields(text: str, fields: str) -> None:
    assert cron_fields(text) == fields


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cron: expected five fields"),
        ("0 9 * *", "cron: expected five fields"),
        ("0 9 * * 1 2 3", "cron: expected five fields"),
        ("0 9 L * *", "cron: expected five fields"),
        ("0 9 * * 1#2", "cron: expected five fields"),
        ("60 9 * * *", "cron: '60 9 * * *': bad minute"),
        ("0 9 * * 8", "cron: '0 9 * * 8': bad day-of-week"),
        ("0 0 30 2 *", "cron: '0 0 30 2 *': bad day-of-month"),
        ("@every 1h", "cron: '@every 1h' is an interval; give it as such: every='1h'"),
        ("* * * * * *", "'* * * * * *' makes 86,400 runs a day; set allow_high_frequency"),
        ("*/30 * * * * *", "'*/30 * * * * *' makes 2,880 runs a day; set allow_high_frequency"),
    ],
)
def test_what_is_no_schedule_or_comes_too_often_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidParameter) as error:
        cron_fields(text)
    assert str(error.value).startswith(message)


def test_more_often_is_taken_where_it_is_meant() -> None:
    assert cron_fields("* * * * * *", high_frequency=True) == "* * * * * *"


def test_times_are_those_of_the_zone_and_each_day_has_one() -> None:
    found = list(islice(ticks("0 30 2 * * *", "Europe/Berlin", NOON), 3))
    assert [time.astimezone(UTC).strftime("%d %H:%M") for time in found] == ["29 01:00", "30 00:30", "31 00:30"]
    autumn = datetime(2026, 10, 24, 12, tzinfo=UTC)
    days = [time.day for time in islice(ticks("0 30 2 * * *", "Europe/Berlin", autumn), 3)]
    assert days == [25, 26, 27]


@pytest.mark.parametrize(
    ("zone", "message"),
    [
        ("berlin", "Unknown time zone 'berlin'. Next three runs in 'Europe/Berlin' would be 2026-03-29 09:00, "),
        ("America/NewYork", "Unknown time zone 'America/NewYork'. Next three runs in 'America/New_York' would be "),
        ("?", "Unknown time zone '?'. Next three runs in 'UTC' would be 2026-03-29 09:00, 2026-03-30 09:00, "),
        ("../UTC", "Unknown time zone '../UTC'. Next three runs in 'UTC' would be "),
    ],
)
def test_an_unknown_zone_is_told_with_one_that_may_be_meant(zone: str, message: str) -> None:
    with pytest.raises(InvalidParameter) as error:
        check_zone(zone, "0 0 9 * * *", NOON)
    assert str(error.value).startswith(message)


def test_a_known_zone_is_taken() -> None:
    check_zone("Asia/Kolkata", "0 0 9 * * *", NOON)
