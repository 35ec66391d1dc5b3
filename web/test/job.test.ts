import { expect, test } from "vitest";
import type { AnyEvent, Job } from "../src/client";
import { after, type JobState } from "../src/job";
import { settingsOf } from "../src/views/branches";
import { lanesOf } from "../src/views/play";

const job: Job = {
  id: "a",
  kind: "play",
  title: "A",
  state: "running",
  words: "",
  done: 0,
  total: null,
  rate: null,
  seconds_left: null,
  started_at: "",
  finished_at: null,
  result: null,
};
const empty: JobState = { job, lanes: {}, rows: [] };
const text = (at: number, words: string, id = "a"): AnyEvent => ({
  type: "job_text",
  id,
  lane: "0",
  at,
  text: words,
});

test("texts are joined by their places, whatever comes twice", () => {
  let state: JobState | undefined = empty;
  for (const event of [text(0, "one "), text(0, "one "), text(2, "e two "), text(4, "two ")]) {
    state = after(state as JobState, event);
  }
  expect(state?.lanes).toEqual({ "0": "one two " });
  expect(after(empty, text(0, "other", "b"))).toBe(empty);
});

test("a gap is noticed", () => {
  expect(after(empty, text(3, "late"))).toBeUndefined();
  expect(after(empty, { type: "job_row", id: "a", index: 1, row: {} })).toBeUndefined();
});

test("rows are added once, and the job is the newest", () => {
  const row: AnyEvent = { type: "job_row", id: "a", index: 0, row: { lane: 0 } };
  const once = after(empty, row) as JobState;
  expect(after(once, row)).toBe(once);
  expect(once.rows).toEqual([{ lane: 0 }]);
  const ended = after(once, { type: "job", job: { ...job, state: "done" } }) as JobState;
  expect(ended.job.state).toBe("done");
});

test("settings of lines are values, and broken addresses are no lanes", () => {
  expect(settingsOf("decoding.top_k=5\n\ndecoding.stop=a=b\ndecoding.order=[1")).toEqual({
    "decoding.top_k": 5,
    "decoding.stop": "a=b",
    "decoding.order": "[1",
  });
  expect(lanesOf("{")).toEqual([]);
  expect(lanesOf('[{"version": 3}, {"version": "v1", "settings": null}]')).toEqual([
    { version: "v1", settings: {}, lines: "" },
  ]);
});
