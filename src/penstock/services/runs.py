"""Runs: create, read, stop, resume, repeat, delete. Intent first: a run's row is committed before anything starts."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from penstock import engine, workflow
from penstock.engine.protocol import Shutdown
from penstock.errors import AlreadyExists, Conflict, InvalidInput, NotFound, RunNotStarted
from penstock.ports import (
    Clock,
    Engine,
    Intent,
    IntentKind,
    Launcher,
    Listing,
    NodeRow,
    Objects,
    Page,
    PipelineVersion,
    Reader,
    Records,
    Retry,
    Run,
    RunEvent,
    RunOptions,
    RunState,
    StepId,
    StorageState,
    Writer,
)
from penstock.services import again
from penstock.services.events import node_event, note_event, run_event
from penstock.services.experiments import default_experiment
from penstock.services.experiments import existing as existing_experiment
from penstock.services.graph import Graph, graph
from penstock.services.names import checked_description, checked_name
from penstock.services.pipelines import existing_version
from penstock.services.resuming import resumptions
from penstock.services.views import metrics_of, views_of
from penstock.workflow.status import Artifact, Node

__all__ = ["ArtifactSource", "LogSource", "Runs"]


class ArtifactSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where an artifact is: its key in the object store, size in bytes, file or directory."""

    key: str
    size: int
    directory: bool


@dataclass(frozen=True, slots=True)
class LogSource:
    """Where a step's log is. `path` None: nothing was logged yet. `done`: nothing will be added. `stored`: it is a copy
    in the object store, which goes on where the log that was written left off; else it is still being written.
    """

    path: Path | None
    done: bool
    stored: bool = False


class Runs:
    """Use cases of runs."""

    def __init__(
        self,
        records: Records,
        objects: Objects,
        engine: Engine,
        launcher: Launcher,
        clock: Clock,
        configuration: Callable[[str], workflow.Configuration] = lambda _: workflow.NOTHING,
        library: Callable[[], workflow.Library] = workflow.Library,
    ) -> None:
        """`configuration` reads what runs with a folder of config maps may refer to, `library` the WorkflowTemplates of
        the home."""
        self._records = records
        self._objects = objects
        self._engine = engine
        self._launcher = launcher
        self._clock = clock
        self._configuration = configuration
        self._library = library

    # --- making and ending ----------------------------------------------------------------------------------------

    def create(
        self,
        document: str | bytes | None = None,
        *,
        source: str = "",
        name: str = "",
        description: str = "",
        parameters: Mapping[str, object] = {},
        experiment_id: str = "",
        version_id: str = "",
        options: RunOptions | None = None,
        templates: workflow.Library | None = None,
    ) -> Run:
        """A new run of a document, or of a pipeline version. Everything is checked before the run exists.

        `source` names the document in messages, as a file's path does. `templates` are WorkflowTemplates that it may
        refer to, before those of the home.

        Raises InvalidDocument, InvalidParameter, InvalidInput (a config map, secret or claim that nobody gave),
        RunNotStarted, NotFound, AlreadyExists, NoSpace.
        """
        options = options or RunOptions()
        version = self._records.read(lambda store: existing_version(store, version_id)) if version_id else None
        if document is None:
            if version is None:
                raise InvalidInput("run: got neither a document nor a pipeline version; give one of the two")
            document = self._records.read(lambda store: store.version_document(version_id)) or ""
        library = self._library()
        loaded = workflow.load(document, source=source, library=library | templates if templates else library)
        values = self._bound(loaded, parameters, options)
        self._check_images(loaded, options)
        run = self._new_run(loaded, values, name, description, version, options)
        return self._submit(loaded, run, experiment_id)

    def _bound(
        self, loaded: workflow.Workflow, parameters: Mapping[str, object], options: RunOptions
    ) -> Mapping[str, str]:
        """The values of all parameters of a run, when all that its document refers to is there."""
        configuration = self._configuration(options.config).ignoring(options.ignored)
        workflow.check_references(loaded, configuration)
        workflow.check_scheduling(loaded, configuration.machine)
        return workflow.bind(loaded, parameters, workflow.configured_parameters(loaded, configuration))

    def _submit(self, loaded: workflow.Workflow, run: Run, experiment_id: str, nodes: Sequence[Node] = ()) -> Run:
        """Store a new run, which goes on behind `nodes`, and wish for its start."""
        labels = workflow.labels_from(loaded, run.workflow_name, run.id, run.parameters)
        raw = workflow.named(
            loaded.raw,
            name=run.workflow_name,
            uid=run.id,
            parameters=run.parameters,
            created_at=run.created_at,
            labels={**loaded.labels, **labels},
            annotations=loaded.annotations,
            stored=loaded.stored,
        )
        text, at = json.dumps(raw), run.created_at
        hits = [(node.id, str(node.cached_from)) for node in nodes if node.cached_from is not None]

        def change(store: Writer) -> Run:
            row = self._placed(store, run, experiment_id)
            store.add_run(row, text)
            store.put_nodes([NodeRow(run_id=row.id, node=node) for node in nodes])
            store.add_intent(Intent(run_id=row.id, kind=IntentKind.SUBMIT, created_at=at))
            shown = [node_event(row.id, node, seq, at) for seq, node in enumerate(nodes, 2)]
            told = [*(("", note) for note in loaded.notes), *hits]
            notes = [note_event(row.id, id, note, seq, at) for seq, (id, note) in enumerate(told, len(shown) + 2)]
            store.add_events([run_event(row, 1, at), *shown, *notes])
            return row

        created = self._records.write(change).result()
        self._engine.wake()
        return created

    def stop(self, id: str, strategy: Shutdown = Shutdown.STOP) -> Run:
        """Ask the run to end; asking twice changes nothing. Raises NotFound, Conflict where it has ended."""

        def change(store: Writer) -> Run:
            run = existing(store, id)
            if run.state.terminal:
                raise Conflict(f"run {run.name!r} has ended ({run.state}); there is nothing to stop")
            if run.shutdown in (strategy, Shutdown.TERMINATE):
                return run
            now = self._clock.now()
            run = msgspec.structs.replace(run, shutdown=strategy, state=RunState.CANCELING)
            store.put_run(run)
            store.add_intent(Intent(run_id=id, kind=IntentKind.STOP, argument=strategy, created_at=now))
            store.add_events([run_event(run, store.last_event(id) + 1, now)])
            return run

        run = self._records.write(change).result()
        self._engine.wake()
        return run

    def resume(self, id: str, step: str = "", parameters: Mapping[str, object] = {}) -> Run:
        """Let what waits in Suspend nodes go on: all of it, or the step of that name, shown name or id.

        `parameters` are values for outputs that a person supplies. Raises NotFound, Conflict where nothing waits,
        InvalidParameter, TooLarge.
        """

        def change(store: Writer) -> Run:
            run, nodes = existing(store, id), [row.node for row in store.nodes(id)]
            for wish in resumptions(run, nodes, step, parameters):
                argument = msgspec.json.encode(wish).decode()
                now = self._clock.now()
                store.add_intent(Intent(run_id=id, kind=IntentKind.RESUME, argument=argument, created_at=now))
            return run

        run = self._records.write(change).result()
        self._engine.wake()
        return run

    # --- once more ------------------------------------------------------------------------------------------------

    def retry(
        self,
        id: str,
        *,
        restart_successful: bool = False,
        node_field_selector: str = "",
        parameters: Mapping[str, object] = {},
    ) -> Run:
        """Try an ended run again from its failed steps, under its own name, `parameters` before those that it had.

        With `restart_successful` the nodes that the selector fits run again too, and a run that succeeded may be tried.

        Raises NotFound, Conflict for a run that cannot be tried again, InvalidInput, InvalidParameter.
        """
        text = self._records.read(lambda store: (existing(store, id), store.run_document(id) or "")[1])
        values = workflow.bind(workflow.load(text), parameters) if parameters else None

        def change(store: Writer) -> Run:
            run, nodes = existing(store, id), [row.node for row in store.nodes(id)]
            chosen = again.chosen_by_selector(run, nodes, restart_successful, node_field_selector)
            row = msgspec.structs.replace(
                run,
                state=RunState.PENDING,
                phase="",
                message="",
                shutdown="",
                started_at=None,
                finished_at=None,
                parameters=run.parameters if values is None else values,
                options=again.without_cache(run.options) if chosen else run.options,
            )
            store.put_run(row)
            if values is not None:
                store.put_run_document(id, again.with_parameters(row, text))
            now = self._clock.now()
            wish = msgspec.json.encode(Retry(chosen=tuple(chosen), expand=values is not None)).decode()
            store.add_intent(Intent(run_id=id, kind=IntentKind.RETRY, argument=wish, created_at=now))
            store.add_events([run_event(row, store.last_event(id) + 1, now)])
            return row

        run = self._records.write(change).result()
        self._engine.wake()
        return run

    def resubmit(self, id: str, *, memoized: bool = False, parameters: Mapping[str, object] = {}) -> Run:
        """A new run of a run's document, parameters and options, some parameters replaced.

        `memoized`: what went well in a run that failed is not run again; it is shown as skipped.

        Raises NotFound, Conflict for a memoized repetition of a run that has not failed, and as `create`.
        """
        old, text, rows = self._whole(id)
        if memoized and old.phase not in ("Failed", "Error"):
            raise Conflict(
                f"run {old.name!r} is {old.phase or 'Pending'}; only one that failed is resubmitted memoized"
            )
        now = self._clock.now()
        chosen: Sequence[str] | None = () if memoized else None
        return self._repeat(old, text, rows, parameters, chosen, lambda node: again.memoized(node, now))

    def rerun(self, id: str, step: str, *, parameters: Mapping[str, object] = {}) -> Run:
        """A new run that goes on with the step `step` (shown name, name or id) of one that has ended.

        What went well before and beside that step is taken over, shown as cached. Raises as `create`, and NotFound,
        Conflict for a run that has not ended.
        """
        old, text, rows = self._whole(id)
        chosen = again.chosen_by_step(old, [row.node for row in rows], step)
        now = self._clock.now()
        return self._repeat(old, text, rows, parameters, chosen, lambda node: again.reused(node, old, now))

    def _whole(self, id: str) -> tuple[Run, str, Sequence[NodeRow]]:
        return self._records.read(lambda store: (existing(store, id), store.run_document(id) or "", store.nodes(id)))

    def _repeat(
        self,
        old: Run,
        text: str,
        rows: Sequence[NodeRow],
        parameters: Mapping[str, object],
        chosen: Sequence[str] | None,
        shown: Callable[[Node], Node],
    ) -> Run:
        """A new run like `old`. Unless `chosen` is None, it takes over all but these nodes and those that failed."""
        loaded = workflow.load(again.document_again(old, text))
        options = msgspec.json.decode(old.options, type=RunOptions)
        values = self._bound(loaded, parameters, options)
        self._check_images(loaded, options)
        name = old.name if old.name != old.workflow_name else ""
        version = self._records.read(lambda store: store.version(old.pipeline_version_id))
        if chosen:  # what a person wants to run is run
            options = msgspec.structs.replace(options, cache=False)
        run = self._new_run(loaded, values, name, old.description, version, options)
        if chosen is None:
            return self._submit(loaded, run, old.experiment_id)
        before = again.rebuilt(msgspec.structs.replace(old, parameters=values), text, rows)
        kept = engine.reset(before, run.created_at, chosen, expand=bool(parameters))
        taken = engine.taken_over(before, kept.nodes, run.workflow_name, shown)
        for source, key in taken.objects.items():
            if self._objects.stat(source) is not None:
                self._objects.link(source, key)
        metrics = [metric for node in taken.nodes for metric in metrics_of(node, self._objects)[0]]
        return self._submit(
            loaded, msgspec.structs.replace(run, metrics=tuple(metrics)), old.experiment_id, taken.nodes
        )

    def delete(self, id: str) -> None:
        """Remove the run and all it made; what still runs of it is killed. Raises NotFound."""

        def change(store: Writer) -> None:
            run = existing(store, id)
            store.delete_run(id)
            store.add_intent(
                Intent(run_id=id, kind=IntentKind.DELETE, argument=run.workflow_name, created_at=self._clock.now())
            )

        self._records.write(change).result()
        self._engine.wake()

    def archive(self, id: str) -> Run:
        """Out of the lists. Raises NotFound."""
        return self._move(id, StorageState.ARCHIVED)

    def unarchive(self, id: str) -> Run:
        """Back into the lists. Raises NotFound."""
        return self._move(id, StorageState.AVAILABLE)

    # --- reading --------------------------------------------------------------------------------------------------

    def get(self, id: str) -> Run:
        """Raises NotFound."""
        return self._records.read(lambda store: existing(store, id))

    def find(self, text: str) -> Run:
        """The run of that id, of that workflow name, or the newest of that name. Raises NotFound."""

        def query(store: Reader) -> Run:
            found = store.run(text) or store.run_of_workflow(text)
            if found is None:
                named = store.runs(Page(size=1, filters=(("name", "equals", text),))).items
                found = named[0] if named else None
            if found is None:
                raise NotFound(f"no run has the id or name {text!r}; `penstock runs list` shows those that exist")
            return found

        return self._records.read(query)

    def list(self, page: Page) -> Listing:
        """A page of runs. Raises InvalidInput for a page token or filter that does not fit."""
        return self._records.read(lambda store: store.runs(page))

    def nodes(self, id: str) -> tuple[Sequence[Node], int]:
        """The run's nodes, and the number of the last event that they hold. Raises NotFound."""

        def query(store: Reader) -> tuple[Sequence[Node], int]:
            existing(store, id)
            return [row.node for row in store.nodes(id)], store.last_event(id)

        return self._records.read(query)

    def node(self, id: str, node_id: str) -> Node:
        """Raises NotFound."""
        return self._records.read(lambda store: existing_node(store, id, node_id)).node

    def events(self, id: str, after: int = 0, limit: int = 1000) -> Sequence[RunEvent]:
        """Events after the given number, in order, at most `limit`. A run that is gone has none."""
        return self._records.read(lambda store: store.events(id, after, limit))

    def news(self, id: str, after: int, limit: int) -> tuple[Sequence[RunEvent], bool]:
        """The same, and whether there will never be more: the run has ended, or is gone, and all was read."""

        def query(store: Reader) -> tuple[Sequence[RunEvent], bool]:
            run = store.run(id)
            found = store.events(id, after, limit) if run else ()
            return found, not found and (run is None or run.finished_at is not None)

        return self._records.read(query)

    def document(self, id: str) -> dict[str, Any]:
        """The run's Workflow document with `status` as Argo writes it. Raises NotFound."""

        def query(store: Reader) -> tuple[Run, str, Sequence[NodeRow]]:
            return existing(store, id), store.run_document(id) or "{}", store.nodes(id)

        run, text, rows = self._records.read(query)
        return workflow.status_document(
            json.loads(text),
            nodes=[row.node for row in rows],
            phase=run.phase,
            message=run.message,
            started_at=run.started_at,
            finished_at=run.finished_at,
        )

    def graph(self, id: str, expanded: Collection[str] = ()) -> Graph:
        """The run's graph, laid out. Raises NotFound."""

        def query(store: Reader) -> tuple[str, Sequence[NodeRow]]:
            existing(store, id)
            return store.run_document(id) or "{}", store.nodes(id)

        text, rows = self._records.read(query)
        return graph(json.loads(text), [row.node for row in rows], expanded)

    def log(self, id: str, node_id: str) -> LogSource:
        """Where the log of a step is. Raises NotFound."""

        def query(store: Reader) -> tuple[Run, NodeRow]:
            return existing(store, id), existing_node(store, id, node_id)

        run, row = self._records.read(query)
        done = row.node.phase.fulfilled
        live = self._launcher.log(StepId(run_id=id, node_id=node_id, incarnation=row.incarnation))
        if not done and live.exists():  # what is stored may be of an attempt that was interrupted
            return LogSource(live, done)
        stored = self._objects.local(workflow.log_key(run.workflow_name, node_id))
        if stored is not None:
            return LogSource(stored, done, stored=True)
        return LogSource(live if live.exists() else None, done)

    def artifact(self, id: str, node_id: str, name: str) -> ArtifactSource:
        """Where an artifact of a node is, outputs before inputs. Raises NotFound."""
        node = self.node(id, node_id)
        artifact = next((a for a in _artifacts(node) if a.name == name and a.key), None)
        info = self._objects.stat(artifact.key) if artifact else None
        if info is None:
            names = ", ".join(sorted({a.name for a in _artifacts(node) if a.key})) or "none"
            raise NotFound(f"step {node.display_name!r} has no stored artifact {name!r}; it has: {names}")
        return ArtifactSource(key=info.key, size=info.size, directory=info.directory)

    def artifact_members(self, source: ArtifactSource) -> Sequence[ArtifactSource]:
        """The files of a directory artifact, keys relative to it."""
        return [
            ArtifactSource(key=info.key, size=info.size, directory=False) for info in self._objects.members(source.key)
        ]

    def open_artifact(self, source: ArtifactSource, member: str = "") -> BinaryIO:
        """The artifact's bytes, or those of a file in it. Raises NotFound."""
        return self._objects.open(source.key, member)

    def views(self, id: str, node_id: str | None = None) -> Sequence[Any]:
        """What the steps of a run, or one of them, show: checked views. Raises NotFound."""

        def query(store: Reader) -> Sequence[NodeRow]:
            existing(store, id)
            return store.nodes(id) if node_id is None else [existing_node(store, id, node_id)]

        return [view for row in self._records.read(query) for view in views_of(row.node, self._objects)]

    # --- parts ----------------------------------------------------------------------------------------------------

    def _check_images(self, loaded: workflow.Workflow, options: RunOptions) -> None:
        for template, image, command, beside in loaded.images():
            reason = self._launcher.refuse(image, command, options.images, beside)
            if reason:
                raise RunNotStarted(f"template {template!r}: {reason}")

    def _new_run(
        self,
        loaded: workflow.Workflow,
        values: Mapping[str, str],
        name: str,
        description: str,
        version: PipelineVersion | None,
        options: RunOptions,
    ) -> Run:
        id = str(uuid.uuid4())
        workflow_name = loaded.name or workflow.run_name(loaded.generate_name, id)
        return Run(
            id=id,
            name=checked_name("display_name", name or workflow_name),
            description=checked_description(description),
            workflow_name=workflow_name,
            experiment_id="",
            pipeline_id=version.pipeline_id if version else "",
            pipeline_version_id=version.id if version else "",
            pipeline_name=loaded.title,
            parameters=values,
            created_at=self._clock.now(),
            options=msgspec.json.encode(options).decode(),
        )

    def _placed(self, store: Writer, run: Run, experiment_id: str) -> Run:
        if store.run_of_workflow(run.workflow_name):
            raise AlreadyExists(
                f"metadata.name: a run named {run.workflow_name!r} exists; use generateName, or delete that run"
            )
        leaving = (i.argument for i in store.intents() if i.kind is IntentKind.DELETE)
        if run.workflow_name in leaving:
            raise Conflict(f"metadata.name: {run.workflow_name!r} is still being deleted; try again in a moment")
        if experiment_id:
            experiment = existing_experiment(store, experiment_id)
        else:
            experiment = default_experiment(store, run.created_at)
        store.put_experiment(msgspec.structs.replace(experiment, last_run_created_at=run.created_at))
        pipeline = store.pipeline(run.pipeline_id) if run.pipeline_id else None
        return msgspec.structs.replace(
            run, experiment_id=experiment.id, pipeline_name=pipeline.name if pipeline else run.pipeline_name
        )

    def _move(self, id: str, state: StorageState) -> Run:
        def change(store: Writer) -> Run:
            moved = msgspec.structs.replace(existing(store, id), storage_state=state)
            store.put_run(moved)
            return moved

        return self._records.write(change).result()


def existing(store: Reader, id: str) -> Run:
    """The run of that id. Raises NotFound."""
    found = store.run(id)
    if found is None:
        raise NotFound(f"no run has the id {id!r}")
    return found


def existing_node(store: Reader, id: str, node_id: str) -> NodeRow:
    """The node of that id. Raises NotFound."""
    existing(store, id)
    found = store.node(id, node_id)
    if found is None:
        raise NotFound(f"run {id!r} has no node {node_id!r}")
    return found


def _artifacts(node: Node) -> list[Artifact]:
    sides = (node.outputs, node.inputs)
    return [artifact for side in sides if side for artifact in side.artifacts]
