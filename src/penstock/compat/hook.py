"""An import hook: modules that are made of a table, while it is in place."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import ModuleType

__all__ = ["Modules"]


class Modules(MetaPathFinder, Loader):
    """The modules below one top-level name: `names` gives what stands in each, when it is first imported.

    `refuse` is called with every other name, and raises for what is not there on purpose.
    """

    def __init__(
        self,
        top: str,
        names: Mapping[str, Callable[[], Mapping[str, Any]]],
        refuse: Callable[[str], None] = lambda _name: None,
    ) -> None:
        self._top = top
        self._names = names
        self._refuse = refuse

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - the interface's
        target: ModuleType | None = None,  # noqa: ARG002 - the interface's
    ) -> ModuleSpec | None:
        """How to make the module; None for one that this table does not have."""
        if not self._has(fullname):
            return None
        if fullname in self._names:
            return ModuleSpec(fullname, self, is_package=True)
        self._refuse(fullname)
        return None

    def create_module(self, spec: ModuleSpec) -> None:
        """An ordinary module."""

    def exec_module(self, module: ModuleType) -> None:
        """Fill it. What is asked for and not in it is refused, where it is not there on purpose."""
        found = {**self._names[module.__name__]()}
        late = found.pop("__getattr__", None)

        def missing(name: str) -> Any:
            full = f"{module.__name__}.{name}"
            if full in self._names:
                return import_module(full)
            self._refuse(full)
            if late is not None:
                return late(name)
            raise AttributeError(f"module '{module.__name__}' has no attribute '{name}'")

        vars(module).update(found, __getattr__=missing)

    def forget(self) -> None:
        """Take the modules out of `sys.modules`, as if they had never been imported."""
        for name, module in list(sys.modules.items()):
            if self._has(name) and getattr(module.__spec__, "loader", None) is self:
                del sys.modules[name]

    def _has(self, name: str) -> bool:
        return name.partition(".")[0] == self._top
