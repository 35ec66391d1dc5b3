// The table of views. To add one: write `NAME.tsx` here, `ui/views/NAME.py` in the server, and a
// line in both tables. See ../../README.md.
import type { ComponentType } from "react";
import type { Place } from "../router";
import { Log } from "./log";
import { Runs } from "./runs";

export interface ViewEntry {
  /** First part of its address. */
  name: string;
  title: string;
  /** What it is for, in a few words; shown in the palette. */
  about: string;
  view: ComponentType<{ place: Place }>;
  /** No tab and no key: reached from other views only. */
  hidden?: boolean;
}

export const views: readonly ViewEntry[] = [
  { name: "log", title: "Log", about: "the versions and what came of each", view: Log },
  { name: "runs", title: "Runs", about: "what is running, and its progress", view: Runs },
];
