// Start: exchange the token of the address for a cookie, follow the events, show the page.
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { post, Refused } from "./client";
import { follow } from "./events";
import { openReport, report } from "./offline";
import { Problem } from "./parts/states";
import { link, parse } from "./router";

/** The token stands in the fragment, which browsers never send; it leaves the address at once. */
async function enter(): Promise<void> {
  const hash = window.location.hash;
  const bare = /^#token=([\w-]+)$/.exec(hash)?.[1];
  const place = parse(bare ? `#/?token=${bare}` : hash);
  const token = place.query.get("token");
  if (!token) return;
  place.query.delete("token");
  const rest = place.path.length > 0 ? link(place.path, Object.fromEntries(place.query)) : "#/log";
  window.history.replaceState(null, "", rest);
  await post("/api/session", { body: { token } });
}

async function start(): Promise<void> {
  const root = createRoot(document.getElementById("root") as HTMLElement);
  try {
    await openReport();
    if (!report()) {
      await enter();
      await follow();
    }
    root.render(<App />);
  } catch (error) {
    const known = error instanceof Refused;
    const hint = known || report() ? "" : " (is `ethogram ui` running?)";
    root.render(<Problem error={new Error(`${(error as Error).message}${hint}`)} />);
  }
}

void start();
