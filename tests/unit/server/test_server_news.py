"""Bells: who waits for changes, and who rings."""

from __future__ import annotations

import asyncio
import threading

from penstock.errors import Unavailable
from penstock.server import News
from penstock.testing import MemoryRecords

PATIENCE = 30.0


class Asked(MemoryRecords):
    """Records that count how often their version is asked for, and fail at first."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__()
        self.times = 0
        self.failures = failures

    def version(self) -> int:
        self.times += 1
        if self.times <= self.failures:
            raise Unavailable("away")
        return super().version()


async def rung(bell: asyncio.Event) -> None:
    async with asyncio.timeout(PATIENCE):
        await bell.wait()
    bell.clear()


def test_what_is_published_rings_the_bells_of_the_run_from_any_thread() -> None:
    async def scene() -> None:
        news = News()
        async with news.watching(Asked(failures=10**9)):
            with news.listening("a") as first, news.listening("a") as second, news.listening("b") as other:
                threading.Thread(target=news.publish, args=("a",)).start()
                await rung(first)
                await rung(second)
                assert not other.is_set()

    asyncio.run(scene())


def test_what_other_processes_commit_rings_all_bells() -> None:
    async def scene() -> None:
        news, records = News(), Asked(failures=2)
        async with news.watching(records):
            with news.listening("a") as bell:
                await rung(bell)
                records.write(lambda store: None).result()
                await rung(bell)

    asyncio.run(scene())


def test_nobody_looks_while_nobody_listens() -> None:
    async def scene() -> None:
        news, records = News(), Asked()
        async with news.watching(records):
            with news.listening("a") as bell:
                await rung(bell)
            # At most the look that had begun.
            seen = records.times
            for _ in range(3):
                await asyncio.to_thread(lambda: None)
            assert records.times <= seen + 1

    asyncio.run(scene())


def test_news_after_the_end_or_before_the_beginning_are_nobodys() -> None:
    news = News()
    news.publish("a")

    async def scene() -> None:
        async with news.watching(Asked()):
            pass

    asyncio.run(scene())
    news.publish("a")


def test_closing_wakes_everybody() -> None:
    async def scene() -> None:
        news = News()
        with news.listening("a") as bell:
            news.close()
            await rung(bell)
        assert news.closed

    asyncio.run(scene())
