"""Run `pip install` with one line that says what it does: `python scripts/install.py ARGUMENTS`.

On a terminal the line is written over and over; elsewhere a new one comes every few seconds. What
pip itself says is shown if it fails.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable
from queue import Empty, Queue
from threading import Thread
from time import monotonic

#: Seconds between two lines, on a terminal and elsewhere.
OFTEN, SELDOM = 0.3, 2.5
#: Lines of pip that say what is being done.
STEPS = ("Collecting", "Downloading", "Using cached", "Building", "Installing", "Preparing")


def step(line: str) -> str | None:
    """What a line of pip's output says is being done; None for other lines."""
    words = line.strip()
    if not words.startswith(STEPS):
        return None
    if words.startswith("Installing collected packages:"):
        count = words.count(",") + 1
        return f"Installing {count} package{'s' if count > 1 else ''}"
    kind, _, what = words.partition(" ")
    # A file of an index is named by its address, of which the end alone says something.
    return f"{kind} {what.rsplit('/', 1)[-1]}"


def follow(lines: Iterable[str], queue: Queue[str]) -> None:
    """Hand lines over as they come."""
    for line in lines:
        queue.put(line)


def main(arguments: list[str]) -> int:
    """Run pip; returns its exit code."""
    command = [sys.executable, "-u", "-m", "pip", "install", "--progress-bar", "off", *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    assert process.stdout is not None
    queue: Queue[str] = Queue()
    reader = Thread(target=follow, args=(process.stdout, queue), daemon=True)
    reader.start()
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns
    began = spoke = monotonic()
    said, kept = "Starting pip", []
    while reader.is_alive() or not queue.empty():
        try:
            line = queue.get(timeout=OFTEN)
            kept.append(line)
            said = step(line) or said
        except Empty:
            pass
        now = monotonic()
        if now - spoke >= (OFTEN if terminal else SELDOM):
            spoke = now
            shown = f"{said} ({now - began:.0f} s)"
            if terminal:
                print(f"\r{shown[: width - 1].ljust(width - 1)}", end="", flush=True)
            else:
                print(shown, flush=True)
    if terminal:
        print(f"\r{' ' * (width - 1)}\r", end="", flush=True)
    code = process.wait()
    if code:
        print("".join(kept), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
