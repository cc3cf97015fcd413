"""Documents of others, run for real as processes and as containers: they become what Argo 4.1.2 made of them.

`make test` takes a few of each kind, `make conformance` all.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest
from hosts import Case, Result, results
from test_conformance_argo import KINDS, MATERIAL, _unstable

from penstock.testing.trees import compare

COIN = "random.randint(0,1)"
FLIP = "'heads' if random.randint(0,1) == 0 else\n        'tails'"

OUTCOMES: Mapping[Case, str] = {
    **dict.fromkeys(
        [
            *(
                Case(f"argo/{name}", (COIN, (side,)))
                for name in ("coinflip", "conditional-parameters")
                for side in "01"
            ),
            *(Case("argo/conditional-artifacts", (COIN, (side,))) for side in "01"),
            Case("argo/dag-coinflip", (COIN, ("0",))),
            Case("argo/suspend-template"),
            Case("argo/suspend-template-outputs"),
            Case("argo/template-defaults", ("random.choice([0, 1, 1])", ("0",))),
            *(Case("argo/withsequence-nested-result", ("random.randint(0,5)", (count,))) for count in "023"),
            Case("kfp-v1/artifact_passing_using_volume"),
            Case("kfp-v1/sidecar"),
            Case("kfp-v1/recursive_do_while", (FLIP, ("'tails'",))),
            Case("kfp-v1/recursive_while", (FLIP, ("'tails'",))),
            Case("kfp-v1/recursive_while", (FLIP, ("'heads'", "'tails'"))),
        ],
        "Succeeded",
    ),
    **dict.fromkeys(
        [
            *(Case("argo/retry-conditional", ("random.choice([1, 2])", (code,))) for code in "12"),
            Case("argo/template-defaults", ("random.choice([0, 1, 1])", ("1",))),
        ],
        "Failed",
    ),
}
"""Documents of which no tree was observed, for it depends on chance or on a person; chance is fixed, both ways."""

REFUSED = [
    Case(f"kfp-v1/{name}")
    for name in (
        "basic_no_decorator",
        "preemptible_tpu_gpu",
        "resourceop_basic",
        "volume",
        "volume_snapshotop_rokurl",
        "volume_snapshotop_sequential",
    )
]
"""Documents that ask for what one machine does not have."""

QUICK = (
    "argo-e2e/archive-strategies",
    "argo-e2e/artifact-passing",
    "argo-e2e/exit-handler-failed",
    "argo-e2e/input-on-mount-workflow",
    "argo-e2e/output-artifact-not-optional",
    "argo-e2e/script-with-volume",
    "argo-e2e/signaled-workflow",
    "argo-e2e/subprocess-workflow",
    "argo/artifact-disable-archive",
    "argo/init-container",
    "argo/exit-code-output-variable",
    "argo/loops-param-argument",
    "argo/volumes-emptydir",
    "kfp-v1/compose",
    "kfp-v1/loop_over_lightweight_output",
    "kfp-v1/volumeop_dag",
)


def _cases() -> list[Case]:
    trees = [
        Case(f"{kind}/{path.stem}") for kind in KINDS for path in sorted((MATERIAL / kind / "observed").glob("*.json"))
    ]
    found = [*trees, *OUTCOMES, *REFUSED]
    if not os.environ.get("PENSTOCK_CONFORMANCE"):
        found = [case for case in found if case.path in QUICK]
    return found


@pytest.fixture(scope="module")
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Mapping[Case, Result]:
    """What became of all documents with one host."""
    launcher: str = request.param
    with pytest.MonkeyPatch.context() as patch:
        if launcher == "docker":
            patch.setenv("DOCKER_HOST", request.getfixturevalue("_engine"))
        return results(tmp_path_factory.mktemp(launcher), launcher, _cases())


@pytest.mark.parametrize("case", _cases(), ids=str)
@pytest.mark.parametrize("found", ["process", "docker"], indirect=True)
def test_a_document_becomes_what_argo_made_of_it(found: Mapping[Case, Result], case: Case) -> None:
    ours, theirs = found[case], case.observed
    if theirs is None:
        assert ours.status.get("phase", "") == OUTCOMES.get(case, ""), ours.refused
        assert (case in REFUSED) == bool(ours.refused)
    elif theirs["status"].get("message", "").startswith("invalid spec:"):
        assert ours.refused
    else:
        assert not ours.refused
        differences = compare(ours.status, theirs["status"], unstable=_unstable(case.path))
        assert not differences, "\n".join(differences)
