import { expect, test } from "vitest";
import { active, broken, markOf, WORDS } from "../../src/shared/state";

const STATES = ["PENDING", "RUNNING", "CANCELING", "SUCCEEDED", "SKIPPED", "FAILED", "CANCELED"];
const PHASES = ["Pending", "Running", "Succeeded", "Skipped", "Failed", "Error", "Omitted"];

test.each([...STATES, ...PHASES])("%s has a mark of its own, and a word", (state) => {
  expect(markOf(state)).not.toBe("waiting");
  expect(WORDS[markOf(state)]).toBeTruthy();
});

test("what has not begun waits", () => expect([markOf(""), markOf(undefined), markOf("Unheard")]).toEqual(["waiting", "waiting", "waiting"]));

test("a run that is being stopped still goes on", () => expect(STATES.filter((state) => active(markOf(state)))).toEqual(["PENDING", "RUNNING", "CANCELING"]));

test("failures and errors are broken, a stop is not", () => expect([...STATES, ...PHASES].filter((state) => broken(markOf(state)))).toEqual(["FAILED", "Failed", "Error"]));
