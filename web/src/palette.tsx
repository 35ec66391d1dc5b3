// The palette: Ctrl or Cmd + K, then a few letters of what to open.
import { useState } from "react";
import {
  Autocomplete,
  Button,
  Dialog,
  Input,
  Menu,
  MenuItem,
  Modal,
  ModalOverlay,
  SearchField,
} from "react-aria-components";
import type { Schemas } from "./client";
import { get } from "./client";
import { useKeys } from "./keys";
import { useLoad } from "./load";
import { go, parse } from "./router";
import { plain } from "./text";
import { shownViews } from "./views/index";

interface Target {
  id: string;
  kind: string;
  name: string;
  words: string;
  open: () => void;
}

function viewsLike(words: string): Target[] {
  return shownViews()
    .filter((view) => view.title.toLowerCase().includes(words.toLowerCase()))
    .map((view) => ({
      id: `view ${view.name}`,
      kind: "view",
      name: view.title,
      words: view.about,
      open: () => go([view.name]),
    }));
}

/** A prompt is opened over the comparison that is shown, if one is, with its filters. */
function openHit(hit: Schemas["Hit"]): void {
  const { path, query } = parse(window.location.hash);
  const here = path[0] === "compare" ? path : ["compare"];
  const filters = path[0] === "compare" ? Object.fromEntries(query) : {};
  if (hit.kind === "prompt") go(here, { ...filters, open: hit.id });
  else go([{ version: "log", sweep: "sweep", training: "train" }[hit.kind], hit.id]);
}

function Results({ words, close }: { words: string; close: () => void }) {
  const found = useLoad(words, (signal) => get("/api/search", { query: { q: words }, signal }));
  const targets: Target[] = [
    ...viewsLike(words),
    ...(found.data ?? []).map((hit) => ({
      id: `${hit.kind} ${hit.id}`,
      kind: hit.kind,
      name: plain(hit.name),
      words: plain(hit.words),
      open: () => openHit(hit),
    })),
  ];
  return (
    <Menu
      aria-label="What to open"
      className="results"
      items={targets}
      renderEmptyState={() => <p className="soft">Nothing is called that.</p>}
      onAction={(id) => {
        targets.find((target) => target.id === id)?.open();
        close();
      }}
    >
      {(target) => (
        <MenuItem id={target.id} textValue={`${target.name} ${target.words}`}>
          <span className="soft">{target.kind}</span> <b>{target.name}</b> {target.words}
        </MenuItem>
      )}
    </Menu>
  );
}

/** The button and the dialog. */
export function Palette() {
  const [open, setOpen] = useState(false);
  const [words, setWords] = useState("");
  useKeys([{ key: "mod+k", words: "go to anything by its name", run: () => setOpen(true) }]);
  return (
    <>
      <Button className="quiet" onPress={() => setOpen(true)}>
        Go to <kbd>Ctrl K</kbd>
      </Button>
      <ModalOverlay className="overlay" isOpen={open} onOpenChange={setOpen} isDismissable>
        <Modal className="modal palette">
          <Dialog aria-label="Go to">
            <Autocomplete inputValue={words} onInputChange={setWords}>
              <SearchField autoFocus aria-label="Version, prompt, sweep, training or view">
                <Input placeholder="Version, prompt, sweep, training or view" />
              </SearchField>
              <Results words={words} close={() => setOpen(false)} />
            </Autocomplete>
          </Dialog>
        </Modal>
      </ModalOverlay>
    </>
  );
}
