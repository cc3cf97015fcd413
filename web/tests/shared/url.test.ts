import { expect, test } from "vitest";
import { query } from "../../src/shared/http";
import { changed } from "../../src/shared/url";

test("a change keeps the other parameters", () => expect(changed("?tab=steps&node=a", { node: "b" })).toBe("?tab=steps&node=b"));

test("an empty value leaves the address", () => {
  expect(changed("?tab=steps", { tab: undefined })).toBe("");
  expect(changed("?q=a&tab=steps", { q: "" })).toBe("?tab=steps");
});

test("what has a meaning in addresses is escaped", () => expect(new URLSearchParams(changed("", { q: "a&b=c #1" })).get("q")).toBe("a&b=c #1"));

test("a query repeats lists and leaves out what is empty", () => {
  expect(query({ page_size: 5, expand: ["a", "b"], experiment_id: "", filter: undefined })).toBe("?page_size=5&expand=a&expand=b");
  expect(query({ expand: [] })).toBe("");
});
