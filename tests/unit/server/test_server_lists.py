"""Pages of lists: sizes, order and filters as Kubeflow Pipelines writes them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from server_room import API, Room
from starlette.testclient import TestClient

from penstock.errors import InvalidInput
from penstock.server.lists import ListQuery, page

NAMES = {"run_id": "id", "display_name": "name"}


def filters(*predicates: dict[str, Any]) -> tuple[tuple[str, str, Any], ...]:
    return page(ListQuery(filter=json.dumps({"predicates": predicates})), NAMES).filters


def test_sizes() -> None:
    assert page(ListQuery()).size == 20
    assert page(ListQuery(page_size=7)).size == 7
    assert page(ListQuery(page_size=5000)).size == 200


@pytest.mark.parametrize(
    ("text", "column", "descending"),
    [
        ("", "created_at", True),
        ("created_at", "created_at", False),
        ("created_at asc", "created_at", False),
        (" display_name desc ", "name", True),
        ("metric:my accuracy desc", "metric:my accuracy", True),
    ],
)
def test_order(text: str, column: str, descending: bool) -> None:
    asked = page(ListQuery(sort_by=text), NAMES)
    assert (asked.sort_by, asked.descending) == (column, descending)


def test_filters_have_the_names_of_records() -> None:
    assert filters({"key": "display_name", "operation": "IS_SUBSTRING", "string_value": "x"}) == (
        ("name", "is_substring", "x"),
    )
    assert filters({"key": "state", "op": "IN", "string_values": {"values": ["FAILED"]}}) == (
        ("state", "in", ["FAILED"]),
    )
    assert filters({"key": "n", "operation": "GREATER_THAN_EQUALS", "long_value": "7"}) == (
        ("n", "greater_than_or_equals", 7),
    )


def test_times_in_filters_are_seconds() -> None:
    wanted = {"key": "created_at", "operation": "LESS_THAN_EQUALS", "timestamp_value": "1970-01-01T00:01:00Z"}
    assert filters(wanted) == (("created_at", "less_than_or_equals", 60.0),)
    assert filters(wanted | {"timestamp_value": "1970-01-01T01:01:00+01:00"})[0][2] == 60.0
    with pytest.raises(InvalidInput, match="timestamp_value 'noon'"):
        filters(wanted | {"timestamp_value": "noon"})


def test_filters_are_joined_with_what_is_fixed() -> None:
    assert page(ListQuery(), experiment_id="e", other="").filters == (("experiment_id", "equals", "e"),)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("filter=x", "filter: "),
        ("filter={}x", "filter: "),
        ('filter={"predicates":[{"operation":"EQUALS"}]}', "predicates[0]"),
        ('filter={"predicates":[{"key":"nothing","operation":"EQUALS","string_value":"a"}]}', "got 'nothing'"),
        ('filter={"predicates":[{"key":"state","operation":"LIKE","string_value":"a"}]}', "got operation 'like'"),
        ('filter={"predicates":[{"key":"state","operation":"EQUALS"}]}', "got None"),
        ("sort_by=nothing", "sort_by: got 'nothing'"),
        ("sort_by=parameters", "sort_by"),
        ("page_size=-1", "page_size: Expected int >= 0"),
        ("page_size=ten", "page_size: Expected int"),
        ("page_size=99999999999999999999999", "page_size"),
        ("page_token=abc", "page_token: "),
    ],
)
def test_what_does_not_fit_is_told(client: TestClient, query: str, told: str) -> None:
    answer = client.get(f"{API}/runs?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, 3)
    assert told in answer.json()["message"]


def test_a_list_of_runs(client: TestClient, room: Room) -> None:
    for number in range(3):
        room.clock.advance(1)
        room.run(name=f"run {number}")
    names = [run["display_name"] for run in client.get(f"{API}/runs").json()["runs"]]
    assert names == ["run 2", "run 1", "run 0"]
    wanted = {"predicates": [{"key": "display_name", "operation": "EQUALS", "string_value": "run 1"}]}
    found = client.get(f"{API}/runs", params={"filter": json.dumps(wanted)}).json()
    assert [run["display_name"] for run in found["runs"]] == ["run 1"]
    assert found["total_size"] == 1


def test_runs_of_one_experiment(client: TestClient, room: Room) -> None:
    experiment = room.services.experiments.create("mine").id
    room.run()
    own = room.run(experiment_id=experiment)
    found = client.get(f"{API}/runs?experiment_id={experiment}&namespace=").json()["runs"]
    assert [run["run_id"] for run in found] == [own]
