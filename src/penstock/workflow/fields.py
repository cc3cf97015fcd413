"""The field table: what this engine does with each field of a Workflow.

One table serves three ends: `normalise` checks a document against it, `docs/reference/workflow-support.md` is written
from it (`tools/workflow_support.py`), and the types of scalars stand in it. A field is

- supported;
- without effect: accepted, and said so in `Workflow.notes`;
- refused: UnsupportedField with its path and a way out. An empty value of such a field says nothing and passes;
- or unknown to Argo: InvalidDocument with the nearest known name.

Names and types: `api/jsonschema/schema.json` of Argo 4.1.2.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from penstock.errors import InvalidDocument, UnsupportedField
from penstock.workflow import gojson

__all__ = ["TABLE", "Field", "Notes", "Support", "normalise"]


class Support(StrEnum):
    """What happens to a field."""

    SUPPORTED = "supported"
    INERT = "without effect"
    REFUSED = "refused"


class Field(NamedTuple):
    """One row: `kind` is a scalar's name (text, int, bool, number, any), `list of K`, `map of K`, or a table's name.

    `kept`: the value of a field without effect stays in the document, for a check that needs it.
    """

    support: Support
    kind: str
    remark: str = ""
    kept: bool = False


def _yes(kind: str, remark: str = "") -> Field:
    return Field(Support.SUPPORTED, kind, remark)


def _inert(remark: str) -> Field:
    return Field(Support.INERT, "any", remark)


def _no(remark: str) -> Field:
    return Field(Support.REFUSED, "any", remark)


_CLUSTER = _inert("written by a cluster, means nothing here")
_ACCOUNT = _inert("steps run as the user of this process")
_SCHEDULING = _inert("there is one machine, nothing is scheduled among nodes")
_THIS_NODE = "refused where this machine does not meet it; `--ignore FIELD` lets it pass"
_STORE = _no("no object store of another kind is reached from here; take the artifact from a step, or give it as `raw`")
_LATER = "not in this version; run the document on Kubernetes"
_TEXT, _INT, _BOOL, _NUMBER = _yes("text"), _yes("int"), _yes("bool"), _yes("number")
_PROBE = _inert("steps are not probed; their end alone counts")
_DOLLARS = "`$(NAME)` of the container's own variables is replaced where the template says it; any other `$` stays"
_FILES = "from files: `--config DIR`, or the folder `config` of the home"
_LIBRARY = "to files: `--templates DIR`, or the folder `templates` of the home"
_MODE = _inert("what lies in a volume can be read by the step")
_LOCKS = _inert("locks span this home, and no more")
_SECURITY = _inert("steps run as the user of this process, in a private root of their own")

_CONTAINER = {
    "args": _yes("list of text", _DOLLARS),
    "command": _yes("list of text", _DOLLARS),
    "env": _yes("list of EnvVar"),
    "envFrom": _yes("list of EnvFromSource"),
    "image": _TEXT,
    "imagePullPolicy": _inert("images are mapped, not pulled"),
    "lifecycle": _no(f"hooks of containers are {_LATER}"),
    "livenessProbe": _PROBE,
    "name": _TEXT,
    "ports": _yes("list of ContainerPort", "names for probes; a step's ports are those that its program opens"),
    "readinessProbe": _yes("Probe", "of daemons, for which those after them wait"),
    "resizePolicy": _SCHEDULING,
    "resources": _yes(
        "any",
        "requests of CPU and memory are counted where steps wait for a place; limits hold in containers; devices that "
        "are not there are refused",
    ),
    "restartPolicy": _no(f"restarts of containers are {_LATER}; use `retryStrategy`"),
    "restartPolicyRules": _no(f"restarts of containers are {_LATER}; use `retryStrategy`"),
    "securityContext": _SECURITY,
    "startupProbe": _PROBE,
    "stdin": _inert("nobody writes to a step's standard input"),
    "stdinOnce": _inert("nobody writes to a step's standard input"),
    "terminationMessagePath": _inert("no termination message is read"),
    "terminationMessagePolicy": _inert("no termination message is read"),
    "tty": _yes("bool", "a terminal that nobody sits at; what is written to it is the log"),
    "volumeDevices": _no("there are no block devices here; use files"),
    "volumeMounts": _yes("list of VolumeMount"),
    "workingDir": _TEXT,
}

_TASK = {
    "arguments": _yes("Arguments"),
    "continueOn": _yes("ContinueOn"),
    "hooks": _yes("map of LifecycleHook", "`exit`, and others with an expression"),
    "inline": _yes("Template"),
    "name": _TEXT,
    "onExit": _TEXT,
    "template": _TEXT,
    "templateRef": _yes("TemplateRef", _LIBRARY),
    "when": _TEXT,
    "withItems": _yes("list of any"),
    "withParam": _TEXT,
    "withSequence": _yes("Sequence"),
}

_POD = {
    "activeDeadlineSeconds": _NUMBER,
    "affinity": _yes("any", _THIS_NODE),
    "automountServiceAccountToken": _ACCOUNT,
    "executor": _inert("there is no executor container here"),
    "hostAliases": _yes("list of HostAlias", "of steps that have a root of their own, and of containers"),
    "nodeSelector": _yes("map of text", _THIS_NODE),
    "parallelism": _INT,
    "podResources": _inert("neither requests nor limits are enforced here"),
    "podSpecPatch": _yes("text", "what it says of containers and volumes"),
    "resourceClaims": _no("there are no devices to claim here; remove it"),
    "retryStrategy": _yes("RetryStrategy"),
    "schedulerName": _SCHEDULING,
    "securityContext": _SECURITY,
    "serviceAccountName": _ACCOUNT,
    "synchronization": _yes("Synchronization"),
    "tolerations": _SCHEDULING,
    "volumes": _yes("list of Volume"),
    "metrics": _yes("Metrics", "counted as long as the server runs, read at `/metrics`"),
}

_STORES = ("artifactory", "azure", "gcs", "git", "hdfs", "http", "oss", "plugin")
_S3 = (
    "accessKeySecret",
    "caSecret",
    "createBucketIfNotPresent",
    "encryptionOptions",
    "insecure",
    "region",
    "roleARN",
    "secretKeySecret",
    "sessionTokenSecret",
    "useSDKCreds",
)
_KEY = _yes("text", "in the store of this Penstock; all runs share it")
_HERE = _inert("artifacts lie in the store of this Penstock, which has no buckets")
_ARTIFACT = {
    "name": _TEXT,
    "path": _TEXT,
    "optional": _BOOL,
    "archive": _yes("ArchiveStrategy", "of artifacts with a key of the document; others are handed on as they are"),
    "archiveLogs": _inert("logs are always kept"),
    "artifactGC": _inert("artifacts are kept until the run is deleted"),
    "deleted": _CLUSTER,
    "fromExpression": _TEXT,
    "subPath": _yes("text", "of arguments and of outputs with `from`"),
    **dict.fromkeys(_STORES, _STORE),
}

TABLE: Mapping[str, Mapping[str, Field]] = {
    "Workflow": {
        "apiVersion": _TEXT,
        "kind": _TEXT,
        "metadata": _yes("ObjectMeta"),
        "spec": _yes("WorkflowSpec"),
        "status": _inert("a run begins anew"),
    },
    "ObjectMeta": {
        "name": _TEXT,
        "generateName": _TEXT,
        "labels": _yes("map of text"),
        "annotations": _yes("map of text"),
        "namespace": _inert("there are no namespaces here"),
        "uid": _inert("each run gets its own"),
        "creationTimestamp": _inert("each run gets its own"),
        **dict.fromkeys(
            (
                "deletionGracePeriodSeconds",
                "deletionTimestamp",
                "finalizers",
                "generation",
                "managedFields",
                "ownerReferences",
                "resourceVersion",
                "selfLink",
            ),
            _CLUSTER,
        ),
    },
    "WorkflowSpec": {
        **_POD,
        "activeDeadlineSeconds": _INT,
        "archiveLogs": _inert("logs are always kept"),
        "arguments": _yes("WorkflowArguments"),
        "artifactGC": _inert("artifacts are kept until the run is deleted"),
        "artifactRepositoryRef": _inert("artifacts go to the store of this Penstock"),
        "dnsConfig": _inert("a step sees this machine's names"),
        "dnsPolicy": _inert("a step sees this machine's names"),
        "entrypoint": _TEXT,
        "executorPlugins": _no("plugins are not run here; use a step"),
        "hooks": _yes("map of LifecycleHook", "`exit`, and others with an expression"),
        "hostNetwork": _inert("steps use this machine's network"),
        "imagePullSecrets": _inert("images are mapped, not pulled"),
        "onExit": _TEXT,
        "podDisruptionBudget": _SCHEDULING,
        "podGC": _inert("what a step leaves is removed by itself"),
        "podMetadata": _inert("there are no pods"),
        "podPriorityClassName": _SCHEDULING,
        "priority": _yes("int", "steps of runs with a higher one start first, and get locks first"),
        "shutdown": _no("stop the run instead, once it is there"),
        "suspend": _no("start the run when it is to begin, or wait in a `suspend` template"),
        "templateDefaults": _yes("Template"),
        "templates": _yes("list of Template"),
        "ttlStrategy": _inert("runs are kept until they are deleted"),
        "volumeClaimGC": _yes("VolumeClaimGC"),
        "volumeClaimTemplates": _yes("list of ClaimTemplate", "folders of the home"),
        "workflowMetadata": _yes("WorkflowMetadata"),
        "workflowTemplateRef": _yes("WorkflowTemplateRef", _LIBRARY),
    },
    "Template": {
        **_POD,
        "annotations": _yes(
            "map of text", "`workflows.argoproj.io/display-name` names the node; others say nothing here"
        ),
        "archiveLocation": _inert("artifacts go to the store of this Penstock"),
        "container": _yes("Container"),
        "containerSet": _yes("ContainerSet"),
        "daemon": _yes("bool", "others reach it as soon as its container runs"),
        "dag": _yes("DAG"),
        "data": _yes("Data"),
        "failFast": _BOOL,
        "http": _yes(
            "Http", "made by Penstock itself; private addresses only where the setting `http_allow` lists them"
        ),
        "initContainers": _yes("list of UserContainer"),
        "inputs": _yes("Inputs"),
        "memoize": _yes("Memoize", "caches lie in the home, whatever config map is named"),
        "metadata": _yes("any", "there are no pods: what is said about caching counts, and `fieldRef` reads all"),
        "name": _TEXT,
        "outputs": _yes("Outputs"),
        "pendingTimeout": _TEXT,
        "plugin": _no("plugins are not run here; use a step"),
        "priorityClassName": _SCHEDULING,
        "resource": _yes("Resource", "of the kind PersistentVolumeClaim, met by a folder of the home"),
        "script": _yes("Script"),
        "sidecars": _yes("list of UserContainer", "beside processes only where the kernel allows namespaces"),
        "steps": _yes("list of list of Step"),
        "suspend": _yes("Suspend", "`penstock runs resume` goes on"),
        "timeout": _TEXT,
    },
    "WorkflowMetadata": {
        "annotations": _yes("map of text"),
        "labels": _yes("map of text"),
        "labelsFrom": _yes("map of LabelFrom"),
    },
    "LabelFrom": {"expression": _yes("text", "of the workflow's name, parameters, labels and annotations")},
    "PodSpecPatch": {
        "containers": _yes("list of Container"),
        "initContainers": _yes("list of Container"),
        "volumes": _yes("list of Volume"),
        **dict.fromkeys(
            ("affinity", "nodeSelector", "priority", "priorityClassName", "schedulerName", "tolerations"), _SCHEDULING
        ),
        **dict.fromkeys(("automountServiceAccountToken", "serviceAccountName", "securityContext"), _ACCOUNT),
        "dnsPolicy": _inert("a step sees this machine's names"),
        "enableServiceLinks": _inert("there are no services here"),
        "hostNetwork": _inert("steps use this machine's network"),
        "imagePullSecrets": _inert("images are mapped, not pulled"),
        "restartPolicy": _inert("a pod is not restarted; use `retryStrategy`"),
        "terminationGracePeriodSeconds": _inert("30 seconds lie between TERM and KILL"),
        **dict.fromkeys(
            ("hostAliases", "hostIPC", "hostPID", "hostname", "runtimeClassName", "subdomain"),
            _no("a step has this machine's kernel and names; remove it"),
        ),
        "activeDeadlineSeconds": _no("use `activeDeadlineSeconds` of the template"),
    },
    "HostAlias": {"hostnames": _yes("list of text"), "ip": _TEXT},
    "ArchiveStrategy": {"none": _yes("ArchiveForm"), "tar": _yes("ArchiveForm"), "zip": _yes("ArchiveForm")},
    "ArchiveForm": {"compressionLevel": _inert("what is packed is packed at the usual level")},
    "TemplateRef": {"name": _TEXT, "template": _TEXT, "clusterScope": _BOOL},
    "WorkflowTemplateRef": {"name": _TEXT, "clusterScope": _BOOL},
    "Suspend": {"duration": _NUMBER},
    "Resource": {
        "action": _yes("text", "create, apply, get, delete"),
        "failureCondition": _inert("a claim is there at once"),
        "flags": _yes("list of text", "kind and name where there is no manifest; options say nothing here"),
        "manifest": _TEXT,
        "manifestFrom": _no("write the manifest into `manifest`"),
        "mergeStrategy": _inert("nothing is patched here"),
        "setOwnerReference": _inert("a claim stays until it is deleted"),
        "successCondition": _inert("a claim is there at once"),
    },
    "Http": {
        "body": _TEXT,
        "bodyFrom": _yes("HttpBody"),
        "headers": _yes("list of HttpHeader"),
        "insecureSkipVerify": _BOOL,
        "method": _TEXT,
        "successCondition": _TEXT,
        "timeoutSeconds": _yes("number", "30 where none is given"),
        "url": _TEXT,
    },
    "Metrics": {"prometheus": _yes("list of Prometheus")},
    "Prometheus": {
        "counter": _yes("Counter"),
        "gauge": _yes("Gauge"),
        "help": _TEXT,
        "histogram": _yes("Histogram"),
        "labels": _yes("list of MetricLabel"),
        "name": _TEXT,
        "when": _TEXT,
    },
    "Counter": {"value": _TEXT},
    "Gauge": {"operation": _TEXT, "realtime": _yes("bool", "of `duration` and `workflow.duration`"), "value": _TEXT},
    "Histogram": {"buckets": _yes("list of number"), "value": _TEXT},
    "MetricLabel": {"key": _TEXT, "value": _TEXT},
    "HttpBody": {"bytes": _yes("text", "base64")},
    "HttpHeader": {"name": _TEXT, "value": _TEXT, "valueFrom": _yes("HttpHeaderSource")},
    "ContainerPort": {
        "containerPort": _INT,
        "hostIP": _inert("ports are not handed on"),
        "hostPort": _inert("ports are not handed on"),
        "name": _TEXT,
        "protocol": _inert("probes speak TCP"),
    },
    "Probe": {
        "exec": _inert("a daemon without another probe is ready as soon as it runs"),
        "failureThreshold": _inert("it is asked until it answers"),
        "grpc": _inert("a daemon without another probe is ready as soon as it runs"),
        "httpGet": _yes("HTTPGetAction"),
        "initialDelaySeconds": _NUMBER,
        "periodSeconds": _yes("number", "the longest wait between two times"),
        "successThreshold": _inert("one answer is enough"),
        "tcpSocket": _yes("TCPSocketAction"),
        "terminationGracePeriodSeconds": _inert("nothing is ended by this probe"),
        "timeoutSeconds": _NUMBER,
    },
    "HTTPGetAction": {
        "host": _inert("the step itself is asked"),
        "httpHeaders": _yes("list of HttpHeader"),
        "path": _TEXT,
        "port": _yes("any"),
        "scheme": _TEXT,
    },
    "TCPSocketAction": {"host": _inert("the step itself is asked"), "port": _yes("any")},
    "HttpHeaderSource": {"secretKeyRef": _yes("ConfigMapKeySelector", _FILES)},
    "Data": {"source": _yes("DataSource"), "transformation": _yes("list of Transformation")},
    "DataSource": {"artifactPaths": _yes("Artifact", "a key of the store of this Penstock")},
    "Transformation": {"expression": _TEXT},
    "VolumeClaimGC": {"strategy": _TEXT},
    "ClaimTemplate": {
        "apiVersion": _TEXT,
        "kind": _TEXT,
        "metadata": _yes("ClaimMetadata"),
        "spec": _yes("any", "a folder has no size and no class"),
        "status": _CLUSTER,
    },
    "ClaimMetadata": {
        "name": _TEXT,
        **dict.fromkeys(("annotations", "creationTimestamp", "labels", "namespace"), _inert("nobody reads it here")),
    },
    "Synchronization": {
        "mutexes": _yes("list of Mutex"),
        "semaphores": _yes("list of SemaphoreRef"),
    },
    "Mutex": {"name": _TEXT, "namespace": _yes("text", "part of the name"), "database": _LOCKS},
    "SemaphoreRef": {
        "configMapKeyRef": _yes("ConfigMapKeySelector"),
        "namespace": _yes("text", "part of the name"),
        "database": _no("the limits of locks stand in config maps here"),
    },
    "ConfigMapKeySelector": {"name": _TEXT, "key": _TEXT, "optional": _BOOL},
    "Memoize": {"key": _TEXT, "maxAge": _TEXT, "cache": _yes("Cache")},
    "Cache": {"configMap": _yes("ConfigMapKeySelector")},
    "Container": _CONTAINER,
    "UserContainer": {**_CONTAINER, "mirrorVolumeMounts": _BOOL},
    "ContainerSet": {
        "containers": _yes("list of ContainerNode"),
        "retryStrategy": _yes("ContainerSetRetryStrategy"),
        "volumeMounts": _yes("list of VolumeMount"),
    },
    "ContainerNode": {**_CONTAINER, "dependencies": _yes("list of text")},
    "ContainerSetRetryStrategy": {"duration": _TEXT, "retries": _NUMBER},
    "Script": {**_CONTAINER, "source": _TEXT},
    "EnvVar": {"name": _TEXT, "value": _yes("text", _DOLLARS), "valueFrom": _yes("EnvVarSource")},
    "EnvVarSource": {
        "fieldRef": _yes("FieldRef"),
        "configMapKeyRef": _yes("ConfigMapKeySelector", _FILES),
        "fileKeyRef": _no("give the value"),
        "resourceFieldRef": _no("resources are not limited here; give the value"),
        "secretKeyRef": _yes("ConfigMapKeySelector", _FILES),
    },
    "EnvFromSource": {
        "configMapRef": _yes("ObjectRef", _FILES),
        "prefix": _TEXT,
        "secretRef": _yes("ObjectRef", _FILES),
    },
    "ObjectRef": {"name": _TEXT, "optional": _BOOL},
    "FieldRef": {
        "apiVersion": _inert("one version is known"),
        "fieldPath": _yes("text", "`metadata.name`, `.namespace`, `.uid`, `.labels['…']`, `.annotations['…']`"),
    },
    "VolumeMount": {
        "mountPath": _TEXT,
        "name": _TEXT,
        "mountPropagation": _SCHEDULING,
        "readOnly": _yes("bool", "for claims; other volumes are the step's own"),
        "recursiveReadOnly": _inert("nothing is mounted below a volume"),
        "subPath": _yes("text", "of an empty folder as processes alone"),
        "subPathExpr": _yes("text", "as `subPath`, with variables of the container: `$(NAME)`"),
    },
    "Volume": {
        "name": _TEXT,
        "configMap": _yes("ConfigMapVolume", _FILES),
        "downwardAPI": _yes("FieldVolume"),
        "emptyDir": _yes("any", "an empty folder of the step's own"),
        "ephemeral": _yes("any", "an empty folder of the step's own"),
        "projected": _yes("Projected"),
        "persistentVolumeClaim": _yes("ClaimRef", "a folder of the home that stays: declared in such a file, or made"),
        "secret": _yes("SecretVolume", _FILES),
        "hostPath": _no("a step sees none of this machine's folders; declare a claim, or pass files as artifacts"),
        **dict.fromkeys(
            [
                "awsElasticBlockStore",
                "azureDisk",
                "azureFile",
                "cephfs",
                "cinder",
                "csi",
                "fc",
                "flexVolume",
                "flocker",
                "gcePersistentDisk",
                "gitRepo",
                "glusterfs",
                "image",
                "iscsi",
                "nfs",
                "photonPersistentDisk",
                "portworxVolume",
                "quobyte",
                "rbd",
                "scaleIO",
                "storageos",
                "vsphereVolume",
            ],
            _no("there are no volumes of this kind here; declare a claim, or pass files as artifacts"),
        ),
    },
    "ClaimRef": {"claimName": _TEXT, "readOnly": _BOOL},
    "ConfigMapVolume": {"name": _TEXT, "items": _yes("list of KeyToPath"), "optional": _BOOL, "defaultMode": _MODE},
    "SecretVolume": {"secretName": _TEXT, "items": _yes("list of KeyToPath"), "optional": _BOOL, "defaultMode": _MODE},
    "KeyToPath": {"key": _TEXT, "path": _TEXT, "mode": _MODE},
    "FieldVolume": {"items": _yes("list of FieldFile"), "defaultMode": _MODE},
    "FieldFile": {
        "path": _TEXT,
        "fieldRef": _yes("FieldRef"),
        "mode": _MODE,
        "resourceFieldRef": _no("resources are not limited here; remove it"),
    },
    "Projected": {"sources": _yes("list of Projection"), "defaultMode": _MODE},
    "Projection": {
        "clusterTrustBundle": _no("there is no cluster whose bundles could be read; remove it"),
        "configMap": _yes("ConfigMapProjection", _FILES),
        "downwardAPI": _yes("FieldVolume"),
        "podCertificate": _no("there is no cluster that could sign; remove it"),
        "secret": _yes("ConfigMapProjection", _FILES),
        "serviceAccountToken": _no("there are no service accounts here; remove it"),
    },
    "ConfigMapProjection": {"name": _TEXT, "items": _yes("list of KeyToPath"), "optional": _BOOL},
    "DAG": {"failFast": _BOOL, "target": _TEXT, "tasks": _yes("list of DAGTask")},
    "DAGTask": {**_TASK, "dependencies": _yes("list of text"), "depends": _TEXT},
    "Step": _TASK,
    "ContinueOn": {"error": _BOOL, "failed": _BOOL},
    "Sequence": {"count": _NUMBER, "start": _NUMBER, "end": _NUMBER, "format": _TEXT},
    "LifecycleHook": {
        "arguments": _yes("Arguments"),
        "expression": _yes("text", "of the workflow, tasks, loops of tasks, steps, and items of a loop of steps"),
        "template": _TEXT,
        "templateRef": _yes("TemplateRef", _LIBRARY),
    },
    "RetryStrategy": {
        "affinity": _SCHEDULING,
        "backoff": _yes("Backoff"),
        "expression": _TEXT,
        "limit": _NUMBER,
        "retryPolicy": _TEXT,
    },
    "Backoff": {"cap": _TEXT, "duration": _TEXT, "factor": _NUMBER, "maxDuration": _TEXT},
    "Arguments": {"parameters": _yes("list of Parameter"), "artifacts": _yes("list of Artifact")},
    "WorkflowArguments": {"parameters": _yes("list of Parameter"), "artifacts": _yes("list of Artifact")},
    "Inputs": {"parameters": _yes("list of Parameter"), "artifacts": _yes("list of Artifact")},
    "Outputs": {
        "parameters": _yes("list of Parameter"),
        "artifacts": _yes("list of OutputArtifact"),
        "exitCode": _CLUSTER,
        "result": _CLUSTER,
    },
    "Parameter": {
        "name": _TEXT,
        "value": _TEXT,
        "default": _TEXT,
        "description": _TEXT,
        "enum": _yes("list of text"),
        "globalName": _TEXT,
        "valueFrom": _yes("ValueFrom"),
    },
    "ValueFrom": {
        "path": _TEXT,
        "default": _TEXT,
        "parameter": _TEXT,
        "configMapKeyRef": _yes("ConfigMapKeySelector", f"of the workflow's arguments and of inputs, {_FILES}"),
        "event": _no("there are no events here; give the value"),
        "expression": _TEXT,
        "jqFilter": _yes("text", "of resource templates, plain paths such as `.metadata.name`"),
        "jsonPath": _yes("text", "of resource templates, plain paths such as `{.metadata.name}`"),
        "supplied": _yes("any", "given by `penstock runs resume -p`; for `suspend` templates alone"),
    },
    "Artifact": {
        **_ARTIFACT,
        "from": _TEXT,
        "raw": _yes("Raw"),
        "globalName": _TEXT,
        "mode": _yes("int", "of inputs"),
        "recurseMode": _yes("bool", "of inputs"),
        "s3": _yes("S3Input"),
    },
    "OutputArtifact": {
        **_ARTIFACT,
        "from": _TEXT,
        "raw": _no("an output is what a step has made"),
        "globalName": _TEXT,
        "mode": _inert("an input has the mode that its own template says"),
        "recurseMode": _inert("an input has the mode that its own template says"),
        "s3": _yes("S3Output"),
    },
    # Argo, too, takes what has no endpoint from its own store, whatever else is said (`ArtifactLocation.Relocate`).
    "S3Input": {"key": _KEY, "endpoint": _STORE, "bucket": _HERE, **dict.fromkeys(_S3, _HERE)},
    "S3Output": {
        "key": _KEY,
        "endpoint": _yes("text", "with it the artifact goes where all of the run go, whatever key is named"),
        "bucket": _HERE,
        **dict.fromkeys(_S3, _HERE),
    },
    "Raw": {"data": _TEXT},
}
"""Every field of a Workflow, by the type that holds it."""

_WORDS = {
    "text": "a text",
    "int": "an integer",
    "bool": "true or false",
    "number": "an integer or a text",
}


class Notes:
    """Collects what is without effect: one text for each kind of field, naming the first path and counting the rest."""

    def __init__(self) -> None:
        self._paths: dict[tuple[str, str, str], list[str]] = {}

    def add(self, table: str, name: str, path: str, remark: str) -> None:
        """Note that the field at `path` is without effect."""
        self._paths.setdefault((table, name, remark), []).append(path)

    def texts(self) -> tuple[str, ...]:
        """One text a kind of field, in order of first appearance."""
        return tuple(
            f"{paths[0]}{f' (and {len(paths) - 1} more)' if paths[1:] else ''} is without effect: {remark}"
            for (_, _, remark), paths in self._paths.items()
        )


def normalise(value: Any, kind: str, path: str, notes: Notes) -> Any:
    """`value` checked against the table, reduced to supported fields, every text field made text.

    Raises UnsupportedField and InvalidDocument with the field's path.
    """
    if kind == "any":
        return value
    if kind.startswith("list of "):
        return _list(value, kind[8:], path, notes)
    if kind.startswith("map of "):
        return _map(value, kind[7:], path, notes)
    if kind in TABLE:
        return _fields(value, kind, path, notes)
    return _scalar(value, kind, path)


def _list(value: Any, kind: str, path: str, notes: Notes) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidDocument(f"expected a list, got {_shown(value)}", path=path)
    return [normalise(item, kind, f"{path}[{index}]", notes) for index, item in enumerate(value)]


def _map(value: Any, kind: str, path: str, notes: Notes) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidDocument(f"expected a map, got {_shown(value)}", path=path)
    return {str(key): normalise(item, kind, f"{path}.{key}", notes) for key, item in value.items() if item is not None}


def _fields(value: Any, kind: str, path: str, notes: Notes) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidDocument(f"expected a map, got {_shown(value)}", path=path)
    table, result = TABLE[kind], {}
    for name, item in value.items():
        field, where = table.get(name), f"{path}.{name}" if path else name
        if field is None:
            raise InvalidDocument(f"unknown field{_nearest(name, table)}", path=where)
        if item is None:
            continue
        if field.support is Support.SUPPORTED:
            result[name] = normalise(item, field.kind, where, notes)
        elif _empty(item):
            continue
        elif field.support is Support.INERT:
            notes.add(kind, name, where, field.remark)
            if field.kept:
                result[name] = item
        else:
            raise UnsupportedField(f"not supported by this engine: {field.remark}", path=where)
    return result


def _empty(value: Any) -> bool:
    """Whether a value says nothing, nor any that it holds."""
    if isinstance(value, dict | list):
        return all(_empty(each) for each in (value.values() if isinstance(value, dict) else value))
    return value is None or value == "" or value is False


def _scalar(value: Any, kind: str, path: str) -> Any:
    if kind == "bool" and isinstance(value, bool):
        return value
    if kind in ("text", "number") and isinstance(value, (str, bool, int, float)):
        return value if isinstance(value, str) else gojson.dumps(value)
    if kind == "int" and isinstance(value, int) and not isinstance(value, bool):
        return value
    raise InvalidDocument(f"expected {_WORDS[kind]}, got {_shown(value)}", path=path)


def _shown(value: Any) -> str:
    names = {dict: "a map", list: "a list", type(None): "nothing"}
    if type(value) in names:
        return names[type(value)]
    text = gojson.dumps(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean `{close[0]}`?" if close else f"; known are {', '.join(sorted(known))}"
