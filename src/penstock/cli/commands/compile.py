"""`penstock compile`: the document of a pipeline's source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from penstock.cli.options import as_kfp_option, schedule_of, schedule_options
from penstock.errors import InvalidInput

__all__ = ["compile"]


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.py", required=False)
@click.option("--py", type=click.Path(path_type=Path), metavar="FILE.py", help="The file, as dsl-compile takes it.")
@click.option(
    "--package",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A Python package to install, not a file.",
)
@click.option("--namespace", metavar="MODULE", help="The module of --package that defines the pipeline.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where to write; - for a pipe.")
@click.option("--function", metavar="NAME", help="The pipeline's function, where the file has several.")
@click.option("--disable-type-check", is_flag=True, help="Connect values to inputs of any type.")
@click.option("--mode", metavar="MODE", help="As dsl-compile takes it: V1_LEGACY is what there is.")
@schedule_options
@as_kfp_option
def compile(
    file: Path | None,
    py: Path | None,
    package: Path | None,
    namespace: str | None,
    output: Path | None,
    function: str | None,
    disable_type_check: bool,
    mode: str | None,
    as_kfp: str | None,
    **when: Any,
) -> None:
    """Make the Argo Workflow of the pipeline that FILE.py defines.

    The ending of the output says in which form: .yaml .yml .json .tar.gz .tgz .zip. Without -o the document stands
    beside the source, as .yaml. With --cron or --every, or where the pipeline has a schedule of its own, it is a
    ScheduledWorkflow.
    """
    from penstock.cli.source import Source, packaged
    from penstock.compiler import packages

    _refuse_mode(mode)
    path = _chosen(file, py, package, namespace)
    source = Source(path, function, as_kfp, namespace if package and namespace else "", not disable_type_check)
    if output is None and package is not None:
        raise InvalidInput("--package: say with --output where the document goes")
    target = output or path.with_suffix(".yaml")
    document = packaged(source, schedule_of(**when))
    warning = packages.too_heavy(document)
    if warning:
        click.echo(f"Warning: {warning}", err=True)
    if str(target) == "-":
        click.echo(packages.package(document, Path("-.yaml")), nl=False)
        return
    packages.write_package(document, target)
    click.echo(f"Compiled {path} to {target}", err=True)


def _chosen(file: Path | None, py: Path | None, package: Path | None, namespace: str | None) -> Path:
    """The file or package that is to be compiled. dsl-compile takes, and ignores, a namespace beside a file."""
    given = [each for each in (file, py, package) if each is not None]
    if len(given) != 1:
        raise InvalidInput("expected one file, as FILE.py or with --py, or one --package")
    if package is not None and not namespace:
        raise InvalidInput("--package: say with --namespace which of its modules defines the pipeline")
    if given[0].suffix in (".yaml", ".yml", ".json"):
        raise InvalidInput(f"{given[0]}: is a document already; expected a pipeline's source (.py)")
    return given[0]


def _refuse_mode(mode: str | None) -> None:
    if mode is not None and mode.upper() not in ("V1", "V1_LEGACY"):
        raise InvalidInput(
            f"--mode: got {mode!r}, expected V1_LEGACY: an Argo Workflow. The modes of kfp's second version make "
            "programs that need kfp and its launcher in every image"
        )
