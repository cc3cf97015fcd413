import { expect, test } from "vitest";
import { fresh, inputsOf } from "../../../src/features/new-run/document";

const noted = (spec: unknown, parameters: unknown[]) => ({
  metadata: { annotations: { "pipelines.kubeflow.org/pipeline_spec": typeof spec === "string" ? spec : JSON.stringify(spec) } },
  spec: { arguments: { parameters } },
});

test("inputs have the types that the compiler noted and the values that the run had", () => {
  const document = noted({ inputs: [{ name: "depth", type: "Integer", default: "4" }, { name: "gone", type: "Integer" }] }, [{ name: "depth", value: "9" }, { name: "extra", value: "x" }]);
  expect(inputsOf(document)).toMatchObject([{ name: "depth", type: "Integer", default: "4" }, { name: "extra", type: "", default: "x" }]);
});

test("a type with properties is a text; a note that cannot be read is none", () => {
  expect(inputsOf(noted({ inputs: [{ name: "path", type: { GCSPath: {} } }] }, [{ name: "path" }]))).toMatchObject([{ name: "path", type: "", default: null }]);
  expect(inputsOf(noted("{", [{ name: "a", value: "1" }]))).toMatchObject([{ name: "a", default: "1" }]);
  expect(inputsOf({})).toEqual([]);
});

test("a document starts anew without the name and the state of the run that it is from", () => {
  const document = { kind: "Workflow", metadata: { name: "tumours-x7k2p", uid: "u", creationTimestamp: "t", labels: { a: "b" } }, spec: {}, status: { phase: "Failed" } };
  expect(fresh(document)).toEqual({ kind: "Workflow", metadata: { generateName: "tumours-", labels: { a: "b" } }, spec: {} });
});

test("a prefix that is there stays", () => expect(fresh({ metadata: { name: "a-b-c", generateName: "a-b-" } })).toEqual({ metadata: { generateName: "a-b-" } }));
