"""Objects (artifacts, logs) in a folder of this machine."""

from penstock.adapters.objects.local import LocalObjects

__all__ = ["LocalObjects"]
