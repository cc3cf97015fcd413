import { expect, test } from "vitest";
import { matcher, suggestions } from "../../../src/features/runs/filter";
import { aRun } from "../../make";

const RUNS = [
  aRun({ display_name: "tumours one", pipeline_name: "tumours", state: "SUCCEEDED", metrics: [{ name: "auc", value: 0.91 }, { name: "auc", value: 0.7 }] }),
  aRun({ display_name: "Taxi", pipeline_name: "taxi", state: "FAILED", metrics: [{ name: "auc", value: null }] }),
  aRun({ display_name: "late", pipeline_name: "two words", state: "RUNNING" }),
];

const found = (query: string) => RUNS.filter(matcher(query)).map((run) => run.display_name);

test.each([
  ["", ["tumours one", "Taxi", "late"]],
  ["status:failed", ["Taxi"]],
  ["status:run", ["late"]],
  ["pipeline:tum", ["tumours one"]],
  ["name:LATE", ["late"]],
  ["taxi", ["Taxi"]],
  ["auc>0.9", ["tumours one"]],
  ["auc<=0.7", ["tumours one"]],
  ["auc>0.95", []],
  ["auc=0.7", ["tumours one"]],
  ["status:succeeded taxi", []],
  ["  one   pipeline:tumours ", ["tumours one"]],
  ["unheard:x", []],
])("the query %j finds %j", (query, names) => expect(found(query)).toEqual(names));

test("what may come next is what the runs have", () => {
  expect(suggestions(RUNS)).toEqual(["status:succeeded", "status:failed", "status:running", "pipeline:tumours", "pipeline:taxi", "auc>0.9"]);
});
