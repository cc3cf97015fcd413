"""What differs between the manners in which a document can be written. Penstock's own is `PENSTOCK`."""

from __future__ import annotations

from typing import Literal, NamedTuple

from penstock.dsl.naming import kubernetes_name

__all__ = ["KFP_0_1", "KFP_1_8", "PENSTOCK", "PIPELINE_ROOT", "Dialect"]

PIPELINE_ROOT = "pipeline-root"
"""The parameter of kfp 1.8 that holds the folder of a pipeline's results."""


class Dialect(NamedTuple):
    """Choices that the compiler makes by manner."""

    name: str
    conventional_outputs: bool
    """Whether every step lists the files for pages and metrics as optional outputs."""
    empty_lists: bool
    """Whether a command or argument list that is given and empty is written down."""
    quoted: Literal["texts", "equality"]
    """Which operands of a condition are quoted: all but numbers that are put in order, or those of `==` and `!=`."""
    manifests: Literal["go", "python"]
    """Whose reader the YAML of a resource's manifest is quoted for."""
    empty_optionals: bool
    """Whether an optional parameter without a default is an empty text: Argo runs no workflow without a value."""
    component_templates: bool = False
    """Whether a component's step calls its outputs as the component does, and steps that are alike but for their
    arguments have one template."""
    files: Literal["artifacts", "parameters"] = "artifacts"
    """What a step's files are: artifacts, and parameters where they are read as such; or parameters, read or not."""
    small_names: bool = False
    """Whether names of parameters are like those of steps: small letters, digits and dashes."""
    shared_volumes: bool = False
    """Whether volumes are the workflow's, not those of the steps that mount them."""
    exit_task: bool = False
    """Whether an exit step that was made as any other is a task of the pipeline, too."""
    conditions_handed_on: bool = False
    """Whether a step is handed what the conditions around it compare."""
    sdk: str = ""
    """The version of kfp that labels name; with it come notes of where components are from and what they were given."""

    def parameter(self, name: str) -> str:
        """How a parameter is called in the document."""
        return kubernetes_name(name) if self.small_names else name


PENSTOCK = Dialect(
    "penstock",
    conventional_outputs=True,
    empty_lists=False,
    quoted="texts",
    manifests="go",
    empty_optionals=True,
    component_templates=True,
)
KFP_1_8 = Dialect(
    "kfp-1.8",
    conventional_outputs=False,
    empty_lists=True,
    quoted="equality",
    manifests="python",
    empty_optionals=False,
    sdk="1.8.22",
)
KFP_0_1 = Dialect(
    "kfp-0.1",
    conventional_outputs=True,
    empty_lists=False,
    quoted="equality",
    manifests="python",
    empty_optionals=False,
    files="parameters",
    small_names=True,
    shared_volumes=True,
    exit_task=True,
    conditions_handed_on=True,
)
