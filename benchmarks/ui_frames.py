"""The page in a browser on a large study: frames while scrolling, and its heap.

`python -m benchmarks.ui_frames` makes a study whose outputs are long, opens the comparison of two
versions in Chromium, scrolls through its rows, and walks through the views. A frame's time is what
passes between two animation frames; the heap is that of scripts after a collection. Needs what the
tests of the page need: Chromium and playwright.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.screenshots import FLAGS, serving

from benchmarks import machine
from benchmarks.large_study import Shape, fill, keep_scores, make_study
from benchmarks.process import ROOT
from ethogram.study import Study

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

OUTPUT = ROOT / "benchmarks" / "results" / "page_frames.json"
#: Notes the time between animation frames from now on.
_WATCH = """() => {
  const found = [];
  let last = performance.now();
  const next = (now) => { found.push(now - last); last = now; requestAnimationFrame(next); };
  requestAnimationFrame(next);
  window.framesSeen = () => found.splice(0);
}"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print; write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ui_frames", description=__doc__)
    parser.add_argument("--versions", type=int, default=2)
    parser.add_argument("--characters", type=int, default=10_000, help="of an output, on average")
    parser.add_argument("--folder", type=Path, help="use the study there, or keep it there")
    parser.add_argument("--turns", type=int, default=400, help="of the wheel, 240 pixels each")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="JSON file")
    options = parser.parse_args(arguments)
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        sys.exit("ui_frames: no Chromium; on Debian: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory(prefix="ethogram-bench-frames-") as temporary:
        folder = options.folder or Path(temporary)
        shape = Shape(options.versions, characters=options.characters)
        if not (folder / "study.yaml").is_file():
            make_study(folder, shape)
            fill(folder, shape.characters)
            keep_scores(folder, shape.characters)
        with Study(folder) as study:
            pair = list(study.versions)[:2]
            count = len(study.versions)
        with serving(folder) as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS])
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            session = page.context.new_cdp_session(page)
            page.goto(server.address)
            page.wait_for_selector("main")
            found = scroll(page, session, f"{server.url}/#/compare/{'/'.join(pair)}", options.turns)
            for view in ("log", "arena", "sweep", "train", "runs", "play"):
                page.goto(f"{server.url}/#/{view}")
                page.wait_for_timeout(2000)
            found["heap_mib_after_all_views"] = heap(session)
            browser.close()
    data = {
        "machine": machine.describe(),
        "commit": machine.commit(ROOT),
        "versions": count,
        "characters": options.characters,
        **found,
    }
    options.output.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    for name, value in found.items():
        print(f"{name.replace('_', ' '):32}{value:10.1f}")


def scroll(page: Page, session: CDPSession, address: str, turns: int) -> dict[str, Any]:
    """Turn the wheel over a comparison and watch the frames."""
    page.goto(address)
    page.get_by_text("Testing the differences").wait_for(state="hidden", timeout=60_000)
    page.locator("[role=grid], table, .matrix").first.wait_for(timeout=60_000)
    page.wait_for_timeout(2000)
    page.mouse.move(700, 700)
    page.evaluate(_WATCH)
    page.wait_for_timeout(500)
    page.evaluate("() => window.framesSeen()")
    for _ in range(turns):
        page.mouse.wheel(0, 240)
        page.wait_for_timeout(30)
    frames = sorted(page.evaluate("() => window.framesSeen()"))
    return {
        "frames": len(frames),
        "median_frame_ms": frames[len(frames) // 2],
        "p99_frame_ms": frames[int(0.99 * len(frames))],
        "worst_frame_ms": frames[-1],
        "heap_mib_after_scrolling": heap(session),
    }


def heap(session: CDPSession) -> float:
    """MiB of the scripts' heap, after a collection."""
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(m["value"] for m in metrics if m["name"] == "JSHeapUsedSize")) / 2**20


if __name__ == "__main__":
    main()
