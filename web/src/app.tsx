// The frame: header with the table of views, the view of the address, and what holds everywhere.
import { Component, type ReactNode, useEffect, useState } from "react";
import { Button } from "react-aria-components";
import { watchConnection } from "./events";
import { KeysHelp, useKeys } from "./keys";
import { report } from "./offline";
import { Palette } from "./palette";
import { Problem } from "./parts/states";
import { go, link, usePlace } from "./router";
import { shownViews } from "./views/index";
import { useJobs } from "./views/runs";

/** A mistake in one view must not take the frame with it. */
class Fence extends Component<{ children: ReactNode }, { error: Error | undefined }> {
  override state = { error: undefined as Error | undefined };
  static getDerivedStateFromError(error: Error) {
    return { error };
  }
  override render() {
    return this.state.error ? <Problem error={this.state.error} /> : this.props.children;
  }
}

const THEMES = ["auto", "light", "dark"] as const;

function Theme() {
  const [theme, setTheme] = useState(() => localStorage.getItem("ethogram.theme") ?? "auto");
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
    localStorage.setItem("ethogram.theme", theme);
  }, [theme]);
  const next = THEMES[(THEMES.indexOf(theme as "auto") + 1) % THEMES.length] ?? "auto";
  return (
    <Button className="quiet" onPress={() => setTheme(next)}>
      Theme: {theme}
    </Button>
  );
}

function Connection() {
  const [connected, setConnected] = useState(true);
  useEffect(() => watchConnection(setConnected), []);
  return (
    <span role="status" className="worse">
      {connected ? "" : "not connected; trying again"}
    </span>
  );
}

function Running() {
  const running = (useJobs().data ?? []).filter((job) => job.state === "running").length;
  return running > 0 ? <a href={link(["runs"])}>{running} running</a> : null;
}

export function App() {
  const place = usePlace();
  const shown = shownViews();
  const current = shown.find((view) => view.name === place.path[0]) ?? shown[0];
  const View = current?.view;
  useEffect(() => {
    document.title = `${current?.title ?? "Page"} · Ethogram`;
  }, [current]);
  const tabs = shown.filter((view) => !view.hidden);
  useKeys(
    tabs.map((view, index) => ({
      key: String(index + 1),
      words: `open ${view.title}`,
      run: () => go([view.name]),
    })),
  );
  return (
    <>
      <button
        type="button"
        className="skip"
        onClick={() => document.getElementById("main")?.focus()}
      >
        Skip to the content
      </button>
      <header>
        <nav aria-label="Views">
          {tabs.map((view) => (
            <a
              key={view.name}
              href={link([view.name])}
              aria-current={view === current ? "page" : undefined}
            >
              {view.title}
            </a>
          ))}
        </nav>
        <div className="tools">
          <Connection />
          <Running />
          <Palette />
          <KeysHelp />
          <Theme />
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {report()?.left_out && <p className="soft">{report()?.left_out}</p>}
        <Fence key={current?.name ?? ""}>{View && <View place={place} />}</Fence>
      </main>
    </>
  );
}
