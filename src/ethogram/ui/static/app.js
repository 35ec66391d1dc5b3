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

  // src/offline.ts
  var held;
  function report() {
    return held;
  }
  function canAct() {
    return !held;
  }
  function hasCharts() {
    return held?.charted ?? true;
  }
  async function openReport() {
    const packed = globalThis.ethogramReport;
    if (packed === void 0) return;
    const bytes = Uint8Array.from(atob(packed), (each) => each.charCodeAt(0));
    const whole = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    held = await new Response(whole).json();
  }
  function keyOf(route, asked) {
    return [route, ...Object.entries(asked).map(([name, value]) => `${name}=${value}`)].join(" ");
  }
  function holds(route, asked) {
    return !held || keyOf(route, asked) in held.answers;
  }
  function unpacked(value, columns) {
    if (Array.isArray(value)) return value.map((each) => unpacked(each, columns));
    if (typeof value !== "object" || value === null) return value;
    const { packed } = value;
    if (typeof packed !== "object") {
      return Object.fromEntries(
        Object.entries(value).map(([name, each]) => [name, unpacked(each, columns)])
      );
    }
    const table = Object.entries(packed).map(([name, at]) => [name, columns[at] ?? []]);
    const values = table[0]?.[1].map(
      (_, row) => Object.fromEntries(table.map(([name, column]) => [name, column[row]]))
    );
    return { values };
  }
  function answered(data, route, asked) {
    return unpacked(data.answers[keyOf(route, asked)], data.columns);
  }
  function searcher(text, pattern) {
    if (pattern) {
      const found = new RegExp(text, "iu");
      return (each) => found.test(each);
    }
    const wanted = text.toLowerCase();
    return (each) => each.toLowerCase().includes(wanted);
  }
  function choose(rows, filters, outputs) {
    const { mode = "all", sort = "difference", tags = [], pitfall = "", text = "" } = filters;
    const contains = searcher(text, filters.pattern ?? false);
    const last2 = (row) => row.cells.at(-1)?.number ?? Number.NaN;
    const found = rows.filter((row) => {
      const cells = row.cells.filter((cell) => cell !== null);
      return (mode !== "different" || row.different) && (!(mode === "better" || mode === "worse") || cells.some((cell) => cell.verdict === mode)) && (mode !== "failures" || cells.some((cell) => Object.keys(cell.pitfalls).length > 0)) && (tags.length === 0 || row.tags.some((tag) => tags.includes(tag))) && (!pitfall || cells.some((cell) => pitfall in cell.pitfalls)) && (filters.low == null || last2(row) >= filters.low) && (filters.high == null || last2(row) <= filters.high) && (!text || contains(row.prompt_id) || contains(row.prompt.text) || outputs(row.prompt_id).some(contains));
    });
    if (sort === "suite") return found.sort((a, b) => a.place - b.place);
    if (sort === "value") return found.sort((a, b) => (last2(b) || 0) - (last2(a) || 0));
    return found;
  }
  function compare(data, filters) {
    const versions = filters.versions ?? [];
    const matrix = data.comparisons[versions.join(" ")];
    if (!matrix) {
      throw new Error(`the report does not compare ${versions.join(" and ")}; the page does`);
    }
    const held2 = versions.map((version) => data.cells[version] ?? {});
    const rows = choose(
      matrix.rows,
      filters,
      (prompt) => held2.flatMap((cells) => cells[prompt]?.samples.map((sample) => sample.output.text) ?? [])
    );
    return { ...matrix, total: rows.length, offset: 0, rows };
  }
  function search(data, words2) {
    const like = (hit) => `${hit.name} ${hit.words}`.toLowerCase().includes(words2.toLowerCase());
    const { sweeps = [] } = data.answers["/api/sweeps"] ?? {};
    const { trainings = [] } = data.answers["/api/trainings"] ?? {};
    const hits = [
      ...data.log.versions.map(
        ({ name, title }) => ({ kind: "version", id: name, name, words: title })
      ),
      ...sweeps.map(
        ({ id, title, sentence }) => ({ kind: "sweep", id: String(id), name: title, words: sentence })
      ),
      ...trainings.map(
        ({ id, name, words: came }) => ({ kind: "training", id: String(id), name, words: came })
      )
    ];
    return hits.filter(like);
  }
  function chosenCurves(all, wanted) {
    const panels = wanted.length > 0 ? wanted.flatMap((name) => all.panels.filter((panel) => panel.name === name)) : all.panels.slice(0, all.first);
    const further = all.panels.filter((panel) => !panels.includes(panel));
    return { panels, further: Object.fromEntries(further.map(({ name, title }) => [name, title])) };
  }
  function curves(data, route, { quantity, ...asked }) {
    const all = answered(data, route, asked);
    return all && chosenCurves(all, quantity);
  }
  function samples(data, route, asked) {
    const { offset, limit, ...whole } = asked;
    const all = answered(data, route, whole);
    return all && { ...all, offset, rows: all.rows.slice(offset, offset + limit) };
  }
  function chart(data, route, asked) {
    const versions = asked.versions ?? [];
    const metric = asked.metric || data.comparisons[versions.join(" ")]?.metric;
    return answered(data, route, { versions, metric });
  }
  function answerOf(data, route, path, query) {
    switch (route) {
      case "/api/log":
        return data.log;
      case "/api/log/{version}":
        return data.entries[String(path.version)];
      case "/api/findings":
        return data.findings;
      case "/api/compare":
        return compare(data, query);
      case "/api/compare/chart":
        return chart(data, route, query);
      case "/api/compare/cell":
        return data.cells[String(query.version)]?.[String(query.prompt)];
      case "/api/sweeps/{number}/samples":
        return samples(data, route, { ...path, ...query });
      case "/api/trainings/curves":
        return curves(data, route, query);
      case "/api/search":
        return search(data, String(query.q ?? ""));
      case "/api/jobs":
        return [];
      default:
        return answered(data, route, { ...path, ...query });
    }
  }

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
    const search2 = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      for (const each of Array.isArray(value) ? value : [value]) {
        if (each !== void 0 && each !== null) search2.append(name, String(each));
      }
    }
    return search2.size > 0 ? `${filled}?${search2}` : filled;
  }
  async function answer(response) {
    if (response.ok) return response.status === 204 ? void 0 : await response.json();
    const body = await response.json().catch(() => null);
    const said = body && typeof body === "object" && "error" in body ? String(body.error) : "";
    throw new Refused(response.status, said || `the server answered ${response.status}`);
  }
  async function get(route, { path, query, signal } = {}) {
    const data = report();
    if (data) {
      const found = answerOf(data, route, Object(path), Object(query));
      if (found === void 0)
        throw new Refused(404, "the report does not hold this; `ethogram ui` shows it");
      return found;
    }
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
    return key.replace("mod+k", "Ctrl or Cmd + K").replace(/^Arrow/, "");
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
        /* @__PURE__ */ jsxs("div", { className: "line", children: [
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
        ] })
      ] }) }) })
    ] });
  }

  // src/load.ts
  function useLoad(key, load2, again = ["study"]) {
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
      load2(stop.signal).then(
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
    const search2 = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ""));
    const start2 = `#/${path.map(encodeURIComponent).join("/")}`;
    return search2.size > 0 ? `${start2}?${search2}` : start2;
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
        const place2 = parse(window.location.hash);
        if (value === fallback) place2.query.delete(name);
        else place2.query.set(name, value);
        const hash = link(place2.path, Object.fromEntries(place2.query));
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
      const last2 = match.index === at ? found.at(-1) : void 0;
      if (last2?.code) last2.text += ` ${codeOf(match[0])}`;
      else found.push({ text: codeOf(match[0]), code: true });
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
  function shownPieces(text) {
    return pieces(text).map(
      (piece, place2) => piece.code ? /* @__PURE__ */ jsx("span", { className: "code-point", title: "a hidden character", children: piece.text }, place2) : piece.text
    );
  }
  var Plain = memo(function Plain2({ text }) {
    return /* @__PURE__ */ jsx("bdi", { children: shownPieces(text) });
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
        ([piece, mark], place2) => mark ? /* @__PURE__ */ jsx("mark", { className: mark.kind, title: mark.label, children: /* @__PURE__ */ jsx(Plain, { text: piece }) }, place2) : /* @__PURE__ */ jsx(Plain, { text: piece }, place2)
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
      ([piece, mark], place2) => mark ? /* @__PURE__ */ jsx("mark", { className: mark.kind, title: mark.label, children: /* @__PURE__ */ jsx(Plain, { text: piece }) }, place2) : /* @__PURE__ */ jsx(Plain, { text: piece }, place2)
    ) }, block.start)) });
  }
  var IN_COMMON = 0.2;
  function readable(parts) {
    const size = (part) => Math.max(part.before.length, part.after.length);
    let found = [...parts];
    for (let folded = true; folded; ) {
      folded = false;
      const next = [];
      for (const part of found) {
        const [edit, kept] = next.slice(-2);
        if (edit && kept && !edit.same && kept.same && !part.same) {
          if (kept.same.length <= Math.min(size(edit), size(part))) {
            next.splice(-2, 2, {
              same: "",
              before: edit.before + kept.same + part.before,
              after: edit.after + kept.same + part.after
            });
            folded = true;
            continue;
          }
        }
        next.push(part);
      }
      found = next;
    }
    return found;
  }
  function diffParts(before, after2) {
    const changes = diffWordsWithSpace(before, after2, { maxEditLength: MOST_EDITS });
    if (!changes) return void 0;
    const parts = [];
    for (const { added, removed, value } of changes) {
      const last2 = parts.at(-1);
      if (!added && !removed) parts.push({ same: value, before: "", after: "" });
      else if (last2 && !last2.same) last2[added ? "after" : "before"] += value;
      else parts.push({ same: "", before: added ? "" : value, after: added ? value : "" });
    }
    const found = readable(parts);
    const kept = found.reduce((sum, part) => sum + part.same.trim().length, 0);
    return kept < IN_COMMON * Math.min(before.length, after2.length) ? void 0 : found;
  }
  var MOST_EDITS = 400;
  var WordDiff = memo(function WordDiff2({
    before,
    after: after2
  }) {
    const parts = useMemo(() => diffParts(before, after2), [before, after2]);
    if (before === after2) return /* @__PURE__ */ jsx("span", { className: "soft", children: "(the same)" });
    if (!parts) {
      return /* @__PURE__ */ jsxs("span", { className: "text", children: [
        /* @__PURE__ */ jsx("span", { className: "soft", children: "Too different for a word diff: " }),
        /* @__PURE__ */ jsx("ins", { dir: "auto", children: shownPieces(after2) })
      ] });
    }
    return /* @__PURE__ */ jsx("span", { className: "text", children: parts.map(
      (part, place2) => part.same ? /* @__PURE__ */ jsx(Plain, { text: part.same }, place2) : /* @__PURE__ */ jsxs(Fragment, { children: [
        part.before && /* @__PURE__ */ jsx("del", { dir: "auto", children: shownPieces(part.before) }),
        part.after && /* @__PURE__ */ jsx("ins", { dir: "auto", children: shownPieces(part.after) })
      ] }, place2)
    ) });
  });

  // src/views/arena.tsx
  var VOTER = "ethogram.voter";
  var PENDING = "ethogram.vote";
  var AGAIN_MS = 1e3;
  var PLAYED = "played:";
  var CHOICES = [
    { choice: "left", key: "ArrowLeft", words: "left is better", shown: "←" },
    { choice: "tie", key: "t", words: "tie", shown: "t" },
    { choice: "both_bad", key: "b", words: "both are bad", shown: "b" },
    { choice: "skip", key: "s", words: "skip", shown: "s" },
    { choice: "right", key: "ArrowRight", words: "right is better", shown: "→" }
  ];
  function pending() {
    try {
      return JSON.parse(localStorage.getItem(PENDING) ?? "null") ?? void 0;
    } catch {
      return void 0;
    }
  }
  async function send(vote, onWait, signal) {
    localStorage.setItem(PENDING, JSON.stringify(vote));
    for (; ; ) {
      try {
        const turn = await post("/api/arena/vote", { body: vote });
        localStorage.removeItem(PENDING);
        return turn;
      } catch (error) {
        if (signal.aborted) throw error;
        if (error instanceof Refused && error.status !== 500) {
          if (error.status !== 401) localStorage.removeItem(PENDING);
          throw error;
        }
        onWait();
        await new Promise((done) => setTimeout(done, AGAIN_MS));
      }
    }
  }
  function useTurn(versions, voter) {
    const [turn, setTurn] = useState();
    const [error, setError] = useState();
    const [state, setState] = useState("busy");
    const busy = useRef(false);
    const gone = useRef(new AbortController());
    const chosen = versions.join(" ");
    const act = useCallback(async (next) => {
      if (busy.current) return;
      busy.current = true;
      setState("busy");
      try {
        setTurn(await next());
        setError(void 0);
      } catch (problem) {
        setError(problem);
      }
      busy.current = false;
      setState("ready");
    }, []);
    const body = useRef({ versions, voter });
    body.current = { versions, voter };
    useEffect(() => {
      const stop = new AbortController();
      gone.current = stop;
      void act(async () => {
        const left = pending();
        if (left) await send(left, () => setState("waiting"), stop.signal);
        return await post("/api/arena/next", { body: body.current });
      });
      return () => stop.abort();
    }, [chosen, voter, act]);
    const vote = (choice) => {
      const ticket = turn?.pair?.ticket;
      if (!ticket) return;
      void act(
        () => send({ ...body.current, ticket, choice }, () => setState("waiting"), gone.current.signal)
      );
    };
    const undo = () => void act(() => post("/api/arena/undo", { body: body.current }));
    return { turn, error, state, vote, undo };
  }
  function Side({ name, text }) {
    return /* @__PURE__ */ jsx("section", { className: "side", "aria-label": name, children: /* @__PURE__ */ jsx(WholeText, { text }) });
  }
  function Voting({ versions, voter }) {
    const { turn, error, state, vote, undo } = useTurn(versions, voter);
    const pair = turn?.pair;
    useKeys([
      ...CHOICES.map(({ choice, key, words: words2 }) => ({ key, words: words2, run: () => vote(choice) })),
      { key: "u", words: "undo the last vote", run: undo }
    ]);
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      error && /* @__PURE__ */ jsx(Problem, { error }),
      turn?.refused && /* @__PURE__ */ jsx("p", { className: "soft", role: "status", children: plain(turn.refused) }),
      pair === null && /* @__PURE__ */ jsxs("p", { children: [
        plain(voter),
        " has voted on every pair."
      ] }),
      pair && /* @__PURE__ */ jsxs(Fragment, { children: [
        /* @__PURE__ */ jsx("div", { className: "prompt", children: /* @__PURE__ */ jsx(WholeText, { text: pair.prompt }) }),
        /* @__PURE__ */ jsxs("div", { className: "sides", children: [
          /* @__PURE__ */ jsx(Side, { name: "left", text: pair.left }),
          /* @__PURE__ */ jsx(Side, { name: "right", text: pair.right })
        ] })
      ] }),
      /* @__PURE__ */ jsxs("div", { className: "choices", children: [
        CHOICES.map(({ choice, words: words2, shown: shown2 }) => /* @__PURE__ */ jsxs(Button, { isDisabled: !pair, onPress: () => vote(choice), children: [
          /* @__PURE__ */ jsx("kbd", { children: shown2 }),
          " ",
          words2
        ] }, choice)),
        /* @__PURE__ */ jsxs(Button, { onPress: undo, children: [
          /* @__PURE__ */ jsx("kbd", { children: "u" }),
          " undo"
        ] })
      ] }),
      /* @__PURE__ */ jsx("p", { className: "soft", role: "status", children: state === "waiting" ? "The server does not answer; the vote is kept and sent again." : pair && `${pair.voted} of ${pair.pairs} pairs voted on` })
    ] });
  }
  var WIDTH = 220;
  function Whisker({ item, from, to }) {
    if (item.low == null || item.high == null || item.estimate == null) return null;
    const place2 = (value) => 6 + (WIDTH - 12) * (value - from) / (to - from || 1);
    const words2 = `${item.version}: rating ${item.rating}, 95 % interval ${item.interval}`;
    return /* @__PURE__ */ jsxs("svg", { viewBox: `0 0 ${WIDTH} 16`, className: "interval", role: "img", "aria-label": words2, children: [
      /* @__PURE__ */ jsx("title", { children: words2 }),
      /* @__PURE__ */ jsx("line", { className: "tick zero", x1: place2(1e3), x2: place2(1e3), y1: "0", y2: "16" }),
      /* @__PURE__ */ jsx("line", { className: "whisker", x1: place2(item.low), x2: place2(item.high), y1: "8", y2: "8" }),
      /* @__PURE__ */ jsx("circle", { cx: place2(item.estimate), cy: "8", r: "3" })
    ] });
  }
  function Ratings({ versions }) {
    const [voter, setVoter] = useQuery("of");
    const ranking = useLoad(
      `${versions.join(" ")}/${voter}`,
      (signal) => get("/api/arena/ranking", { query: { versions, voter }, signal }),
      ["votes", "study"]
    );
    return /* @__PURE__ */ jsx(Shown, { loaded: ranking, children: (found) => {
      const bounds = found.ratings.flatMap((each) => [each.low ?? 1e3, each.high ?? 1e3]);
      const [from, to] = [Math.min(...bounds, 900), Math.max(...bounds, 1100)];
      return /* @__PURE__ */ jsxs(Fragment, { children: [
        /* @__PURE__ */ jsx("p", { className: "arena-verdict", role: "status", children: /* @__PURE__ */ jsx("strong", { children: plain(found.verdict) }) }),
        found.voters.length > 1 && /* @__PURE__ */ jsxs("label", { children: [
          "Votes of",
          " ",
          /* @__PURE__ */ jsxs("select", { value: voter, onChange: (event) => setVoter(event.target.value), children: [
            /* @__PURE__ */ jsx("option", { value: "", children: "everybody" }),
            found.voters.map((name) => /* @__PURE__ */ jsx("option", { value: name, children: plain(name) }, name))
          ] })
        ] }),
        /* @__PURE__ */ jsxs("section", { className: "scroll", tabIndex: 0, "aria-label": "ratings", children: [
          /* @__PURE__ */ jsx(RatingTable, { items: found.ratings, from, to }),
          found.pairs.length > 0 && /* @__PURE__ */ jsx(PairTable, { items: found.pairs })
        ] }),
        found.facts.map((words2) => /* @__PURE__ */ jsx("p", { className: "soft", children: plain(words2) }, words2))
      ] });
    } });
  }
  var RATED = ["", "number", "number", "", ...Array(5).fill("number"), ""];
  function RatingTable({ items, from, to }) {
    return /* @__PURE__ */ jsxs("table", { children: [
      /* @__PURE__ */ jsx("thead", { children: /* @__PURE__ */ jsx("tr", { children: ["version", "rating", "95 %", "", "equal length", "won", "lost", "tied", "bad", ""].map(
        (words2, column) => /* @__PURE__ */ jsx("th", { scope: "col", className: RATED[column], children: words2 }, column)
      ) }) }),
      /* @__PURE__ */ jsx("tbody", { children: items.map((each) => /* @__PURE__ */ jsxs("tr", { children: [
        /* @__PURE__ */ jsx("th", { scope: "row", children: each.version }),
        /* @__PURE__ */ jsx("td", { className: "number", children: each.rating }),
        /* @__PURE__ */ jsx("td", { className: "number", children: each.interval }),
        /* @__PURE__ */ jsx("td", { children: /* @__PURE__ */ jsx(Whisker, { item: each, from, to }) }),
        /* @__PURE__ */ jsx("td", { className: "number", children: each.equal_length }),
        /* @__PURE__ */ jsx("td", { className: "number", children: each.wins }),
        /* @__PURE__ */ jsx("td", { className: "number", children: each.losses }),
        /* @__PURE__ */ jsx("td", { className: "number", children: each.ties }),
        /* @__PURE__ */ jsx("td", { className: "number", children: each.both_bad }),
        /* @__PURE__ */ jsx("td", { className: "soft", children: each.note })
      ] }, each.version)) })
    ] });
  }
  function PairTable({ items }) {
    return /* @__PURE__ */ jsxs("table", { children: [
      /* @__PURE__ */ jsx("thead", { children: /* @__PURE__ */ jsx("tr", { children: ["pair", "wins", "95 %", "equal length", "votes", "p", ""].map((words2, column) => /* @__PURE__ */ jsx("th", { scope: "col", className: column > 0 ? "number" : "", children: words2 }, column)) }) }),
      /* @__PURE__ */ jsx("tbody", { children: items.map((each) => /* @__PURE__ */ jsxs("tr", { children: [
        /* @__PURE__ */ jsxs("th", { scope: "row", children: [
          each.first,
          " over ",
          each.second
        ] }),
        /* @__PURE__ */ jsx("td", { className: "number", children: each.win_rate }),
        /* @__PURE__ */ jsx("td", { className: "number", children: each.interval }),
        /* @__PURE__ */ jsx("td", { className: "number", children: each.equal_length }),
        /* @__PURE__ */ jsx("td", { className: "number", children: each.votes }),
        /* @__PURE__ */ jsx("td", { className: "number", children: each.p }),
        /* @__PURE__ */ jsx("td", { className: each.decided ? "better" : "soft", children: each.verdict })
      ] }, `${each.first} ${each.second}`)) })
    ] });
  }
  function Training({ versions }) {
    const [name, setName] = useState("votes.yaml");
    const [told, setTold] = useState("");
    const [error, setError] = useState();
    const start2 = () => post("/api/arena/train", { body: { versions, name } }).then((job) => {
      setError(void 0);
      setTold(`${job.title}: it runs on the server.`);
    }, setError);
    const query = new URLSearchParams(versions.map((each) => ["versions", each]));
    return /* @__PURE__ */ jsxs("section", { "aria-label": "training", children: [
      /* @__PURE__ */ jsx("h2", { children: "Learn from the votes" }),
      /* @__PURE__ */ jsxs("div", { className: "controls", children: [
        /* @__PURE__ */ jsxs(TextField, { value: name, onChange: setName, children: [
          /* @__PURE__ */ jsx(Label, { children: "Recipe" }),
          " ",
          /* @__PURE__ */ jsx(Input, {})
        ] }),
        /* @__PURE__ */ jsx(Button, { onPress: () => void start2(), children: "Train on the votes" }),
        /* @__PURE__ */ jsx("a", { href: `/api/arena/pairs.jsonl?${query}`, download: true, children: "Download the pairs" })
      ] }),
      /* @__PURE__ */ jsx("p", { className: "soft", children: "Writes a DPO recipe for the version with the best rating, unless the file is there, and trains it. The result is a child version." }),
      error && /* @__PURE__ */ jsx(Problem, { error }),
      told && /* @__PURE__ */ jsxs("p", { role: "status", children: [
        plain(told),
        " ",
        /* @__PURE__ */ jsx("a", { href: link(["runs"]), children: "Follow it" })
      ] })
    ] });
  }
  function Versions({ chosen, onChange }) {
    const known2 = useLoad("arena versions", (signal) => get("/api/arena/versions", { signal }));
    return /* @__PURE__ */ jsx(Shown, { loaded: known2, children: (all) => /* @__PURE__ */ jsxs(CheckboxGroup, { value: chosen, onChange, className: "arena-versions", children: [
      /* @__PURE__ */ jsx(Label, { children: "Choose two or more. You will not see which output is whose: left and right are random." }),
      all.map((each) => /* @__PURE__ */ jsxs(Checkbox, { value: each.name, className: "check", children: [
        /* @__PURE__ */ jsx("span", { className: "box", "aria-hidden": true }),
        /* @__PURE__ */ jsxs("span", { children: [
          each.name,
          " ",
          /* @__PURE__ */ jsx(Plain, { text: each.title })
        ] })
      ] }, each.name))
    ] }) });
  }
  function VoterField({ voter, onChange }) {
    const [draft, setDraft] = useState(voter);
    const keep = () => draft.trim() ? onChange(draft.trim()) : setDraft(voter);
    return /* @__PURE__ */ jsxs(TextField, { value: draft, onChange: setDraft, onBlur: keep, children: [
      /* @__PURE__ */ jsx(Label, { children: "Voter" }),
      " ",
      /* @__PURE__ */ jsx(
        Input,
        {
          maxLength: 60,
          onKeyDown: (event) => {
            if (event.key === "Enter") event.currentTarget.blur();
          }
        }
      )
    ] });
  }
  function Arena() {
    const [named, setNamed] = useQuery("versions");
    const [mode, setMode] = useQuery("mode", "vote");
    const [voter, setVoter] = useState(() => localStorage.getItem(VOTER) ?? "me");
    const versions = named.split(" ").filter(Boolean);
    const played = versions.length > 1 && versions.every((each) => each.startsWith(PLAYED));
    const name = (next) => {
      setVoter(next);
      localStorage.setItem(VOTER, next);
    };
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx("h1", { children: "Arena" }),
      played ? /* @__PURE__ */ jsxs("p", { className: "soft", children: [
        versions.length,
        " outputs of Play. Who voted may have seen whose they are, so the votes count in no version's rating."
      ] }) : /* @__PURE__ */ jsxs("details", { open: versions.length < 2, children: [
        /* @__PURE__ */ jsx("summary", { children: versions.length < 2 ? "Choose versions" : `${versions.length} versions` }),
        /* @__PURE__ */ jsx(Versions, { chosen: versions, onChange: (names) => setNamed(names.join(" ")) })
      ] }),
      versions.length >= 2 && /* @__PURE__ */ jsxs(Fragment, { children: [
        /* @__PURE__ */ jsxs("div", { className: "controls", children: [
          /* @__PURE__ */ jsx(Button, { "aria-pressed": mode === "vote", onPress: () => setMode("vote"), children: "Vote" }),
          /* @__PURE__ */ jsx(Button, { "aria-pressed": mode === "ratings", onPress: () => setMode("ratings"), children: "Ratings" }),
          /* @__PURE__ */ jsx(VoterField, { voter, onChange: name })
        ] }),
        mode === "vote" ? /* @__PURE__ */ jsx(Voting, { versions, voter }) : /* @__PURE__ */ jsxs(Fragment, { children: [
          /* @__PURE__ */ jsx(Ratings, { versions }),
          !played && /* @__PURE__ */ jsx(Training, { versions })
        ] })
      ] })
    ] });
  }

  // src/parts/chart.tsx
  var loading;
  function vega() {
    const known2 = () => globalThis.ethogramVega;
    loading ??= (async () => {
      const file = new URL("static/vendor/vega.js", document.baseURI).href;
      if (!known2()) await import(file);
      const found = known2();
      if (!found) throw new Error("the charts could not be loaded");
      return found;
    })();
    return loading;
  }
  var nothing = {
    load: () => Promise.reject(new Error("charts load no files")),
    sanitize: () => Promise.reject(new Error("charts have no links"))
  };
  function config() {
    const css = getComputedStyle(document.documentElement);
    const [ink, soft, line] = ["--ink", "--soft", "--line"].map((name) => css.getPropertyValue(name));
    return {
      background: "transparent",
      font: "system-ui, sans-serif",
      axis: {
        labelColor: soft,
        titleColor: ink,
        gridColor: line,
        domainColor: soft,
        tickColor: soft
      },
      legend: { labelColor: soft, titleColor: ink },
      header: { labelColor: ink, titleColor: ink },
      title: { color: ink },
      view: { stroke: line },
      text: { color: ink },
      rule: { color: soft }
    };
  }
  function Chart({ spec, words: words2, signals: signals2 }) {
    const element = useRef(null);
    const [error, setError] = useState();
    const listening = useRef(signals2);
    listening.current = signals2;
    useEffect(() => {
      let view;
      let gone = false;
      async function draw() {
        const { compile, parse: parse2, View, expressionInterpreter } = await vega();
        if (gone || !element.current) return;
        const runtime = parse2(compile(spec, { config: config() }).spec, void 0, { ast: true });
        const options = {
          renderer: "svg",
          expr: expressionInterpreter,
          loader: nothing,
          logLevel: 0
        };
        view = new View(runtime, options).initialize(element.current);
        for (const name of Object.keys(listening.current ?? {})) {
          view.addSignalListener(name, (_, value) => listening.current?.[name]?.(value));
        }
        await view.runAsync();
        element.current?.querySelector("svg")?.setAttribute("aria-hidden", "true");
      }
      draw().catch(setError);
      return () => {
        gone = true;
        view?.finalize();
      };
    }, [spec]);
    return /* @__PURE__ */ jsxs("figure", { className: "chart", children: [
      error && /* @__PURE__ */ jsx(Problem, { error }),
      /* @__PURE__ */ jsx("div", { ref: element, role: "img", "aria-label": words2, tabIndex: 0 })
    ] });
  }

  // src/parts/verdict.tsx
  function toneOf(item) {
    return item.clear ? item.verdict : "";
  }
  function Verdict({ item }) {
    return /* @__PURE__ */ jsx("strong", { className: `verdict ${toneOf(item)}`, children: item.verdict });
  }
  var MOST = 3;
  var WIDTH2 = 220;
  function place(value) {
    const inside = Math.min(Math.max(value, -MOST), MOST);
    return 10 + (WIDTH2 - 20) * (inside + MOST) / (2 * MOST);
  }
  function Interval({ item }) {
    const { standard } = item;
    if (!standard) return /* @__PURE__ */ jsx("span", { className: "soft", children: item.words.interval });
    const [low, middle, high] = standard.map(place);
    const words2 = `difference ${item.words.difference}, 95 % interval ${item.words.interval}`;
    return /* @__PURE__ */ jsxs(
      "svg",
      {
        viewBox: `0 0 ${WIDTH2} 16`,
        className: `interval ${toneOf(item) || "soft"}`,
        role: "img",
        "aria-label": words2,
        children: [
          /* @__PURE__ */ jsx("title", { children: words2 }),
          Array.from({ length: 2 * MOST + 1 }, (_, tick) => tick - MOST).map((tick) => /* @__PURE__ */ jsx(
            "line",
            {
              className: tick === 0 ? "tick zero" : "tick",
              x1: place(tick),
              x2: place(tick),
              y1: "0",
              y2: "16"
            },
            tick
          )),
          /* @__PURE__ */ jsx("line", { className: "whisker", x1: low, x2: high, y1: "8", y2: "8" }),
          standard[0] < -MOST && /* @__PURE__ */ jsx("path", { d: `M${low + 5} 4 L${low} 8 L${low + 5} 12` }),
          standard[2] > MOST && /* @__PURE__ */ jsx("path", { d: `M${high - 5} 4 L${high} 8 L${high - 5} 12` }),
          /* @__PURE__ */ jsx("circle", { cx: middle, cy: "8", r: "3" })
        ]
      }
    );
  }

  // src/parts/differences.tsx
  var HEADLINE = 3;
  function Line({ item }) {
    return /* @__PURE__ */ jsxs("li", { className: "difference", children: [
      /* @__PURE__ */ jsx(Verdict, { item }),
      /* @__PURE__ */ jsxs("span", { className: toneOf(item), children: [
        item.words.name,
        " ",
        item.words.from_to
      ] }),
      /* @__PURE__ */ jsx("span", { className: "soft number", children: item.words.interval }),
      /* @__PURE__ */ jsx(Interval, { item }),
      item.doubt && /* @__PURE__ */ jsx("span", { className: "soft", children: item.doubt })
    ] });
  }
  function Differences({
    items,
    before,
    after: after2
  }) {
    if (items.length === 0) return null;
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx("ul", { className: "plain", children: items.slice(0, HEADLINE).map((item) => /* @__PURE__ */ jsx(Line, { item }, item.metric)) }),
      /* @__PURE__ */ jsxs("details", { children: [
        /* @__PURE__ */ jsxs("summary", { children: [
          "All ",
          items.length,
          " metrics"
        ] }),
        /* @__PURE__ */ jsx("section", { className: "scroll", tabIndex: 0, "aria-label": `${before} and ${after2}, all metrics`, children: /* @__PURE__ */ jsxs("table", { children: [
          /* @__PURE__ */ jsx("thead", { children: /* @__PURE__ */ jsxs("tr", { children: [
            /* @__PURE__ */ jsx("th", { scope: "col", children: "metric" }),
            /* @__PURE__ */ jsx("th", { scope: "col", children: "verdict" }),
            /* @__PURE__ */ jsx("th", { scope: "col", className: "number", children: before }),
            /* @__PURE__ */ jsx("th", { scope: "col", className: "number", children: after2 }),
            /* @__PURE__ */ jsx("th", { scope: "col", className: "number", children: "difference" }),
            /* @__PURE__ */ jsx("th", { scope: "col", className: "number", children: "95 % interval" }),
            /* @__PURE__ */ jsx("th", { scope: "col", className: "number", children: "p" }),
            /* @__PURE__ */ jsx("th", { scope: "col", className: "number", children: "prompts" }),
            /* @__PURE__ */ jsx("th", { scope: "col", children: "in standard deviations between prompts, −3 to 3" })
          ] }) }),
          /* @__PURE__ */ jsx("tbody", { children: items.map((item) => /* @__PURE__ */ jsxs("tr", { children: [
            /* @__PURE__ */ jsx("th", { scope: "row", children: item.title }),
            /* @__PURE__ */ jsx("td", { children: item.same ? /* @__PURE__ */ jsx("span", { className: "soft", children: "same in both" }) : /* @__PURE__ */ jsx(Verdict, { item }) }),
            /* @__PURE__ */ jsx("td", { className: "number", children: item.words.before }),
            /* @__PURE__ */ jsx("td", { className: "number", children: item.words.after }),
            /* @__PURE__ */ jsx("td", { className: "number", children: item.words.difference }),
            /* @__PURE__ */ jsxs("td", { className: "number", title: item.doubt, children: [
              item.words.interval,
              item.doubt && " ?"
            ] }),
            /* @__PURE__ */ jsx("td", { className: "number", children: item.words.p }),
            /* @__PURE__ */ jsx("td", { className: "number", children: item.prompts }),
            /* @__PURE__ */ jsx("td", { children: /* @__PURE__ */ jsx(Interval, { item }) })
          ] }, item.metric)) })
        ] }) })
      ] })
    ] });
  }

  // src/parts/filters.tsx
  var MODES = {
    different: "different",
    worse: "worse",
    better: "better",
    failures: "failures",
    all: "all"
  };
  var SORTS = {
    difference: "largest difference",
    value: "highest value",
    suite: "order of the suite"
  };
  var TYPING = 250;
  function Choice({ label, value, options, onChange }) {
    return /* @__PURE__ */ jsxs("label", { children: [
      label,
      /* @__PURE__ */ jsx("select", { value, onChange: (event) => onChange(event.target.value), children: Object.entries(options).map(([name, words2]) => /* @__PURE__ */ jsx("option", { value: name, children: words2 }, name)) })
    ] });
  }
  function Typed({
    label,
    value,
    onChange,
    type = "search"
  }) {
    const [text, setText] = useState(value);
    useEffect(() => setText(value), [value]);
    useEffect(() => {
      if (text === value) return void 0;
      const timer = setTimeout(() => onChange(text), TYPING);
      return () => clearTimeout(timer);
    }, [text, value, onChange]);
    return /* @__PURE__ */ jsxs("label", { children: [
      label,
      /* @__PURE__ */ jsx("input", { type, value: text, onChange: (event) => setText(event.target.value) })
    ] });
  }
  function useFilters(versions) {
    const [mode, setMode] = useQuery("mode", "different");
    const [metric, setMetric] = useQuery("metric");
    const [sort, setSort] = useQuery("sort", "difference");
    const [tag, setTag] = useQuery("tag");
    const [pitfall, setPitfall] = useQuery("pitfall");
    const [low, setLow] = useQuery("low");
    const [high, setHigh] = useQuery("high");
    const [text, setText] = useQuery("text");
    const [pattern, setPattern] = useQuery("regex");
    const chosen = mode in MODES ? mode : "all";
    const query = {
      versions: [...versions],
      mode: versions.length < 2 && chosen === "different" ? "all" : chosen,
      metric,
      sort: sort in SORTS ? sort : "difference",
      tags: tag ? [tag] : [],
      pitfall,
      ...Number.isFinite(Number.parseFloat(low)) ? { low: Number.parseFloat(low) } : {},
      ...Number.isFinite(Number.parseFloat(high)) ? { high: Number.parseFloat(high) } : {},
      text,
      pattern: pattern === "1"
    };
    const set = {
      setMode,
      setMetric,
      setSort,
      setTag,
      setPitfall,
      setLow,
      setHigh,
      setText,
      setPattern
    };
    return { query, low, high, tag, ...set };
  }
  function Controls({ filters, data }) {
    const { query } = filters;
    const titled = Object.fromEntries(data.metrics.map((metric) => [metric.name, metric.title]));
    const tags = Object.entries(data.tags).map(([tag, count]) => [tag, `${plain(tag)} (${count})`]);
    return /* @__PURE__ */ jsxs("form", { className: "controls", "aria-label": "Filters", onSubmit: (event) => event.preventDefault(), children: [
      /* @__PURE__ */ jsx(Choice, { label: "Show", value: query.mode, options: MODES, onChange: filters.setMode }),
      report() ? /* @__PURE__ */ jsxs("span", { className: "soft", children: [
        "by ",
        titled[data.metric]
      ] }) : /* @__PURE__ */ jsx(Choice, { label: "by", value: data.metric, options: titled, onChange: filters.setMetric }),
      /* @__PURE__ */ jsx(Choice, { label: "Sort", value: query.sort, options: SORTS, onChange: filters.setSort }),
      tags.length > 0 && /* @__PURE__ */ jsx(
        Choice,
        {
          label: "Tag",
          value: filters.tag,
          options: { "": "any", ...Object.fromEntries(tags) },
          onChange: filters.setTag
        }
      ),
      /* @__PURE__ */ jsx(
        Choice,
        {
          label: "Pitfall",
          value: query.pitfall,
          options: { "": "any", ...data.pitfalls },
          onChange: filters.setPitfall
        }
      ),
      /* @__PURE__ */ jsx(Typed, { label: "Text", value: query.text, onChange: filters.setText }),
      /* @__PURE__ */ jsxs("label", { children: [
        /* @__PURE__ */ jsx(
          "input",
          {
            type: "checkbox",
            checked: query.pattern,
            onChange: (event) => filters.setPattern(event.target.checked ? "1" : "")
          }
        ),
        "regular expression"
      ] }),
      /* @__PURE__ */ jsx(Typed, { label: "Metric from", type: "number", value: filters.low, onChange: filters.setLow }),
      /* @__PURE__ */ jsx(Typed, { label: "to", type: "number", value: filters.high, onChange: filters.setHigh })
    ] });
  }

  // src/parts/remarks.tsx
  function Remarks({ version, promptId, remark }) {
    const [shown2, setShown] = useState(remark ?? { star: false, comment: "" });
    const [text, setText] = useState();
    const [failed, setFailed] = useState("");
    useEffect(() => setShown(remark ?? { star: false, comment: "" }), [remark]);
    async function save(next) {
      try {
        setShown(await post("/api/remarks", { body: { version, prompt_id: promptId, ...next } }));
        setFailed("");
      } catch (problem) {
        setFailed(problem.message);
      }
    }
    const about = `${version} on ${promptId}`;
    return /* @__PURE__ */ jsxs("span", { className: "remarks", children: [
      /* @__PURE__ */ jsx(
        "button",
        {
          type: "button",
          className: "quiet star",
          "aria-pressed": shown2.star,
          "aria-label": `Star ${about}`,
          onClick: () => void save({ ...shown2, star: !shown2.star }),
          children: shown2.star ? "★" : "☆"
        }
      ),
      /* @__PURE__ */ jsx(
        "button",
        {
          type: "button",
          className: "quiet",
          "aria-label": `Comment on ${about}`,
          onClick: () => setText(text === void 0 ? shown2.comment : void 0),
          children: shown2.comment ? "edit" : "comment"
        }
      ),
      shown2.comment && text === void 0 && /* @__PURE__ */ jsx("span", { className: "comment", children: /* @__PURE__ */ jsx(Plain, { text: shown2.comment }) }),
      text !== void 0 && /* @__PURE__ */ jsx(
        "input",
        {
          autoFocus: true,
          "aria-label": `Comment on ${about}`,
          value: text,
          onChange: (event) => setText(event.target.value),
          onKeyDown: (event) => {
            if (event.key === "Enter") {
              void save({ ...shown2, comment: text });
              setText(void 0);
            }
            if (event.key === "Escape") setText(void 0);
          }
        }
      ),
      failed && /* @__PURE__ */ jsx("span", { role: "alert", className: "worse", children: failed })
    ] });
  }

  // src/parts/matrix.tsx
  var ESTIMATE = 190;
  var OVERSCAN = 4;
  function CellView({ cell, first, column, promptId, diff, pitfalls }) {
    if (!cell) {
      return /* @__PURE__ */ jsxs("div", { role: "cell", className: "cell soft", children: [
        column.version,
        " does not have this prompt"
      ] });
    }
    return /* @__PURE__ */ jsxs("div", { role: "cell", className: "cell", children: [
      /* @__PURE__ */ jsxs("div", { className: "cell-head", children: [
        /* @__PURE__ */ jsx("b", { className: "narrow", children: column.version }),
        /* @__PURE__ */ jsxs("span", { className: `number ${cell.verdict}`, children: [
          cell.value,
          cell.move && ` (${cell.move}${cell.verdict && `, ${cell.verdict}`})`
        ] }),
        /* @__PURE__ */ jsx("span", { className: "soft", children: cell.outputs === 1 ? "" : cell.distinct === 1 ? `${cell.outputs} equal samples` : `sample ${cell.index}, ${cell.distinct} of ${cell.outputs} differ` }),
        !report() && /* @__PURE__ */ jsx(Remarks, { version: column.version, promptId, remark: cell.remark })
      ] }),
      /* @__PURE__ */ jsx("div", { className: "cell-text", children: diff && first && first !== cell ? /* @__PURE__ */ jsx(WordDiff, { before: first.output.text, after: cell.output.text }) : /* @__PURE__ */ jsx(TextCell, { ...cell.output }) }),
      Object.keys(cell.pitfalls).length > 0 && /* @__PURE__ */ jsx("div", { className: "badges", children: Object.entries(cell.pitfalls).map(([name, count]) => /* @__PURE__ */ jsxs("span", { className: "badge", children: [
        (pitfalls[name] ?? name).toLowerCase(),
        cell.outputs > 1 && ` ${count} of ${cell.outputs}`
      ] }, name)) })
    ] });
  }
  function useFilled(shown2) {
    const [filled, setFilled] = useState(/* @__PURE__ */ new Set());
    const wanted = useRef(shown2);
    wanted.current = shown2;
    const asked = useRef(0);
    useEffect(() => () => cancelAnimationFrame(asked.current), []);
    useEffect(() => {
      if (asked.current || shown2.every((place2) => filled.has(place2))) return;
      asked.current = requestAnimationFrame(() => {
        asked.current = 0;
        const places = wanted.current;
        const middle = ((places[0] ?? 0) + (places.at(-1) ?? 0)) / 2;
        const [next] = places.filter((place2) => !filled.has(place2)).sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
        const kept = places.filter((place2) => filled.has(place2));
        startTransition(() => setFilled(new Set(next === void 0 ? kept : [...kept, next])));
      });
    });
    return filled;
  }
  function Matrix(props) {
    const { columns, total, rowAt, onShown, onOpen, onDiff, diff, pitfalls } = props;
    const list = useRef(null);
    const [current, setCurrent] = useState(0);
    const [margin, setMargin] = useState(0);
    useLayoutEffect(() => {
      setMargin((list.current?.getBoundingClientRect().top ?? 0) + window.scrollY);
    }, []);
    const rows = useWindowVirtualizer({
      count: total,
      estimateSize: () => ESTIMATE,
      overscan: OVERSCAN,
      scrollMargin: margin
    });
    const shown2 = rows.getVirtualItems();
    const first = shown2[0]?.index ?? 0;
    const last2 = shown2.at(-1)?.index ?? 0;
    const filled = useFilled(shown2.map((item) => item.index));
    useEffect(() => onShown(first, last2), [first, last2, onShown]);
    const step = useCallback(
      (by) => {
        const next = Math.min(Math.max(current + by, 0), total - 1);
        setCurrent(next);
        rows.scrollToIndex(next, { align: "auto" });
        requestAnimationFrame(
          () => list.current?.querySelector(`[data-index="${next}"]`)?.focus()
        );
      },
      [current, total, rows]
    );
    const row = rowAt(current);
    useKeys([
      { key: "j", words: "next prompt", run: () => step(1) },
      { key: "k", words: "previous prompt", run: () => step(-1) },
      { key: "o", words: "open the prompt's outputs", run: () => row && onOpen(row.prompt_id) },
      { key: "d", words: "word diff on or off", run: onDiff },
      {
        key: "s",
        words: "star the last version's output",
        run: () => [...list.current?.querySelectorAll(`[data-index="${current}"] .star`) ?? []].at(-1)?.click()
      }
    ]);
    return /* @__PURE__ */ jsxs(
      "div",
      {
        role: "table",
        "aria-label": "Prompts and outputs",
        "aria-rowcount": total + 1,
        className: "matrix",
        "data-columns": columns.length,
        children: [
          /* @__PURE__ */ jsxs("div", { role: "row", className: "matrix-head", "aria-rowindex": 1, children: [
            /* @__PURE__ */ jsx("div", { role: "columnheader", children: "prompt" }),
            columns.map((column) => /* @__PURE__ */ jsxs("div", { role: "columnheader", children: [
              column.version,
              " ",
              /* @__PURE__ */ jsx("span", { className: "soft", children: plain(column.title) })
            ] }, column.version))
          ] }),
          /* @__PURE__ */ jsx(
            "div",
            {
              role: "rowgroup",
              ref: list,
              className: "matrix-rows",
              style: { height: rows.getTotalSize() },
              children: shown2.map((item) => {
                const drawn = item.index === current || filled.has(item.index);
                const found = drawn ? rowAt(item.index) : void 0;
                return /* @__PURE__ */ jsx(
                  "div",
                  {
                    role: "row",
                    ref: rows.measureElement,
                    "data-index": item.index,
                    "aria-rowindex": item.index + 2,
                    tabIndex: item.index === current ? 0 : -1,
                    onFocus: () => setCurrent(item.index),
                    className: "matrix-row",
                    style: {
                      transform: `translateY(${item.start - margin}px)`,
                      // Without its texts a row is as high as it was with them, or as estimated.
                      minHeight: found ? void 0 : item.size
                    },
                    children: found ? /* @__PURE__ */ jsx(
                      RowCells,
                      {
                        row: found,
                        columns,
                        diff,
                        pitfalls,
                        onOpen
                      }
                    ) : /* @__PURE__ */ jsx("div", { role: "cell", className: "cell soft", children: "Loading …" })
                  },
                  item.index
                );
              })
            }
          )
        ]
      }
    );
  }
  var RowCells = memo(function RowCells2({ row, columns, diff, pitfalls, onOpen }) {
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsxs("div", { role: "rowheader", className: "cell", children: [
        /* @__PURE__ */ jsx("button", { type: "button", className: "link", onClick: () => onOpen(row.prompt_id), children: /* @__PURE__ */ jsx(Plain, { text: row.prompt_id }) }),
        /* @__PURE__ */ jsx("div", { className: "cell-text", children: /* @__PURE__ */ jsx(TextCell, { text: row.prompt.text, length: row.prompt.length, most: 200 }) }),
        /* @__PURE__ */ jsx("span", { className: "soft", children: row.tags.map(plain).join(", ") })
      ] }),
      columns.map((column, place2) => /* @__PURE__ */ jsx(
        CellView,
        {
          cell: row.cells[place2] ?? null,
          first: row.cells[0] ?? null,
          column,
          promptId: row.prompt_id,
          diff,
          pitfalls
        },
        column.version
      ))
    ] });
  });

  // src/parts/window.tsx
  function Window({ title, wide, close: close2, children }) {
    return /* @__PURE__ */ jsx(
      ModalOverlay,
      {
        className: "overlay",
        isOpen: true,
        onOpenChange: (open2) => !open2 && close2(),
        isDismissable: true,
        children: /* @__PURE__ */ jsx(Modal, { className: wide ? "modal wide" : "modal", children: /* @__PURE__ */ jsxs(Dialog, { children: [
          /* @__PURE__ */ jsx(Heading, { slot: "title", children: title }),
          children
        ] }) })
      }
    );
  }

  // src/parts/outputs.tsx
  var ENDINGS = {
    eos: "ended by the model",
    stop: "ended by a stop",
    length: "cut off by the length limit"
  };
  function Outputs({ version, prompt }) {
    const cell = useLoad(
      `${version} ${prompt}`,
      (signal) => get("/api/compare/cell", { query: { version, prompt }, signal })
    );
    return /* @__PURE__ */ jsxs("section", { "aria-label": version, className: "outputs", children: [
      /* @__PURE__ */ jsx("h3", { children: version }),
      /* @__PURE__ */ jsx(Shown, { loaded: cell, children: (data) => data.samples.map((sample) => /* @__PURE__ */ jsxs("div", { className: "sample", children: [
        /* @__PURE__ */ jsxs("p", { className: "line", children: [
          /* @__PURE__ */ jsxs("b", { children: [
            "Sample ",
            sample.indices.join(", ")
          ] }),
          /* @__PURE__ */ jsx("span", { className: "soft", children: ENDINGS[sample.finish_reason] ?? plain(sample.finish_reason) }),
          !report() && /* @__PURE__ */ jsx(
            "a",
            {
              href: link(["microscope", version, prompt, String(sample.indices[0] ?? 0)]),
              "aria-label": `Tokens of ${version}, sample ${sample.indices[0] ?? 0}`,
              children: "tokens"
            }
          )
        ] }),
        sample.evidence.map((words2) => /* @__PURE__ */ jsx("p", { className: "worse", children: /* @__PURE__ */ jsx(Plain, { text: words2 }) }, words2)),
        /* @__PURE__ */ jsx(WholeText, { text: sample.output.text, marks: sample.output.marks }),
        /* @__PURE__ */ jsx("p", { className: "soft small", children: Object.entries(sample.values).map(([title, words2]) => `${title} ${words2}`).join(" · ") })
      ] }, sample.identity)) })
    ] });
  }
  function Opened({
    versions,
    prompt,
    close: close2
  }) {
    const first = useLoad(
      `${versions[0]} ${prompt}`,
      (signal) => get("/api/compare/cell", { query: { version: versions[0] ?? "", prompt }, signal })
    );
    return /* @__PURE__ */ jsxs(Window, { title: /* @__PURE__ */ jsx(Plain, { text: prompt }), wide: true, close: close2, children: [
      first.data && /* @__PURE__ */ jsx(WholeText, { text: first.data.prompt }),
      first.data?.reference && /* @__PURE__ */ jsxs("p", { className: "soft", children: [
        "Reference: ",
        /* @__PURE__ */ jsx(Plain, { text: first.data.reference })
      ] }),
      first.data && first.data.constraints.length > 0 && /* @__PURE__ */ jsxs("p", { className: "soft", children: [
        "Constraints: ",
        first.data.constraints.map(plain).join(", ")
      ] }),
      /* @__PURE__ */ jsx("div", { className: "sides", children: versions.map((version) => /* @__PURE__ */ jsx(Outputs, { version, prompt }, version)) }),
      /* @__PURE__ */ jsxs("p", { className: "line", children: [
        /* @__PURE__ */ jsx("button", { type: "button", onClick: close2, children: "Close" }),
        !report() && /* @__PURE__ */ jsx(
          "a",
          {
            href: link(["play"], {
              prompt,
              lanes: JSON.stringify(versions.slice(0, 4).map((version) => ({ version })))
            }),
            children: "Play with this prompt"
          }
        )
      ] })
    ] });
  }

  // src/views/compare.tsx
  var PAGE = 16;
  function Pairs({ versions }) {
    const held2 = Object.keys(report()?.comparisons ?? {});
    const shown2 = versions.join(" ");
    return /* @__PURE__ */ jsx("div", { className: "controls", children: /* @__PURE__ */ jsx(
      Choice,
      {
        label: "Compare",
        value: held2.includes(shown2) ? shown2 : "",
        options: {
          ...held2.includes(shown2) ? {} : { "": "choose one" },
          ...Object.fromEntries(held2.map((names) => [names, names.replace(" ", " → ")]))
        },
        onChange: (names) => go(["compare", ...names.split(" ")])
      }
    ) });
  }
  function Versions2({ versions, diff }) {
    const known2 = useLoad("versions", (signal) => get("/api/log", { signal }));
    const names = known2.data?.versions ?? [];
    const options = Object.fromEntries(
      names.map((version) => [version.name, `${version.name} ${plain(version.title)}`.slice(0, 60)])
    );
    const query = Object.fromEntries(new URLSearchParams(window.location.hash.split("?")[1] ?? ""));
    const change = (next) => go(["compare", ...next], { ...query, diff });
    const free = names.filter((version) => !versions.includes(version.name));
    return /* @__PURE__ */ jsxs("div", { className: "controls", children: [
      versions.map((version, place2) => /* @__PURE__ */ jsxs("span", { className: "field", children: [
        /* @__PURE__ */ jsx(
          Choice,
          {
            label: place2 === 0 ? "From" : "to",
            value: version,
            options: { [version]: version, ...options },
            onChange: (name) => change(versions.map((each) => each === version ? name : each))
          }
        ),
        versions.length > 1 && /* @__PURE__ */ jsx(
          "button",
          {
            type: "button",
            className: "quiet",
            "aria-label": `Leave out ${version}`,
            onClick: () => change(versions.filter((each) => each !== version)),
            children: "×"
          }
        )
      ] }, version)),
      free.length > 0 && versions.length < 8 && /* @__PURE__ */ jsx(
        Choice,
        {
          label: "and",
          value: "",
          options: {
            "": "add a version",
            ...Object.fromEntries(free.map((each) => [each.name, options[each.name] ?? each.name]))
          },
          onChange: (name) => name && change([...versions, name])
        }
      )
    ] });
  }
  function Verdicts({ data }) {
    const known2 = data.columns.every((column) => column.verdict);
    return known2 ? /* @__PURE__ */ jsx(Told, { data }) : /* @__PURE__ */ jsx(Tested, { data });
  }
  function Tested({ data }) {
    const versions = data.columns.map((column) => column.version);
    const loaded = useLoad(
      `verdicts ${versions.join(" ")}`,
      (signal) => get("/api/compare/verdicts", { query: { versions }, signal })
    );
    if (!loaded.data && !loaded.error) {
      return /* @__PURE__ */ jsx("p", { role: "status", className: "soft", children: "Testing the differences …" });
    }
    return /* @__PURE__ */ jsx(Shown, { loaded, children: (found) => /* @__PURE__ */ jsx(
      Told,
      {
        data: {
          ...data,
          columns: data.columns.map((column, place2) => ({
            ...column,
            verdict: found[place2] ?? null
          }))
        }
      }
    ) });
  }
  function Told({ data }) {
    const [first, ...others] = data.columns;
    if (!first) return null;
    return /* @__PURE__ */ jsxs("div", { className: "verdicts", children: [
      data.columns.filter((column) => column.stale).map((column) => /* @__PURE__ */ jsxs("p", { className: "changed", children: [
        column.version,
        " is ",
        plain(column.stale)
      ] }, column.version)),
      others.map((column) => /* @__PURE__ */ jsxs("section", { "aria-label": `${column.version} against ${first.version}`, children: [
        /* @__PURE__ */ jsxs("p", { className: "sentence", children: [
          first.version,
          " → ",
          column.version,
          ":",
          " ",
          /* @__PURE__ */ jsx(Plain, { text: column.verdict?.sentence || "nothing to compare" })
        ] }),
        /* @__PURE__ */ jsx(
          Differences,
          {
            items: column.verdict?.differences ?? [],
            before: first.version,
            after: column.version
          }
        ),
        column.changes.length > 0 && /* @__PURE__ */ jsxs("details", { children: [
          /* @__PURE__ */ jsx("summary", { children: column.changes.length === 1 ? "1 setting differs" : `${column.changes.length} settings differ` }),
          /* @__PURE__ */ jsx("ul", { children: column.changes.map((change) => /* @__PURE__ */ jsx("li", { children: /* @__PURE__ */ jsx(Plain, { text: change }) }, change)) })
        ] })
      ] }, column.version))
    ] });
  }
  function PairedChart({ data: matrix, filters, onOpen }) {
    const { versions, metric } = filters.query;
    const chart2 = useLoad(
      `${versions.join(" ")} ${metric}`,
      (signal) => get("/api/compare/chart", { query: { versions, metric }, signal })
    );
    const clicked = (value) => {
      const prompt = value.prompt?.[0];
      if (prompt) onOpen(prompt);
    };
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      report() && /* @__PURE__ */ jsx("div", { className: "controls", children: /* @__PURE__ */ jsx(
        Choice,
        {
          label: "Metric",
          value: metric || matrix.metric,
          options: Object.fromEntries(
            matrix.metrics.filter(({ name }) => holds("/api/compare/chart", { versions, metric: name })).map(({ name, title }) => [name, title])
          ),
          onChange: filters.setMetric
        }
      ) }),
      /* @__PURE__ */ jsx(Shown, { loaded: chart2, children: (data) => /* @__PURE__ */ jsxs(Fragment, { children: [
        /* @__PURE__ */ jsx("p", { children: data.words }),
        /* @__PURE__ */ jsx(Chart, { spec: data.spec, words: data.words, signals: { clicked } })
      ] }) })
    ] });
  }
  function useRows(data, filters, key) {
    const [pages, setPages] = useState(/* @__PURE__ */ new Map());
    const asked = useRef(/* @__PURE__ */ new Set());
    const generation = useRef(data);
    if (generation.current !== data) {
      generation.current = data;
      asked.current = /* @__PURE__ */ new Set();
    }
    useEffect(() => setPages(/* @__PURE__ */ new Map()), [data]);
    const { query } = filters;
    const onShown = useCallback(
      (first, last2) => {
        if (report()) return;
        for (let page = Math.floor(first / PAGE); page * PAGE <= last2; page += 1) {
          if (page === 0 || page * PAGE >= data.total || asked.current.has(page)) continue;
          asked.current.add(page);
          get("/api/compare/rows", { query: { ...query, offset: page * PAGE, limit: PAGE } }).then(
            (found) => {
              if (generation.current === data) {
                setPages((before) => new Map(before).set(page, found.rows));
              }
            },
            () => asked.current.delete(page)
          );
        }
      },
      [data, key]
    );
    const rowAt = useCallback(
      (place2) => {
        const page = Math.floor(place2 / PAGE);
        return page === 0 || report() ? data.rows[place2] : pages.get(page)?.[place2 - page * PAGE];
      },
      [data, pages]
    );
    return { onShown, rowAt };
  }
  function Comparison({ versions }) {
    const filters = useFilters(versions);
    const key = JSON.stringify(filters.query);
    const loaded = useLoad(
      key,
      (signal) => get("/api/compare", { query: { ...filters.query, limit: PAGE }, signal })
    );
    return /* @__PURE__ */ jsx(Shown, { loaded, children: (data) => /* @__PURE__ */ jsx(Found, { data, filters, versions, filterKey: key }) });
  }
  function NoRows({ filters, versions }) {
    const { mode, text, tags, pitfall, low, high } = filters.query;
    const narrowed = Boolean(text || tags.length || pitfall) || low !== void 0 || high !== void 0;
    const why = mode === "different" && !narrowed ? "Every output is the same in all versions." : "No prompt is left by these filters.";
    return /* @__PURE__ */ jsxs("p", { className: "line", children: [
      why,
      /* @__PURE__ */ jsx("button", { type: "button", onClick: () => go(["compare", ...versions], { mode: "all" }), children: "Show all prompts" })
    ] });
  }
  function Found({
    data,
    filters,
    versions,
    filterKey
  }) {
    const rows = useRows(data, filters, filterKey);
    const [diff, setDiff] = useQuery("diff");
    const [open2, setOpen] = useQuery("open");
    const [charted, setCharted] = useState(false);
    const close2 = useCallback(() => setOpen(""), [setOpen]);
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx(Verdicts, { data }),
      /* @__PURE__ */ jsx(Controls, { filters, data }),
      versions.length > 1 && hasCharts() && /* @__PURE__ */ jsxs("details", { onToggle: (event) => setCharted(event.currentTarget.open), children: [
        /* @__PURE__ */ jsx("summary", { children: "Chart: each prompt before and after" }),
        charted && /* @__PURE__ */ jsx(PairedChart, { data, filters, onOpen: setOpen })
      ] }),
      /* @__PURE__ */ jsxs("p", { role: "status", className: "line", children: [
        data.total,
        " of ",
        data.prompts,
        " prompts",
        /* @__PURE__ */ jsx(
          "button",
          {
            type: "button",
            "aria-pressed": diff === "1",
            onClick: () => setDiff(diff === "1" ? "" : "1"),
            children: "Word diff"
          }
        )
      ] }),
      data.total === 0 && /* @__PURE__ */ jsx(NoRows, { filters, versions }),
      /* @__PURE__ */ jsx(
        Matrix,
        {
          columns: data.columns,
          pitfalls: data.pitfalls,
          total: data.total,
          rowAt: rows.rowAt,
          onShown: rows.onShown,
          diff: diff === "1",
          onDiff: () => setDiff(diff === "1" ? "" : "1"),
          onOpen: setOpen
        }
      ),
      open2 && /* @__PURE__ */ jsx(Opened, { versions, prompt: open2, close: close2 })
    ] });
  }
  function useDefault(named) {
    const log = useLoad("default", (signal) => get("/api/log", { signal }));
    return useMemo(() => {
      if (named.length > 0) return named;
      const last2 = log.data?.versions.at(-1);
      return last2 && [...last2.parent ? [last2.parent] : [], last2.name];
    }, [named, log.data]);
  }
  function Compare({ place: place2 }) {
    const path = place2.path.slice(1).join("/");
    const named = useMemo(() => [...new Set(path.split("/").filter(Boolean))], [path]);
    const versions = useDefault(named);
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx("h1", { children: "Compare" }),
      versions ? /* @__PURE__ */ jsxs(Fragment, { children: [
        report() ? /* @__PURE__ */ jsx(Pairs, { versions }) : /* @__PURE__ */ jsx(Versions2, { versions, diff: place2.query.get("diff") ?? "" }),
        /* @__PURE__ */ jsx(Comparison, { versions }, versions.join(" "))
      ] }) : /* @__PURE__ */ jsx("p", { className: "soft", children: "Loading …" })
    ] });
  }

  // src/parts/findings.tsx
  function Overview({ found }) {
    return /* @__PURE__ */ jsxs("details", { open: true, children: [
      /* @__PURE__ */ jsx("summary", { children: "All versions in a table" }),
      /* @__PURE__ */ jsx("section", { className: "scroll", tabIndex: 0, "aria-label": "all versions", children: /* @__PURE__ */ jsxs("table", { className: "overview", children: [
        /* @__PURE__ */ jsx("thead", { children: /* @__PURE__ */ jsxs("tr", { children: [
          /* @__PURE__ */ jsx("th", { scope: "col", children: "version" }),
          /* @__PURE__ */ jsx("th", { scope: "col", children: "clear against its parent" }),
          found.columns.map((column) => /* @__PURE__ */ jsx("th", { scope: "col", className: "number", title: column.formula, children: column.title }, column.title)),
          /* @__PURE__ */ jsx("th", { scope: "col", className: "number", children: "prompts" })
        ] }) }),
        /* @__PURE__ */ jsx("tbody", { children: found.rows.map((row) => /* @__PURE__ */ jsxs("tr", { children: [
          /* @__PURE__ */ jsxs("th", { scope: "row", children: [
            /* @__PURE__ */ jsx("a", { href: link(["log", row.version]), children: row.version }),
            " ",
            /* @__PURE__ */ jsx(Plain, { text: row.title })
          ] }),
          /* @__PURE__ */ jsx("td", { children: row.clear }),
          row.values.map((value, place2) => /* @__PURE__ */ jsx("td", { className: "number", children: value }, found.columns[place2]?.title)),
          /* @__PURE__ */ jsx("td", { className: "number", children: row.prompts })
        ] }, row.version)) })
      ] }) })
    ] });
  }
  function Thread({ thread }) {
    return /* @__PURE__ */ jsxs("details", { children: [
      /* @__PURE__ */ jsx("summary", { children: "One prompt through all versions" }),
      /* @__PURE__ */ jsxs("p", { className: "soft", children: [
        /* @__PURE__ */ jsx(Plain, { text: thread.prompt_id }),
        ", ",
        /* @__PURE__ */ jsx(Plain, { text: thread.why }),
        ":",
        " ",
        /* @__PURE__ */ jsx(Plain, { text: thread.prompt })
      ] }),
      /* @__PURE__ */ jsx("dl", { className: "thread", children: thread.outputs.map((output) => /* @__PURE__ */ jsxs("div", { children: [
        /* @__PURE__ */ jsx("dt", { children: output.version }),
        /* @__PURE__ */ jsx("dd", { children: output.text ? /* @__PURE__ */ jsx(TextCell, { text: output.text, length: output.text.length }) : /* @__PURE__ */ jsx("span", { className: "soft", children: "empty" }) })
      ] }, output.version)) })
    ] });
  }
  function useFindings() {
    const { data, reload } = useLoad("findings", (signal) => get("/api/findings", { signal }));
    const [read, setRead] = useState();
    const [found, setFound] = useState();
    const follow2 = useCallback(
      (event) => {
        if (event.type !== "findings") return;
        setRead(event);
        if (event.ready) reload();
      },
      [reload]
    );
    useEvents(["findings"], follow2);
    useEffect(() => {
      if (data?.ready) setFound(data);
      else setRead(data);
    }, [data]);
    return { found, read: data?.ready ? void 0 : read };
  }
  function Findings() {
    const { found, read } = useFindings();
    const reading = read && /* @__PURE__ */ jsxs("p", { className: "soft", role: "status", children: [
      "Reading the outputs of all versions and testing what changed: ",
      read.done,
      " of ",
      read.total,
      "."
    ] });
    if (!found?.sentences.length) return reading ?? null;
    return /* @__PURE__ */ jsxs("section", { "aria-label": "What was found", className: "findings", children: [
      /* @__PURE__ */ jsx("h2", { children: "What was found" }),
      reading,
      /* @__PURE__ */ jsx("ol", { children: found.sentences.map((sentence) => /* @__PURE__ */ jsx("li", { children: /* @__PURE__ */ jsx(Plain, { text: sentence }) }, sentence)) }),
      /* @__PURE__ */ jsx(Overview, { found }),
      found.thread && /* @__PURE__ */ jsx(Thread, { thread: found.thread })
    ] });
  }

  // src/parts/notes.tsx
  var TITLES = {
    learned: "Learned",
    takeaway: "Takeaway",
    limitation: "Limitation",
    notes: "Notes"
  };
  var FIELDS = Object.keys(TITLES);
  function asLines(sentences) {
    return sentences.map((sentence) => sentence.replace(/\s+/g, " ").trim()).join("\n");
  }
  function Editor({ version, field, notes, onSaved, onLeft }) {
    const [text, setText] = useState(asLines(notes.notes[field] ?? []));
    const [digest, setDigest] = useState(notes.digest);
    const [onDisk, setOnDisk] = useState();
    const [error, setError] = useState();
    const hint = useId();
    async function save() {
      try {
        const before = new Map((notes.notes[field] ?? []).map((each) => [asLines([each]), each]));
        const sentences = text.split("\n").map((line) => before.get(line.trim()) ?? line);
        const body = { field, sentences, digest };
        onSaved(await post("/api/log/{version}/notes", { path: { version }, body }));
        onLeft();
      } catch (problem) {
        setError(problem);
        if (problem instanceof Refused && problem.status === 409) {
          const now = await get("/api/log/{version}/notes", { path: { version } });
          setOnDisk(now);
          setDigest(now.digest);
        }
      }
    }
    return /* @__PURE__ */ jsxs("div", { className: "editor", children: [
      error && /* @__PURE__ */ jsx(Problem, { error }),
      onDisk && /* @__PURE__ */ jsxs("div", { children: [
        /* @__PURE__ */ jsx("p", { children: "The file now says:" }),
        /* @__PURE__ */ jsx("blockquote", { className: "text", children: /* @__PURE__ */ jsx(Plain, { text: asLines(onDisk.notes[field] ?? []) || "(nothing)" }) }),
        /* @__PURE__ */ jsx("p", { children: "Save again to write your text over it." })
      ] }),
      /* @__PURE__ */ jsx(
        "textarea",
        {
          autoFocus: true,
          "aria-label": `${TITLES[field]} of ${version}`,
          "aria-describedby": hint,
          rows: Math.max(3, text.split("\n").length + 1),
          value: text,
          onChange: (event) => setText(event.target.value),
          onKeyDown: (event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void save();
            if (event.key === "Escape") onLeft();
          }
        }
      ),
      /* @__PURE__ */ jsxs("p", { id: hint, className: "soft", children: [
        "One sentence a line, written into ",
        notes.file,
        ". Ctrl or Cmd + Enter saves, Esc leaves."
      ] }),
      /* @__PURE__ */ jsxs("div", { className: "controls", children: [
        /* @__PURE__ */ jsx("button", { type: "button", onClick: () => void save(), children: "Save" }),
        /* @__PURE__ */ jsx("button", { type: "button", onClick: onLeft, children: "Leave" })
      ] })
    ] });
  }
  function Notes({ version, initial }) {
    const [saved, setSaved] = useState();
    const [editing, setEditing] = useState();
    useEffect(() => setSaved(void 0), [initial]);
    const notes = saved ?? initial;
    const shown2 = FIELDS.filter((field) => field === editing || notes.notes[field]?.length);
    const missing = FIELDS.filter((field) => !shown2.includes(field));
    return /* @__PURE__ */ jsxs("section", { "aria-label": `Notes of ${version}`, children: [
      shown2.map((field) => /* @__PURE__ */ jsxs("div", { children: [
        /* @__PURE__ */ jsxs("h3", { children: [
          TITLES[field],
          " ",
          field !== editing && !report() && /* @__PURE__ */ jsx(
            "button",
            {
              type: "button",
              className: "quiet",
              "aria-label": `Edit: ${TITLES[field]} of ${version}`,
              onClick: () => setEditing(field),
              children: "edit"
            }
          )
        ] }),
        field === editing ? /* @__PURE__ */ jsx(
          Editor,
          {
            version,
            field,
            notes,
            onSaved: setSaved,
            onLeft: () => setEditing(void 0)
          }
        ) : /* @__PURE__ */ jsx("ul", { children: notes.notes[field]?.map((sentence, place2) => /* @__PURE__ */ jsx("li", { children: /* @__PURE__ */ jsx(Plain, { text: sentence }) }, place2)) })
      ] }, field)),
      !editing && !report() && /* @__PURE__ */ jsx("p", { className: "controls", children: missing.map((field) => /* @__PURE__ */ jsxs(
        "button",
        {
          type: "button",
          className: "quiet",
          onClick: () => setEditing(field),
          "aria-label": `Add: ${TITLES[field]} of ${version}`,
          children: [
            "+ ",
            TITLES[field].toLowerCase()
          ]
        },
        field
      )) })
    ] });
  }

  // src/views/log.tsx
  var DEEPEST = 6;
  var STAY = 100;
  var turns = [];
  function inTurn(run) {
    const next = () => requestAnimationFrame(
      () => requestAnimationFrame(() => {
        turns.shift()?.();
        if (turns.length > 0) next();
      })
    );
    if (turns.push(run) === 1) next();
  }
  function Near({ children }) {
    const box = useRef(null);
    const [near, setNear] = useState(false);
    useEffect(() => {
      if (!box.current) return void 0;
      let waiting;
      let isNear = false;
      const watcher = new IntersectionObserver(
        (entries) => {
          clearTimeout(waiting);
          isNear = entries.at(-1)?.isIntersecting ?? false;
          if (isNear) waiting = setTimeout(() => inTurn(() => isNear && setNear(true)), STAY);
        },
        { rootMargin: "600px" }
      );
      watcher.observe(box.current);
      return () => {
        isNear = false;
        clearTimeout(waiting);
        watcher.disconnect();
      };
    }, []);
    return /* @__PURE__ */ jsx("div", { ref: box, className: near ? "" : "waiting", children: near && children() });
  }
  function Examples({ entry }) {
    const [diff, setDiff] = useState(false);
    const [before, after2] = entry.examples ?? [];
    if (!before) return null;
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx("h3", { children: "Example" }),
      /* @__PURE__ */ jsxs("p", { className: "soft", children: [
        /* @__PURE__ */ jsx(
          "a",
          {
            href: link(["compare", .../* @__PURE__ */ new Set([before.version, entry.version])], {
              open: before.prompt_id
            }),
            children: /* @__PURE__ */ jsx(Plain, { text: before.prompt_id })
          }
        ),
        ", ",
        /* @__PURE__ */ jsx(Plain, { text: before.why }),
        ": ",
        /* @__PURE__ */ jsx(Plain, { text: before.prompt })
      ] }),
      /* @__PURE__ */ jsx("div", { className: "sides", children: [before, ...after2 ? [after2] : []].map((example) => /* @__PURE__ */ jsxs("figure", { children: [
        /* @__PURE__ */ jsxs("figcaption", { children: [
          example.version,
          " ",
          /* @__PURE__ */ jsxs("span", { className: "soft", children: [
            "sample ",
            example.sample_index
          ] })
        ] }),
        diff && after2 && example === after2 ? /* @__PURE__ */ jsx(WordDiff, { before: before.output.text, after: after2.output.text }) : /* @__PURE__ */ jsx(TextCell, { ...example.output, most: 600 })
      ] }, example.version)) }),
      after2 && /* @__PURE__ */ jsx("button", { type: "button", "aria-pressed": diff, onClick: () => setDiff(!diff), children: "Word diff" })
    ] });
  }
  function Pitfalls({ entry }) {
    if (!entry.pitfalls?.length) return null;
    return /* @__PURE__ */ jsxs("p", { children: [
      "Pitfalls:",
      " ",
      entry.pitfalls.map((pitfall, place2) => /* @__PURE__ */ jsxs("span", { title: pitfall.meaning, children: [
        place2 > 0 && "; ",
        pitfall.name,
        " ",
        pitfall.before && `${pitfall.before[0]} of ${pitfall.before[1]} → `,
        pitfall.found,
        " of ",
        pitfall.total
      ] }, pitfall.name))
    ] });
  }
  function EntryBody({ version, entry }) {
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx("p", { className: "sentence", children: /* @__PURE__ */ jsx(Plain, { text: entry.sentence }) }),
      entry.stale && /* @__PURE__ */ jsx("p", { className: "changed", children: plain(entry.stale) }),
      entry.missing && /* @__PURE__ */ jsx("p", { className: "soft", children: plain(entry.missing) }),
      /* @__PURE__ */ jsx(
        Differences,
        {
          items: entry.differences ?? [],
          before: version.parent ?? "",
          after: version.name
        }
      ),
      !entry.differences?.length && /* @__PURE__ */ jsx("p", { children: entry.values?.map((value) => `${value.title} ${value.words}`).join(", ") }),
      /* @__PURE__ */ jsx(Pitfalls, { entry }),
      entry.unsupported?.map((claim) => /* @__PURE__ */ jsxs("p", { className: "worse", children: [
        "Not shown by the stored runs: ",
        /* @__PURE__ */ jsx(Plain, { text: claim })
      ] }, claim)),
      /* @__PURE__ */ jsxs("details", { children: [
        /* @__PURE__ */ jsx("summary", { children: "Changed settings, example, evidence" }),
        (entry.changes?.length ?? 0) > 0 && /* @__PURE__ */ jsx("ul", { children: entry.changes?.map((change) => /* @__PURE__ */ jsxs("li", { children: [
          /* @__PURE__ */ jsx(Plain, { text: change.words }),
          change.lines.length > 0 && /* @__PURE__ */ jsx("pre", { className: "text", children: /* @__PURE__ */ jsx(Plain, { text: change.lines.join("\n") }) })
        ] }, change.words)) }),
        /* @__PURE__ */ jsx(Examples, { entry }),
        /* @__PURE__ */ jsxs("p", { className: "soft", children: [
          entry.evidence,
          " · ",
          plain(entry.model ?? ""),
          " · identity ",
          entry.identity
        ] }),
        entry.trained?.map((line) => /* @__PURE__ */ jsx("p", { className: "soft", children: /* @__PURE__ */ jsx(Plain, { text: line }) }, line))
      ] }),
      entry.notes && /* @__PURE__ */ jsx(Notes, { version: version.name, initial: entry.notes })
    ] });
  }
  var MOVES = ["wheel", "touchstart", "pointerdown", "keydown"];
  function keepInView(entry) {
    if (!entry) return void 0;
    entry.focus();
    const watcher = new ResizeObserver(() => entry.scrollIntoView());
    watcher.observe(document.body);
    const stop = () => watcher.disconnect();
    for (const move of MOVES) window.addEventListener(move, stop, { once: true });
    return () => {
      stop();
      for (const move of MOVES) window.removeEventListener(move, stop);
    };
  }
  function LogEntry({ version, current }) {
    const article = useRef(null);
    useEffect(() => current ? keepInView(article.current) : void 0, [current]);
    return /* @__PURE__ */ jsxs(
      "article",
      {
        ref: article,
        tabIndex: -1,
        className: "version",
        "data-depth": Math.min(version.depth, DEEPEST),
        "aria-label": version.name,
        "aria-current": current || void 0,
        children: [
          /* @__PURE__ */ jsxs("h2", { children: [
            /* @__PURE__ */ jsx("a", { href: link(["log", version.name]), children: version.name }),
            " ",
            /* @__PURE__ */ jsx(Plain, { text: version.title })
          ] }),
          /* @__PURE__ */ jsxs("p", { className: "soft", children: [
            version.parent ? /* @__PURE__ */ jsxs("a", { href: link(["compare", version.parent, version.name]), children: [
              "compare with ",
              version.parent
            ] }) : "first of its line",
            version.ran_at && ` · run ${version.ran_at.slice(0, 16).replace("T", " ")} UTC`
          ] }),
          /* @__PURE__ */ jsx(Near, { children: () => /* @__PURE__ */ jsx(Loading, { version }) })
        ]
      }
    );
  }
  function Loading({ version }) {
    const entry = useLoad(
      version.name,
      (signal) => get("/api/log/{version}", { path: { version: version.name }, signal })
    );
    return /* @__PURE__ */ jsx(Shown, { loaded: entry, children: (data) => /* @__PURE__ */ jsx(EntryBody, { version, entry: data }) });
  }
  function useWalk(versions, current) {
    const at = versions.findIndex((version2) => version2.name === current);
    const step = useCallback(
      (by) => {
        const next = versions[Math.min(Math.max(at + by, 0), versions.length - 1)];
        if (next) go(["log", next.name]);
      },
      [versions, at]
    );
    const version = versions[at];
    useKeys([
      { key: "j", words: "next version", run: () => step(1) },
      { key: "k", words: "previous version", run: () => step(-1) },
      {
        key: "c",
        words: "compare the version with its parent",
        run: () => version?.parent && go(["compare", version.parent, version.name])
      }
    ]);
  }
  function Log({ place: place2 }) {
    const log = useLoad("log", (signal) => get("/api/log", { signal }));
    const versions = log.data?.versions ?? [];
    useWalk(versions, place2.path[1]);
    return /* @__PURE__ */ jsx(Shown, { loaded: log, children: (data) => /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx("h1", { children: /* @__PURE__ */ jsx(Plain, { text: data.title }) }),
      data.about && /* @__PURE__ */ jsx("p", { children: /* @__PURE__ */ jsx(Plain, { text: data.about }) }),
      data.versions.length === 0 && /* @__PURE__ */ jsxs("p", { children: [
        "The study has no version yet. Write ",
        /* @__PURE__ */ jsx("code", { children: "versions/v0.0.1.yaml" }),
        " with a title and a model; it appears here when the file is saved."
      ] }),
      /* @__PURE__ */ jsx(Findings, {}),
      /* @__PURE__ */ jsxs("div", { className: "log", children: [
        /* @__PURE__ */ jsx("nav", { "aria-label": "Versions", className: "tree", children: /* @__PURE__ */ jsx("ol", { className: "plain", children: data.versions.map((version) => /* @__PURE__ */ jsxs("li", { "data-depth": Math.min(version.depth, DEEPEST), children: [
          /* @__PURE__ */ jsx(
            "a",
            {
              href: link(["log", version.name]),
              "aria-current": version.name === place2.path[1] ? "location" : void 0,
              children: version.name
            }
          ),
          " ",
          /* @__PURE__ */ jsx("span", { className: "soft", children: plain(version.title) })
        ] }, version.name)) }) }),
        /* @__PURE__ */ jsx("div", { children: data.versions.map((version) => /* @__PURE__ */ jsx(
          LogEntry,
          {
            version,
            current: version.name === place2.path[1]
          },
          version.name
        )) })
      ] })
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
    const known2 = useRef(void 0);
    const queue = useRef([]);
    const [turn, setTurn] = useState(0);
    useEffect(() => {
      const stop = new AbortController();
      queue.current = [];
      if (known2.current?.job.id !== id) {
        known2.current = void 0;
        setState(void 0);
      }
      if (!id) return;
      get("/api/jobs/{job_id}", { path: { job_id: id }, signal: stop.signal }).then(
        (detail) => {
          if (stop.signal.aborted) return;
          let found = stateOf(detail);
          for (const event of queue.current ?? []) found = after(found, event) ?? found;
          queue.current = void 0;
          known2.current = found;
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
        else if (known2.current) {
          const next = after(known2.current, event);
          if (next === void 0) setTurn((before) => before + 1);
          else if (next !== known2.current) {
            known2.current = next;
            setState(next);
          }
        }
      }, [])
    );
    return state;
  }

  // src/parts/tokens.tsx
  var COLOURS = ["probability", "rank", "entropy"];
  function tokenWords(text) {
    const signs = text.replaceAll("\n", "⏎").replaceAll("	", "⇥");
    return /^ +$/.test(signs) ? "␣".repeat(signs.length) : signs;
  }
  function shade(token, colour) {
    const share = colour === "probability" ? 1 - token.probability : colour === "rank" ? Math.log10(token.rank) / 3 : token.entropy / 8;
    return Math.min(9, Math.max(0, Math.floor(share * 10)));
  }
  function Shown2({ token }) {
    if (token.part && token.part[0] > 1) return /* @__PURE__ */ jsx("span", { className: "soft", children: "·" });
    const lines2 = token.text.split("\n");
    return /* @__PURE__ */ jsx(Fragment, { children: lines2.map((line, place2) => /* @__PURE__ */ jsxs("span", { children: [
      place2 > 0 && /* @__PURE__ */ jsxs(Fragment, { children: [
        /* @__PURE__ */ jsx("span", { className: "soft", children: "⏎" }),
        /* @__PURE__ */ jsx("br", {})
      ] }),
      /* @__PURE__ */ jsx(Plain, { text: line })
    ] }, place2)) });
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
  function settingsOf(lines2) {
    const found = {};
    for (const line of lines2.split("\n")) {
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
    const [lines2, setLines] = useState("");
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
          settings: settingsOf(lines2),
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
      /* @__PURE__ */ jsx("p", { className: "soft", children: "Put another token here, or go on with other settings or random numbers. The original stays." }),
      /* @__PURE__ */ jsx("div", { className: "controls", role: "group", "aria-label": "Another token", children: (chosen?.alternatives ?? []).filter((one) => one.id !== chosen?.id).map((one) => /* @__PURE__ */ jsxs(Button, { isDisabled: busy, onPress: () => start2(one.id), children: [
        /* @__PURE__ */ jsx("bdi", { className: "piece", children: /* @__PURE__ */ jsx(Plain, { text: tokenWords(one.text) }) }),
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
              value: lines2,
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
        /* @__PURE__ */ jsxs(
          "a",
          {
            href: link(path, { branch: String(number), step: String(branch.at + 1) }),
            "aria-current": here ? "true" : void 0,
            children: [
              "Branch ",
              number
            ]
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
  function Chooser({ all, where }) {
    const version = all.find((one) => one.name === where.version);
    const prompts = version?.prompts ?? [];
    const open2 = (next) => go(pathOf({ ...where, sample: 0, ...next }));
    const choose2 = (name) => {
      const ids = all.find((one) => one.name === name)?.prompts ?? [];
      const prompt = ids.includes(where.prompt) ? where.prompt : ids[0] ?? "";
      open2({ version: name, prompt });
    };
    return /* @__PURE__ */ jsxs("div", { className: "controls", children: [
      /* @__PURE__ */ jsxs("label", { children: [
        "Version",
        /* @__PURE__ */ jsx("select", { value: where.version, onChange: (event) => choose2(event.target.value), children: all.map((one) => /* @__PURE__ */ jsxs("option", { value: one.name, children: [
          one.name,
          " ",
          plain(one.title)
        ] }, one.name)) })
      ] }),
      /* @__PURE__ */ jsxs("label", { children: [
        "Prompt",
        /* @__PURE__ */ jsx("select", { value: where.prompt, onChange: (event) => open2({ prompt: event.target.value }), children: prompts.map((one) => /* @__PURE__ */ jsx("option", { value: one, children: plain(one) }, one)) })
      ] }),
      version && version.samples > 1 && /* @__PURE__ */ jsxs("label", { children: [
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
  }
  function StepPanel({ step }) {
    const last2 = step.stages.length - 1;
    return /* @__PURE__ */ jsxs("section", { "aria-label": "What this token was chosen from", children: [
      /* @__PURE__ */ jsx("div", { className: "scroll", tabIndex: 0, role: "group", "aria-label": "Distributions", children: /* @__PURE__ */ jsxs("table", { className: "stages", children: [
        /* @__PURE__ */ jsx("thead", { children: /* @__PURE__ */ jsxs("tr", { children: [
          /* @__PURE__ */ jsx("th", { children: "token" }),
          step.stages.map((stage, place2) => /* @__PURE__ */ jsxs("th", { children: [
            stage.label,
            place2 === last2 && place2 > 0 && " (final)"
          ] }, stage.name))
        ] }) }),
        /* @__PURE__ */ jsxs("tbody", { children: [
          step.tokens.map((token) => /* @__PURE__ */ jsxs("tr", { className: token.chosen ? "chosen" : "", children: [
            /* @__PURE__ */ jsxs("th", { scope: "row", children: [
              /* @__PURE__ */ jsx("bdi", { className: "piece", children: /* @__PURE__ */ jsx(Plain, { text: tokenWords(token.text) }) }),
              token.chosen && /* @__PURE__ */ jsx("span", { className: "soft", children: " chosen" })
            ] }),
            token.probabilities.map((share, place2) => /* @__PURE__ */ jsx("td", { children: share === 0 ? /* @__PURE__ */ jsx("span", { className: "soft", children: "removed" }) : /* @__PURE__ */ jsx(Bar, { share, strong: token.chosen }) }, step.stages[place2]?.name ?? place2))
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
            stage.removed_examples.map((text, place2) => /* @__PURE__ */ jsxs("span", { children: [
              place2 > 0 && ", ",
              /* @__PURE__ */ jsx("bdi", { className: "piece", children: /* @__PURE__ */ jsx(Plain, { text: tokenWords(text) }) })
            ] }, place2)),
            stage.removed > stage.removed_examples.length && ", …",
            ")"
          ] }),
          "; entropy ",
          stage.entropy.toFixed(2),
          " nats"
        ] }, stage.name)),
        /* @__PURE__ */ jsx("li", { children: plain(step.why_possible) }),
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
            /* @__PURE__ */ jsx("th", { children: "tokens more probable than in copy 1" }),
            /* @__PURE__ */ jsx("th", { children: "tokens that were the most probable" })
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
  function Stored({ where }) {
    const { version, prompt, sample } = where;
    const cell = useLoad(
      `cell ${version} ${prompt}`,
      (signal) => get("/api/compare/cell", { query: { version, prompt }, signal })
    );
    const found = cell.data?.samples.find((one) => one.indices.includes(sample));
    if (!cell.data || !found) return null;
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx("p", { className: "soft", children: /* @__PURE__ */ jsx(TextCell, { text: cell.data.prompt, length: cell.data.prompt.length }) }),
      /* @__PURE__ */ jsx("div", { className: "tokens untraced", children: /* @__PURE__ */ jsx(WholeText, { text: found.output.text, marks: found.output.marks }) })
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
      /* @__PURE__ */ jsx(Stored, { where }, `${where.version} ${where.prompt}`),
      /* @__PURE__ */ jsx("p", { children: "This output has no trace yet: the probability, the rank and the alternatives of each token. The model makes it by generating the same tokens again." }),
      /* @__PURE__ */ jsxs("p", { className: "line", children: [
        /* @__PURE__ */ jsx(
          Button,
          {
            className: "primary",
            isDisabled: job?.state === "running",
            onPress: () => void start2(),
            children: "Make its trace"
          }
        ),
        /* @__PURE__ */ jsx("span", { role: "status", className: job?.state === "failed" ? "worse" : "soft", children: job && job.state !== "done" && plain(job.words) })
      ] }),
      error && /* @__PURE__ */ jsx(Problem, { error })
    ] });
  }
  function Opened2({ output, where, reload }) {
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
        /* @__PURE__ */ jsxs("span", { className: "soft", children: [
          "pale is what the model expected; click a token, or walk with ",
          /* @__PURE__ */ jsx("kbd", { children: "←" }),
          " ",
          /* @__PURE__ */ jsx("kbd", { children: "→" })
        ] })
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
          /* @__PURE__ */ jsx("bdi", { className: "piece", children: /* @__PURE__ */ jsx(Plain, { text: tokenWords(chosen.text) }) })
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
          chosen.kept != null && ` among ${chosen.kept.toLocaleString("en")} tokens`,
          "."
        ] }),
        /* @__PURE__ */ jsxs("div", { className: "choice", children: [
          /* @__PURE__ */ jsxs("div", { className: choice.data?.step === step ? "" : "stale", "aria-busy": choice.loading, children: [
            choice.error && /* @__PURE__ */ jsx(Problem, { error: choice.error }),
            choice.data ? /* @__PURE__ */ jsx(StepPanel, { step: choice.data }) : choice.loading && /* @__PURE__ */ jsx("p", { className: "soft", role: "status", children: "Loading … the model reads the output once, then each token is there at once." })
          ] }),
          /* @__PURE__ */ jsx(BranchPanel, { output, where, step, reload })
        ] })
      ] }),
      /* @__PURE__ */ jsx(Loops, { output, onStep: setStep })
    ] });
  }
  function Microscope({ place: place2 }) {
    const versions = useLoad("microscope", (signal) => get("/api/microscope", { signal }));
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx("h1", { children: "Microscope" }),
      /* @__PURE__ */ jsx(Shown, { loaded: versions, children: (all) => {
        const first = all[0];
        if (!first) return /* @__PURE__ */ jsx("p", { children: "No version of this study generates its outputs here." });
        const [, version = first.name, prompt = "", sample = "0"] = place2.path;
        const ids = all.find((one) => one.name === version)?.prompts ?? first.prompts;
        return /* @__PURE__ */ jsx(One3, { all, version, prompt: prompt || (ids[0] ?? ""), sample });
      } })
    ] });
  }
  function One3({ all, version, prompt, sample }) {
    const [branch] = useQuery("branch");
    const where = { version, prompt, sample: Number(sample) || 0 };
    if (branch) where.branch = Number(branch);
    const output = useLoad(
      `output ${version} ${prompt} ${sample} ${branch}`,
      (signal) => get("/api/microscope/output", {
        query: where.branch === void 0 ? { version, prompt, sample: where.sample } : { branch: where.branch },
        signal
      }),
      []
    );
    const fits = output.data && (output.data.branch ?? void 0) === where.branch;
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx(Chooser, { all, where }),
      output.error && /* @__PURE__ */ jsx(Problem, { error: output.error }),
      output.data === null && !output.loading && /* @__PURE__ */ jsx(MakeTrace, { where, onMade: output.reload }, `${version} ${prompt} ${sample}`),
      output.data && fits && !output.error && /* @__PURE__ */ jsx(
        Opened2,
        {
          output: output.data,
          where,
          reload: output.reload
        },
        `${output.data.version} ${output.data.prompt_id} ${output.data.sample}`
      )
    ] });
  }

  // src/views/sweep_form.tsx
  var SEARCHES = {
    grid: "every combination",
    random: "random",
    tpe: "TPE",
    nsga2: "NSGA-II"
  };
  function words(text) {
    return text.split(/[\s,;]+/).filter(Boolean);
  }
  function lines(text) {
    return text.split("\n").map((line) => line.trim()).filter(Boolean);
  }
  function gridSize(axes) {
    let size = 1;
    for (const axis of axes) {
      const values = axis.slice(axis.indexOf("=") + 1).trim();
      const [low, high, step, ...more] = values.split(":").map(Number);
      if (axis.indexOf("=") < 1 || !values || more.length > 0) return void 0;
      if (high === void 0) {
        size *= values.startsWith("[") ? Number.NaN : values.split(",").filter(Boolean).length;
      } else if (step !== void 0 && step > 0 && low !== void 0 && high >= low) {
        size *= Math.floor((high - low) / step + 1e-9) + 1;
      } else {
        return void 0;
      }
    }
    return axes.length > 0 && Number.isFinite(size) ? size : void 0;
  }
  function useOpened(job, setJob) {
    const state = useJob(job);
    const [first] = state?.rows ?? [];
    useEffect(() => {
      if (!first) return;
      setJob("");
      go(["sweep", String(first.sweep)]);
    }, [first, setJob]);
    return state?.job;
  }
  function SweepForm({ data }) {
    const [base, setBase] = useQuery("base");
    const [axes, setAxes] = useQuery("set");
    const [goals, setGoals] = useQuery("goal");
    const [search2, setSearch] = useQuery("search", "grid");
    const [trials, setTrials] = useQuery("trials", "60");
    const [samples2, setSamples] = useQuery("samples");
    const [race, setRace] = useQuery("race", "yes");
    const [jobId, setJobId] = useQuery("job");
    const [error, setError] = useState();
    const job = useOpened(jobId, setJobId);
    const version = data.versions.find((one) => one.name === base) ?? data.versions[0];
    if (!version) return /* @__PURE__ */ jsx("p", { children: "The study has no version that a sweep could begin from." });
    const size = search2 === "grid" ? gridSize(lines(axes)) : Number(trials);
    const start2 = (event) => {
      event.preventDefault();
      setError(void 0);
      const body = {
        base: version.name,
        axes: lines(axes),
        goals: words(goals),
        search: search2 in SEARCHES ? search2 : "grid",
        trials: Number(trials) || 60,
        samples: samples2 ? Number(samples2) : null,
        race: race !== "no"
      };
      post("/api/sweeps", { body }).then((begun) => setJobId(begun.id), setError);
    };
    const running = job?.state === "running";
    return /* @__PURE__ */ jsxs("form", { className: "sweep-form", "aria-label": "New sweep", onSubmit: start2, children: [
      /* @__PURE__ */ jsx("h2", { children: "New sweep" }),
      /* @__PURE__ */ jsx(
        Choice,
        {
          label: "Settings of",
          value: version.name,
          options: Object.fromEntries(
            data.versions.map((one) => [one.name, `${one.name} ${plain(one.title)}`.slice(0, 60)])
          ),
          onChange: setBase
        }
      ),
      /* @__PURE__ */ jsx("label", { htmlFor: "sweep-axes", children: "Fields that vary, one a line: FIELD=VALUES" }),
      /* @__PURE__ */ jsx(
        "textarea",
        {
          id: "sweep-axes",
          rows: 3,
          placeholder: "decoding.temperature=0.2:1.2:0.2\ndecoding.top_p=0.8,0.9,0.95",
          value: axes,
          onChange: (event) => setAxes(event.target.value)
        }
      ),
      /* @__PURE__ */ jsx("p", { className: "soft", children: "Values are a list such as 0.8,0.9 or steps such as 0.2:1.2:0.2; a search also takes ranges such as 0.2:1.2." }),
      /* @__PURE__ */ jsx(
        AddField,
        {
          fields: data.fields,
          onAdd: (field) => setAxes(`${axes.trimEnd()}
${field}=`.trim())
        }
      ),
      /* @__PURE__ */ jsxs("label", { children: [
        "Metrics to improve",
        /* @__PURE__ */ jsx(
          "input",
          {
            value: goals,
            placeholder: version.goals.join(" "),
            list: "sweep-metrics",
            onChange: (event) => setGoals(event.target.value)
          }
        )
      ] }),
      /* @__PURE__ */ jsx("datalist", { id: "sweep-metrics", children: data.metrics.map(([name, title]) => /* @__PURE__ */ jsx("option", { value: name, children: title }, name)) }),
      /* @__PURE__ */ jsx("p", { className: "soft", children: "Several are separated by spaces; one without a better direction needs it: words:lower." }),
      /* @__PURE__ */ jsxs("div", { className: "controls", children: [
        /* @__PURE__ */ jsx(Choice, { label: "Try", value: search2, options: SEARCHES, onChange: setSearch }),
        search2 !== "grid" && /* @__PURE__ */ jsxs("label", { children: [
          "settings",
          /* @__PURE__ */ jsx(
            "input",
            {
              type: "number",
              min: 2,
              value: trials,
              onChange: (event) => setTrials(event.target.value)
            }
          )
        ] }),
        /* @__PURE__ */ jsxs("label", { children: [
          "Samples per prompt",
          /* @__PURE__ */ jsx(
            "input",
            {
              type: "number",
              min: 1,
              placeholder: String(version.samples),
              value: samples2,
              onChange: (event) => setSamples(event.target.value)
            }
          )
        ] }),
        /* @__PURE__ */ jsxs("label", { children: [
          /* @__PURE__ */ jsx(
            "input",
            {
              type: "checkbox",
              checked: race !== "no",
              onChange: (event) => setRace(event.target.checked ? "yes" : "no")
            }
          ),
          "eliminate clearly worse settings early"
        ] })
      ] }),
      /* @__PURE__ */ jsxs("p", { className: "line", children: [
        /* @__PURE__ */ jsx(Button, { className: "primary", type: "submit", isDisabled: running || lines(axes).length === 0, children: "Start the sweep" }),
        /* @__PURE__ */ jsx("span", { className: "soft", children: size ? `${size} settings` : "" }),
        /* @__PURE__ */ jsx("span", { role: "status", className: job?.state === "failed" ? "worse" : "soft", children: job && job.state !== "done" ? plain(job.words || "starting") : "" })
      ] }),
      error && /* @__PURE__ */ jsx(Problem, { error })
    ] });
  }
  function AddField({
    fields,
    onAdd
  }) {
    return /* @__PURE__ */ jsx(
      Choice,
      {
        label: "Add a field",
        value: "",
        options: { "": "choose", ...Object.fromEntries(fields.map((one) => [one, one])) },
        onChange: (field) => field && onAdd(field)
      }
    );
  }

  // src/views/play.tsx
  var STRATEGY = "decoding.strategy";
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
  function Slider2({
    setting,
    own,
    value,
    idle,
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
            disabled: idle,
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
        idle ? "No effect under greedy: choose sample above." : `${plain(setting.about)}.`,
        !idle && setting.lower && ` Lower: ${setting.lower}. Higher: ${setting.higher}.`
      ] })
    ] });
  }
  function LaneOutput({ version, text, ended, running, failed }) {
    const shown2 = ended?.text ?? text;
    if (shown2 || ended) return /* @__PURE__ */ jsx(WholeText, { text: shown2 });
    if (running) return /* @__PURE__ */ jsx("span", { className: "soft", children: "waiting for the first token …" });
    return /* @__PURE__ */ jsx("span", { className: "soft", children: failed ? "Nothing was generated." : `Generate, and the output of ${version} appears here.` });
  }
  function LanePanel(props) {
    const { view, lane, number, ended, running, onChange, onRemove } = props;
    const version = view.versions.find((one) => one.name === lane.version);
    const set = (field, value) => {
      const { [field]: _, ...others } = lane.settings;
      onChange({ ...lane, settings: value === void 0 ? others : { ...others, [field]: value } });
    };
    return /* @__PURE__ */ jsxs("section", { className: "lane", "aria-label": `Lane ${number + 1}`, children: [
      /* @__PURE__ */ jsxs("div", { className: "lane-head", children: [
        /* @__PURE__ */ jsx(
          "select",
          {
            "aria-label": `Version of lane ${number + 1}`,
            value: lane.version,
            onChange: (event) => onChange({ ...lane, version: event.target.value }),
            children: view.versions.map((one) => /* @__PURE__ */ jsxs("option", { value: one.name, children: [
              one.name,
              " ",
              plain(one.title)
            ] }, one.name))
          }
        ),
        onRemove && /* @__PURE__ */ jsx(Button, { className: "quiet", "aria-label": `Remove lane ${number + 1}`, onPress: onRemove, children: "×" })
      ] }),
      /* @__PURE__ */ jsx("div", { className: "lane-output", "aria-busy": running && !ended, children: /* @__PURE__ */ jsx(
        LaneOutput,
        {
          version: lane.version,
          text: props.text,
          ended,
          running,
          failed: props.failed
        }
      ) }),
      /* @__PURE__ */ jsxs("p", { className: "soft", role: "status", children: [
        ended && `${ENDINGS[ended.finish_reason] ?? ended.finish_reason} after ${ended.tokens} tokens, ${(ended.tokens / Math.max(ended.seconds, 1e-3)).toFixed(0)} tokens a second`,
        !ended && running && !version?.streams && "its wrapper or backend shows whole outputs only"
      ] }),
      version && /* @__PURE__ */ jsx(
        LaneSettings,
        {
          view,
          version,
          lane,
          set,
          setLines: (lines2) => onChange({ ...lane, lines: lines2 })
        }
      ),
      /* @__PURE__ */ jsxs("details", { children: [
        /* @__PURE__ */ jsx("summary", { children: "Save as a version" }),
        /* @__PURE__ */ jsx(SaveVersion, { lane, number })
      ] })
    ] });
  }
  function LaneSettings({
    view,
    version,
    lane,
    set,
    setLines
  }) {
    const changed = Object.keys(lane.settings).length + lines(lane.lines).length;
    const strategy = lane.settings[STRATEGY] ?? version.values[STRATEGY] ?? "sample";
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
          idle: one.needs_sampling && strategy === "greedy",
          onChange: (value) => set(one.field, value)
        },
        one.field
      )),
      /* @__PURE__ */ jsxs("label", { className: "setting", children: [
        "Any other field of a version, one a line",
        /* @__PURE__ */ jsx(
          "textarea",
          {
            rows: 2,
            cols: 30,
            placeholder: "prompt.system=Answer in one word.",
            value: lane.lines,
            onChange: (event) => setLines(event.target.value)
          }
        )
      ] }),
      /* @__PURE__ */ jsxs("details", { children: [
        /* @__PURE__ */ jsx("summary", { children: "More settings of the decoding" }),
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
    const [begun, setBegun] = useState("");
    const [error, setError] = useState();
    const save = () => {
      setError(void 0);
      post("/api/play/version", { body: { ...lane, name, title } }).then(
        () => setSaved(name),
        setError
      );
    };
    const run = () => {
      setError(void 0);
      post("/api/runs", { body: { versions: [saved] } }).then(() => setBegun(saved), setError);
    };
    return /* @__PURE__ */ jsxs("div", { className: "controls", children: [
      /* @__PURE__ */ jsxs("label", { children: [
        "Name",
        /* @__PURE__ */ jsx(
          "input",
          {
            "aria-label": `Name of the version of lane ${number + 1}`,
            placeholder: "v0.2.0",
            size: 8,
            value: name,
            onChange: (event) => setName(event.target.value)
          }
        )
      ] }),
      /* @__PURE__ */ jsxs("label", { children: [
        "Title",
        /* @__PURE__ */ jsx(
          "input",
          {
            "aria-label": `Title of the version of lane ${number + 1}`,
            placeholder: "what it tries",
            value: title,
            onChange: (event) => setTitle(event.target.value)
          }
        )
      ] }),
      /* @__PURE__ */ jsx(Button, { isDisabled: !name, onPress: save, children: "Save as child version" }),
      saved && /* @__PURE__ */ jsxs("span", { role: "status", children: [
        "Saved ",
        saved,
        ".",
        " ",
        begun === saved ? /* @__PURE__ */ jsxs(Fragment, { children: [
          "Its outputs are being generated: ",
          /* @__PURE__ */ jsx("a", { href: link(["runs"]), children: "progress" }),
          ", then",
          " ",
          /* @__PURE__ */ jsx("a", { href: link(["compare", lane.version, saved]), children: "compare" }),
          " or",
          " ",
          /* @__PURE__ */ jsx("a", { href: link(["arena"], { versions: `${lane.version} ${saved}` }), children: "vote" }),
          "."
        ] }) : /* @__PURE__ */ jsx(Button, { onPress: run, children: "Generate its outputs" })
      ] }),
      error && /* @__PURE__ */ jsx(Problem, { error })
    ] });
  }
  function ToArena({ job, disabled }) {
    const [error, setError] = useState();
    const send2 = () => {
      setError(void 0);
      post("/api/play/arena", { body: { job } }).then(
        ({ names }) => go(["arena"], { versions: names.join(" ") }),
        setError
      );
    };
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx(Button, { isDisabled: disabled, onPress: send2, children: "Send to the arena" }),
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
  function PromptField({
    suite,
    version,
    prompt,
    text,
    start: start2,
    onPrompt,
    onWrite
  }) {
    const said = useLoad(
      `prompt ${version} ${prompt}`,
      (signal) => prompt ? get("/api/play/prompt", { query: { version, prompt }, signal }) : Promise.resolve(void 0)
    );
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsxs("div", { className: "controls", children: [
        /* @__PURE__ */ jsxs("label", { children: [
          "Prompt",
          /* @__PURE__ */ jsxs("select", { value: prompt, onChange: (event) => onPrompt(event.target.value), children: [
            /* @__PURE__ */ jsx("option", { value: "", children: "a text of my own" }),
            suite.map((one) => /* @__PURE__ */ jsx("option", { value: one, children: plain(one) }, one))
          ] })
        ] }),
        prompt && said.data && /* @__PURE__ */ jsx(Button, { onPress: () => onWrite(said.data?.text ?? ""), children: "Change its text" })
      ] }),
      prompt ? /* @__PURE__ */ jsxs("div", { className: "prompt", children: [
        said.error && /* @__PURE__ */ jsx(Problem, { error: said.error }),
        said.data && /* @__PURE__ */ jsx(WholeText, { text: said.data.text })
      ] }) : /* @__PURE__ */ jsx(
        "textarea",
        {
          "aria-label": "A text of my own",
          className: "own-text",
          rows: 3,
          placeholder: "Write a prompt; Ctrl Enter generates",
          value: text,
          onChange: (event) => onWrite(event.target.value),
          onKeyDown: (event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) start2();
          }
        }
      )
    ] });
  }
  function Board({ view }) {
    const [lanesText, setLanesText] = useQuery("lanes");
    const [named, setNamed] = useQuery("prompt");
    const [own, setOwn] = useQuery("own");
    const [text, setText] = useQuery("text");
    const [draw, setDraw] = useQuery("draw", "0");
    const [jobId, setJobId] = useQuery("job");
    const [error, setError] = useState();
    const known2 = lanesOf(lanesText);
    const first = view.versions[0];
    const lanes = known2.length > 0 ? known2 : view.versions.slice(0, 2).map((one) => laneOf(one.name));
    const setLanes = (next) => setLanesText(JSON.stringify(next));
    const state = useJob(jobId);
    const running = state?.job.state === "running";
    const ended = state?.rows ?? [];
    const suite = view.versions.find((one) => one.name === lanes[0]?.version)?.prompts ?? [];
    const prompt = own || text ? "" : named || (suite[0] ?? "");
    const choose2 = (next) => {
      setText("");
      setOwn(next ? "" : "1");
      setNamed(next);
      setJobId("");
    };
    const write = (next) => {
      setOwn("1");
      setText(next);
    };
    const start2 = (number = draw) => {
      setError(void 0);
      const asked = prompt ? { prompt, text: null } : { text, prompt: null };
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
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx(
        PromptField,
        {
          suite,
          version: lanes[0]?.version ?? first.name,
          prompt,
          text,
          start: () => start2(),
          onPrompt: choose2,
          onWrite: write
        }
      ),
      /* @__PURE__ */ jsxs("div", { className: "controls", children: [
        /* @__PURE__ */ jsxs(Button, { className: "primary", isDisabled: running, onPress: () => start2(), children: [
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
          failed: state?.job.state === "failed",
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
        /* @__PURE__ */ jsx(ToArena, { job: jobId, disabled: state?.job.state !== "done" || ended.length < 2 }),
        !prompt && /* @__PURE__ */ jsx(ToSuite, { version: lanes[0]?.version ?? first.name, text })
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
    const known2 = new Map((loaded.data ?? []).map((job) => [job.id, job]));
    const fresh = [...newer.values()].filter((job) => !known2.has(job.id)).reverse();
    const jobs = [...fresh, ...[...known2.values()].map((job) => newer.get(job.id) ?? job)];
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
      /* @__PURE__ */ jsxs("p", { className: "line", children: [
        /* @__PURE__ */ jsx(Button, { className: "primary", onPress: () => void start2(), children: "Generate what is missing" }),
        /* @__PURE__ */ jsx("span", { className: "soft", children: "every output that a version lacks, then its metrics; what is stored is never made again" })
      ] }),
      error && /* @__PURE__ */ jsx(Problem, { error }),
      /* @__PURE__ */ jsx(Shown, { loaded: jobs, children: (all) => all.length === 0 ? /* @__PURE__ */ jsx("p", { children: "Nothing has run since the page was started. Whatever you start on any page is listed here with its progress, and can be stopped here." }) : /* @__PURE__ */ jsx("ul", { className: "plain", children: all.map((job) => /* @__PURE__ */ jsx(JobLine, { job }, job.id)) }) })
    ] });
  }

  // src/views/sweep_tables.tsx
  var FATES = {
    chosen: "★ chosen",
    front: "• on the front",
    behind: "behind",
    racing: "in the race",
    eliminated: "× eliminated",
    parent: "parent"
  };
  function Row({
    data,
    trial,
    isCurrent,
    onOpen,
    onPromote
  }) {
    const row = useRef(null);
    useEffect(() => {
      if (isCurrent) row.current?.scrollIntoView?.({ block: "nearest" });
    }, [isCurrent]);
    return /* @__PURE__ */ jsxs("tr", { ref: row, className: `fate ${trial.fate}`, "aria-current": isCurrent || void 0, children: [
      /* @__PURE__ */ jsxs("th", { scope: "row", children: [
        /* @__PURE__ */ jsx("button", { type: "button", className: "link", onClick: onOpen, children: /* @__PURE__ */ jsx(Plain, { text: trial.words }) }),
        trial.promoted.map((version) => /* @__PURE__ */ jsxs("span", { className: "soft", children: [
          " ",
          "is ",
          /* @__PURE__ */ jsx("a", { href: link(["log", version]), children: version })
        ] }, version))
      ] }),
      /* @__PURE__ */ jsx("td", { title: trial.eliminated, children: FATES[trial.fate] }),
      objectives(data).map((metric) => /* @__PURE__ */ jsxs("td", { className: "number", children: [
        trial.values[metric.name],
        trial.against[metric.name] && /* @__PURE__ */ jsx("div", { className: "soft small", children: trial.against[metric.name] })
      ] }, metric.name)),
      /* @__PURE__ */ jsx("td", { className: "number", children: trial.front_share }),
      /* @__PURE__ */ jsx("td", { className: "number", children: trial.samples }),
      canPromote(data) && /* @__PURE__ */ jsx("td", { children: /* @__PURE__ */ jsx(
        "button",
        {
          type: "button",
          className: "quiet",
          "aria-label": `Promote ${trial.words}`,
          onClick: onPromote,
          children: "Promote"
        }
      ) })
    ] });
  }
  function canPromote(data) {
    return data.state === "done" && canAct();
  }
  function objectives(data) {
    return data.metrics.filter((metric) => metric.objective);
  }
  function Trials({ data, current, onOpen, onPromote }) {
    return /* @__PURE__ */ jsxs("section", { "aria-label": "Settings", children: [
      /* @__PURE__ */ jsx("h2", { children: "Settings by rank" }),
      /* @__PURE__ */ jsx("section", { className: "scroll trials", tabIndex: 0, "aria-label": "All settings", children: /* @__PURE__ */ jsxs("table", { children: [
        /* @__PURE__ */ jsx("thead", { children: /* @__PURE__ */ jsxs("tr", { children: [
          /* @__PURE__ */ jsx("th", { scope: "col", children: "setting" }),
          /* @__PURE__ */ jsx("th", { scope: "col", children: "place" }),
          objectives(data).map((metric) => /* @__PURE__ */ jsxs("th", { scope: "col", className: "number", children: [
            metric.title,
            /* @__PURE__ */ jsxs("div", { className: "small", children: [
              metric.direction,
              " is better"
            ] })
          ] }, metric.name)),
          /* @__PURE__ */ jsx("th", { scope: "col", className: "number", children: "on the front" }),
          /* @__PURE__ */ jsx("th", { scope: "col", className: "number", children: "samples" }),
          canPromote(data) && /* @__PURE__ */ jsx("th", { scope: "col", children: "version" })
        ] }) }),
        /* @__PURE__ */ jsxs("tbody", { children: [
          /* @__PURE__ */ jsxs("tr", { className: "fate parent", children: [
            /* @__PURE__ */ jsx("th", { scope: "row", children: data.base }),
            /* @__PURE__ */ jsx("td", { children: "parent" }),
            objectives(data).map((metric) => /* @__PURE__ */ jsx("td", { className: "number", children: data.base_values[metric.name] }, metric.name)),
            /* @__PURE__ */ jsx("td", {}),
            /* @__PURE__ */ jsx("td", {}),
            canPromote(data) && /* @__PURE__ */ jsx("td", {})
          ] }),
          data.trials.map((trial) => /* @__PURE__ */ jsx(
            Row,
            {
              data,
              trial,
              isCurrent: trial.name === current,
              onOpen: () => onOpen(trial.name),
              onPromote: () => onPromote(trial.name)
            },
            trial.name
          ))
        ] })
      ] }) }),
      /* @__PURE__ */ jsxs("p", { className: "soft", children: [
        "Values are of the prompts for selection; below them the difference from ",
        data.base,
        " with its 95 % interval. The best of many settings looks better here than it is: the holdout test above is the fair one. ",
        /* @__PURE__ */ jsx("kbd", { children: "j" }),
        " ",
        /* @__PURE__ */ jsx("kbd", { children: "k" }),
        " walk, ",
        /* @__PURE__ */ jsx("kbd", { children: "o" }),
        " opens outputs",
        canPromote(data) && /* @__PURE__ */ jsxs(Fragment, { children: [
          ", ",
          /* @__PURE__ */ jsx("kbd", { children: "p" }),
          " promotes"
        ] }),
        "."
      ] })
    ] });
  }
  function Rounds({ data }) {
    if (data.rounds.length === 0) return null;
    return /* @__PURE__ */ jsxs("section", { "aria-label": "Rounds", children: [
      /* @__PURE__ */ jsx("h2", { children: "Rounds" }),
      /* @__PURE__ */ jsx("ol", { className: "plain", children: data.rounds.map((round) => /* @__PURE__ */ jsxs("li", { className: "job", children: [
        /* @__PURE__ */ jsxs("b", { children: [
          "Round ",
          round.number
        ] }),
        ": ",
        round.settings,
        " settings,",
        " ",
        round.samples === 1 ? "1 sample" : `${round.samples} samples`,
        " per prompt;",
        " ",
        round.eliminated.length === 0 ? "none" : round.eliminated.length,
        " eliminated.",
        round.eliminated.length > 0 && /* @__PURE__ */ jsx("ul", { children: round.eliminated.map((one) => /* @__PURE__ */ jsxs("li", { children: [
          /* @__PURE__ */ jsx(Plain, { text: one.words }),
          " ",
          /* @__PURE__ */ jsx("span", { className: "soft", children: "beaten by" }),
          " ",
          /* @__PURE__ */ jsx(Plain, { text: one.by }),
          ": ",
          /* @__PURE__ */ jsx("span", { className: "soft", children: one.why })
        ] }, one.name)) })
      ] }, round.number)) })
    ] });
  }

  // src/views/sweep_charts.tsx
  function stamp(data) {
    return `${data.id} ${data.state} ${data.rounds.length}`;
  }
  function clickedSetting(value) {
    return value?.setting?.[0] || void 0;
  }
  function signals(onOpen) {
    return {
      clicked: (value) => {
        const name = clickedSetting(value);
        if (name) onOpen(name);
      }
    };
  }
  function known(value, options, fallback) {
    return options.includes(value) ? value : fallback;
  }
  function nextCell(filled, row, column, key) {
    const steps = {
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1]
    };
    const [down, right] = steps[key] ?? [0, 0];
    if (down === 0 && right === 0) return void 0;
    let [r, c] = [row + down, column + right];
    while (filled[r]?.[c] !== void 0) {
      if (filled[r]?.[c]) return [r, c];
      r += down;
      c += right;
    }
    return void 0;
  }
  function HeatGrid({
    heat,
    x,
    y,
    onOpen
  }) {
    const table = useRef(null);
    const filled = heat.rows.map(([, cells]) => cells.map(Boolean));
    const walk = (event) => {
      const at = event.target.dataset.at?.split(" ").map(Number);
      const next = at && nextCell(filled, at[0] ?? 0, at[1] ?? 0, event.key);
      if (!next) return;
      event.preventDefault();
      table.current?.querySelector(`[data-at="${next.join(" ")}"]`)?.focus();
    };
    if (heat.rows.length === 0) return null;
    return /* @__PURE__ */ jsx("section", { className: "scroll", "aria-label": "The heat map as a table", children: /* @__PURE__ */ jsxs("table", { ref: table, className: "heat", onKeyDown: walk, children: [
      /* @__PURE__ */ jsxs("caption", { className: "soft", children: [
        y ? `${plain(y)} downwards, ${plain(x)} to the right` : plain(x),
        ". Enter opens outputs."
      ] }),
      /* @__PURE__ */ jsx("thead", { children: /* @__PURE__ */ jsxs("tr", { children: [
        /* @__PURE__ */ jsx("th", { scope: "col", children: /* @__PURE__ */ jsx("span", { className: "soft", children: y ? `${plain(y)} \\ ${plain(x)}` : plain(x) }) }),
        heat.columns.map((column) => /* @__PURE__ */ jsx("th", { scope: "col", className: "number", children: /* @__PURE__ */ jsx(Plain, { text: column }) }, column))
      ] }) }),
      /* @__PURE__ */ jsx("tbody", { children: heat.rows.map(([label, cells], row) => /* @__PURE__ */ jsxs("tr", { children: [
        /* @__PURE__ */ jsx("th", { scope: "row", children: /* @__PURE__ */ jsx(Plain, { text: label }) }),
        cells.map((cell, column) => /* @__PURE__ */ jsx("td", { className: `number s${cell?.shade ?? 0}`, children: cell && /* @__PURE__ */ jsxs(
          "button",
          {
            type: "button",
            className: "quiet",
            "data-at": `${row} ${column}`,
            onClick: () => onOpen(cell.setting),
            children: [
              cell.value,
              " ",
              cell.mark,
              cell.settings > 1 && /* @__PURE__ */ jsxs("span", { className: "soft small", children: [
                " (1 of ",
                cell.settings,
                ")"
              ] })
            ]
          }
        ) }, heat.columns[column]))
      ] }, label)) })
    ] }) });
  }
  function Fixed({ axis }) {
    const [value, setValue] = useQuery(`at.${axis.field}`);
    return /* @__PURE__ */ jsx(
      Choice,
      {
        label: plain(axis.name),
        value,
        options: {
          "": "the best of all",
          ...Object.fromEntries(axis.labels.map((label) => [label, plain(label)]))
        },
        onChange: setValue
      }
    );
  }
  function HeatMap({ data, onOpen }) {
    const fields = data.axes.map((axis) => axis.field);
    const names = Object.fromEntries(data.axes.map((axis) => [axis.field, plain(axis.name)]));
    const titles = Object.fromEntries(data.metrics.map((metric2) => [metric2.name, metric2.title]));
    const [xAsked, setX] = useQuery("x");
    const [yAsked, setY] = useQuery("y");
    const [metricAsked, setMetric] = useQuery("metric");
    const { query } = usePlace();
    const x = known(xAsked, fields, fields[0] ?? "");
    const others = fields.filter((field) => field !== x);
    const y = known(yAsked, others, others[0] ?? "");
    const metric = known(metricAsked, Object.keys(titles), data.metrics[0]?.name ?? "");
    const free = data.axes.filter((axis) => axis.field !== x && axis.field !== y);
    const fixed = free.map((axis) => [axis.field, query.get(`at.${axis.field}`) ?? ""]).filter(([, value]) => value).map(([field, value]) => `${field}=${value}`);
    const heat = useLoad(
      `heat ${stamp(data)} ${x} ${y} ${metric} ${fixed.join(" ")}`,
      (signal) => get("/api/sweeps/{number}/heat", {
        path: { number: data.id },
        query: { x, y, metric, fixed },
        signal
      }),
      []
    );
    return /* @__PURE__ */ jsxs("section", { "aria-label": "Heat map", children: [
      /* @__PURE__ */ jsx("h2", { children: "Heat map" }),
      /* @__PURE__ */ jsxs("div", { className: "controls", children: [
        /* @__PURE__ */ jsx(Choice, { label: "Across", value: x, options: names, onChange: setX }),
        others.length > 0 && /* @__PURE__ */ jsx(
          Choice,
          {
            label: "up",
            value: y,
            options: Object.fromEntries(others.map((field) => [field, names[field] ?? field])),
            onChange: setY
          }
        ),
        /* @__PURE__ */ jsx(Choice, { label: "coloured by", value: metric, options: titles, onChange: setMetric }),
        canAct() && free.map((axis) => axis.labels.length > 0 && /* @__PURE__ */ jsx(Fixed, { axis }, axis.field))
      ] }),
      /* @__PURE__ */ jsx(Shown, { loaded: heat, children: (found) => /* @__PURE__ */ jsxs(Fragment, { children: [
        /* @__PURE__ */ jsx("p", { className: "soft", children: plain(found.words) }),
        /* @__PURE__ */ jsxs("div", { className: "charted", children: [
          /* @__PURE__ */ jsx(Chart, { spec: found.spec, words: found.words, signals: signals(onOpen) }),
          /* @__PURE__ */ jsx(HeatGrid, { heat: found, x: names[x] ?? x, y: names[y] ?? "", onOpen })
        ] })
      ] }) })
    ] });
  }
  function Drawn({
    chart: chart2,
    onOpen
  }) {
    return /* @__PURE__ */ jsx(Shown, { loaded: chart2, children: (found) => /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx("p", { className: "soft", children: plain(found.words) }),
      /* @__PURE__ */ jsx(Chart, { spec: found.spec, words: found.words, signals: signals(onOpen) })
    ] }) });
  }
  function Front({ data, onOpen }) {
    const titles = Object.fromEntries(data.metrics.map((metric) => [metric.name, metric.title]));
    const names = Object.keys(titles);
    const [xAsked, setX] = useQuery("fx");
    const [yAsked, setY] = useQuery("fy");
    const x = known(xAsked, names, names[0] ?? "");
    const y = known(yAsked, names, names.find((name) => name !== x) ?? x);
    const chart2 = useLoad(
      `front ${stamp(data)} ${x} ${y}`,
      (signal) => get("/api/sweeps/{number}/front", { path: { number: data.id }, query: { x, y }, signal }),
      []
    );
    if (names.length < 2) return null;
    return /* @__PURE__ */ jsxs("section", { "aria-label": "Trade-off", children: [
      /* @__PURE__ */ jsx("h2", { children: "Trade-off" }),
      /* @__PURE__ */ jsxs("div", { className: "controls", children: [
        /* @__PURE__ */ jsx(Choice, { label: "Across", value: x, options: titles, onChange: setX }),
        /* @__PURE__ */ jsx(Choice, { label: "up", value: y, options: titles, onChange: setY })
      ] }),
      /* @__PURE__ */ jsx(Drawn, { chart: chart2, onOpen })
    ] });
  }
  function Parallel({ data, onOpen }) {
    const [extra, setExtra] = useQuery("also");
    const own = objectives(data).map((metric) => metric.name);
    const others = data.metrics.filter((metric) => !metric.objective);
    const also = known(
      extra,
      others.map((metric) => metric.name),
      ""
    );
    const metrics = also ? [...own, also] : own;
    const chart2 = useLoad(
      `parallel ${stamp(data)} ${metrics.join(" ")}`,
      (signal) => get("/api/sweeps/{number}/parallel", {
        path: { number: data.id },
        query: { metrics },
        signal
      }),
      []
    );
    return /* @__PURE__ */ jsxs("section", { "aria-label": "Parallel coordinates", children: [
      /* @__PURE__ */ jsx("h2", { children: "Parallel coordinates" }),
      others.length > 0 && /* @__PURE__ */ jsx("div", { className: "controls", children: /* @__PURE__ */ jsx(
        Choice,
        {
          label: "With the metric",
          value: also,
          options: {
            "": "objectives only",
            ...Object.fromEntries(others.map((metric) => [metric.name, metric.title]))
          },
          onChange: setExtra
        }
      ) }),
      /* @__PURE__ */ jsx(Drawn, { chart: chart2, onOpen })
    ] });
  }
  function Race({ data, onOpen }) {
    const own = objectives(data);
    const [asked, setMetric] = useQuery("race");
    const metric = known(
      asked,
      own.map((one) => one.name),
      own[0]?.name ?? ""
    );
    const chart2 = useLoad(
      `race ${stamp(data)} ${metric}`,
      (signal) => get("/api/sweeps/{number}/race", { path: { number: data.id }, query: { metric }, signal }),
      []
    );
    return /* @__PURE__ */ jsxs("section", { "aria-label": "Race", children: [
      /* @__PURE__ */ jsx("h2", { children: "Race" }),
      own.length > 1 && /* @__PURE__ */ jsx("div", { className: "controls", children: /* @__PURE__ */ jsx(
        Choice,
        {
          label: "Metric",
          value: metric,
          options: Object.fromEntries(own.map((one) => [one.name, one.title])),
          onChange: setMetric
        }
      ) }),
      /* @__PURE__ */ jsx(Drawn, { chart: chart2, onOpen })
    ] });
  }
  function SweepCharts(props) {
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx(HeatMap, { ...props }),
      /* @__PURE__ */ jsxs("div", { className: "beside", children: [
        /* @__PURE__ */ jsx(Front, { ...props }),
        /* @__PURE__ */ jsx(Race, { ...props })
      ] }),
      /* @__PURE__ */ jsx(Parallel, { ...props })
    ] });
  }

  // src/views/sweep_opened.tsx
  var PAGE2 = 10;
  function Outputs2({ title, outputs }) {
    return /* @__PURE__ */ jsxs("section", { "aria-label": title, className: "outputs", children: [
      /* @__PURE__ */ jsx("h4", { children: /* @__PURE__ */ jsx(Plain, { text: title }) }),
      outputs.map((one) => /* @__PURE__ */ jsxs("div", { children: [
        /* @__PURE__ */ jsxs("p", { className: "soft small", children: [
          "sample ",
          one.indices.join(", "),
          " · ended by ",
          plain(one.finish_reason),
          Object.entries(one.values).map(([name, value]) => ` · ${name} ${value}`)
        ] }),
        /* @__PURE__ */ jsx(WholeText, { text: one.output.text, marks: one.output.marks })
      ] }, one.indices.join(" ")))
    ] });
  }
  function Rows({ page }) {
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      page.missing && /* @__PURE__ */ jsxs("p", { className: "soft", children: [
        plain(page.missing),
        ", so only the setting is shown."
      ] }),
      page.rows.map((row) => /* @__PURE__ */ jsxs("section", { "aria-label": plain(row.prompt_id), className: "job", children: [
        /* @__PURE__ */ jsx("h3", { children: /* @__PURE__ */ jsx(Plain, { text: row.prompt_id }) }),
        /* @__PURE__ */ jsx(WholeText, { text: row.prompt }),
        /* @__PURE__ */ jsxs("div", { className: "sides", children: [
          /* @__PURE__ */ jsx(Outputs2, { title: page.words, outputs: row.outputs }),
          !page.missing && /* @__PURE__ */ jsx(Outputs2, { title: page.base, outputs: row.parent })
        ] })
      ] }, row.prompt_id))
    ] });
  }
  function Samples({ number, trial, canPromote: canPromote2, onPromote, close: close2 }) {
    const [from, setFrom] = useQuery("from", "0");
    const offset = Math.max(0, Math.floor(Number(from) || 0));
    const page = useLoad(
      `${number} ${trial.name} ${offset}`,
      (signal) => get("/api/sweeps/{number}/samples", {
        path: { number },
        query: { setting: trial.name, offset, limit: PAGE2 },
        signal
      }),
      []
    );
    const leave = () => {
      setFrom("0");
      close2();
    };
    return /* @__PURE__ */ jsxs(Window, { title: /* @__PURE__ */ jsx(Plain, { text: trial.words }), wide: true, close: leave, children: [
      trial.eliminated && /* @__PURE__ */ jsxs("p", { className: "soft", children: [
        "Eliminated ",
        /* @__PURE__ */ jsx(Plain, { text: trial.eliminated }),
        "."
      ] }),
      /* @__PURE__ */ jsx(Shown, { loaded: page, children: (data) => /* @__PURE__ */ jsxs(Fragment, { children: [
        /* @__PURE__ */ jsx(Rows, { page: data }),
        /* @__PURE__ */ jsxs("div", { className: "controls", children: [
          /* @__PURE__ */ jsx(Button, { isDisabled: offset === 0, onPress: () => setFrom(`${offset - PAGE2}`), children: "Earlier prompts" }),
          /* @__PURE__ */ jsx(
            Button,
            {
              isDisabled: offset + PAGE2 >= data.total,
              onPress: () => setFrom(`${offset + PAGE2}`),
              children: "More prompts"
            }
          ),
          /* @__PURE__ */ jsxs("span", { className: "soft", role: "status", children: [
            "prompts ",
            Math.min(offset + 1, data.total),
            " to ",
            Math.min(offset + PAGE2, data.total),
            " ",
            "of ",
            data.total
          ] })
        ] })
      ] }) }),
      /* @__PURE__ */ jsxs("div", { className: "controls", children: [
        canPromote2 && /* @__PURE__ */ jsx(Button, { onPress: onPromote, children: "Promote to a version" }),
        /* @__PURE__ */ jsx(Button, { onPress: leave, children: "Close" })
      ] })
    ] });
  }
  function Promote({ data, trial, close: close2, reload }) {
    const [name, setName] = useState(data.next_version);
    const [force, setForce] = useState(false);
    const [saved, setSaved] = useState("");
    const [error, setError] = useState();
    const write = (event) => {
      event.preventDefault();
      setError(void 0);
      const body = { setting: trial.name, name, force };
      post("/api/sweeps/{number}/promote", { path: { number: data.id }, body }).then(() => {
        setSaved(name);
        reload();
      }, setError);
    };
    return /* @__PURE__ */ jsxs(
      Window,
      {
        title: /* @__PURE__ */ jsxs(Fragment, { children: [
          "Promote ",
          /* @__PURE__ */ jsx(Plain, { text: trial.words })
        ] }),
        close: close2,
        children: [
          saved ? /* @__PURE__ */ jsxs("div", { role: "status", children: [
            /* @__PURE__ */ jsxs("p", { children: [
              "Wrote ",
              /* @__PURE__ */ jsx("a", { href: link(["log", saved]), children: saved }),
              ", a child of ",
              data.base,
              ", with the reason in its notes."
            ] }),
            /* @__PURE__ */ jsx(Button, { onPress: () => void post("/api/runs", { body: { versions: [saved] } }), children: "Generate its outputs" })
          ] }) : /* @__PURE__ */ jsxs("form", { onSubmit: write, children: [
            trial.doubt ? /* @__PURE__ */ jsx("p", { className: "changed", children: /* @__PURE__ */ jsx(Plain, { text: `${trial.doubt.slice(0, 1).toUpperCase()}${trial.doubt.slice(1)}.` }) }) : /* @__PURE__ */ jsxs("p", { children: [
              "It beats ",
              data.base,
              " on held-out prompts."
            ] }),
            /* @__PURE__ */ jsx("p", { children: /* @__PURE__ */ jsxs("label", { children: [
              "Name of the version",
              /* @__PURE__ */ jsx(
                "input",
                {
                  autoFocus: true,
                  value: name,
                  onChange: (event) => setName(event.target.value)
                }
              )
            ] }) }),
            trial.doubt && /* @__PURE__ */ jsx("p", { children: /* @__PURE__ */ jsxs("label", { children: [
              /* @__PURE__ */ jsx(
                "input",
                {
                  type: "checkbox",
                  checked: force,
                  onChange: (event) => setForce(event.target.checked)
                }
              ),
              "Write it anyway"
            ] }) }),
            /* @__PURE__ */ jsx(Button, { type: "submit", isDisabled: !name || Boolean(trial.doubt && !force), children: "Write the version" })
          ] }),
          error && /* @__PURE__ */ jsx(Problem, { error }),
          /* @__PURE__ */ jsx("div", { className: "controls", children: /* @__PURE__ */ jsx(Button, { onPress: close2, children: "Close" }) })
        ]
      }
    );
  }

  // src/views/sweep.tsx
  var LOOK = 3e3;
  var STATES = {
    running: "running",
    done: "finished",
    stopped: "ended early",
    interrupted: "unfinished"
  };
  function useLooking(loaded, isElsewhere) {
    const { reload } = loaded;
    useEffect(() => {
      if (!isElsewhere || !canAct()) return void 0;
      const timer = setInterval(reload, LOOK);
      return () => clearInterval(timer);
    }, [isElsewhere, reload]);
  }
  function Progress({ job: id }) {
    const job = useJob(id)?.job;
    const stop = () => void post("/api/jobs/{job_id}/stop", { path: { job_id: id } });
    useKeys([{ key: "x", words: "stop the sweep", run: stop }]);
    if (job?.state !== "running") return null;
    return /* @__PURE__ */ jsxs("div", { children: [
      job.total != null && job.total > 0 && /* @__PURE__ */ jsx("progress", { "aria-label": "Progress of the round", value: job.done, max: job.total }),
      /* @__PURE__ */ jsxs("p", { className: "line", children: [
        /* @__PURE__ */ jsx("span", { role: "status", children: plain(job.words) }),
        job.total != null && /* @__PURE__ */ jsxs("span", { className: "soft", children: [
          job.done,
          " of ",
          job.total,
          " outputs"
        ] }),
        /* @__PURE__ */ jsxs(Button, { onPress: stop, children: [
          "Stop ",
          /* @__PURE__ */ jsx("kbd", { children: "x" })
        ] })
      ] })
    ] });
  }
  function Again({ data, reload }) {
    const [error, setError] = useState();
    const { again } = data;
    const start2 = () => {
      setError(void 0);
      post("/api/sweeps", { body: again }).then(reload, setError);
    };
    return /* @__PURE__ */ jsxs("div", { className: "controls", children: [
      (data.state === "stopped" || data.state === "interrupted") && /* @__PURE__ */ jsx(Button, { onPress: start2, children: "Start it again" }),
      /* @__PURE__ */ jsx(
        "a",
        {
          href: link(["sweep"], {
            base: again.base,
            set: again.axes.join("\n"),
            goal: again.goals.join(" "),
            search: again.search === "grid" ? "" : again.search,
            trials: again.search === "grid" ? "" : String(again.trials),
            samples: String(again.samples ?? ""),
            race: again.race ? "" : "no"
          }),
          children: "A new sweep like this one"
        }
      ),
      error && /* @__PURE__ */ jsx(Problem, { error })
    ] });
  }
  function useChosen(data) {
    const [name, setName] = useQuery("setting");
    const [, setOpen] = useQuery("open");
    const [, setPromote] = useQuery("promote");
    const at = Math.max(
      0,
      data.trials.findIndex((trial) => trial.name === name)
    );
    const chosen = data.trials[at];
    const step = (by) => {
      const next = data.trials[Math.min(Math.max(at + (name ? by : 0), 0), data.trials.length - 1)];
      if (next) setName(next.name);
    };
    useKeys([
      { key: "j", words: "next setting", run: () => step(1) },
      { key: "k", words: "previous setting", run: () => step(-1) },
      { key: "o", words: "outputs of the setting", run: () => chosen && setOpen(chosen.name) },
      {
        key: "p",
        words: "promote the setting to a version",
        run: () => chosen && canPromote(data) && setPromote(chosen.name)
      }
    ]);
    return name;
  }
  function Found2({ data, reload }) {
    const current = useChosen(data);
    const [open2, setOpen] = useQuery("open");
    const [promoting, setPromoting] = useQuery("promote");
    const opened = data.trials.find((trial) => trial.name === open2);
    const promoted = data.trials.find((trial) => trial.name === promoting);
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx("p", { className: "sentence", children: /* @__PURE__ */ jsx(Plain, { text: data.sentence }) }),
      data.why && /* @__PURE__ */ jsx("p", { className: "soft", children: /* @__PURE__ */ jsx(Plain, { text: `Chosen as ${data.why}.` }) }),
      data.job && /* @__PURE__ */ jsx(Progress, { job: data.job }),
      data.holdout.length > 0 && /* @__PURE__ */ jsxs("section", { "aria-label": "Holdout test", children: [
        /* @__PURE__ */ jsxs("h2", { children: [
          "Against ",
          data.base,
          " on ",
          data.holdout_prompts,
          " held-out prompts"
        ] }),
        /* @__PURE__ */ jsx(Differences, { items: data.holdout, before: data.base, after: "the choice" })
      ] }),
      /* @__PURE__ */ jsxs("p", { className: "soft", children: [
        STATES[data.state],
        " · started ",
        data.started_at.slice(0, 16).replace("T", " "),
        " UTC ·",
        " ",
        /* @__PURE__ */ jsx(Plain, { text: data.facts })
      ] }),
      canAct() && /* @__PURE__ */ jsx(Again, { data, reload }),
      data.trials.length > 0 && /* @__PURE__ */ jsxs(Fragment, { children: [
        /* @__PURE__ */ jsx(Trials, { data, current, onOpen: setOpen, onPromote: setPromoting }),
        data.rounds.length > 0 && hasCharts() && /* @__PURE__ */ jsx(SweepCharts, { data, onOpen: setOpen }),
        /* @__PURE__ */ jsx(Rounds, { data })
      ] }),
      opened && /* @__PURE__ */ jsx(
        Samples,
        {
          number: data.id,
          trial: opened,
          canPromote: canPromote(data),
          onPromote: () => {
            setOpen("");
            setPromoting(opened.name);
          },
          close: () => setOpen("")
        }
      ),
      promoted && /* @__PURE__ */ jsx(Promote, { data, trial: promoted, close: () => setPromoting(""), reload })
    ] });
  }
  function One4({ number }) {
    const loaded = useLoad(
      `sweep ${number}`,
      (signal) => get("/api/sweeps/{number}", { path: { number }, signal }),
      ["sweep", "study"]
    );
    useLooking(loaded, loaded.data?.state === "running" && !loaded.data.job);
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx("p", { children: /* @__PURE__ */ jsx("a", { href: link(["sweep"]), children: "All sweeps" }) }),
      /* @__PURE__ */ jsxs("h1", { children: [
        "Sweep ",
        Number.isInteger(number) ? number : "",
        loaded.data && /* @__PURE__ */ jsxs(Fragment, { children: [
          ": ",
          /* @__PURE__ */ jsx(Plain, { text: loaded.data.title })
        ] })
      ] }),
      /* @__PURE__ */ jsx(Shown, { loaded, children: (data) => /* @__PURE__ */ jsx(Found2, { data, reload: loaded.reload }) })
    ] });
  }
  function All() {
    const loaded = useLoad("sweeps", (signal) => get("/api/sweeps", { signal }), ["sweep", "study"]);
    const newest = loaded.data?.sweeps[0];
    useLooking(loaded, newest?.state === "running" && !newest.job);
    useKeys([
      {
        key: "o",
        words: "open the newest sweep",
        run: () => newest && go(["sweep", `${newest.id}`])
      }
    ]);
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx("h1", { children: "Sweeps" }),
      /* @__PURE__ */ jsx(Shown, { loaded, children: (data) => /* @__PURE__ */ jsxs(Fragment, { children: [
        data.sweeps.length === 0 && /* @__PURE__ */ jsx("p", { children: "No sweep yet. A sweep tries many settings of a version on the same prompts, drops the clearly worse ones early, and tests its choice on held-out prompts." }),
        /* @__PURE__ */ jsx("ul", { className: "plain", children: data.sweeps.map((sweep) => /* @__PURE__ */ jsxs("li", { className: "job", children: [
          /* @__PURE__ */ jsxs("div", { className: "line", children: [
            /* @__PURE__ */ jsx("a", { href: link(["sweep", String(sweep.id)]), children: /* @__PURE__ */ jsxs("b", { children: [
              sweep.id,
              ": ",
              plain(sweep.title)
            ] }) }),
            /* @__PURE__ */ jsxs("span", { className: "soft", children: [
              STATES[sweep.state],
              " · ",
              sweep.started_at.slice(0, 16).replace("T", " "),
              " UTC"
            ] })
          ] }),
          /* @__PURE__ */ jsx(Plain, { text: sweep.sentence })
        ] }, sweep.id)) }),
        canAct() && /* @__PURE__ */ jsx(SweepForm, { data })
      ] }) })
    ] });
  }
  function Sweep({ place: place2 }) {
    const [, number] = place2.path;
    return number ? /* @__PURE__ */ jsx(One4, { number: Number(number) }, number) : /* @__PURE__ */ jsx(All, {});
  }

  // src/parts/plan.tsx
  function Example({ row }) {
    return /* @__PURE__ */ jsx("p", { className: "text example", children: row.map(
      ([token, learned], at) => learned ? /* @__PURE__ */ jsx("b", { children: /* @__PURE__ */ jsx(Plain, { text: token }) }, at) : /* @__PURE__ */ jsx("span", { className: "soft", children: /* @__PURE__ */ jsx(Plain, { text: token }) }, at)
    ) });
  }
  function One5({ plan }) {
    return /* @__PURE__ */ jsxs("section", { "aria-label": plain(plan.name), children: [
      /* @__PURE__ */ jsxs("h2", { children: [
        plain(plan.name),
        ": ",
        plan.kind,
        ", seed ",
        plan.seed
      ] }),
      plan.findings.map((each) => /* @__PURE__ */ jsxs("p", { className: "changed", children: [
        "Warning: ",
        /* @__PURE__ */ jsx(Plain, { text: each })
      ] }, each)),
      /* @__PURE__ */ jsx(Lines, { lines: plan.lines }),
      plan.examples.length > 0 && /* @__PURE__ */ jsxs("details", { children: [
        /* @__PURE__ */ jsx("summary", { children: "Example rows as the model reads them; learned tokens are bold" }),
        plan.examples.map((row, at) => /* @__PURE__ */ jsx(Example, { row }, at))
      ] })
    ] });
  }
  function Lines({ lines: lines2 }) {
    return /* @__PURE__ */ jsx("dl", { className: "facts", children: lines2.map(([name, words2]) => /* @__PURE__ */ jsxs("div", { children: [
      /* @__PURE__ */ jsx("dt", { className: "soft", children: name }),
      /* @__PURE__ */ jsx("dd", { children: /* @__PURE__ */ jsx(Plain, { text: words2 }) })
    ] }, name)) });
  }
  function PlanOf({ path, job, recipe }) {
    const state = useJob(job)?.job;
    const [error, setError] = useState();
    const body = { recipe: path, seeds: [] };
    const start2 = () => post("/api/trainings/start", { body }).then(() => go(["train"]), setError);
    const again = () => post("/api/trainings/plan", { body }).then(
      (next) => go(["train"], { recipe: path, plan: next.id }),
      setError
    );
    const planned = state?.state === "done";
    const word = recipe?.action === "Continue" ? "Continue" : "Start";
    useKeys([{ key: "s", words: "start the planned training", run: () => planned && void start2() }]);
    const result = state?.result;
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsxs("h1", { children: [
        "Plan of ",
        plain(path)
      ] }),
      /* @__PURE__ */ jsx("p", { children: /* @__PURE__ */ jsx("a", { href: link(["train"]), children: "All trainings" }) }),
      error && /* @__PURE__ */ jsx(Problem, { error }),
      !state && /* @__PURE__ */ jsx("p", { children: "The server knows no such plan any more." }),
      state?.state === "running" && /* @__PURE__ */ jsxs("p", { role: "status", children: [
        "Planning: ",
        plain(state.words),
        ". Nothing is trained yet."
      ] }),
      (state?.state === "failed" || state?.state === "stopped") && /* @__PURE__ */ jsx("p", { role: "alert", className: "problem", children: plain(state.words) }),
      planned && result?.plans.map((plan) => /* @__PURE__ */ jsx(One5, { plan }, `${plan.name} ${plan.seed}`)),
      planned && recipe?.action === "Continue" && /* @__PURE__ */ jsxs("p", { children: [
        "It was begun: ",
        /* @__PURE__ */ jsx(Plain, { text: recipe.words })
      ] }),
      /* @__PURE__ */ jsxs("p", { className: "line", children: [
        /* @__PURE__ */ jsx(Button, { className: "primary", isDisabled: !planned, onPress: () => void start2(), children: word }),
        state?.state !== "running" && /* @__PURE__ */ jsx(Button, { className: "quiet", onPress: () => void again(), children: "Plan again" })
      ] })
    ] });
  }

  // src/parts/curves.tsx
  var WINDOWS = ["1", "5", "15", "50"];
  var keyOf2 = (training, stored) => `${training} ${stored}`;
  function grown(panels, before, event) {
    if (event.type !== "training_points") return before;
    const next = new Map(before);
    for (const panel of panels) {
      for (const point of event.points) {
        const name = panel.names.find(
          (each) => each.training === event.id && each.stored === point.name
        );
        if (!name || point.value == null) continue;
        const { rows, said } = next.get(panel.name) ?? { rows: [], said: /* @__PURE__ */ new Map() };
        const { run, series } = name;
        next.set(panel.name, {
          rows: [...rows, { run, series, step: point.step, value: point.value }],
          said: new Map(said).set(series, point.said)
        });
      }
    }
    return next;
  }
  function withRows(spec, rows) {
    if (rows.length === 0) return spec;
    const { data } = spec;
    return { ...spec, data: { ...data, values: [...data.values, ...rows] } };
  }
  function CurveChart({ panel, fresh }) {
    const more = fresh.get(panel.name);
    const spec = useMemo(
      () => withRows(panel.spec, more?.rows ?? []),
      [panel.spec, more?.rows]
    );
    const now = more ? `; now ${[...more.said].map((pair) => pair.join(" ")).join(", ")}` : "";
    const words2 = `${plain(panel.words)}${now}`;
    return /* @__PURE__ */ jsxs("section", { className: "curve", "aria-label": plain(panel.title), children: [
      /* @__PURE__ */ jsx("h3", { children: plain(panel.title) }),
      /* @__PURE__ */ jsxs("p", { className: "soft", children: [
        words2,
        panel.left_out && ` (drawn: ${plain(panel.left_out)})`
      ] }),
      /* @__PURE__ */ jsx(Chart, { spec, words: `${plain(panel.title)} by step: ${words2}` })
    ] });
  }
  function useCurves(ids, query) {
    const key = JSON.stringify([ids, query]);
    const loaded = useLoad(key, (signal) => load(ids, query, signal), ["training_repeated"]);
    const [fresh, setFresh] = useState({
      of: void 0,
      points: /* @__PURE__ */ new Map()
    });
    const known2 = useRef({
      data: void 0,
      ids,
      met: /* @__PURE__ */ new Set()
    });
    known2.current.data = loaded.data;
    known2.current.ids = ids;
    const { reload } = loaded;
    useEvents(
      ["training_points"],
      useCallback(
        (event) => {
          const { data, ids: shown2, met } = known2.current;
          if (event.type === "reset") reload();
          if (event.type !== "training_points" || !shown2.includes(event.id) || !data) return;
          const drawn = new Set(
            data.panels.flatMap(
              (panel) => panel.names.map((each) => keyOf2(each.training, each.stored))
            )
          );
          const keys = event.points.map((point) => keyOf2(event.id, point.name));
          const unknown = keys.filter((each) => !drawn.has(each) && !met.has(each));
          for (const each of unknown) met.add(each);
          if (unknown.length > 0) reload();
          else {
            setFresh((before) => ({
              of: data,
              points: grown(data.panels, before.of === data ? before.points : /* @__PURE__ */ new Map(), event)
            }));
          }
        },
        [reload]
      )
    );
    return { loaded, fresh: fresh.of === loaded.data ? fresh.points : /* @__PURE__ */ new Map() };
  }
  function load(ids, query, signal) {
    return get("/api/trainings/curves", { query: { id: [...ids], ...query }, signal });
  }
  function CurvesOf({ ids }) {
    const [axis, setAxis] = useQuery("axis", "linear");
    const [window2, setWindow] = useQuery("mean", "15");
    const [named, setNamed] = useQuery("curves");
    const { loaded, fresh } = useCurves(ids, {
      quantity: named.split(" ").filter(Boolean),
      log: axis === "log",
      window: WINDOWS.includes(window2) ? Number(window2) : 15
    });
    return /* @__PURE__ */ jsx(Shown, { loaded, children: (data) => /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsxs("div", { className: "controls", children: [
        /* @__PURE__ */ jsxs("label", { children: [
          "Steps",
          /* @__PURE__ */ jsxs("select", { value: axis, onChange: (event) => setAxis(event.target.value), children: [
            /* @__PURE__ */ jsx("option", { value: "linear", children: "linear" }),
            /* @__PURE__ */ jsx("option", { value: "log", children: "logarithmic" })
          ] })
        ] }),
        /* @__PURE__ */ jsxs("label", { children: [
          "Mean of the last",
          /* @__PURE__ */ jsx("select", { value: window2, onChange: (event) => setWindow(event.target.value), children: WINDOWS.map((each) => /* @__PURE__ */ jsx("option", { value: each, children: each === "1" ? "1 point (not smoothed)" : `${each} points` }, each)) })
        ] }),
        Object.keys(data.further).length > 0 && /* @__PURE__ */ jsxs("label", { children: [
          "and",
          /* @__PURE__ */ jsxs(
            "select",
            {
              value: "",
              onChange: (event) => setNamed(
                [...data.panels.map((each) => each.name), event.target.value].join(" ")
              ),
              children: [
                /* @__PURE__ */ jsx("option", { value: "", children: "add a curve" }),
                Object.entries(data.further).map(([name, title]) => /* @__PURE__ */ jsx("option", { value: name, children: plain(title) }, name))
              ]
            }
          )
        ] })
      ] }),
      data.panels.some((each) => each.smoothed) && /* @__PURE__ */ jsxs("p", { className: "soft", children: [
        "Of what is measured at each step, the strong line is the mean of the last ",
        window2,
        " ",
        "points and the faint one the points themselves.",
        axis === "log" && " Step 0 is left out."
      ] }),
      data.panels.length === 0 && /* @__PURE__ */ jsx("p", { children: "No point is stored yet." }),
      /* @__PURE__ */ jsx("div", { className: "curves", children: data.panels.map((panel) => /* @__PURE__ */ jsx(CurveChart, { panel, fresh }, panel.name)) })
    ] }) });
  }

  // src/parts/samples.tsx
  var placeOf = (each) => `${each.step} ${each.decoding} ${each.prompt} ${each.sample}`;
  function useSamples(training, prompt) {
    const loaded = useLoad(
      `${training} ${prompt}`,
      (signal) => get("/api/trainings/{training}/samples", { path: { training }, query: { prompt }, signal }),
      ["training_repeated"]
    );
    const [later, setLater] = useState([]);
    useEvents(
      ["training_samples"],
      useCallback(
        (event) => {
          if (event.type === "training_samples" && event.id === training) {
            setLater((before) => [...before, ...event.samples]);
          }
        },
        [training]
      )
    );
    const known2 = new Set((loaded.data ?? []).map(placeOf));
    const fresh = later.filter((each) => each.prompt === prompt && !known2.has(placeOf(each)));
    return { ...loaded, data: loaded.data && [...loaded.data, ...fresh] };
  }
  function Written({ sample }) {
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx(WholeText, { text: sample.output.text, marks: sample.output.marks }),
      /* @__PURE__ */ jsxs("p", { className: "soft", children: [
        sample.ended === "length" ? "cut at the limit" : `ended by ${sample.ended}`,
        sample.faults.length > 0 && `; ${sample.faults.join(", ").toLowerCase()}`
      ] })
    ] });
  }
  function AtStep({ all, steps, at }) {
    const shown2 = all.filter((each) => each.step === steps[at]);
    return /* @__PURE__ */ jsx("div", { className: "lanes", children: shown2.map((each) => /* @__PURE__ */ jsxs(
      "section",
      {
        className: "lane",
        "aria-label": `${plain(each.decoding)}, step ${each.step}`,
        children: [
          /* @__PURE__ */ jsxs("h3", { children: [
            /* @__PURE__ */ jsx(Plain, { text: each.decoding }),
            each.sample > 0 && `, sample ${each.sample}`
          ] }),
          /* @__PURE__ */ jsx(Written, { sample: each })
        ]
      },
      `${each.decoding} ${each.sample}`
    )) });
  }
  function Slider3({
    steps,
    at,
    onStep
  }) {
    return /* @__PURE__ */ jsxs("label", { className: "slider", children: [
      "Step ",
      steps[at],
      /* @__PURE__ */ jsx(
        "input",
        {
          type: "range",
          min: 0,
          max: steps.length - 1,
          value: at,
          "aria-valuetext": `step ${steps[at]}`,
          onChange: (event) => onStep(Number(event.target.value))
        }
      ),
      /* @__PURE__ */ jsxs("span", { className: "soft", children: [
        "look ",
        at + 1,
        " of ",
        steps.length
      ] })
    ] });
  }
  function Samples2({ detail }) {
    const ids = Object.keys(detail.prompts);
    const [asked, setPrompt] = useQuery("prompt");
    const [step, setStep] = useQuery("step");
    const prompt = ids.includes(asked) ? asked : ids[0] ?? "";
    const loaded = useSamples(detail.training.id, prompt);
    const steps = [...new Set((loaded.data ?? []).map((each) => each.step))];
    const found = steps.indexOf(Number(step));
    const at = step !== "" && found >= 0 ? found : steps.length - 1;
    const move = (to) => {
      if (to >= 0 && to < steps.length) setStep(to === steps.length - 1 ? "" : String(steps[to]));
    };
    const turn = (by) => {
      const next = ids[ids.indexOf(prompt) + by];
      if (next !== void 0) setPrompt(next);
    };
    useKeys([
      { key: "ArrowLeft", words: "samples: an earlier step", run: () => move(at - 1) },
      { key: "ArrowRight", words: "samples: a later step", run: () => move(at + 1) },
      { key: "j", words: "samples: the next prompt", run: () => turn(1) },
      { key: "k", words: "samples: the prompt before", run: () => turn(-1) }
    ]);
    if (ids.length === 0) return /* @__PURE__ */ jsx("p", { children: "No output was watched." });
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx("div", { className: "controls", children: /* @__PURE__ */ jsxs("label", { children: [
        "Prompt",
        /* @__PURE__ */ jsx("select", { value: prompt, onChange: (event) => setPrompt(event.target.value), children: Object.entries(detail.prompts).map(([id, text]) => /* @__PURE__ */ jsx("option", { value: id, children: plain(text).slice(0, 70) }, id)) })
      ] }) }),
      /* @__PURE__ */ jsx(Shown, { loaded, children: (all) => /* @__PURE__ */ jsxs(Fragment, { children: [
        /* @__PURE__ */ jsx(Slider3, { steps, at, onStep: move }),
        /* @__PURE__ */ jsx(AtStep, { all, steps, at }),
        /* @__PURE__ */ jsxs("details", { children: [
          /* @__PURE__ */ jsx("summary", { children: steps.length === 1 ? "The only look" : `All ${steps.length} looks` }),
          /* @__PURE__ */ jsx("ol", { className: "plain", children: steps.map((each, place2) => /* @__PURE__ */ jsxs("li", { className: "look", children: [
            /* @__PURE__ */ jsxs("b", { children: [
              "Step ",
              each
            ] }),
            /* @__PURE__ */ jsx(AtStep, { all, steps, at: place2 })
          ] }, each)) })
        ] })
      ] }) })
    ] });
  }

  // src/parts/training.tsx
  function Progress2({ training, linked = false }) {
    const [error, setError] = useState();
    const [asked, setAsked] = useState("");
    const { id, state } = training;
    const running = state === "running" && canAct();
    const act = (word) => {
      const done = () => {
        setError(void 0);
        setAsked(word);
      };
      if (word === "stop") {
        post("/api/trainings/{training}/stop", { path: { training: id } }).then(done, setError);
      } else post("/api/trainings/continue", { body: { id } }).then(done, setError);
    };
    const goesOn = !running && state !== "finished" && canAct();
    useKeys([
      {
        key: "s",
        words: running ? `stop ${plain(training.name)}` : `continue ${plain(training.name)}`,
        run: () => running ? act("stop") : goesOn && !training.changed && act("continue")
      }
    ]);
    const name = plain(training.name);
    return /* @__PURE__ */ jsxs("section", { className: "progress", "aria-label": `training ${name}`, children: [
      /* @__PURE__ */ jsxs("p", { className: "sentence", children: [
        linked ? /* @__PURE__ */ jsx("a", { href: link(["train", String(id)]), children: name }) : name,
        ":",
        " ",
        /* @__PURE__ */ jsx(Plain, { text: training.words })
      ] }),
      state !== "finished" && /* @__PURE__ */ jsx("progress", { "aria-label": name, value: training.step, max: training.steps }),
      /* @__PURE__ */ jsxs("div", { className: "line", children: [
        running && /* @__PURE__ */ jsx(Button, { onPress: () => act("stop"), children: "Stop" }),
        goesOn && !training.changed && /* @__PURE__ */ jsx(Button, { onPress: () => act("continue"), children: "Continue" }),
        running && asked === "stop" && /* @__PURE__ */ jsx("span", { role: "status", children: "Stopping after this step …" }),
        goesOn && asked === "continue" && /* @__PURE__ */ jsx("span", { role: "status", children: "Preparing to go on …" }),
        goesOn && training.changed && /* @__PURE__ */ jsx("span", { className: "soft", children: plain(training.changed) }),
        running && /* @__PURE__ */ jsx("span", { className: "soft", children: "a stopped training goes on from its checkpoint" })
      ] }),
      error && /* @__PURE__ */ jsx(Problem, { error })
    ] });
  }
  function Links({ training }) {
    const { parent, version, exists } = training;
    if (!exists) return null;
    return /* @__PURE__ */ jsxs("p", { className: "line", children: [
      /* @__PURE__ */ jsxs("a", { href: link(["log", version]), children: [
        version,
        " in the log"
      ] }),
      parent && /* @__PURE__ */ jsxs("a", { href: link(["compare", parent, version]), children: [
        "compare with ",
        parent
      ] })
    ] });
  }
  function Behaviour({ detail }) {
    if (detail.behaviour.length === 0) return null;
    return /* @__PURE__ */ jsxs("section", { "aria-label": "behaviour by step", children: [
      /* @__PURE__ */ jsx("h2", { children: "Behaviour by step" }),
      /* @__PURE__ */ jsx("div", { className: "scroll looks", tabIndex: 0, children: /* @__PURE__ */ jsxs("table", { children: [
        /* @__PURE__ */ jsx("thead", { children: /* @__PURE__ */ jsxs("tr", { children: [
          /* @__PURE__ */ jsx("th", { scope: "col", children: "measure" }),
          /* @__PURE__ */ jsx("th", { scope: "col", children: "decoding" }),
          detail.looks.map((step) => /* @__PURE__ */ jsx("th", { scope: "col", className: "number", children: step }, step))
        ] }) }),
        /* @__PURE__ */ jsx("tbody", { children: detail.behaviour.map((row) => /* @__PURE__ */ jsxs("tr", { children: [
          /* @__PURE__ */ jsx("th", { scope: "row", children: plain(row.title) }),
          /* @__PURE__ */ jsx("td", { className: "soft", children: plain(row.decoding) }),
          row.values.map((value, at) => /* @__PURE__ */ jsx("td", { className: "number", children: value }, detail.looks[at]))
        ] }, row.title + row.decoding)) })
      ] }) })
    ] });
  }
  function One6({ training }) {
    const { id, state } = training;
    const loaded = useLoad(
      `training ${id} ${state} ${training.step === 0}`,
      (signal) => get("/api/trainings/{training}", { path: { training: id }, signal }),
      ["study", "training_samples"]
    );
    return /* @__PURE__ */ jsx(Shown, { loaded, children: (detail) => /* @__PURE__ */ jsxs(Fragment, { children: [
      detail.warnings.map((each) => /* @__PURE__ */ jsxs("p", { className: "changed", children: [
        "Warning: ",
        /* @__PURE__ */ jsx(Plain, { text: each })
      ] }, each)),
      /* @__PURE__ */ jsx(Behaviour, { detail }),
      hasCharts() && /* @__PURE__ */ jsxs(Fragment, { children: [
        /* @__PURE__ */ jsx("h2", { children: "Curves" }),
        /* @__PURE__ */ jsx(CurvesOf, { ids: [id] }),
        /* @__PURE__ */ jsx("h2", { children: "Samples over steps" }),
        /* @__PURE__ */ jsx(Samples2, { detail })
      ] }),
      /* @__PURE__ */ jsx("h2", { children: "Plan and recipe" }),
      /* @__PURE__ */ jsx(
        Lines,
        {
          lines: [
            ...detail.plan.map(([name, words2]) => [name, words2]),
            ...detail.measured.map(
              ([name, planned, took]) => [`${name} taken`, `${took} (estimated ${planned})`]
            )
          ]
        }
      ),
      /* @__PURE__ */ jsxs("details", { children: [
        /* @__PURE__ */ jsx("summary", { children: "The recipe, with its defaults" }),
        /* @__PURE__ */ jsx("pre", { className: "scroll", tabIndex: 0, children: /* @__PURE__ */ jsx(Plain, { text: detail.recipe }) })
      ] })
    ] }) });
  }
  function Others({ ids, all }) {
    const others = report()?.together ?? all.map((each) => each.id);
    const free = all.filter((each) => others.includes(each.id) && !ids.includes(each.id));
    const show = (next) => go(
      ["train", ...next.map(String)],
      Object.fromEntries(new URLSearchParams(window.location.hash.split("?")[1] ?? ""))
    );
    return /* @__PURE__ */ jsxs("div", { className: "controls", children: [
      /* @__PURE__ */ jsx("a", { href: link(["train"]), children: "All trainings" }),
      free.length > 0 && !canAct() && /* @__PURE__ */ jsxs("a", { href: link(["train", ...others.map(String)]), children: [
        others.length,
        " over each other"
      ] }),
      free.length > 0 && canAct() && /* @__PURE__ */ jsxs("label", { children: [
        "Over it",
        /* @__PURE__ */ jsxs("select", { value: "", onChange: (event) => show([...ids, Number(event.target.value)]), children: [
          /* @__PURE__ */ jsx("option", { value: "", children: "another training" }),
          free.map((each) => /* @__PURE__ */ jsxs("option", { value: each.id, children: [
            plain(each.name),
            ", seed ",
            each.seed,
            " (",
            each.id,
            ")"
          ] }, each.id))
        ] })
      ] }),
      ids.length > 1 && canAct() && ids.map((id) => /* @__PURE__ */ jsxs(
        Button,
        {
          className: "quiet",
          onPress: () => show(ids.filter((each) => each !== id)),
          children: [
            "Leave out ",
            plain(all.find((each) => each.id === id)?.name ?? String(id)),
            " (",
            id,
            ")"
          ]
        },
        id
      ))
    ] });
  }
  function Training2({ ids, all }) {
    const shown2 = ids.flatMap((id) => all.filter((each) => each.id === id));
    const [first] = shown2;
    if (!first || shown2.length < ids.length) {
      return /* @__PURE__ */ jsxs(Fragment, { children: [
        /* @__PURE__ */ jsx("h1", { children: "Train" }),
        /* @__PURE__ */ jsx(Problem, { error: new Error("There is no such training.") }),
        /* @__PURE__ */ jsx("p", { children: /* @__PURE__ */ jsx("a", { href: link(["train"]), children: "All trainings" }) })
      ] });
    }
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx("h1", { children: shown2.length === 1 ? `${plain(first.name)}: ${first.kind}, seed ${first.seed}` : `${shown2.length} trainings over each other` }),
      /* @__PURE__ */ jsx(Others, { ids, all }),
      shown2.map((each) => /* @__PURE__ */ jsxs("div", { children: [
        /* @__PURE__ */ jsx(Progress2, { training: each, linked: shown2.length > 1 }),
        /* @__PURE__ */ jsx(Links, { training: each })
      ] }, each.id)),
      shown2.length === 1 ? /* @__PURE__ */ jsx(One6, { training: first }) : hasCharts() && /* @__PURE__ */ jsxs(Fragment, { children: [
        /* @__PURE__ */ jsx("h2", { children: "Curves" }),
        /* @__PURE__ */ jsx(CurvesOf, { ids })
      ] })
    ] });
  }

  // src/views/train.tsx
  var MOST2 = 8;
  function useTrainings() {
    const loaded = useLoad("trainings", (signal) => get("/api/trainings", { signal }));
    const [newer, setNewer] = useState(/* @__PURE__ */ new Map());
    useEvents(
      ["training"],
      useCallback((event) => {
        if (event.type === "training") {
          setNewer((before) => new Map(before).set(event.training.id, event.training));
        }
      }, [])
    );
    useEffect(() => setNewer(/* @__PURE__ */ new Map()), [loaded.data]);
    if (!loaded.data) return loaded;
    const known2 = new Set(loaded.data.trainings.map((each) => each.id));
    const fresh = [...newer.values()].filter((each) => !known2.has(each.id)).reverse();
    const trainings = [...fresh, ...loaded.data.trainings.map((each) => newer.get(each.id) ?? each)];
    return { ...loaded, data: { ...loaded.data, trainings } };
  }
  function Now({ view }) {
    const jobs = useJobs().data ?? [];
    const mine = jobs.filter((job) => job.kind === "train");
    const preparing = mine.filter((job) => job.state === "running" && job.done === 0);
    const failed = mine.slice(0, 1).filter((job) => job.state === "failed");
    const running = view.trainings.filter((each) => each.state === "running");
    return /* @__PURE__ */ jsxs("section", { "aria-label": "running now", children: [
      /* @__PURE__ */ jsx("h2", { children: "Running now" }),
      running.length + preparing.length === 0 && /* @__PURE__ */ jsx("p", { children: "Nothing is training now." }),
      running.map((each) => /* @__PURE__ */ jsx(Progress2, { training: each, linked: true }, each.id)),
      /* @__PURE__ */ jsx("ul", { className: "plain", children: [...preparing, ...failed].map((job) => /* @__PURE__ */ jsx(JobLine, { job }, job.id)) })
    ] });
  }
  function RecipeLine({ recipe, onError }) {
    const plan = () => post("/api/trainings/plan", { body: { recipe: recipe.path, seeds: [] } }).then((job) => {
      onError();
      go(["train"], { recipe: recipe.path, plan: job.id });
    }, onError);
    const words2 = recipe.action === "Continue" ? "Continue …" : "Train …";
    return /* @__PURE__ */ jsxs("tr", { children: [
      /* @__PURE__ */ jsxs("th", { scope: "row", children: [
        /* @__PURE__ */ jsx("b", { children: plain(recipe.path) }),
        /* @__PURE__ */ jsx("div", { children: /* @__PURE__ */ jsx(Plain, { text: recipe.title }) })
      ] }),
      /* @__PURE__ */ jsx("td", { children: recipe.problem ? /* @__PURE__ */ jsx("span", { className: "worse", children: plain(recipe.problem) }) : /* @__PURE__ */ jsxs(Fragment, { children: [
        recipe.kind,
        recipe.parent && ` from ${recipe.parent}`,
        recipe.data && ` on ${plain(recipe.data)}`,
        recipe.version && ` → ${recipe.version}`,
        /* @__PURE__ */ jsx("div", { className: "soft", children: /* @__PURE__ */ jsx(Plain, { text: recipe.words }) })
      ] }) }),
      canAct() && /* @__PURE__ */ jsx("td", { children: recipe.action && /* @__PURE__ */ jsx(Button, { "aria-label": `${words2} ${recipe.path}`, onPress: () => void plan(), children: words2 }) })
    ] });
  }
  var EXAMPLE = `kind: sft
parent: v0.1.0
version: v1.0.0
data: {train: data/chats.jsonl}
lora: {rank: 16}`;
  function Recipes({ recipes }) {
    const [error, setError] = useState();
    return /* @__PURE__ */ jsxs("section", { "aria-label": "recipes", children: [
      /* @__PURE__ */ jsx("h2", { children: "Recipes" }),
      error && /* @__PURE__ */ jsx(Problem, { error }),
      recipes.length === 0 ? /* @__PURE__ */ jsxs(Fragment, { children: [
        /* @__PURE__ */ jsxs("p", { children: [
          "The study has no recipe. A recipe is a YAML file beside study.yaml or in",
          " ",
          /* @__PURE__ */ jsx("code", { children: "recipes/" }),
          ", such as ",
          /* @__PURE__ */ jsx("code", { children: "recipes/chat.yaml" }),
          "; it appears here when it is saved. Votes in the ",
          /* @__PURE__ */ jsx("a", { href: link(["arena"]), children: "arena" }),
          " write one too."
        ] }),
        /* @__PURE__ */ jsx("pre", { children: EXAMPLE })
      ] }) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls, also by keyboard
        /* @__PURE__ */ jsx("div", { className: "scroll recipes", tabIndex: 0, children: /* @__PURE__ */ jsxs("table", { children: [
          /* @__PURE__ */ jsx("thead", { children: /* @__PURE__ */ jsxs("tr", { children: [
            /* @__PURE__ */ jsx("th", { scope: "col", children: "file" }),
            /* @__PURE__ */ jsx("th", { scope: "col", children: "what it trains" }),
            canAct() && /* @__PURE__ */ jsx("th", { scope: "col", children: "plan, then train" })
          ] }) }),
          /* @__PURE__ */ jsx("tbody", { children: recipes.map((each) => /* @__PURE__ */ jsx(RecipeLine, { recipe: each, onError: setError }, each.path)) })
        ] }) })
      )
    ] });
  }
  function Together() {
    const ids = report()?.together ?? [];
    if (ids.length === 0) return null;
    return /* @__PURE__ */ jsx("p", { children: /* @__PURE__ */ jsxs("a", { href: link(["train", ...ids.map(String)]), children: [
      ids.length,
      " trainings over each other"
    ] }) });
  }
  function Recorded({ trainings }) {
    const [named, setNamed] = useQuery("over");
    const chosen = named.split(" ").filter(Boolean);
    const switchOn = (id, on) => setNamed((on ? [...chosen, id] : chosen.filter((each) => each !== id)).join(" "));
    const open2 = () => chosen.length > 0 && go(["train", ...chosen]);
    useKeys([{ key: "o", words: "show the chosen trainings over each other", run: open2 }]);
    return /* @__PURE__ */ jsxs("section", { "aria-label": "trainings", children: [
      /* @__PURE__ */ jsx("h2", { children: "Trainings" }),
      trainings.length === 0 && /* @__PURE__ */ jsx("p", { children: "Nothing was trained yet. A training shows its curves and samples here while it runs, and ends in a child version." }),
      /* @__PURE__ */ jsx(Together, {}),
      trainings.length > 1 && canAct() && /* @__PURE__ */ jsx("p", { children: /* @__PURE__ */ jsxs(Button, { isDisabled: chosen.length < 2, onPress: open2, children: [
        "Show ",
        chosen.length < 2 ? "several" : chosen.length,
        " over each other"
      ] }) }),
      /* @__PURE__ */ jsx("ul", { className: "plain", children: trainings.map((each) => {
        const on = chosen.includes(String(each.id));
        return /* @__PURE__ */ jsxs("li", { className: "job", children: [
          /* @__PURE__ */ jsxs("div", { className: "line", children: [
            trainings.length > 1 && canAct() && /* @__PURE__ */ jsx(
              "input",
              {
                type: "checkbox",
                "aria-label": `${plain(each.name)} ${each.id} over the others`,
                checked: on,
                disabled: !on && chosen.length >= MOST2,
                onChange: (event) => switchOn(String(each.id), event.target.checked)
              }
            ),
            /* @__PURE__ */ jsx("a", { href: link(["train", String(each.id)]), children: /* @__PURE__ */ jsx("b", { children: plain(each.name) }) }),
            /* @__PURE__ */ jsx("span", { className: each.state === "failed" ? "worse" : "soft", children: each.state }),
            /* @__PURE__ */ jsxs("span", { className: "soft", children: [
              each.kind,
              ", seed ",
              each.seed,
              ", ",
              each.started_at.slice(0, 16).replace("T", " ")
            ] })
          ] }),
          /* @__PURE__ */ jsx(Plain, { text: each.words })
        ] }, each.id);
      }) })
    ] });
  }
  function Train({ place: place2 }) {
    const loaded = useTrainings();
    const ids = [...new Set(place2.path.slice(1).map(Number))].filter(Number.isInteger).slice(0, MOST2);
    const recipe = place2.query.get("recipe");
    return /* @__PURE__ */ jsx(Shown, { loaded, children: (view) => ids.length > 0 ? /* @__PURE__ */ jsx(Training2, { ids, all: view.trainings }, ids.join(" ")) : recipe ? /* @__PURE__ */ jsx(
      PlanOf,
      {
        path: recipe,
        job: place2.query.get("plan") ?? "",
        recipe: view.recipes.find((each) => each.path === recipe)
      },
      place2.query.get("plan") ?? ""
    ) : /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsx("h1", { children: "Train" }),
      canAct() && /* @__PURE__ */ jsx(Now, { view }),
      /* @__PURE__ */ jsx(Recipes, { recipes: view.recipes }),
      /* @__PURE__ */ jsx(Recorded, { trainings: view.trainings })
    ] }) });
  }

  // src/views/index.ts
  var views = [
    {
      name: "log",
      title: "Log",
      about: "the versions and what came of each",
      view: Log,
      offline: () => true
    },
    {
      name: "compare",
      title: "Compare",
      about: "prompts by versions: what differs, what fails",
      view: Compare,
      offline: () => true
    },
    {
      name: "microscope",
      title: "Microscope",
      about: "how each token was chosen, and branches",
      view: Microscope
    },
    { name: "play", title: "Play", about: "versions side by side on a prompt", view: Play },
    {
      name: "sweep",
      title: "Sweep",
      about: "settings tried against each other, and the best one promoted",
      view: Sweep,
      offline: (data) => "/api/sweeps" in data.answers
    },
    { name: "arena", title: "Arena", about: "blind votes between versions", view: Arena },
    {
      name: "train",
      title: "Train",
      about: "trainings: curves, samples, start and stop",
      view: Train,
      offline: (data) => "/api/trainings" in data.answers
    },
    { name: "runs", title: "Runs", about: "what is running, and its progress", view: Runs }
  ];
  function shownViews() {
    const data = report();
    return data ? views.filter((view) => view.offline?.(data)) : views;
  }

  // src/palette.tsx
  function viewsLike(words2) {
    return shownViews().filter((view) => view.title.toLowerCase().includes(words2.toLowerCase())).map((view) => ({
      id: `view ${view.name}`,
      kind: "view",
      name: view.title,
      words: view.about,
      open: () => go([view.name])
    }));
  }
  function openHit(hit) {
    const { path, query } = parse(window.location.hash);
    const here = path[0] === "compare" ? path : ["compare"];
    const filters = path[0] === "compare" ? Object.fromEntries(query) : {};
    if (hit.kind === "prompt") go(here, { ...filters, open: hit.id });
    else go([{ version: "log", sweep: "sweep", training: "train" }[hit.kind], hit.id]);
  }
  function Results({ words: words2, close: close2 }) {
    const found = useLoad(words2, (signal) => get("/api/search", { query: { q: words2 }, signal }));
    const targets = [
      ...viewsLike(words2),
      ...(found.data ?? []).map((hit) => ({
        id: `${hit.kind} ${hit.id}`,
        kind: hit.kind,
        name: plain(hit.name),
        words: plain(hit.words),
        open: () => openHit(hit)
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
    const [words2, setWords] = useState("");
    useKeys([{ key: "mod+k", words: "go to anything by its name", run: () => setOpen(true) }]);
    return /* @__PURE__ */ jsxs(Fragment, { children: [
      /* @__PURE__ */ jsxs(Button, { className: "quiet", onPress: () => setOpen(true), children: [
        "Go to ",
        /* @__PURE__ */ jsx("kbd", { children: "Ctrl K" })
      ] }),
      /* @__PURE__ */ jsx(ModalOverlay, { className: "overlay", isOpen: open2, onOpenChange: setOpen, isDismissable: true, children: /* @__PURE__ */ jsx(Modal, { className: "modal palette", children: /* @__PURE__ */ jsx(Dialog, { "aria-label": "Go to", children: /* @__PURE__ */ jsxs(Autocomplete, { inputValue: words2, onInputChange: setWords, children: [
        /* @__PURE__ */ jsx(SearchField, { autoFocus: true, "aria-label": "Version, prompt, sweep, training or view", children: /* @__PURE__ */ jsx(Input, { placeholder: "Version, prompt, sweep, training or view" }) }),
        /* @__PURE__ */ jsx(Results, { words: words2, close: () => setOpen(false) })
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
    return /* @__PURE__ */ jsxs(Button, { className: "quiet", onPress: () => setTheme(next), children: [
      "Theme: ",
      theme
    ] });
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
    const place2 = usePlace();
    const shown2 = shownViews();
    const current = shown2.find((view) => view.name === place2.path[0]) ?? shown2[0];
    const View = current?.view;
    useEffect(() => {
      document.title = `${current?.title ?? "Page"} · Ethogram`;
    }, [current]);
    const tabs = shown2.filter((view) => !view.hidden);
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
      /* @__PURE__ */ jsxs("main", { id: "main", tabIndex: -1, children: [
        report()?.left_out && /* @__PURE__ */ jsx("p", { className: "soft", children: report()?.left_out }),
        /* @__PURE__ */ jsx(Fence, { children: View && /* @__PURE__ */ jsx(View, { place: place2 }) }, current?.name ?? "")
      ] })
    ] });
  }

  // src/main.tsx
  async function enter() {
    const hash = window.location.hash;
    const bare = /^#token=([\w-]+)$/.exec(hash)?.[1];
    const place2 = parse(bare ? `#/?token=${bare}` : hash);
    const token = place2.query.get("token");
    if (!token) return;
    place2.query.delete("token");
    const rest = place2.path.length > 0 ? link(place2.path, Object.fromEntries(place2.query)) : "#/log";
    window.history.replaceState(null, "", rest);
    await post("/api/session", { body: { token } });
  }
  async function start() {
    const root = createRoot(document.getElementById("root"));
    try {
      await openReport();
      if (!report()) {
        await enter();
        await follow();
      }
      root.render(/* @__PURE__ */ jsx(App, {}));
    } catch (error) {
      const known2 = error instanceof Refused;
      const hint = known2 || report() ? "" : " (is `ethogram ui` running?)";
      root.render(/* @__PURE__ */ jsx(Problem, { error: new Error(`${error.message}${hint}`) }));
    }
  }
  void start();
})();
