// Addresses and the pages that stand at them.
import { lazy, Suspense, useEffect, useState, type ReactNode } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { Redirect, Route, Switch, useParams } from "wouter";
import { RunsPage } from "../features/runs/RunsPage";
import { useExperiment } from "../shared/data";
import { ApiError } from "../shared/http";
import { Problem, Skeleton } from "../shared/parts";
import { Frame } from "./Frame";
import { Login } from "./Login";

const RunPage = lazy(() => import("../features/run/RunPage"));
const NewRunPage = lazy(() => import("../features/new-run/NewRunPage"));
const PipelinesPage = lazy(() => import("../features/pipelines/PipelinesPage"));
const PipelinePage = lazy(() => import("../features/pipelines/PipelinePage"));
const ExperimentsPage = lazy(() => import("../features/experiments/ExperimentsPage"));

export function App() {
  if (useLockedOut()) return <Login />;
  return (
    <Frame>
      <Suspense fallback={<Skeleton />}>
        <Switch>
          <Route path="/">
            <Redirect to="/runs" replace />
          </Route>
          <Route path="/runs">
            <RunsPage />
          </Route>
          <Route path="/runs/new">
            <NewRunPage />
          </Route>
          <Route path="/runs/:id">
            <WithId>{(id) => <RunPage key={id} id={id} />}</WithId>
          </Route>
          <Route path="/pipelines">
            <PipelinesPage />
          </Route>
          <Route path="/pipelines/:id">
            <WithId>{(id) => <PipelinePage key={id} id={id} />}</WithId>
          </Route>
          <Route path="/experiments">
            <ExperimentsPage />
          </Route>
          <Route path="/experiments/:id">
            <WithId>{(id) => <ExperimentRuns key={id} id={id} />}</WithId>
          </Route>
          <Route>
            <div className="page">
              <h2>There is no page at this address</h2>
              <p>
                The list of runs is at <a href="/runs">/runs</a>.
              </p>
            </div>
          </Route>
        </Switch>
      </Suspense>
    </Frame>
  );
}

function WithId({ children }: { children: (id: string) => ReactNode }) {
  return <>{children(useParams<{ id: string }>().id ?? "")}</>;
}

/** The runs of one experiment: the list of runs, held to it. */
function ExperimentRuns({ id }: { id: string }) {
  const experiment = useExperiment(id);
  if (experiment.error) return <div className="page"><Problem error={experiment.error} what="This experiment" /></div>;
  return <RunsPage experiment={id} experimentName={experiment.data?.display_name ?? ""} />;
}

/** True once the server has said that it does not know this browser. */
function useLockedOut(): boolean {
  const [out, setOut] = useState(false);
  const client = useQueryClient();
  useEffect(
    () =>
      client.getQueryCache().subscribe(({ query }) => {
        const error: unknown = query.state.error;
        if (error instanceof ApiError && error.status === 401) setOut(true);
      }),
    [client],
  );
  return out;
}
