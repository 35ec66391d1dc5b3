import { expect, test } from "vitest";
import { address } from "../src/client";
import { link, parse } from "../src/router";

test.each([
  [["log"], {}, "#/log"],
  [["compare", "v0.1.0"], { mode: "different", empty: "" }, "#/compare/v0.1.0?mode=different"],
  [["log", "a/b ?#%"], { q: "x & y=1 #" }, "#/log/a%2Fb%20%3F%23%25?q=x+%26+y%3D1+%23"],
])("link(%j, %j) and back", (path, query, hash) => {
  expect(link(path, query)).toBe(hash);
  const place = parse(hash);
  expect(place.path).toEqual(path);
  expect(Object.fromEntries(place.query)).toEqual(
    Object.fromEntries(Object.entries(query).filter(([, value]) => value)),
  );
});

test("a broken address is a place too", () => {
  expect(parse("#/log/%E0%A4%A").path).toEqual(["log", "%E0%A4%A"]);
  expect(parse("").path).toEqual([]);
});

test("routes get their parameters", () => {
  expect(
    address("/api/jobs/{job_id}", { job_id: "a/b" }, { n: 1, tag: ["x", "y"], no: undefined }),
  ).toBe("/api/jobs/a%2Fb?n=1&tag=x&tag=y");
});
