// The table of views. To add one: write `NAME.tsx` here, `ui/views/NAME.py` in the server, and a
// line in both tables. See ../../README.md.
import type { ComponentType } from "react";
import { type Report, report } from "../offline";
import type { Place } from "../router";
import { Arena } from "./arena";
import { Compare } from "./compare";
import { Log } from "./log";
import { Microscope } from "./microscope";
import { Play } from "./play";
import { Runs } from "./runs";
import { Sweep } from "./sweep";
import { Train } from "./train";

export interface ViewEntry {
  /** First part of its address. */
  name: string;
  title: string;
  /** What it is for, in a few words; shown in the palette. */
  about: string;
  view: ComponentType<{ place: Place }>;
  /** No tab and no key: reached from other views only. */
  hidden?: boolean;
  /** Whether a report holds something of it (offline.ts). */
  offline?: (data: Report) => boolean;
}

export const views: readonly ViewEntry[] = [
  {
    name: "log",
    title: "Log",
    about: "the versions and what came of each",
    view: Log,
    offline: () => true,
  },
  {
    name: "compare",
    title: "Compare",
    about: "prompts by versions: what differs, what fails",
    view: Compare,
    offline: () => true,
  },
  {
    name: "microscope",
    title: "Microscope",
    about: "how each token was chosen, and branches",
    view: Microscope,
  },
  { name: "play", title: "Play", about: "versions side by side on a prompt", view: Play },
  {
    name: "sweep",
    title: "Sweep",
    about: "settings tried against each other, and the best one promoted",
    view: Sweep,
    offline: (data) => "/api/sweeps" in data.answers,
  },
  { name: "arena", title: "Arena", about: "blind votes between versions", view: Arena },
  {
    name: "train",
    title: "Train",
    about: "trainings: curves, samples, start and stop",
    view: Train,
    offline: (data) => "/api/trainings" in data.answers,
  },
  { name: "runs", title: "Runs", about: "what is running, and its progress", view: Runs },
];

/** The views that this page can show. */
export function shownViews(): readonly ViewEntry[] {
  const data = report();
  return data ? views.filter((view) => view.offline?.(data)) : views;
}
