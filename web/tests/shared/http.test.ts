import { afterEach, expect, test, vi } from "vitest";
import { ApiError, get, reach, send } from "../../src/shared/http";

afterEach(() => vi.unstubAllGlobals());

const answering = (answer: Response | Error) => {
  const fetch = vi.fn(() => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)));
  vi.stubGlobal("fetch", fetch);
  return fetch;
};

test("a request goes to the API as JSON and gives what came back", async () => {
  const fetch = answering(Response.json({ run_id: "r1" }));
  expect(await send("POST", "/runs", { display_name: "a" })).toEqual({ run_id: "r1" });
  expect(fetch).toHaveBeenCalledWith("/apis/v2beta1/runs", expect.objectContaining({ method: "POST", body: '{"display_name":"a"}', credentials: "same-origin" }));
});

test("an empty answer is an empty object", async () => {
  answering(new Response(""));
  expect(await send("DELETE", "/runs/r1")).toEqual({});
});

test("a file is sent as a form with a type of its own", async () => {
  const fetch = answering(Response.json({}));
  const form = new FormData();
  await send("POST", "/pipelines/upload", form);
  expect(fetch).toHaveBeenCalledWith(expect.anything(), expect.objectContaining({ body: form, headers: {} }));
});

test("a refusal says what the server said", async () => {
  answering(Response.json({ code: 5, message: "no run has the id 'r1'" }, { status: 404 }));
  await expect(get("/runs/r1")).rejects.toMatchObject({ status: 404, message: "no run has the id 'r1'" });
});

test("a refusal by something else says at least which", async () => {
  answering(new Response("<html>", { status: 502, statusText: "Bad Gateway" }));
  await expect(get("/runs")).rejects.toMatchObject({ status: 502, message: "The server answered 502 Bad Gateway." });
});

test("silence is an error that says what to look at", async () => {
  answering(new TypeError("Failed to fetch"));
  await expect(get("/runs")).rejects.toThrow(/penstock up/);
  await expect(get("/runs")).rejects.toBeInstanceOf(ApiError);
});

test("a request that was taken back stays what it is", async () => {
  const stop = new AbortController();
  stop.abort();
  answering(new DOMException("gone", "AbortError"));
  await expect(reach("/runs", { signal: stop.signal })).rejects.toThrow("gone");
});
