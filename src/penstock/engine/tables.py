"""Mappings whose former values stay, so that a turn costs what it changes and not what there is.

A `Table` never changes. `edit` lends its content to a `Draft`, which notes what it overwrites, and from which the next
table is made. A table that is read after that makes itself a copy from what was noted: nobody does but who goes back.
(H. Baker, "Shallow binding makes functional arrays fast", 1991.)
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Any, TypeVar

__all__ = ["Draft", "Table", "edited", "tabled"]

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")

_NOTHING: Any = object()


class Draft(dict[K, V]):
    """A table's content while it is changed: by setting, deleting, `pop` and `clear`."""

    __slots__ = ("_noted", "_owner")

    def __init__(self, content: Mapping[K, V]) -> None:
        super().__init__(content)
        self._noted: dict[K, V] = {}
        self._owner: Table[K, V] | None = None

    def lent_by(self, owner: Table[K, V]) -> dict[K, V]:
        """Begin to change; what `owner` held comes into the dictionary that is returned."""
        self._owner, self._noted = owner, {}
        return self._noted

    def table(self) -> Table[K, V]:
        """The table of what it holds now. It must not be changed after that."""
        made = Table[K, V]({}, self)
        if self._owner is not None:
            self._owner.followed_by(made)
            self._owner = None
        return made

    def _note(self, key: K) -> None:
        if key not in self._noted:
            self._noted[key] = self.get(key, _NOTHING)

    def __setitem__(self, key: K, value: V) -> None:
        self._note(key)
        super().__setitem__(key, value)

    def __delitem__(self, key: K) -> None:
        self._note(key)
        super().__delitem__(key)

    def pop(self, key: K, default: Any = _NOTHING) -> Any:
        """As a dictionary does."""
        self._note(key)
        return super().pop(key) if default is _NOTHING else super().pop(key, default)

    def clear(self) -> None:
        """As a dictionary does."""
        for key in self:
            self._note(key)
        super().clear()

    def _refused(self, *_: object) -> Any:
        raise TypeError("a draft changes by set, delete, pop or clear alone")

    setdefault = update = popitem = __ior__ = _refused


class Table(Mapping[K, V]):
    """A mapping that never changes. After an edit, reading it costs a copy, once."""

    __slots__ = ("_content", "_next", "_noted")

    def __init__(self, content: Mapping[K, V], draft: Draft[K, V] | None = None) -> None:
        self._content: Draft[K, V] | None = Draft(content) if draft is None else draft
        self._next: Table[K, V] | Draft[K, V] | None = None
        self._noted: dict[K, V] = {}

    def edit(self) -> Draft[K, V]:
        """The content, to be changed; this table stays what it was."""
        draft = self._whole()
        self._content, self._next, self._noted = None, draft, draft.lent_by(self)
        return draft

    def followed_by(self, table: Table[K, V]) -> None:
        """What was lent became this table."""
        self._next = table

    def _whole(self) -> Draft[K, V]:
        if self._content is None:
            way: list[Table[K, V]] = [self]
            while isinstance(way[-1]._next, Table) and way[-1]._next._content is None:
                way.append(way[-1]._next)
            latest = way[-1]._next
            content = dict(latest._whole() if isinstance(latest, Table) else latest or {})
            for table in reversed(way):
                for key, value in table._noted.items():
                    if value is _NOTHING:
                        content.pop(key, None)
                    else:
                        content[key] = value
            self._content, self._next, self._noted = Draft(content), None, {}
        return self._content

    def __getitem__(self, key: K) -> V:
        return self._whole()[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._whole())

    def __len__(self) -> int:
        return len(self._whole())

    def __contains__(self, key: object) -> bool:
        return key in self._whole()

    def get(self, key: K, default: Any = None) -> Any:
        """As every mapping does."""
        return self._whole().get(key, default)

    def keys(self) -> KeysView[K]:
        """As every mapping does."""
        return self._whole().keys()

    def values(self) -> ValuesView[V]:
        """As every mapping does."""
        return self._whole().values()

    def items(self) -> ItemsView[K, V]:
        """As every mapping does."""
        return self._whole().items()

    def __repr__(self) -> str:
        return f"Table({dict(self)!r})"


def edited(content: Mapping[K, V]) -> Draft[K, V]:
    """The content of a table or of any other mapping, to be changed."""
    return content.edit() if isinstance(content, Table) else Draft(content)


def tabled(content: Mapping[K, V]) -> Table[K, V]:
    """The table of what was edited, or of any other mapping."""
    return content.table() if isinstance(content, Draft) else Table(content)
