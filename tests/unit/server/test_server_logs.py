"""Logs: by byte range, and followed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from server_room import API, Exchange, Room, step
from starlette.testclient import TestClient

from penstock.adapters.objects import LocalObjects
from penstock.workflow.status import Phase

LINE = "2026-01-01T00:00:00.000000000Z stdout F hello\n"


@pytest.fixture
def run(room: Room) -> str:
    """A run whose step n1 has written a line."""
    run = room.run()
    room.commit(run, step("n1", Phase.RUNNING))
    room.write_log("n1", LINE)
    return run


def test_a_log_is_bytes_as_they_were_written(client: TestClient, run: str) -> None:
    answer = client.get(f"{API}/runs/{run}/nodes/n1/log")
    assert (answer.status_code, answer.text) == (200, LINE)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-length"] == str(len(LINE))
    assert "content-disposition" not in answer.headers


@pytest.mark.parametrize(
    ("asked", "begin", "end"),
    [
        ("bytes=0-4", 0, 5),
        ("bytes=5-", 5, len(LINE)),
        ("bytes=-6", len(LINE) - 6, len(LINE)),
        ("bytes=-9999", 0, len(LINE)),
        ("bytes=40-9999", 40, len(LINE)),
        (" bytes = 1 - 1 ", 1, 2),
    ],
)
def test_a_part(client: TestClient, run: str, asked: str, begin: int, end: int) -> None:
    answer = client.get(f"{API}/runs/{run}/nodes/n1/log", headers={"Range": asked})
    assert (answer.status_code, answer.text) == (206, LINE[begin:end])
    assert answer.headers["content-range"] == f"bytes {begin}-{end - 1}/{len(LINE)}"
    assert answer.headers["content-length"] == str(end - begin)


@pytest.mark.parametrize("asked", [f"bytes={len(LINE)}-", "bytes=9999-", "bytes=-0", "bytes=" + "9" * 400 + "-"])
def test_a_part_that_is_not_there(client: TestClient, run: str, asked: str) -> None:
    answer = client.get(f"{API}/runs/{run}/nodes/n1/log", headers={"Range": asked})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(LINE)}")
    assert f"{len(LINE)} bytes" in answer.json()["message"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=5-2"},
        {"Range": "bytes=-"},
        {"Range": "lines=1-2"},
        {"Range": "bytes=0-1,3-4"},
        {"Range": "bytes=0x1-"},
        {"Range": "bytes=0-1", "If-Range": '"x"'},
    ],
)
def test_what_is_no_single_range_gives_the_whole(client: TestClient, run: str, headers: Mapping[str, str]) -> None:
    answer = client.get(f"{API}/runs/{run}/nodes/n1/log", headers=headers)
    assert (answer.status_code, answer.text) == (200, LINE)


def test_a_log_to_keep(client: TestClient, run: str) -> None:
    answer = client.get(f"{API}/runs/{run}/nodes/n1/log?download=1")
    assert answer.headers["content-disposition"].startswith('attachment; filename="n1.log"')


def test_the_size_alone(client: TestClient, run: str) -> None:
    answer = client.head(f"{API}/runs/{run}/nodes/n1/log")
    assert (answer.headers["content-length"], answer.content) == (str(len(LINE)), b"")


def test_no_log_is_told_by_its_reason(client: TestClient, room: Room) -> None:
    run = room.run()
    room.commit(run, step("n1", Phase.PENDING), step("n2", Phase.SKIPPED))
    for node, reason in (("n1", "it has not started"), ("n2", "it wrote none"), ("n3", "no node")):
        answer = client.get(f"{API}/runs/{run}/nodes/{node}/log")
        assert answer.status_code == 404
        assert reason in answer.json()["message"]


# --- followed ---------------------------------------------------------------------------------------------------


def follow(room: Room, run: str, more: str = "") -> Exchange:
    return Exchange(room.app, f"{API}/runs/{run}/nodes/n1/log?follow=1{more}")


def test_a_log_is_followed_from_before_its_first_line_to_the_end_of_its_step(room: Room) -> None:
    async def scene() -> None:
        run = room.run()
        room.commit(run, step("n1", Phase.PENDING))
        async with room.news.watching(room.records), follow(room, run) as stream:
            room.commit(run, step("n1", Phase.RUNNING))
            room.write_log("n1", "one\n")
            await stream.until("one\n")
            room.write_log("n1", "two\n")
            await stream.until("two\n")
            room.write_log("n1", "three\n")
            room.commit(run, step("n1"))
            assert await stream.ended() == b"one\ntwo\nthree\n"
            assert stream.whole

    asyncio.run(scene())


def test_a_log_that_moves_into_the_store_is_followed_there(room: Room, tmp_path: Path) -> None:
    async def scene() -> None:
        stored = LocalObjects(tmp_path / "objects", background=False)
        room.services.runs._objects = stored
        run = room.run()
        name = room.services.runs.get(run).workflow_name
        room.commit(run, step("n1", Phase.RUNNING))
        room.write_log("n1", "one\n")
        async with room.news.watching(room.records), follow(room, run) as stream:
            await stream.until("one\n")
            (tmp_path / "whole").write_text("one\ntwo\n")
            stored.put(f"logs/{name}/n1.log", tmp_path / "whole")
            (tmp_path / "n1.1.log").unlink()
            room.news.publish(run)
            await stream.until("two\n")  # stored before its step is said to have ended
            room.commit(run, step("n1"))
            assert await stream.ended() == b"one\ntwo\n"
        stored.close()

    asyncio.run(scene())


def test_a_step_that_starts_over_is_followed_from_its_new_start(room: Room) -> None:
    async def scene() -> None:
        run = room.run()
        room.commit(run, step("n1", Phase.RUNNING))
        room.write_log("n1", "first try\n")
        async with room.news.watching(room.records), follow(room, run) as stream:
            await stream.until("first try\n")
            room.write_log("n1", "second\n", incarnation=2)
            room.commit(run, step("n1", Phase.RUNNING), incarnation=2)
            await stream.until("second\n")

    asyncio.run(scene())


def test_a_log_that_an_interrupted_step_had_stored_does_not_hide_the_one_it_writes_now(
    client: TestClient, room: Room, tmp_path: Path
) -> None:
    stored = LocalObjects(tmp_path / "objects", background=False)
    room.services.runs._objects = stored
    run = room.run()
    (tmp_path / "before").write_text("before\n")
    stored.put(f"logs/{room.services.runs.get(run).workflow_name}/n1.log", tmp_path / "before")
    room.commit(run, step("n1", Phase.RUNNING), incarnation=2)
    room.write_log("n1", "now\n", incarnation=2)
    assert client.get(f"{API}/runs/{run}/nodes/n1/log").text == "now\n"
    stored.close()


def test_following_begins_where_it_is_told_to(client: TestClient, room: Room, run: str) -> None:
    room.commit(run, step("n1"))
    assert client.get(f"{API}/runs/{run}/nodes/n1/log?follow=true&offset=40").text == LINE[40:]
    assert client.get(f"{API}/runs/{run}/nodes/n1/log?follow=1&offset=9999").text == ""
    assert client.get(f"{API}/runs/{run}/nodes/n1/log?follow=1&offset=-1").status_code == 400
    assert client.get(f"{API}/runs/{run}/nodes/n1/log?follow=maybe").status_code == 400


def test_following_ends_with_the_server_with_the_run_and_with_the_client(room: Room, run: str) -> None:
    async def scene() -> None:
        async with room.news.watching(room.records):
            async with follow(room, run) as stream:
                await stream.until(LINE)
                stream.leave()
                await stream.ended()
            async with follow(room, run) as stream, follow(room, run) as other:
                await stream.until(LINE)
                await other.until(LINE)
                room.services.runs.delete(run)
                assert await stream.ended() == LINE.encode()
                assert await other.ended() == LINE.encode()
        assert not room.news._bells

    asyncio.run(scene())


def test_a_long_log_comes_in_pieces(room: Room) -> None:
    async def scene() -> None:
        run = room.run()
        room.commit(run, step("n1"))
        room.write_log("n1", "x" * 1_000_000)
        async with follow(room, run) as stream:
            assert len(await stream.ended()) == 1_000_000
            assert stream.pieces > 3

    asyncio.run(scene())
