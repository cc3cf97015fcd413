"""The value classes that stand in for `kubernetes.client`."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.compat.values import names_of_client, value_class
from penstock.dsl.kubernetes import plain
from penstock.errors import InvalidPipeline


def test_keywords_become_fields_as_documents_spell_them() -> None:
    variable = value_class("V1EnvVar")(
        name="KEY",
        value_from=value_class("V1EnvVarSource")(
            secret_key_ref=value_class("V1SecretKeySelector")(name="account", key="key", optional=False)
        ),
    )
    reference = {"name": "account", "key": "key", "optional": False}
    assert plain(variable) == {"name": "KEY", "valueFrom": {"secretKeyRef": reference}}


@pytest.mark.parametrize(
    ("kind", "keyword", "field"),
    [
        ("V1HostAlias", "ip", "ip"),
        ("V1ContainerPort", "host_ip", "hostIP"),
        ("V1PodSpec", "host_pid", "hostPID"),
        ("V1AWSElasticBlockStoreVolumeSource", "volume_id", "volumeID"),
        ("V1Probe", "_exec", "exec"),
        ("V1Volume", "downward_api", "downwardAPI"),
        ("V1Volume", "scale_io", "scaleIO"),
        ("V1Volume", "empty_dir", "emptyDir"),
    ],
)
def test_fields_that_kubernetes_spells_in_its_own_way(kind: str, keyword: str, field: str) -> None:
    required = {"name": "a", "container_port": 1, "containers": []}
    made = value_class(kind)
    given = {name: value for name, value in required.items() if made._fields.get(name, (None, False))[1]}
    assert plain(made(**{**given, keyword: "x"}))[field] == "x"


def test_arguments_go_by_place_too() -> None:
    assert plain(value_class("V1EnvVar")("A", "1")) == {"name": "A", "value": "1"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"nam": "a"}, r": V1EnvVar has no field 'nam'; its fields: name, value, value_from$"),
        ({"value": "a"}, r": V1EnvVar: name must be given$"),
        ({"name": None}, r": V1EnvVar: name must be given$"),
    ],
)
def test_what_the_official_classes_refuse(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidPipeline, match=message):
        value_class("V1EnvVar")(**given)


def test_more_arguments_than_fields_are_refused() -> None:
    with pytest.raises(InvalidPipeline, match=r": V1EnvVar takes 3 arguments, got 4$"):
        value_class("V1EnvVar")(1, 2, 3, 4)


def test_what_was_not_given_is_none_and_stands_in_no_document() -> None:
    volume = value_class("V1Volume")(name="a", secret=None)
    assert (volume.name, volume.secret, volume.empty_dir) == ("a", None, None)
    assert plain(volume) == {"name": "a"}
    volume.empty_dir = value_class("V1EmptyDirVolumeSource")()
    assert plain(volume) == {"name": "a", "emptyDir": {}}


def test_objects_of_a_class_are_equal_when_their_fields_are() -> None:
    volume = value_class("V1Volume")
    assert value_class("V1Volume") is volume
    assert volume(name="a") == volume(name="a")
    assert volume(name="a") != volume(name="b")
    assert volume(name="a") != value_class("V1ObjectMeta")(name="a")
    assert repr(volume(name="a")) == "V1Volume(name='a')"


def test_to_dict_keeps_the_keywords_names() -> None:
    found = value_class("V1EnvFromSource")(secret_ref=value_class("V1SecretEnvSource")(name="a"))
    assert found.to_dict() == {
        "config_map_ref": None,
        "prefix": None,
        "secret_ref": {"name": "a", "optional": None},
    }


def test_other_names_of_the_package_are_told_apart() -> None:
    find = names_of_client()["__getattr__"]
    with pytest.raises(AttributeError, match=r"^kubernetes\.client\.CoreV1Api: the package 'kubernetes' is not"):
        find("CoreV1Api")
