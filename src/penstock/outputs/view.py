"""What every view has in common, whatever its kind."""

from __future__ import annotations

import msgspec

__all__ = ["View"]


class View(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag=""):
    """One card that a step shows. On the wire the key `kind` tells the kinds apart.

    `title` is the output's own (`title` or `name`), else the kind's. `step` and `node_id` say who made it, `index` is
    its place in the file that the step wrote, from 0. All texts can be encoded as UTF-8.
    """

    title: str
    node_id: str = ""
    step: str = ""
    index: int = 0

    @property
    def kind(self) -> str:
        """`roc`, `confusion_matrix`, `table`, `markdown`, `web-app`, `tensorboard` or `error`."""
        return str(self.__struct_config__.tag)
