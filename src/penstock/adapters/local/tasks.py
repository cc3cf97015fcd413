"""Tasks that belong to one owner: none is lost, none fails unheard."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

__all__ = ["Tasks"]

log = logging.getLogger(__name__)


class Tasks:
    """Background tasks of an owner. One that fails is logged; the others go on (unlike in an `asyncio.TaskGroup`)."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Start a task; `name` says what it does, for the log."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def close(self, finish: Callable[[str], bool] = lambda _: False) -> None:
        """Cancel all tasks but those whose name `finish` accepts; return when every one has ended."""
        tasks = self._tasks - {asyncio.current_task()}
        for task in tasks:
            if not finish(task.get_name()):
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            log.error("%s: %s failed", self._owner, task.get_name(), exc_info=task.exception())
