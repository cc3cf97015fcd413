"""The event stream of a run."""

from __future__ import annotations

import asyncio

import pytest
from server_room import API, Exchange, Room, events_of, step
from starlette.testclient import TestClient

from penstock.ports import RunEvent
from penstock.server import events, streams
from penstock.workflow.status import Phase


def test_a_run_that_has_ended_is_told_whole_and_then_ends(client: TestClient, room: Room) -> None:
    run = room.run()
    room.commit(run, step("n1"), notes=[("n1", "without effect")])
    room.finish(run)
    answer = client.get(f"{API}/runs/{run}/events")
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    found = events_of(answer.content)
    assert [(e["id"], e["event"]) for e in found] == [
        (1, "run"), (2, "node"), (3, "note"), (4, "run"), (5, "run"), (0, "end"),
    ]  # fmt: skip
    assert found[0]["data"]["run_id"] == run
    assert found[1]["data"]["displayName"] == "step n1"
    assert found[2]["data"] == {"message": "without effect", "nodeId": "n1"}
    assert found[4]["data"]["finished_at"] == "1970-01-01T00:00:02.000000Z"


@pytest.mark.parametrize(
    ("query", "headers"), [("?after=3", {}), ("", {"Last-Event-ID": "3"}), ("?after=1", {"Last-Event-ID": "3"})]
)
def test_a_client_goes_on_where_it_was(client: TestClient, room: Room, query: str, headers: dict[str, str]) -> None:
    run = room.run()
    room.commit(run, step("n1"), step("n2"))
    room.finish(run)
    answer = client.get(f"{API}/runs/{run}/events{query}", headers=headers)
    assert [e["id"] for e in events_of(answer.content)] == [4, 5, 0]


def test_a_client_that_has_seen_all_is_told_the_end(client: TestClient, room: Room) -> None:
    run = room.run()
    room.finish(run)
    assert [e["event"] for e in events_of(client.get(f"{API}/runs/{run}/events?after=99").content)] == ["end"]


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "99999999999999999999"])
def test_a_place_that_is_none(client: TestClient, room: Room, value: str) -> None:
    run = room.run()
    room.finish(run)
    assert "Last-Event-ID" in client.get(f"{API}/runs/{run}/events", headers={"Last-Event-ID": value}).json()["message"]
    assert "after" in client.get(f"{API}/runs/{run}/events?after={value}").json()["message"]


def test_changes_are_told_as_they_come(room: Room) -> None:
    async def scene() -> None:
        run = room.run()
        async with room.news.watching(room.records), Exchange(room.app, f"{API}/runs/{run}/events") as stream:
            await stream.until("event: run")
            room.commit(run, step("n1", Phase.RUNNING))
            await stream.until("event: node")
            room.finish(run)
            assert events_of(await stream.ended())[-1]["event"] == "end"

    asyncio.run(scene())


def test_a_stop_that_is_asked_for_here_is_told(room: Room) -> None:
    async def scene() -> None:
        run = room.run()
        async with room.news.watching(room.records), Exchange(room.app, f"{API}/runs/{run}/events") as stream:
            await stream.until("event: run")
            await asyncio.to_thread(room.client().post, f"{API}/runs/{run}:stop", json={})
            await stream.until("CANCELING")

    asyncio.run(scene())


def test_a_run_that_is_deleted_ends_its_stream(room: Room) -> None:
    async def scene() -> None:
        run = room.run()
        async with room.news.watching(room.records), Exchange(room.app, f"{API}/runs/{run}/events") as stream:
            await stream.until("event: run")
            room.services.runs.delete(run)
            assert events_of(await stream.ended())[-1]["event"] == "end"

    asyncio.run(scene())


def test_the_end_of_the_server_ends_streams_without_an_end_of_the_run(room: Room) -> None:
    async def scene() -> None:
        async with Exchange(room.app, f"{API}/runs/{room.run()}/events") as stream:
            await stream.until("event: run")
            room.news.close()
            assert [e["event"] for e in events_of(await stream.ended())] == ["run"]
            assert stream.whole

    asyncio.run(scene())


def test_a_client_that_leaves_is_forgotten(room: Room) -> None:
    async def scene() -> None:
        run = room.run()
        async with Exchange(room.app, f"{API}/runs/{run}/events") as stream:
            await stream.until("event: run")
            stream.leave()
            await stream.ended()
        assert not room.news._bells

    asyncio.run(scene())


def test_silence_is_broken_by_comments(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT", 0.01)

    async def scene() -> None:
        async with Exchange(room.app, f"{API}/runs/{room.run()}/events") as stream:
            await stream.until(": still here\n\n: still here")

    asyncio.run(scene())


def test_a_client_that_takes_nothing_holds_little_and_is_let_go(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PATIENCE", 0.01)
    run = room.run()
    room.commit(run, *(step(f"n{number}") for number in range(300)))
    asked: list[int] = []
    reading = room.services.runs.events

    def counted(id: str, after: int = 0, limit: int = 1000) -> list[RunEvent]:
        asked.append(limit)
        return list(reading(id, after, limit))

    monkeypatch.setattr(room.services.runs, "events", counted)

    async def scene() -> None:
        async with Exchange(room.app, f"{API}/runs/{run}/events", slow=True) as stream:
            await stream.ended()
        assert stream.pieces == 1
        assert sum(asked) <= events.BATCH

    asyncio.run(scene())


def test_long_runs_are_told_in_batches(client: TestClient, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "BATCH", 7)
    run = room.run()
    room.commit(run, *(step(f"n{number}") for number in range(30)))
    room.finish(run)
    assert [e["id"] for e in events_of(client.get(f"{API}/runs/{run}/events").content)] == [*range(1, 34), 0]
