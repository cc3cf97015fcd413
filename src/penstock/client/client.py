"""The client as a whole: one object, all calls."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, Self

from penstock.client.address import located
from penstock.client.connection import Connection
from penstock.client.outcomes import OutcomeCalls
from penstock.client.pipelines import PipelineCalls
from penstock.client.recurring import RecurringCalls
from penstock.client.runs import RunCalls
from penstock.errors import InvalidInput

__all__ = ["Client"]


class Client(PipelineCalls, RunCalls, OutcomeCalls, RecurringCalls):
    """Talks to a Penstock server. Methods that `kfp.Client` has are named as there.

    Every method raises a `penstock.errors.PenstockError`: the one that the server's refusal stands for, or Unavailable
    where no server answers.
    """

    def __init__(
        self,
        host: str | None = None,
        token: str | None = None,
        *,
        home: str | os.PathLike[str] | None = None,
        timeout: float = 30.0,
    ) -> None:
        """Without `host`, the server of a home on this machine: `home`, else that of the settings, with its token.

        `timeout` is the seconds of silence after which a server counts as gone. Raises Unavailable, InvalidSetting.
        """
        address, found = located(host, token, home)
        self._http = Connection(address, found, timeout=timeout)

    @property
    def host(self) -> str:
        """Address of the server."""
        return self._http.host

    def get_kfp_healthz(self) -> dict[str, Any]:
        """What the server says of itself: `version`, `ready`, `multi_user`."""
        return self._http.call("GET", "/healthz", dict[str, Any])

    def get_user_namespace(self) -> str:
        """ "": a server is its users' own, and has no namespaces."""
        return ""

    def set_user_namespace(self, namespace: str) -> None:
        """For the sake of programs written for `kfp`. Raises InvalidInput for any namespace but ""."""
        if namespace:
            raise InvalidInput(f"namespace: got {namespace!r}; a Penstock server has no namespaces, use experiments")

    def close(self) -> None:
        """Let go of the connections; the client can still be used."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
