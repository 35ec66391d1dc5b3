// Keys: one table of what single keys do now, the list that `?` shows, and a way to turn them off
// (WCAG 2.1.4). Keys of fields and dialogs are theirs.
import { useEffect, useRef, useState } from "react";
import { Button, Dialog, Heading, Modal, ModalOverlay, Switch } from "react-aria-components";

export interface Key {
  /** As KeyboardEvent.key: "j", "ArrowLeft", "?"; with "mod+" for Ctrl or Cmd. */
  key: string;
  /** What it does, for the list. */
  words: string;
  run: () => void;
}

const tables = new Set<{ current: readonly Key[] }>();
const OFF = "ethogram.keys.off";

function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** Keys that work while this component is shown. Later tables win. */
export function useKeys(keys: readonly Key[]): void {
  const table = useRef(keys);
  table.current = keys;
  useEffect(() => {
    tables.add(table);
    return () => {
      tables.delete(table);
    };
  }, []);
}

function onKeyDown(event: KeyboardEvent): void {
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

function shown(key: string): string {
  return key.replace("mod+k", "Ctrl or Cmd + K").replace(/^Arrow/, "");
}

/** The list of keys, opened by `?`. */
export function KeysHelp() {
  const [open, setOpen] = useState(false);
  const [off, setOff] = useState(() => Boolean(localStorage.getItem(OFF)));
  useKeys([{ key: "?", words: "show these keys", run: () => setOpen(true) }]);
  const listed = open ? [...tables].flatMap((table) => table.current) : [];
  return (
    <>
      <Button className="quiet" onPress={() => setOpen(true)}>
        Keys
      </Button>
      <ModalOverlay className="overlay" isOpen={open} onOpenChange={setOpen} isDismissable>
        <Modal className="modal">
          <Dialog>
            <Heading slot="title">Keys</Heading>
            <dl className="keys">
              {listed.map((key) => (
                <div key={key.key + key.words}>
                  <dt>
                    <kbd>{shown(key.key)}</kbd>
                  </dt>
                  <dd>{key.words}</dd>
                </div>
              ))}
            </dl>
            <div className="line">
              <Switch
                isSelected={!off}
                onChange={(on) => {
                  if (on) localStorage.removeItem(OFF);
                  else localStorage.setItem(OFF, "1");
                  setOff(!on);
                }}
              >
                <span className="switch" /> Single keys work
              </Switch>
              <Button slot="close">Close</Button>
            </div>
          </Dialog>
        </Modal>
      </ModalOverlay>
    </>
  );
}
