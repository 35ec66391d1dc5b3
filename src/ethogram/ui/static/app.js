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
  function useQuery(name, fallback = "") {
    const { query } = usePlace();
    const set = useCallback(
      (value) => {
        const place = parse(window.location.hash);
        if (value === fallback) place.query.delete(name);
        else place.query.set(name, value);
        const hash = link(place.path, Object.fromEntries(place.query));
        window.history.replaceState(null, "", hash);
        window.dispatchEvent(new HashChangeEvent("hashchange"));
      },
      [name, fallback]
    );
    return [query.get(name) ?? fallback, set];
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
  var BLOCK = 1e4;
  function WholeText({ text, marks = [] }) {
    const blocks = useMemo(() => {
      const found = [];
      for (let start2 = 0; start2 < text.length; ) {
        const piece = clip(text.slice(start2, start2 + BLOCK + 1), BLOCK) || text[start2] || "";
        found.push({ start: start2, text: piece });
        start2 += piece.length;
      }
      return found;
    }, [text]);
    if (!text) return /* @__PURE__ */ jsx("span", { className: "soft", children: "(empty)" });
    return /* @__PURE__ */ jsx("div", { className: "whole text", children: blocks.map((block) => /* @__PURE__ */ jsx("div", { className: blocks.length > 1 ? "block" : "", children: markedPieces(
      block.text,
      marks.map((mark) => ({
        ...mark,
        start: mark.start - block.start,
        end: mark.end - block.start
      }))
    ).map(
      ([piece, mark], place) => mark ? /* @__PURE__ */ jsx("mark", { className: mark.kind, title: mark.label, children: /* @__PURE__ */ jsx(Plain, { text: piece }) }, place) : /* @__PURE__ */ jsx(Plain, { text: piece }, place)
    ) }, block.start)) });
  }
  var MOST_EDITS = 400;
  var WordDiff = memo(function WordDiff2({
    before,
    after: after2
  }) {
    const changes = useMemo(
      () => diffWordsWithSpace(before, after2, { maxEditLength: MOST_EDITS }),
      [before, after2]
    );
    if (before === after2) return /* @__PURE__ */ jsx("span", { className: "soft", children: "(the same)" });
    if (!changes) {
      return /* @__PURE__ */ jsxs("span", { className: "text", children: [
        /* @__PURE__ */ jsx("span", { className: "soft", children: "Too different for a word diff. " }),
        /* @__PURE__ */ jsx(Plain, { text: after2 })
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

  // src/job.ts
  function after(state, event) {
    if (event.type === "job" && event.job.id === state.job.id) return { ...state, job: event.job };
    if (event.type === "job_text" && event.id === state.job.id) {
      const before = state.lanes[event.lane] ?? "";
      if (event.at > before.length) return void 0;
      if (event.at + event.text.length <= before.length) return state;
      const text = before.slice(0, event.at) + event.text;
      return { ...state, lanes: { ...state.lanes, [event.lane]: text } };
    }
    if (event.type === "job_row" && event.id === state.job.id) {
      if (event.index > state.rows.length) return void 0;
      if (event.index < state.rows.length) return state;
      return { ...state, rows: [...state.rows, event.row] };
    }
    return state;
  }
  function stateOf(detail) {
    return { job: detail.job, lanes: { ...detail.lanes }, rows: [...detail.rows] };
  }
  function useJob(id) {
    const [state, setState] = useState();
    const known = useRef(void 0);
    const queue = useRef([]);
    const [turn, setTurn] = useState(0);
    useEffect(() => {
      const stop = new AbortController();
      queue.current = [];
      if (known.current?.job.id !== id) {
        known.current = void 0;
        setState(void 0);
      }
      if (!id) return;
      get("/api/jobs/{job_id}", { path: { job_id: id }, signal: stop.signal }).then(
        (detail) => {
          if (stop.signal.aborted) return;
          let found = stateOf(detail);
          for (const event of queue.current ?? []) found = after(found, event) ?? found;
          queue.current = void 0;
          known.current = found;
          setState(found);
        },
        () => void 0
      );
      return () => stop.abort();
    }, [id, turn]);
    useEvents(
      ["job", "job_text", "job_row"],
      useCallback((event) => {
        if (event.type === "reset") setTurn((before) => before + 1);
        else if (queue.current) queue.current.push(event);
        else if (known.current) {
          const next = after(known.current, event);
          if (next === void 0) setTurn((before) => before + 1);
          else if (next !== known.current) {
            known.current = next;
            setState(next);
          }
        }
      }, [])
    );
    return state;
  }

  // src/parts/tokens.tsx
  var COLOURS = ["probability", "rank", "entropy"];
  function shade(token, colour) {
    const share = colour === "probability" ? 1 - token.probability : colour === "rank" ? Math.log10(token.rank) / 3 : token.entropy / 8;
    return Math.min(9, Math.max(0, Math.floor(share * 10)));
  }
  function Shown2({ token }) {
    if (token.part && token.part[0] > 1) return /* @__PURE__ */ jsx("span", { className: "soft", children: "·" });
    const lines = token.text.split("\n");
    return /* @__PURE__ */ jsx(Fragment, { children: lines.map((line, place) => /* @__PURE__ */ jsxs("span", { children: [
      place > 0 && /* @__PURE__ */ jsxs(Fragment, { children: [
        /* @__PURE__ */ jsx("span", { className: "soft", children: "⏎" }),
        /* @__PURE__ */ jsx("br", {})
      ] }),
      /* @__PURE__ */ jsx(Plain, { text: line })
    ] }, place)) });
  }
  var One = memo(function One2({
    token,
    id,
    at,
    kind,
    chosen
  }) {
    const part = token.part ? `, part ${token.part[0]} of ${token.part[1]} of a character` : "";
    return /* @__PURE__ */ jsx(
      "span",
      {
        id: `${id}-${at}`,
        "data-at": at,
        role: "option",
        tabIndex: -1,
        "aria-selected": chosen,
        className: kind,
        title: `${at + 1}: ${(100 * token.probability).toPrecision(2)} %, rank ${token.rank}${part}`,
        children: /* @__PURE__ */ jsx(Shown2, { token })
      }
    );
  });
  function Tokens({ id, label, tokens, colour, step, from = 0, onStep }) {
    const element = useRef(null);
    const press = useCallback(
      (event) => {
        const to = {
          ArrowRight: step + 1,
          ArrowDown: step + 1,
          ArrowLeft: step - 1,
          ArrowUp: step - 1,
          Home: 0,
          End: tokens.length - 1
        }[event.key];
        if (to === void 0) return;
        event.preventDefault();
        onStep(Math.min(tokens.length - 1, Math.max(0, to)));
      },
      [step, tokens.length, onStep]
    );
    useEffect(() => {
      const chosen = element.current?.querySelector(`[data-at="${step}"]`);
      chosen?.scrollIntoView?.({ block: "nearest" });
    }, [step]);
    return /* @__PURE__ */ jsx(
      "div",
      {
        ref: element,
        className: "tokens",
        role: "listbox",
        tabIndex: 0,
        "aria-label": label,
        "aria-activedescendant": step >= 0 ? `${id}-${step}` : void 0,
        onKeyDown: press,
        onClick: (event) => {
          const found = event.target.closest("[data-at]");
          if (found) onStep(Number(found.dataset.at));
        },
        children: tokens.map((token, at) => /* @__PURE__ */ jsx(
          One,
          {
            id,
            at,
            token,
            chosen: at === step,
            kind: at < from ? "token same" : `token s${shade(token, colour)}`
          },
          at
        ))
      }
    );
  }

  // src/views/branches.tsx
  function settingsOf(lines) {
    const found = {};
    for (const line of lines.split("\n")) {
      const [field = "", ...rest] = line.split("=");
      if (!field.trim()) continue;
      const value = rest.join("=").trim();
      try {
        found[field.trim()] = JSON.parse(value);
      } catch {
        found[field.trim()] = value;
      }
    }
    return found;
  }
  function BranchPanel({ output, where, step, reload }) {
    const [id, setId] = useState("");
    const [lines, setLines] = useState("");
    const [draw, setDraw] = useState(false);
    const [error, setError] = useState();
    const job = useJob(id)?.job;
    const made = job?.state === "done" ? job.result?.branch : void 0;
    const path = ["microscope", output.version, output.prompt_id, String(output.sample)];
    const address2 = JSON.stringify(path);
    useEffect(() => {
      if (made === void 0) return;
      setId("");
      go(JSON.parse(address2), { branch: String(made), step: String(step + 1) });
    }, [made, address2, step]);
    const start2 = (token) => {
      setError(void 0);
      const from = output.branch == null ? { version: output.version, prompt: output.prompt_id, sample: output.sample } : { branch: output.branch };
      post("/api/microscope/branch", {
        body: {
          version: "",
          prompt: "",
          sample: 0,
          ...from,
          at: step,
          token: token ?? null,
          settings: settingsOf(lines),
          draw: draw ? 1 + Math.floor(Math.random() * 1e6) : 0
        }
      }).then((begun) => setId(begun.id), setError);
    };
    const shown2 = output.branches.filter((one) => !one.undone);
    const last2 = shown2[shown2.length - 1];
    const hidden = output.branches.find((one) => one.undone);
    const change = (number, way) => post(`/api/microscope/branches/{number}/${way}`, { path: { number } }).then(() => {
      if (way === "undo" && where.branch === number) go(path, { step: String(step + 1) });
      else reload();
    }, setError);
    useKeys([
      { key: "b", words: "branch from this token", run: () => start2() },
      { key: "u", words: "undo the last branch", run: () => last2 && void change(last2.id, "undo") },
      {
        key: "r",
        words: "restore the first branch that was undone",
        run: () => hidden && void change(hidden.id, "restore")
      }
    ]);
    const chosen = output.tokens[step];
    const busy = job?.state === "running";
    return /* @__PURE__ */ jsxs("section", { "aria-label": "Branches", children: [
      /* @__PURE__ */ jsxs("h2", { children: [
        "Branch from token ",
        step + 1
      ] }),
      /* @__PURE__ */ jsx("div", { className: "controls", role: "group", "aria-label": "Another token", children: (chosen?.alternatives ?? []).filter((one) => one.id !== chosen?.id).map((one) => /* @__PURE__ */ jsxs(Button, { isDisabled: busy, onPress: () => start2(one.id), children: [
        /* @__PURE__ */ jsx("bdi", { className: "piece", children: /* @__PURE__ */ jsx(Plain, { text: one.text.replaceAll("\n", "⏎") }) }),
        " ",
        /* @__PURE__ */ jsxs("span", { className: "soft", children: [
          (100 * one.probability).toPrecision(2),
          " %"
        ] })
      ] }, one.id)) }),
      /* @__PURE__ */ jsxs("div", { className: "controls", children: [
        /* @__PURE__ */ jsxs("label", { children: [
          "Settings from here on",
          /* @__PURE__ */ jsx(
            "textarea",
            {
              rows: 2,
              cols: 34,
              placeholder: "decoding.temperature=0.5",
              value: lines,
              onChange: (event) => setLines(event.target.value)
            }
          )
        ] }),
        /* @__PURE__ */ jsxs("label", { children: [
          /* @__PURE__ */ jsx(
            "input",
            {
              type: "checkbox",
              checked: draw,
              onChange: (event) => setDraw(event.target.checked)
            }
          ),
          "other random numbers"
        ] }),
        /* @__PURE__ */ jsxs(Button, { isDisabled: busy, onPress: () => start2(), children: [
          "Branch ",
          /* @__PURE__ */ jsx("kbd", { children: "b" })
        ] }),
        /* @__PURE__ */ jsx("span", { role: "status", className: "soft", children: job && (busy || job.state === "failed") ? plain(job.words) : "" })
      ] }),
      error && /* @__PURE__ */ jsx(Problem, { error }),
      output.branches.length > 0 && /* @__PURE__ */ jsxs(Fragment, { children: [
        /* @__PURE__ */ jsx("h2", { children: "Branches of this output" }),
        /* @__PURE__ */ jsx("ul", { className: "plain", children: output.branches.map((one) => /* @__PURE__ */ jsx(
          BranchLine,
          {
            branch: one,
            output,
            here: one.id === output.branch,
            onChange: change
          },
          one.id
        )) })
      ] })
    ] });
  }
  function BranchLine({ branch, output, here, onChange }) {
    const [name, setName] = useState("");
    const [said, setSaid] = useState("");
    const [error, setError] = useState();
    const path = ["microscope", output.version, output.prompt_id, String(output.sample)];
    const number = branch.id;
    const pair = (prefer) => post("/api/microscope/branches/{number}/pair", { path: { number }, body: { prefer } }).then(
      (made) => setSaid(`${made.file} has ${made.rows} pairs`),
      setError
    );
    const save = () => post("/api/microscope/branches/{number}/version", {
      path: { number },
      body: { name, title: "" }
    }).then((made) => setSaid(`wrote ${made.file}`), setError);
    return /* @__PURE__ */ jsxs("li", { className: "job", children: [
      /* @__PURE__ */ jsxs("div", { className: "line", children: [
        /* @__PURE__ */ jsx(
          "a",
          {
            href: link(path, { branch: String(number), step: String(branch.at + 1) }),
            "aria-current": here ? "true" : void 0,
            children: number
          }
        ),
        /* @__PURE__ */ jsx("span", { children: plain(branch.words) }),
        branch.undone && /* @__PURE__ */ jsx("span", { className: "soft", children: "undone" }),
        /* @__PURE__ */ jsx(Button, { onPress: () => void onChange(number, branch.undone ? "restore" : "undo"), children: branch.undone ? "Restore" : "Undo" }),
        /* @__PURE__ */ jsx(Button, { onPress: () => void pair("branch"), children: "This is better" }),
        /* @__PURE__ */ jsx(Button, { onPress: () => void pair("original"), children: "The original is better" }),
        Object.keys(branch.settings).length > 0 && /* @__PURE__ */ jsxs(Fragment, { children: [
          /* @__PURE__ */ jsx(
            "input",
            {
              "aria-label": `Name of the version of branch ${number}`,
              placeholder: "v0.2.0",
              size: 8,
              value: name,
              onChange: (event) => setName(event.target.value)
            }
          ),
          /* @__PURE__ */ jsx(Button, { isDisabled: !name, onPress: () => void save(), children: "Save as version" })
        ] })
      ] }),
      /* @__PURE__ */ jsx("div", { className: "soft", children: /* @__PURE__ */ jsx(TextCell, { text: branch.text.text, length: branch.text.length, most: 160 }) }),
      /* @__PURE__ */ jsx("span", { role: "status", className: "soft", children: said }),
      error && /* @__PURE__ */ jsx(Problem, { error })
    ] });
  }

  // src/views/microscope.tsx
  function percent(share) {
    if (share === 0) return "0";
    return share < 1e-3 ? "<0.1 %" : `${(100 * share).toFixed(1)} %`;
  }
  function pathOf(where) {
    return ["microscope", where.version, where.prompt, String(where.sample)];
  }
  function Bar({ share, strong = false }) {
    return /* @__PURE__ */ jsxs("span", { className: "share", children: [
      /* @__PURE__ */ jsx("span", { className: strong ? "bar strong" : "bar", children: /* @__PURE__ */ jsx("span", { style: { width: `${100 * share}%` } }) }),
      /* @__PURE__ */ jsx("span", { className: "number", children: percent(share) })
    ] });
  }
  function Chooser({ where }) {
    const versions = useLoad("microscope", (signal) => get("/api/microscope", { signal }));
    return /* @__PURE__ */ jsx(Shown, { loaded: versions, children: (all) => {
      const version = all.find((one) => one.name === where.version) ?? all[0];
      if (!version) return /* @__PURE__ */ jsx("p", { children: "No version of this study generates its outputs here." });
      const prompt = version.prompts.includes(where.prompt) ? where.prompt : version.prompts[0] ?? "";
      const open2 = (next) => go(pathOf({ version: version.name, prompt, sample: 0, ...next }));
      return /* @__PURE__ */ jsxs("div", { className: "controls", children: [
        /* @__PURE__ */ jsxs("label", { children: [
          "Version",
          /* @__PURE__ */ jsxs(
            "select",
            {
              value: where.version || "",
              onChange: (event) => open2({ version: event.target.value }),
              children: [
                !where.version && /* @__PURE__ */ jsx("option", { value: "", children: "choose" }),
                all.map((one) => /* @__PURE__ */ jsxs("option", { value: one.name, children: [
                  one.name,
                  " ",
                  plain(one.title)
                ] }, one.name))
              ]
            }
          )
        ] }),
        /* @__PURE__ */ jsxs("label", { children: [
          "Prompt",
          /* @__PURE__ */ jsx("select", { value: prompt, onChange: (event) => open2({ prompt: event.target.value }), children: version.prompts.map((one) => /* @__PURE__ */ jsx("option", { value: one, children: plain(one) }, one)) })
        ] }),
        version.samples > 1 && /* @__PURE__ */ jsxs("label", { children: [
          "Sample",
          /* @__PURE__ */ jsx(
            "input",
            {
              type: "number",
              min: 0,
              max: version.samples - 1,
              value: where.sample,
              onChange: (event) => open2({ sample: Number(event.target.value) })
            }
          )
        ] })
      ] });
    } });
  }
  function StepPanel({ step }) {
    const last2 = step.stages.length - 1;
    return /* @__PURE__ */ jsxs("section", { "aria-label": "What this token was chosen from", children: [
      /* @__PURE__ */ jsx("p", { children: plain(step.why_possible) }),
      /* @__PURE__ */ jsx("div", { className: "scroll", tabIndex: 0, role: "group", "aria-label": "Distributions", children: /* @__PURE__ */ jsxs("table", { className: "stages", children: [
        /* @__PURE__ */ jsx("thead", { children: /* @__PURE__ */ jsxs("tr", { children: [
          /* @__PURE__ */ jsx("th", { children: "token" }),
          step.stages.map((stage, place) => /* @__PURE__ */ jsxs("th", { children: [
            stage.label,
            place === last2 && place > 0 && " (final)"
          ] }, stage.name))
        ] }) }),
        /* @__PURE__ */ jsxs("tbody", { children: [
          step.tokens.map((token) => /* @__PURE__ */ jsxs("tr", { className: token.chosen ? "chosen" : "", children: [
            /* @__PURE__ */ jsxs("th", { scope: "row", children: [
              /* @__PURE__ */ jsx("bdi", { className: "piece", children: /* @__PURE__ */ jsx(Plain, { text: token.text.replaceAll("\n", "⏎") }) }),
              token.chosen && /* @__PURE__ */ jsx("span", { className: "soft", children: " chosen" })
            ] }),
            token.probabilities.map((share, place) => /* @__PURE__ */ jsx("td", { children: share === 0 ? /* @__PURE__ */ jsx("span", { className: "soft", children: "removed" }) : /* @__PURE__ */ jsx(Bar, { share, strong: token.chosen }) }, step.stages[place]?.name ?? place))
          ] }, token.id)),
          /* @__PURE__ */ jsxs("tr", { children: [
            /* @__PURE__ */ jsx("th", { scope: "row", className: "soft", children: "all others" }),
            step.stages.map((stage) => /* @__PURE__ */ jsx("td", { children: /* @__PURE__ */ jsx(Bar, { share: stage.rest }) }, stage.name))
          ] })
        ] })
      ] }) }),
      /* @__PURE__ */ jsxs("ul", { className: "plain soft", children: [
        step.stages.map((stage) => /* @__PURE__ */ jsxs("li", { children: [
          stage.label,
          ": ",
          plain(stage.words),
          stage.removed_examples.length > 0 && /* @__PURE__ */ jsxs(Fragment, { children: [
            " (",
            stage.removed_examples.map((text, place) => /* @__PURE__ */ jsxs("span", { children: [
              place > 0 && ", ",
              /* @__PURE__ */ jsx("bdi", { className: "piece", children: /* @__PURE__ */ jsx(Plain, { text: text.replaceAll("\n", "⏎") }) })
            ] }, place)),
            stage.removed > stage.removed_examples.length && ", …",
            ")"
          ] }),
          "; entropy ",
          stage.entropy.toFixed(2),
          " nats"
        ] }, stage.name)),
        /* @__PURE__ */ jsx("li", { children: plain(step.how) }),
        step.notes.map((note) => /* @__PURE__ */ jsx("li", { className: "changed", children: plain(note) }, note))
      ] })
    ] });
  }
  function Loops({ output, onStep }) {
    if (output.loops.length === 0) return null;
    return /* @__PURE__ */ jsxs("section", { "aria-label": "Loops", children: [
      /* @__PURE__ */ jsx("h2", { children: "Loops feed themselves" }),
      output.loops.map((loop) => /* @__PURE__ */ jsxs("div", { children: [
        /* @__PURE__ */ jsxs("p", { children: [
          /* @__PURE__ */ jsxs(Button, { onPress: () => onStep(loop.onset), children: [
            "Token ",
            loop.onset + 1
          ] }),
          " ",
          loop.copies,
          " ",
          "copies of ",
          loop.period,
          " tokens. The first copy had a mean probability of",
          " ",
          percent(loop.probability[0] ?? 0),
          " a token, the last one",
          " ",
          percent(loop.probability[loop.probability.length - 1] ?? 0),
          "."
        ] }),
        /* @__PURE__ */ jsx("div", { className: "scroll", tabIndex: 0, role: "group", "aria-label": "Copies", children: /* @__PURE__ */ jsxs("table", { className: "stages", children: [
          /* @__PURE__ */ jsx("thead", { children: /* @__PURE__ */ jsxs("tr", { children: [
            /* @__PURE__ */ jsx("th", { children: "copy" }),
            /* @__PURE__ */ jsx("th", { children: "mean probability" }),
            /* @__PURE__ */ jsx("th", { children: "more probable than in the first" }),
            /* @__PURE__ */ jsx("th", { children: "the most probable token" })
          ] }) }),
          /* @__PURE__ */ jsx("tbody", { children: loop.probability.map((share, copy) => /* @__PURE__ */ jsxs("tr", { children: [
            /* @__PURE__ */ jsx("th", { scope: "row", children: copy + 1 }),
            /* @__PURE__ */ jsx("td", { children: /* @__PURE__ */ jsx(Bar, { share, strong: true }) }),
            /* @__PURE__ */ jsx("td", { children: /* @__PURE__ */ jsx(Bar, { share: loop.increased[copy] ?? 0 }) }),
            /* @__PURE__ */ jsx("td", { children: /* @__PURE__ */ jsx(Bar, { share: loop.won[copy] ?? 0 }) })
          ] }, copy)) })
        ] }) })
      ] }, loop.onset))
    ] });
  }
  function MakeTrace({ where, onMade }) {
    const [id, setId] = useState("");
    const [error, setError] = useState();
    const job = useJob(id)?.job;
    useEffect(() => {
      if (job?.state === "done") onMade();
    }, [job?.state, onMade]);
    const start2 = () => post("/api/microscope/trace", {
      body: { version: where.version, prompt: where.prompt, sample: where.sample }
    }).then((made) => setId(made.id), setError);
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx(Button, { isDisabled: job?.state === "running", onPress: () => void start2(), children: "Make its trace" }),
      " ",
      /* @__PURE__ */ jsx("span", { role: "status", className: "soft", children: job && plain(job.words) }),
      error && /* @__PURE__ */ jsx(Problem, { error })
    ] });
  }
  function Opened({ output, where, reload }) {
    const [colour, setColour] = useQuery("colour", "probability");
    const [stepText, setStepText] = useQuery("step", "1");
    const step = Math.min(output.tokens.length, Math.max(1, Number(stepText) || 1)) - 1;
    const setStep = useCallback((next) => setStepText(String(next + 1)), [setStepText]);
    const chosen = output.tokens[step];
    const kind = COLOURS.find((one) => one === colour) ?? "probability";
    const parent = output.branches.find((one) => one.id === output.branch)?.parent ?? void 0;
    const beside = useLoad(
      `beside ${output.version} ${output.prompt_id} ${output.sample} ${output.branch} ${parent}`,
      (signal) => output.branch == null ? Promise.resolve(void 0) : get("/api/microscope/output", {
        query: parent !== void 0 ? { branch: parent } : { version: output.version, prompt: output.prompt_id, sample: output.sample },
        signal
      }),
      []
    );
    const choice = useLoad(
      `step ${output.version} ${output.prompt_id} ${output.sample} ${output.branch} ${step}`,
      (signal) => get("/api/microscope/step", {
        query: output.branch == null ? { step, version: output.version, prompt: output.prompt_id, sample: output.sample } : { step, branch: output.branch },
        signal
      }),
      []
    );
    useKeys([
      { key: "ArrowRight", words: "next token", run: () => setStep(step + 1) },
      { key: "ArrowLeft", words: "token before", run: () => setStep(Math.max(0, step - 1)) },
      {
        key: "c",
        words: "colour by probability, rank or entropy",
        run: () => setColour(COLOURS[(COLOURS.indexOf(kind) + 1) % COLOURS.length] ?? "probability")
      }
    ]);
    const shared = { colour: kind, step, onStep: setStep };
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx("p", { className: "soft", children: /* @__PURE__ */ jsx(TextCell, { text: output.prompt, length: output.prompt.length }) }),
      /* @__PURE__ */ jsxs("div", { className: "controls", role: "group", "aria-label": "Colour by", children: [
        "Colour by",
        COLOURS.map((one) => /* @__PURE__ */ jsx(
          "button",
          {
            type: "button",
            "aria-pressed": one === kind,
            onClick: () => setColour(one),
            children: one
          },
          one
        )),
        /* @__PURE__ */ jsx("span", { className: "soft", children: "pale is what the model expected" })
      ] }),
      output.branch != null && /* @__PURE__ */ jsxs("p", { children: [
        "Branch ",
        output.branch,
        ", ",
        plain(output.words),
        ".",
        " ",
        /* @__PURE__ */ jsxs(
          "a",
          {
            href: link(
              pathOf(where),
              parent !== void 0 ? { branch: String(parent), step: stepText } : { step: stepText }
            ),
            children: [
              "Back to ",
              parent !== void 0 ? `branch ${parent}` : "the original"
            ]
          }
        )
      ] }),
      /* @__PURE__ */ jsxs("div", { className: beside.data ? "beside" : "", children: [
        beside.data && /* @__PURE__ */ jsxs("section", { "aria-label": "Original", children: [
          /* @__PURE__ */ jsx("h2", { children: parent !== void 0 ? `Branch ${parent}` : "Original" }),
          /* @__PURE__ */ jsx(
            Tokens,
            {
              id: "before",
              label: "Tokens of the original",
              tokens: beside.data.tokens,
              from: output.at ?? 0,
              ...shared
            }
          )
        ] }),
        /* @__PURE__ */ jsxs("section", { "aria-label": "Output", children: [
          beside.data && /* @__PURE__ */ jsxs("h2", { children: [
            "Branch ",
            output.branch
          ] }),
          /* @__PURE__ */ jsx(
            Tokens,
            {
              id: "tokens",
              label: "Tokens of the output",
              tokens: output.tokens,
              from: output.at ?? 0,
              ...shared
            }
          )
        ] })
      ] }),
      chosen && /* @__PURE__ */ jsxs(Fragment, { children: [
        /* @__PURE__ */ jsxs("h2", { children: [
          "Token ",
          step + 1,
          ":",
          " ",
          /* @__PURE__ */ jsx("bdi", { className: "piece", children: /* @__PURE__ */ jsx(Plain, { text: chosen.text.replaceAll("\n", "⏎") }) })
        ] }),
        /* @__PURE__ */ jsxs("p", { children: [
          "Probability ",
          percent(chosen.probability),
          ", rank ",
          chosen.rank,
          ", entropy",
          " ",
          chosen.entropy.toFixed(2),
          " nats; final probability ",
          percent(chosen.final),
          chosen.kept != null && ` among ${chosen.kept} tokens`,
          "."
        ] }),
        /* @__PURE__ */ jsx(Shown, { loaded: choice, children: (found) => found.step === step ? /* @__PURE__ */ jsx(StepPanel, { step: found }) : null }),
        /* @__PURE__ */ jsx(BranchPanel, { output, where, step, reload })
      ] }),
      /* @__PURE__ */ jsx(Loops, { output, onStep: setStep })
    ] });
  }
  function Microscope({ place }) {
    const [, version = "", prompt = "", sample = "0"] = place.path;
    const [branch] = useQuery("branch");
    const where = { version, prompt, sample: Number(sample) || 0 };
    if (branch) where.branch = Number(branch);
    const known = Boolean(where.branch !== void 0 || version && prompt);
    const output = useLoad(
      `output ${version} ${prompt} ${sample} ${branch}`,
      (signal) => known ? get("/api/microscope/output", {
        query: where.branch === void 0 ? { version, prompt, sample: where.sample } : { branch: where.branch },
        signal
      }) : Promise.resolve(void 0),
      []
    );
    const fits = output.data && (output.data.branch ?? void 0) === where.branch;
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx("h1", { children: "Microscope" }),
      /* @__PURE__ */ jsx(Chooser, { where }),
      output.error && /* @__PURE__ */ jsx(Problem, { error: output.error }),
      output.error && known && /* @__PURE__ */ jsx(MakeTrace, { where, onMade: output.reload }),
      output.data && fits && !output.error && /* @__PURE__ */ jsx(
        Opened,
        {
          output: output.data,
          where,
          reload: output.reload
        },
        `${output.data.version} ${output.data.prompt_id} ${output.data.sample}`
      )
    ] });
  }

  // src/views/play.tsx
  function lanesOf(text) {
    try {
      const found = JSON.parse(text);
      if (!Array.isArray(found)) return [];
      return found.filter((one) => typeof one?.version === "string").map((one) => ({
        version: one.version,
        settings: typeof one.settings === "object" && one.settings ? one.settings : {},
        lines: typeof one.lines === "string" ? one.lines : ""
      }));
    } catch {
      return [];
    }
  }
  var ENDINGS = {
    eos: "ended by the model",
    stop: "ended by a stop",
    length: "cut off by the length limit"
  };
  function Slider2({
    setting,
    own,
    value,
    onChange
  }) {
    const [low, high, step] = setting.slider ?? [0, 1, 0.01];
    const now = Number(value ?? own);
    return /* @__PURE__ */ jsxs("div", { className: "setting", children: [
      /* @__PURE__ */ jsxs("label", { children: [
        /* @__PURE__ */ jsx("b", { children: setting.name }),
        /* @__PURE__ */ jsx(
          "input",
          {
            type: "range",
            min: Math.min(low, now),
            max: Math.max(high, now),
            step,
            value: now,
            onChange: (event) => onChange(Number(event.target.value))
          }
        ),
        /* @__PURE__ */ jsx("output", { className: "number", children: now })
      ] }),
      value !== void 0 && /* @__PURE__ */ jsxs("button", { type: "button", className: "quiet", onClick: () => onChange(void 0), children: [
        "back to ",
        String(own)
      ] }),
      /* @__PURE__ */ jsxs("div", { className: "soft", children: [
        plain(setting.about),
        ".",
        setting.lower && ` Lower: ${setting.lower}. Higher: ${setting.higher}.`
      ] })
    ] });
  }
  function LanePanel({ view, lane, number, text, ended, running, onChange, onRemove }) {
    const version = view.versions.find((one) => one.name === lane.version);
    const set = (field, value) => {
      const { [field]: _, ...others } = lane.settings;
      onChange({ ...lane, settings: value === void 0 ? others : { ...others, [field]: value } });
    };
    return /* @__PURE__ */ jsxs("section", { className: "lane", "aria-label": `Lane ${number + 1}`, children: [
      /* @__PURE__ */ jsxs("div", { className: "line", children: [
        /* @__PURE__ */ jsxs("label", { children: [
          "Version",
          /* @__PURE__ */ jsx(
            "select",
            {
              value: lane.version,
              onChange: (event) => onChange({ ...lane, version: event.target.value }),
              children: view.versions.map((one) => /* @__PURE__ */ jsxs("option", { value: one.name, children: [
                one.name,
                " ",
                plain(one.title)
              ] }, one.name))
            }
          )
        ] }),
        onRemove && /* @__PURE__ */ jsx(Button, { "aria-label": `Remove lane ${number + 1}`, onPress: onRemove, children: "Remove" })
      ] }),
      /* @__PURE__ */ jsx("div", { "aria-busy": running && !ended, children: text || !running ? /* @__PURE__ */ jsx(WholeText, { text: ended?.text ?? text }) : /* @__PURE__ */ jsx("span", { className: "soft", children: "…" }) }),
      /* @__PURE__ */ jsxs("p", { className: "soft", role: "status", children: [
        ended && `${ENDINGS[ended.finish_reason] ?? ended.finish_reason} after ${ended.tokens} tokens, ${(ended.tokens / Math.max(ended.seconds, 1e-3)).toFixed(0)} a second`,
        !ended && running && !version?.streams && "its wrapper or backend shows whole outputs only"
      ] }),
      version && /* @__PURE__ */ jsx(LaneSettings, { view, version, lane, set }),
      /* @__PURE__ */ jsxs("label", { children: [
        "Any other settings",
        /* @__PURE__ */ jsx(
          "textarea",
          {
            rows: 2,
            cols: 30,
            placeholder: "prompt.system=Answer in one word.",
            value: lane.lines,
            onChange: (event) => onChange({ ...lane, lines: event.target.value })
          }
        )
      ] }),
      /* @__PURE__ */ jsx(SaveVersion, { lane, number })
    ] });
  }
  function LaneSettings({
    view,
    version,
    lane,
    set
  }) {
    const changed = Object.keys(lane.settings).length;
    const choices = view.settings.filter((one) => one.kind === "choice");
    const plainFields = view.settings.filter((one) => !one.slider && /number|whole/.test(one.kind));
    const choice = (one) => /* @__PURE__ */ jsxs("div", { className: "setting", children: [
      /* @__PURE__ */ jsxs("label", { children: [
        /* @__PURE__ */ jsx("b", { children: one.name }),
        /* @__PURE__ */ jsxs(
          "select",
          {
            value: String(lane.settings[one.field] ?? version.values[one.field] ?? ""),
            onChange: (event) => set(one.field, event.target.value || void 0),
            children: [
              /* @__PURE__ */ jsx("option", { value: "", children: "as the version" }),
              one.choices.map((value) => /* @__PURE__ */ jsx("option", { value, children: value }, value))
            ]
          }
        )
      ] }),
      /* @__PURE__ */ jsxs("div", { className: "soft", children: [
        plain(one.about),
        "."
      ] })
    ] }, one.field);
    return /* @__PURE__ */ jsxs("details", { children: [
      /* @__PURE__ */ jsxs("summary", { children: [
        "Settings",
        changed > 0 && `, ${changed} changed`
      ] }),
      choices.filter((one) => one.name === "strategy").map(choice),
      view.settings.filter((one) => one.slider).map((one) => /* @__PURE__ */ jsx(
        Slider2,
        {
          setting: one,
          own: version.values[one.field] ?? one.default ?? 0,
          value: lane.settings[one.field],
          onChange: (value) => set(one.field, value)
        },
        one.field
      )),
      /* @__PURE__ */ jsxs("details", { children: [
        /* @__PURE__ */ jsx("summary", { children: "More settings" }),
        choices.filter((one) => one.name !== "strategy").map(choice),
        plainFields.map((one) => /* @__PURE__ */ jsxs("div", { className: "setting", children: [
          /* @__PURE__ */ jsxs("label", { children: [
            /* @__PURE__ */ jsx("b", { children: one.name }),
            /* @__PURE__ */ jsx(
              "input",
              {
                type: "number",
                step: "any",
                placeholder: String(version.values[one.field] ?? one.default ?? ""),
                value: lane.settings[one.field] === void 0 ? "" : String(lane.settings[one.field]),
                onChange: (event) => set(one.field, event.target.value === "" ? void 0 : Number(event.target.value))
              }
            )
          ] }),
          /* @__PURE__ */ jsx("div", { className: "soft", children: plain(one.about) })
        ] }, one.field))
      ] })
    ] });
  }
  function SaveVersion({ lane, number }) {
    const [name, setName] = useState("");
    const [title, setTitle] = useState("");
    const [saved, setSaved] = useState("");
    const [error, setError] = useState();
    const save = () => {
      setError(void 0);
      post("/api/play/version", { body: { ...lane, name, title } }).then(
        () => setSaved(name),
        setError
      );
    };
    return /* @__PURE__ */ jsxs("div", { className: "controls", children: [
      /* @__PURE__ */ jsx(
        "input",
        {
          "aria-label": `Name of the version of lane ${number + 1}`,
          placeholder: "v0.2.0",
          size: 8,
          value: name,
          onChange: (event) => setName(event.target.value)
        }
      ),
      /* @__PURE__ */ jsx(
        "input",
        {
          "aria-label": `Title of the version of lane ${number + 1}`,
          placeholder: "what it tries",
          value: title,
          onChange: (event) => setTitle(event.target.value)
        }
      ),
      /* @__PURE__ */ jsx(Button, { isDisabled: !name, onPress: save, children: "Save as child version" }),
      saved && /* @__PURE__ */ jsxs("span", { role: "status", children: [
        "Saved ",
        saved,
        ".",
        " ",
        /* @__PURE__ */ jsx(Button, { onPress: () => void post("/api/runs", { body: { versions: [saved] } }), children: "Generate its outputs" }),
        " ",
        /* @__PURE__ */ jsx("a", { href: link(["arena"], { versions: `${lane.version},${saved}` }), children: "Arena" })
      ] }),
      error && /* @__PURE__ */ jsx(Problem, { error })
    ] });
  }
  function ToSuite({ version, text }) {
    const [id, setId] = useState("");
    const [said, setSaid] = useState("");
    const [error, setError] = useState();
    const add = () => {
      setError(void 0);
      post("/api/play/prompt", { body: { version, id, text } }).then(
        (made) => setSaid(`added to ${made.file}`),
        setError
      );
    };
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx(
        "input",
        {
          "aria-label": "Id of the new prompt",
          placeholder: "new-prompt-id",
          size: 14,
          value: id,
          onChange: (event) => setId(event.target.value)
        }
      ),
      /* @__PURE__ */ jsx(Button, { isDisabled: !id || !text.trim(), onPress: add, children: "Add to the suite" }),
      /* @__PURE__ */ jsx("span", { role: "status", className: "soft", children: said }),
      error && /* @__PURE__ */ jsx(Problem, { error })
    ] });
  }
  function Board({ view }) {
    const [lanesText, setLanesText] = useQuery("lanes");
    const [prompt, setPrompt] = useQuery("prompt");
    const [text, setText] = useQuery("text");
    const [draw, setDraw] = useQuery("draw", "0");
    const [jobId, setJobId] = useQuery("job");
    const [error, setError] = useState();
    const known = lanesOf(lanesText);
    const first = view.versions[0];
    const lanes = known.length > 0 ? known : view.versions.slice(0, 2).map((one) => laneOf(one.name));
    const setLanes = (next) => setLanesText(JSON.stringify(next));
    const state = useJob(jobId);
    const running = state?.job.state === "running";
    const ended = state?.rows ?? [];
    const start2 = (number = draw) => {
      setError(void 0);
      const asked = text ? { text, prompt: null } : { prompt: prompt || null, text: null };
      post("/api/play", { body: { lanes, ...asked, draw: Number(number) || 0 } }).then(
        (begun) => setJobId(begun.id),
        setError
      );
    };
    const redraw = () => {
      const next = String(1 + Number(draw));
      setDraw(next);
      start2(next);
    };
    const stop = () => void post("/api/jobs/{job_id}/stop", { path: { job_id: jobId } });
    useKeys([
      { key: "g", words: "generate", run: () => start2() },
      { key: "n", words: "generate with other random numbers", run: redraw },
      { key: "Escape", words: "stop", run: () => running && stop() }
    ]);
    if (!first) return /* @__PURE__ */ jsx("p", { children: "No version of this study can generate." });
    const suite = view.versions.find((one) => one.name === lanes[0]?.version)?.prompts ?? [];
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx("div", { className: "controls", children: /* @__PURE__ */ jsxs("label", { children: [
        "Prompt of the suite",
        /* @__PURE__ */ jsxs(
          "select",
          {
            value: text ? "" : prompt,
            onChange: (event) => {
              setText("");
              setPrompt(event.target.value);
            },
            children: [
              /* @__PURE__ */ jsx("option", { value: "", children: "a text of my own" }),
              suite.map((one) => /* @__PURE__ */ jsx("option", { value: one, children: plain(one) }, one))
            ]
          }
        )
      ] }) }),
      /* @__PURE__ */ jsx(
        "textarea",
        {
          "aria-label": "A text of my own",
          className: "prompt",
          rows: 3,
          placeholder: "or write a prompt",
          value: text,
          onChange: (event) => setText(event.target.value),
          onKeyDown: (event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) start2();
          }
        }
      ),
      /* @__PURE__ */ jsxs("div", { className: "controls", children: [
        /* @__PURE__ */ jsxs(Button, { isDisabled: running, onPress: () => start2(), children: [
          "Generate ",
          /* @__PURE__ */ jsx("kbd", { children: "g" })
        ] }),
        /* @__PURE__ */ jsxs(Button, { isDisabled: running, onPress: redraw, children: [
          "Other random numbers ",
          /* @__PURE__ */ jsx("kbd", { children: "n" })
        ] }),
        draw !== "0" && /* @__PURE__ */ jsx(Button, { onPress: () => setDraw("0"), children: "Those of the study again" }),
        running && /* @__PURE__ */ jsx(Button, { onPress: stop, children: "Stop" }),
        /* @__PURE__ */ jsxs("span", { className: "soft", children: [
          "All lanes have the same random numbers, token by token",
          draw !== "0" && `, draw ${draw}`,
          "."
        ] }),
        /* @__PURE__ */ jsx("span", { role: "status", className: state?.job.state === "failed" ? "worse" : "soft", children: state && (running || state.job.state !== "done") ? plain(state.job.words) : "" })
      ] }),
      error && /* @__PURE__ */ jsx(Problem, { error }),
      /* @__PURE__ */ jsx("div", { className: "lanes", children: lanes.map((lane, number) => /* @__PURE__ */ jsx(
        LanePanel,
        {
          view,
          lane,
          number,
          text: state?.lanes[String(number)] ?? "",
          ended: ended.find((one) => one.lane === number),
          running,
          onChange: (next) => setLanes(lanes.map((one, at) => at === number ? next : one)),
          onRemove: lanes.length > 1 ? () => setLanes(lanes.filter((_, at) => at !== number)) : void 0
        },
        number
      )) }),
      /* @__PURE__ */ jsxs("div", { className: "controls", children: [
        lanes.length < view.most_lanes && /* @__PURE__ */ jsx(
          Button,
          {
            onPress: () => setLanes([...lanes, lanes[lanes.length - 1] ?? laneOf(first.name)]),
            children: "Add a lane"
          }
        ),
        /* @__PURE__ */ jsx(ToSuite, { version: lanes[0]?.version ?? first.name, text })
      ] })
    ] });
  }
  function laneOf(version) {
    return { version, settings: {}, lines: "" };
  }
  function Play() {
    const view = useLoad("play", (signal) => get("/api/play", { signal }));
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx("h1", { children: "Play" }),
      /* @__PURE__ */ jsx(Shown, { loaded: view, children: (found) => /* @__PURE__ */ jsx(Board, { view: found }) })
    ] });
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
    {
      name: "microscope",
      title: "Microscope",
      about: "how each token was chosen, and branches",
      view: Microscope
    },
    { name: "play", title: "Play", about: "versions side by side on a prompt", view: Play },
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
