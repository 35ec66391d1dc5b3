"use strict";
(() => {
  // vendor:ui
  var vendor = globalThis.ethogramVendor;
  var useVirtualizer = vendor.useVirtualizer;
  var useWindowVirtualizer = vendor.useWindowVirtualizer;
  var diffWordsWithSpace = vendor.diffWordsWithSpace;
  var Component = vendor.Component;
  var createContext = vendor.createContext;
  var Fragment = vendor.Fragment;
  var memo = vendor.memo;
  var startTransition = vendor.startTransition;
  var useCallback = vendor.useCallback;
  var useContext = vendor.useContext;
  var useDeferredValue = vendor.useDeferredValue;
  var useEffect = vendor.useEffect;
  var useId = vendor.useId;
  var useLayoutEffect = vendor.useLayoutEffect;
  var useMemo = vendor.useMemo;
  var useReducer = vendor.useReducer;
  var useRef = vendor.useRef;
  var useState = vendor.useState;
  var useSyncExternalStore = vendor.useSyncExternalStore;
  var useTransition = vendor.useTransition;
  var jsx = vendor.jsx;
  var jsxs = vendor.jsxs;
  var Autocomplete = vendor.Autocomplete;
  var Button = vendor.Button;
  var Checkbox = vendor.Checkbox;
  var CheckboxGroup = vendor.CheckboxGroup;
  var ComboBox = vendor.ComboBox;
  var Dialog = vendor.Dialog;
  var DialogTrigger = vendor.DialogTrigger;
  var Group = vendor.Group;
  var Heading = vendor.Heading;
  var Input = vendor.Input;
  var Label = vendor.Label;
  var ListBox = vendor.ListBox;
  var ListBoxItem = vendor.ListBoxItem;
  var ListBoxSection = vendor.ListBoxSection;
  var Menu = vendor.Menu;
  var MenuItem = vendor.MenuItem;
  var MenuTrigger = vendor.MenuTrigger;
  var Modal = vendor.Modal;
  var ModalOverlay = vendor.ModalOverlay;
  var NumberField = vendor.NumberField;
  var Popover = vendor.Popover;
  var ProgressBar = vendor.ProgressBar;
  var Radio = vendor.Radio;
  var RadioGroup = vendor.RadioGroup;
  var SearchField = vendor.SearchField;
  var Select = vendor.Select;
  var SelectValue = vendor.SelectValue;
  var Slider = vendor.Slider;
  var SliderOutput = vendor.SliderOutput;
  var SliderThumb = vendor.SliderThumb;
  var SliderTrack = vendor.SliderTrack;
  var Switch = vendor.Switch;
  var Tab = vendor.Tab;
  var TabList = vendor.TabList;
  var TabPanel = vendor.TabPanel;
  var Tabs = vendor.Tabs;
  var Text = vendor.Text;
  var TextArea = vendor.TextArea;
  var TextField = vendor.TextField;
  var ToggleButton = vendor.ToggleButton;
  var ToggleButtonGroup = vendor.ToggleButtonGroup;
  var Tooltip = vendor.Tooltip;
  var TooltipTrigger = vendor.TooltipTrigger;
  var createRoot = vendor.createRoot;

  // src/client.ts
  var Refused = class extends Error {
    constructor(status, message) {
      super(message);
      this.status = status;
    }
    status;
  };
  function address(route, path = {}, query = {}) {
    const filled = Object.entries(path).reduce(
      (text, [name, value]) => text.replace(`{${name}}`, encodeURIComponent(String(value))),
      route
    );
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      for (const each of Array.isArray(value) ? value : [value]) {
        if (each !== void 0 && each !== null) search.append(name, String(each));
      }
    }
    return search.size > 0 ? `${filled}?${search}` : filled;
  }
  async function answer(response) {
    if (response.ok) return response.status === 204 ? void 0 : await response.json();
    const body = await response.json().catch(() => null);
    const said = body && typeof body === "object" && "error" in body ? String(body.error) : "";
    throw new Refused(response.status, said || `the server answered ${response.status}`);
  }
  async function get(route, { path, query, signal } = {}) {
    const response = await fetch(address(route, path ?? {}, query ?? {}), { signal: signal ?? null });
    return await answer(response);
  }
  async function post(route, {
    path,
    query,
    signal,
    body
  } = {}) {
    const response = await fetch(address(route, path ?? {}, query ?? {}), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body ?? {}),
      signal: signal ?? null
    });
    return await answer(response);
  }

  // src/events.ts
  var listeners = /* @__PURE__ */ new Set();
  var watchers = /* @__PURE__ */ new Set();
  var source;
  var last = "";
  function open() {
    if (source || document.hidden) return;
    source = new EventSource(`/api/events?after=${encodeURIComponent(last)}`);
    source.onopen = () => tell(true);
    source.onerror = () => {
      tell(false);
      if (source?.readyState === EventSource.CLOSED) {
        close();
        setTimeout(open, 2e3);
      }
    };
    source.onmessage = (message) => {
      last = message.lastEventId || last;
      const event = JSON.parse(message.data);
      for (const listener of [...listeners]) listener(event);
    };
  }
  function close() {
    source?.close();
    source = void 0;
  }
  function tell(connected) {
    for (const watcher of watchers) watcher(connected);
  }
  async function follow() {
    last = (await get("/api/about")).position;
    document.addEventListener("visibilitychange", () => document.hidden ? close() : open());
    open();
  }
  function watchConnection(onChange) {
    watchers.add(onChange);
    return () => watchers.delete(onChange);
  }
  function useEvents(kinds, listener) {
    const wanted = kinds.join(" ");
    useEffect(() => {
      const chosen = new Set(wanted.split(" "));
      const choosy = (event) => {
        if (event.type === "reset" || chosen.has(event.type)) listener(event);
      };
      listeners.add(choosy);
      return () => {
        listeners.delete(choosy);
      };
    }, [wanted, listener]);
  }

  // src/keys.tsx
  var tables = /* @__PURE__ */ new Set();
  var OFF = "ethogram.keys.off";
  function isField(target) {
    return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
  }
  function useKeys(keys) {
    const table = useRef(keys);
    table.current = keys;
    useEffect(() => {
      tables.add(table);
      return () => {
        tables.delete(table);
      };
    }, []);
  }
  function onKeyDown(event) {
    if (event.defaultPrevented || event.altKey) return;
    const mod = event.ctrlKey || event.metaKey;
    const name = mod ? `mod+${event.key.toLowerCase()}` : event.key;
    if (!mod) {
      if (isField(event.target) || localStorage.getItem(OFF)) return;
      if (document.querySelector("[role=dialog]")) return;
    }
    for (const table of [...tables].reverse()) {
      const found = table.current.find((key) => key.key === name);
      if (found) {
        event.preventDefault();
        found.run();
        return;
      }
    }
  }
  window.addEventListener("keydown", onKeyDown);
  function shown(key) {
    return key.replace("mod+", "Ctrl or Cmd + ").replace(/^Arrow/, "");
  }
  function KeysHelp() {
    const [open2, setOpen] = useState(false);
    const [off, setOff] = useState(() => Boolean(localStorage.getItem(OFF)));
    useKeys([{ key: "?", words: "show these keys", run: () => setOpen(true) }]);
    const listed = open2 ? [...tables].flatMap((table) => table.current) : [];
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx(Button, { className: "quiet", onPress: () => setOpen(true), children: "Keys" }),
      /* @__PURE__ */ jsx(ModalOverlay, { className: "overlay", isOpen: open2, onOpenChange: setOpen, isDismissable: true, children: /* @__PURE__ */ jsx(Modal, { className: "modal", children: /* @__PURE__ */ jsxs(Dialog, { children: [
        /* @__PURE__ */ jsx(Heading, { slot: "title", children: "Keys" }),
        /* @__PURE__ */ jsx("dl", { className: "keys", children: listed.map((key) => /* @__PURE__ */ jsxs("div", { children: [
          /* @__PURE__ */ jsx("dt", { children: /* @__PURE__ */ jsx("kbd", { children: shown(key.key) }) }),
          /* @__PURE__ */ jsx("dd", { children: key.words })
        ] }, key.key + key.words)) }),
        /* @__PURE__ */ jsxs(
          Switch,
          {
            isSelected: !off,
            onChange: (on) => {
              if (on) localStorage.removeItem(OFF);
              else localStorage.setItem(OFF, "1");
              setOff(!on);
            },
            children: [
              /* @__PURE__ */ jsx("span", { className: "switch" }),
              " Single keys work"
            ]
          }
        ),
        /* @__PURE__ */ jsx(Button, { slot: "close", children: "Close" })
      ] }) }) })
    ] });
  }

  // src/load.ts
  function useLoad(key, load, again = ["study"]) {
    const [state, setState] = useState({
      data: void 0,
      error: void 0,
      loading: true
    });
    const [turn, setTurn] = useState(0);
    const reload = useCallback(() => setTurn((before) => before + 1), []);
    useEffect(() => {
      const stop = new AbortController();
      setState((before) => ({ ...before, loading: true }));
      load(stop.signal).then(
        (data) => {
          if (!stop.signal.aborted) setState({ data, error: void 0, loading: false });
        },
        (error) => {
          if (!stop.signal.aborted) setState((before) => ({ ...before, error, loading: false }));
        }
      );
      return () => stop.abort();
    }, [key, turn]);
    useEvents(again, reload);
    return { ...state, reload };
  }

  // src/router.ts
  function parse(hash) {
    const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
    return { path: path.split("/").filter(Boolean).map(decode), query: new URLSearchParams(query) };
  }
  function decode(part) {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  }
  function link(path, query = {}) {
    const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ""));
    const start2 = `#/${path.map(encodeURIComponent).join("/")}`;
    return search.size > 0 ? `${start2}?${search}` : start2;
  }
  function go(path, query = {}) {
    window.location.hash = link(path, query);
  }
  function subscribe(onChange) {
    window.addEventListener("hashchange", onChange);
    return () => window.removeEventListener("hashchange", onChange);
  }
  function usePlace() {
    return parse(useSyncExternalStore(subscribe, () => window.location.hash));
  }

  // src/text.ts
  var HIDDEN = /(?![\t\n])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]|\u034f|\u17b4|\u17b5|[\u180b-\u180f]|[\u{e0100}-\u{e01ef}]/gu;
  function codeOf(character) {
    return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
  }
  function pieces(text) {
    const found = [];
    let at = 0;
    for (const match of text.matchAll(HIDDEN)) {
      if (match.index > at) found.push({ text: text.slice(at, match.index), code: false });
      found.push({ text: codeOf(match[0]), code: true });
      at = match.index + match[0].length;
    }
    if (at < text.length) found.push({ text: text.slice(at), code: false });
    return found;
  }
  function plain(text) {
    return pieces(text).map((piece) => piece.text).join("").replace(/\s+/g, " ").trim();
  }
  function clip(text, most) {
    if (text.length <= most) return text;
    const last2 = text.charCodeAt(most - 1);
    return text.slice(0, last2 >= 55296 && last2 <= 56319 ? most - 1 : most);
  }

  // src/parts/states.tsx
  function Problem({ error }) {
    return /* @__PURE__ */ jsx("p", { role: "alert", className: "problem", children: plain(error.message) });
  }
  function Shown({
    loaded,
    children
  }) {
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      loaded.error && /* @__PURE__ */ jsx(Problem, { error: loaded.error }),
      loaded.data !== void 0 && children(loaded.data),
      loaded.data === void 0 && loaded.loading && /* @__PURE__ */ jsx("p", { className: "soft", role: "status", children: "Loading …" })
    ] });
  }

  // src/parts/texts.tsx
  var Plain = memo(function Plain2({ text }) {
    return /* @__PURE__ */ jsx("bdi", { children: pieces(text).map(
      (piece, place) => piece.code ? /* @__PURE__ */ jsx("span", { className: "code-point", title: "a hidden character", children: piece.text }, place) : piece.text
    ) });
  });
  function markedPieces(text, marks) {
    const found = [];
    let at = 0;
    for (const mark of [...marks].sort((a, b) => a.start - b.start)) {
      const start2 = Math.max(mark.start, at);
      const end = Math.min(Math.max(mark.end, start2), text.length);
      if (start2 > at) found.push([text.slice(at, start2), void 0]);
      if (end > start2) found.push([text.slice(start2, end), mark]);
      at = Math.max(at, end);
    }
    if (at < text.length) found.push([text.slice(at), void 0]);
    return found;
  }
  var TextCell = memo(function TextCell2({
    text,
    length = text.length,
    most = 400,
    marks = []
  }) {
    const shown2 = clip(text, most);
    if (length === 0) return /* @__PURE__ */ jsx("span", { className: "soft", children: "(empty)" });
    return /* @__PURE__ */ jsxs("span", { className: "text", children: [
      markedPieces(shown2, marks).map(
        ([piece, mark], place) => mark ? /* @__PURE__ */ jsx("mark", { className: mark.kind, title: mark.label, children: /* @__PURE__ */ jsx(Plain, { text: piece }) }, place) : /* @__PURE__ */ jsx(Plain, { text: piece }, place)
      ),
      length > shown2.length && /* @__PURE__ */ jsxs("span", { className: "soft", children: [
        " … ",
        length - shown2.length,
        " more"
      ] })
    ] });
  });
  var MOST_EDITS = 400;
  var WordDiff = memo(function WordDiff2({
    before,
    after
  }) {
    const changes = useMemo(
      () => diffWordsWithSpace(before, after, { maxEditLength: MOST_EDITS }),
      [before, after]
    );
    if (before === after) return /* @__PURE__ */ jsx("span", { className: "soft", children: "(the same)" });
    if (!changes) {
      return /* @__PURE__ */ jsxs("span", { className: "text", children: [
        /* @__PURE__ */ jsx("span", { className: "soft", children: "Too different for a word diff. " }),
        /* @__PURE__ */ jsx(Plain, { text: after })
      ] });
    }
    return /* @__PURE__ */ jsx("span", { className: "text", children: changes.map((change, place) => {
      if (change.added) {
        return /* @__PURE__ */ jsx("ins", { children: /* @__PURE__ */ jsx(Plain, { text: change.value }) }, place);
      }
      return change.removed ? /* @__PURE__ */ jsx("del", { children: /* @__PURE__ */ jsx(Plain, { text: change.value }) }, place) : /* @__PURE__ */ jsx(Plain, { text: change.value }, place);
    }) });
  });

  // src/views/log.tsx
  function Log() {
    const log = useLoad("log", (signal) => get("/api/log", { signal }));
    return /* @__PURE__ */ jsx(Shown, { loaded: log, children: (data) => /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx("h1", { children: /* @__PURE__ */ jsx(Plain, { text: data.title }) }),
      /* @__PURE__ */ jsx("ol", { className: "plain versions", children: data.versions.map((version) => /* @__PURE__ */ jsxs("li", { "data-depth": Math.min(version.depth, 8), children: [
        /* @__PURE__ */ jsx("b", { children: version.name }),
        " ",
        /* @__PURE__ */ jsx(Plain, { text: version.title })
      ] }, version.name)) })
    ] }) });
  }

  // src/views/runs.tsx
  function useJobs() {
    const loaded = useLoad("jobs", (signal) => get("/api/jobs", { signal }), []);
    const [newer, setNewer] = useState(/* @__PURE__ */ new Map());
    useEvents(
      ["job"],
      useCallback((event) => {
        if (event.type === "job") {
          setNewer((before) => new Map(before).set(event.job.id, event.job));
        }
      }, [])
    );
    const known = new Map((loaded.data ?? []).map((job) => [job.id, job]));
    const fresh = [...newer.values()].filter((job) => !known.has(job.id)).reverse();
    const jobs = [...fresh, ...[...known.values()].map((job) => newer.get(job.id) ?? job)];
    return { ...loaded, data: loaded.data && jobs };
  }
  function duration(seconds) {
    if (seconds < 90) return `${Math.round(seconds)} s`;
    return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
  }
  function JobLine({ job }) {
    const running = job.state === "running";
    return /* @__PURE__ */ jsxs("li", { className: "job", children: [
      /* @__PURE__ */ jsxs("div", { className: "line", children: [
        /* @__PURE__ */ jsx("b", { children: plain(job.title) }),
        /* @__PURE__ */ jsx("span", { className: job.state === "failed" ? "worse" : "soft", children: job.state }),
        running && /* @__PURE__ */ jsx(
          Button,
          {
            onPress: () => void post("/api/jobs/{job_id}/stop", { path: { job_id: job.id } }),
            children: "Stop"
          }
        )
      ] }),
      job.total != null && job.total > 0 && /* @__PURE__ */ jsx("progress", { "aria-label": plain(job.title), value: job.done, max: job.total }),
      /* @__PURE__ */ jsxs("div", { className: "soft", children: [
        job.total != null && `${job.done} of ${job.total} `,
        running && job.rate != null && `${job.rate.toFixed(1)} a second `,
        running && job.seconds_left != null && `${duration(job.seconds_left)} left `,
        plain(job.words)
      ] })
    ] });
  }
  function Runs() {
    const jobs = useJobs();
    const [error, setError] = useState();
    const start2 = () => post("/api/runs", { body: { versions: [] } }).then(() => setError(void 0), setError);
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx("h1", { children: "Runs" }),
      /* @__PURE__ */ jsx(Button, { onPress: () => void start2(), children: "Generate what is missing" }),
      error && /* @__PURE__ */ jsx(Problem, { error }),
      /* @__PURE__ */ jsx(Shown, { loaded: jobs, children: (all) => all.length === 0 ? /* @__PURE__ */ jsx("p", { children: "Nothing has run since the page was started." }) : /* @__PURE__ */ jsx("ul", { className: "plain", children: all.map((job) => /* @__PURE__ */ jsx(JobLine, { job }, job.id)) }) })
    ] });
  }

  // src/views/index.ts
  var views = [
    { name: "log", title: "Log", about: "the versions and what came of each", view: Log },
    { name: "runs", title: "Runs", about: "what is running, and its progress", view: Runs }
  ];

  // src/palette.tsx
  function viewsLike(words) {
    return views.filter((view) => view.title.toLowerCase().includes(words.toLowerCase())).map((view) => ({
      id: `view ${view.name}`,
      kind: "view",
      name: view.title,
      words: view.about,
      open: () => go([view.name])
    }));
  }
  function Results({ words, close: close2 }) {
    const found = useLoad(words, (signal) => get("/api/search", { query: { q: words }, signal }));
    const targets = [
      ...viewsLike(words),
      ...(found.data ?? []).map((hit) => ({
        id: `${hit.kind} ${hit.name}`,
        kind: hit.kind,
        name: plain(hit.name),
        words: plain(hit.words),
        open: () => hit.kind === "version" ? go(["log", hit.name]) : go(["compare"], { prompt: hit.name })
      }))
    ];
    return /* @__PURE__ */ jsx(
      Menu,
      {
        "aria-label": "What to open",
        className: "results",
        items: targets,
        renderEmptyState: () => /* @__PURE__ */ jsx("p", { className: "soft", children: "Nothing is called that." }),
        onAction: (id) => {
          targets.find((target) => target.id === id)?.open();
          close2();
        },
        children: (target) => /* @__PURE__ */ jsxs(MenuItem, { id: target.id, textValue: `${target.name} ${target.words}`, children: [
          /* @__PURE__ */ jsx("span", { className: "soft", children: target.kind }),
          " ",
          /* @__PURE__ */ jsx("b", { children: target.name }),
          " ",
          target.words
        ] })
      }
    );
  }
  function Palette() {
    const [open2, setOpen] = useState(false);
    const [words, setWords] = useState("");
    useKeys([{ key: "mod+k", words: "go to a version, prompt or view", run: () => setOpen(true) }]);
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsxs(Button, { className: "quiet", onPress: () => setOpen(true), children: [
        "Go to ",
        /* @__PURE__ */ jsx("kbd", { children: "Ctrl K" })
      ] }),
      /* @__PURE__ */ jsx(ModalOverlay, { className: "overlay", isOpen: open2, onOpenChange: setOpen, isDismissable: true, children: /* @__PURE__ */ jsx(Modal, { className: "modal palette", children: /* @__PURE__ */ jsx(Dialog, { "aria-label": "Go to", children: /* @__PURE__ */ jsxs(Autocomplete, { inputValue: words, onInputChange: setWords, children: [
        /* @__PURE__ */ jsx(SearchField, { autoFocus: true, "aria-label": "Version, prompt or view", children: /* @__PURE__ */ jsx(Input, { placeholder: "Version, prompt or view" }) }),
        /* @__PURE__ */ jsx(Results, { words, close: () => setOpen(false) })
      ] }) }) }) })
    ] });
  }

  // src/app.tsx
  var Fence = class extends Component {
    state = { error: void 0 };
    static getDerivedStateFromError(error) {
      return { error };
    }
    render() {
      return this.state.error ? /* @__PURE__ */ jsx(Problem, { error: this.state.error }) : this.props.children;
    }
  };
  var THEMES = ["auto", "light", "dark"];
  function Theme() {
    const [theme, setTheme] = useState(() => localStorage.getItem("ethogram.theme") ?? "auto");
    useEffect(() => {
      document.documentElement.dataset.theme = theme;
      localStorage.setItem("ethogram.theme", theme);
    }, [theme]);
    const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "auto";
    return /* @__PURE__ */ jsx(Button, { className: "quiet", onPress: () => setTheme(next), "aria-label": `Theme: ${theme}`, children: theme });
  }
  function Connection() {
    const [connected, setConnected] = useState(true);
    useEffect(() => watchConnection(setConnected), []);
    return /* @__PURE__ */ jsx("span", { role: "status", className: "worse", children: connected ? "" : "not connected; trying again" });
  }
  function Running() {
    const running = (useJobs().data ?? []).filter((job) => job.state === "running").length;
    return running > 0 ? /* @__PURE__ */ jsxs("a", { href: link(["runs"]), children: [
      running,
      " running"
    ] }) : null;
  }
  function App() {
    const place = usePlace();
    const current = views.find((view) => view.name === place.path[0]) ?? views[0];
    const View = current?.view;
    useEffect(() => {
      document.title = `${current?.title ?? "Page"} · Ethogram`;
    }, [current]);
    const tabs = views.filter((view) => !view.hidden);
    useKeys(
      tabs.map((view, index) => ({
        key: String(index + 1),
        words: `open ${view.title}`,
        run: () => go([view.name])
      }))
    );
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx(
        "button",
        {
          type: "button",
          className: "skip",
          onClick: () => document.getElementById("main")?.focus(),
          children: "Skip to the content"
        }
      ),
      /* @__PURE__ */ jsxs("header", { children: [
        /* @__PURE__ */ jsx("nav", { "aria-label": "Views", children: tabs.map((view) => /* @__PURE__ */ jsx(
          "a",
          {
            href: link([view.name]),
            "aria-current": view === current ? "page" : void 0,
            children: view.title
          },
          view.name
        )) }),
        /* @__PURE__ */ jsxs("div", { className: "tools", children: [
          /* @__PURE__ */ jsx(Connection, {}),
          /* @__PURE__ */ jsx(Running, {}),
          /* @__PURE__ */ jsx(Palette, {}),
          /* @__PURE__ */ jsx(KeysHelp, {}),
          /* @__PURE__ */ jsx(Theme, {})
        ] })
      ] }),
      /* @__PURE__ */ jsx("main", { id: "main", tabIndex: -1, children: /* @__PURE__ */ jsx(Fence, { children: View && /* @__PURE__ */ jsx(View, { place }) }, current?.name ?? "") })
    ] });
  }

  // src/main.tsx
  async function enter() {
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
  async function start() {
    const root = createRoot(document.getElementById("root"));
    try {
      await enter();
      await follow();
      root.render(/* @__PURE__ */ jsx(App, {}));
    } catch (error) {
      const known = error instanceof Refused;
      const hint = known ? "" : " (is `ethogram ui` running?)";
      root.render(/* @__PURE__ */ jsx(Problem, { error: new Error(`${error.message}${hint}`) }));
    }
  }
  void start();
})();
