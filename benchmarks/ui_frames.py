"""The page in Chromium on long outputs: frames while scrolling, and the heap of its scripts.

`python -m benchmarks.ui_frames` makes a study whose outputs have 10 KB, opens the comparison of
versions and the log in Chromium, and scrolls each in four ways. A frame's time is what passes
between two calls of `requestAnimationFrame`, so it has what the page's thread did in between and
what other processes took from it: the row `idle` is the same page without scrolling. The heap is
`JSHeapUsedSize` of Chromium, once as it is and once after a collection, after every view was
visited. Needs what the tests of the page need: Chromium and playwright.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
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
#: What is wanted: milliseconds of the worst frame, and bytes of the heap after a collection.
WORST_FRAME, HEAP = 32.0, 200e6
#: Distinct texts of a prompt. Scoring a text of 10 KB takes tens of milliseconds.
TEXTS = 4
#: Versions side by side; the page shows eight at most.
MOST_COLUMNS = 8
#: Pixels scrolled in a frame, and every how many frames; None jumps to a random place.
WAYS: dict[str, tuple[int | None, int]] = {
    "idle": (0, 1),
    "smooth": (60, 1),
    "fast": (600, 1),
    "jumps": (None, 12),
    "a jump each frame": (None, 1),
}
#: Scrolls and notes the milliseconds between frames. Turns round at both ends of the page.
_SCROLL = """([pixels, every, count]) => new Promise((done) => {
  const found = [];
  let last, left = count, seed = 1, by = pixels;
  const end = () => document.documentElement.scrollHeight - window.innerHeight;
  const drawn = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const frame = (now) => {
    if (last !== undefined) found.push(now - last);
    last = now;
    if (left-- === 0) return done(found);
    if (left % every === 0) {
      if (pixels === null) window.scrollTo(0, drawn() * end());
      else if (pixels) {
        if (window.scrollY + by > end() || window.scrollY + by < 0) by = -by;
        window.scrollBy(0, by);
      }
    }
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print; write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ui_frames", description=__doc__)
    parser.add_argument("--versions", type=int, default=24)
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--characters", type=int, default=10_000, help="of an output, on average")
    parser.add_argument("--columns", type=int, default=4, help="versions side by side")
    parser.add_argument("--frames", type=int, default=300, help="of each way to scroll")
    parser.add_argument("--rounds", type=int, default=3, help="of all the ways")
    parser.add_argument("--folder", type=Path, help="keep the study here, or use the one there")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="JSON file")
    options = parser.parse_args(arguments)
    if not 2 <= options.columns <= min(MOST_COLUMNS, options.versions):
        parser.error(f"--columns: use 2 to {min(MOST_COLUMNS, options.versions)}")
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        sys.exit("ui_frames: no Chromium; on Debian: apt-get install chromium")
    with tempfile.TemporaryDirectory(prefix="ethogram-bench-frames-") as temporary:
        folder = options.folder or Path(temporary)
        if not (folder / "study.yaml").is_file():
            shape = Shape(options.versions, options.prompts, 1, options.characters)
            make_study(folder, shape)
            fill(folder, shape.characters, TEXTS)
            keep_scores(folder, shape.characters, TEXTS)
        found = measured(folder, path, options)
    print(
        f"{'view':10}{'way':20}{'frames':>8}{'median ms':>11}{'99 % ms':>9}{'worst':>8}{'over':>6}"
    )
    for row in found["scrolling"]:
        print(
            f"{row['view']:10}{row['way']:20}{row['frames']:8}{row['median_ms']:11.1f}"
            f"{row['p99_ms']:9.1f}{row['worst_ms']:8.1f}{row['over']:6}"
        )
    for name, size in found["heap"].items():
        print(f"heap, {name.replace('_', ' ')}: {size / 1e6:.1f} MB")
    options.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def measured(folder: Path, chromium: str, options: argparse.Namespace) -> dict[str, Any]:
    """What a browser took for the study in a folder."""
    from playwright.sync_api import sync_playwright

    described, load = machine.describe(), os.getloadavg()[0]
    with Study(folder) as study:
        names = list(study.versions)
        outputs = sum(len(study.requests(name)) for name in names)
        views = addresses(study, names[: options.columns])
    scrolling: list[dict[str, Any]] = []
    with serving(folder) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS])
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        page.goto(server.address)
        page.locator("main h1").wait_for()
        heap = {"most_before_a_collection": heap_size(session)}
        for name, address in views:
            page.goto(f"{server.url}/{address}")
            opened(page)
            if name in ("log", "compare", "word diff"):
                rows = scrolled(page, options.frames, options.rounds)
                scrolling += [{"view": name, **row} for row in rows]
            heap["most_before_a_collection"] = max(
                heap["most_before_a_collection"], heap_size(session)
            )
        heap["after_every_view"] = heap_size(session)
        session.send("HeapProfiler.collectGarbage")
        heap["after_every_view_and_a_collection"] = heap_size(session)
        version = browser.version
        browser.close()
    moved = [row for row in scrolling if row["way"] != "idle"]
    return {
        "machine": described,
        "load_before": load,
        "commit": machine.commit(ROOT),
        "chromium": version,
        "versions": len(names),
        "outputs": outputs,
        "columns": options.columns,
        "characters": options.characters if options.folder is None else None,
        "frames_hold": all(row["worst_ms"] <= WORST_FRAME for row in moved),
        "heap_holds": heap["after_every_view_and_a_collection"] <= HEAP,
        "scrolling": scrolling,
        "heap": heap,
    }


def addresses(study: Study, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Every view, the ones that scroll first."""
    prompt = next(iter(study.suite(names[0]).prompts)).id
    compared = f"#/compare/{'/'.join(names)}?mode=all"
    yield "log", "#/log"
    yield "compare", compared
    yield "word diff", f"{compared}&diff=1"
    yield "outputs", f"{compared}&open={prompt}"
    yield "microscope", f"#/microscope/{names[0]}/{prompt}/0"
    yield "arena", f"#/arena?versions={'+'.join(names[:2])}"
    for view in ("play", "sweep", "train", "runs"):
        yield view, f"#/{view}"


def opened(page: Page) -> None:
    """Wait until a view has loaded. A large study's is tested when it is first opened."""
    page.locator("main h1").wait_for()
    page.wait_for_timeout(500)
    for words in ("Loading …", "Testing the differences"):
        page.get_by_text(words).first.wait_for(state="detached", timeout=600_000)
    time.sleep(1)


def scrolled(page: Page, frames: int, rounds: int) -> Iterator[dict[str, Any]]:
    """The frames of each way to scroll, all rounds together."""
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, (pixels, every) in WAYS.items():
            page.evaluate("window.scrollTo(0, 0)")
            page.wait_for_timeout(300)
            found[way] += page.evaluate(_SCROLL, [pixels, every, frames])
    for way, times in found.items():
        ordered = sorted(times)
        yield {
            "way": way,
            "frames": len(ordered),
            "median_ms": ordered[len(ordered) // 2],
            "p99_ms": ordered[int(0.99 * len(ordered))],
            "worst_ms": ordered[-1],
            "over": sum(each > WORST_FRAME for each in ordered),
        }


def heap_size(session: CDPSession) -> float:
    """Bytes that the scripts of the page use."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in metrics if each["name"] == "JSHeapUsedSize"))


if __name__ == "__main__":
    main()
