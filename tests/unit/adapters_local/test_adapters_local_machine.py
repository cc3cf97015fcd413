"""What a cluster would say of this machine."""

from __future__ import annotations

from pathlib import Path

from penstock.adapters.local.machine import this_machine


def test_devices_are_counted(tmp_path: Path) -> None:
    for name in ("nvidia0", "nvidia1", "nvidiactl", "null"):
        (tmp_path / name).touch()
    (tmp_path / "dri").mkdir()
    (tmp_path / "dri/renderD128").touch()
    assert this_machine(tmp_path).devices == {"nvidia.com/gpu": 2, "amd.com/gpu": 0}
    (tmp_path / "kfd").touch()
    assert this_machine(tmp_path).devices == {"nvidia.com/gpu": 2, "amd.com/gpu": 1}


def test_labels_are_those_of_a_node() -> None:
    labels = this_machine().labels
    assert labels["kubernetes.io/os"] == labels["beta.kubernetes.io/os"] == "linux"
    assert this_machine().name == labels["kubernetes.io/hostname"]
