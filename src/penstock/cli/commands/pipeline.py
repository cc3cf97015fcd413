"""`penstock pipeline`: documents that are uploaded once and run often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from penstock.cli.home import use_cases
from penstock.cli.options import Place, json_option, limit_option, place_option
from penstock.cli.output import json_of, print_done, print_facts, print_json, print_table, when
from penstock.errors import InvalidInput, NotFound

__all__ = ["pipeline"]


@click.group()
def pipeline() -> None:
    """Upload, list, read and delete pipelines. PIPELINE is its id or its name."""


@pipeline.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--name", metavar="TEXT", help="Name of the pipeline.  [default: the one in FILE]")
@click.option("--version", metavar="TEXT", help="Add a version of this name to the pipeline --name.")
@click.option("--description", default="", metavar="TEXT", help="What it is about.")
@click.option("--function", metavar="NAME", help="The pipeline's function, where FILE has several.")
@place_option
@json_option("json: the pipeline and the version that were made.")
def upload(
    file: Path,
    name: str | None,
    version: str | None,
    description: str,
    function: str | None,
    place: Place,
    output: str,
) -> None:
    """Keep the pipeline of FILE (Python source, or a Workflow document), so that it can be run from the page."""
    from penstock.cli.source import read_document

    if version is not None and name is None:
        raise InvalidInput("--version: say with --name which pipeline gets the version")
    document = read_document(file, function)
    with use_cases(place) as found:
        pipelines = found.pipelines
        if version is None:
            row, made = pipelines.create(document, source=str(file), name=name, description=description)
            told = f"Uploaded pipeline {row.name}"
        else:
            row = pipelines.find(name or "")
            made = pipelines.add_version(row.id, document, source=str(file), name=version, description=description)
            told = f"Uploaded version {made.name} of pipeline {row.name}"
    if output == "json":
        print_json({"pipeline": json_of(row), "version": json_of(made)})
    else:
        click.echo(told)


@pipeline.command("list")
@limit_option
@place_option
@json_option("json: a list of pipelines.")
def list_(limit: int, place: Place, output: str) -> None:
    """The newest pipelines."""
    from penstock.bootstrap import Page

    with use_cases(place) as found:
        listing = found.pipelines.list(Page(size=limit))
    if output == "json":
        print_json([json_of(row) for row in listing.items])
        return
    print_table(("NAME", "CREATED", "ID"), [(row.name, when(row.created_at), row.id) for row in listing.items])
    if listing.next_token:
        click.echo(f"… {listing.total - len(listing.items)} more", err=True)


@pipeline.command()
@click.argument("pipeline")
@limit_option
@place_option
@json_option("json: the pipeline with its versions.")
def get(pipeline: str, limit: int, place: Place, output: str) -> None:
    """One pipeline: its versions, newest first, and their inputs."""
    from penstock.bootstrap import Page

    with use_cases(place) as found:
        row = found.pipelines.find(pipeline)
        versions = found.pipelines.versions(row.id, Page(size=limit)).items
    if output == "json":
        print_json(json_of(row, versions=[json_of(version, inputs=_inputs(version)) for version in versions]))
        return
    print_facts(_facts(row, versions))
    click.echo()
    print_table(("VERSION", "CREATED", "ID"), [(each.name, when(each.created_at), each.id) for each in versions])


@pipeline.command()
@click.argument("pipeline", nargs=-1, required=True)
@place_option
@json_option("json: a list of the pipelines that were removed.")
def delete(pipeline: Sequence[str], place: Place, output: str) -> None:
    """Remove pipelines with their versions; runs of them stay."""
    with use_cases(place) as found:
        pipelines = found.pipelines
        rows = [pipelines.find(each) for each in pipeline]
        for row in rows:
            pipelines.delete(row.id)
    print_done("Deleted pipeline", rows, output)


@pipeline.command("delete-version")
@click.argument("pipeline")
@click.argument("version", nargs=-1, required=True)
@place_option
@json_option("json: a list of the versions that were removed.")
def delete_version(pipeline: str, version: Sequence[str], place: Place, output: str) -> None:
    """Remove versions of a pipeline, by their names or ids; runs of them stay."""
    from penstock.bootstrap import Page

    with use_cases(place) as found:
        row = found.pipelines.find(pipeline)
        known = found.pipelines.versions(row.id, Page(size=200)).items
        rows = [_version_called(name, known, row.name) for name in version]
        for each in rows:
            found.pipelines.delete_version(each.id)
    print_done(f"Deleted version of pipeline {row.name}:", rows, output)


def _version_called(name: str, known: Sequence[Any], pipeline: str) -> Any:
    found = next((each for each in known if name in (each.id, each.name)), None)
    if found is None:
        names = ", ".join(repr(each.name) for each in known) or "none"
        raise NotFound(f"pipeline {pipeline!r} has no version {name!r}; its versions: {names}")
    return found


def _facts(row: Any, versions: Sequence[Any]) -> Iterator[tuple[str, str]]:
    yield "Pipeline", row.name
    yield "Id", row.id
    yield "About", row.description
    yield "Created", when(row.created_at)
    for each in _inputs(versions[0]) if versions else ():
        kind = f" ({each['type']})" if each.get("type") else ""
        default = "" if each.get("default") is None else f" = {each['default']}"
        yield "Input", each["name"] + kind + default


def _inputs(version: Any) -> Any:
    import json

    return json.loads(version.inputs)
