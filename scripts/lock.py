"""Writes requirements/constraints.txt: the release of every package that the checks run with.

A fresh environment gets all extras and groups with the newest releases that fit; what is then
installed is the list. It holds names and versions only, so it serves any index, pip and uv, and
builds of torch for any device (`torch==2.13.0` fits `2.13.0+cpu` too). Users of the package are not
bound by it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "constraints.txt"
EXTRAS = "chat,engine,ifeval,judge,lora,mauve,objects,parquet,postgres,ray,serve,sweep,train,ui"
GROUPS = ("dev", "docs")
HEAD = """\
# Releases that the checks run with; written by `make lock`, used by `make` and by continuous
# integration as `pip install --constraint`. Installing the package does not read this file.
"""


def main() -> None:
    """Write the list, of a fresh environment or of the Python given as the only argument."""
    with tempfile.TemporaryDirectory() as folder:
        if len(sys.argv) > 1:
            python = sys.argv[1]
        else:
            venv.create(folder, with_pip=True)
            python = str(
                Path(folder) / ("Scripts" if sys.platform == "win32" else "bin") / "python"
            )
            pip = [python, "-m", "pip", "install", "--quiet"]
            subprocess.run([*pip, "--upgrade", "pip>=25.1"], check=True)
            groups = [word for group in GROUPS for word in ("--group", group)]
            subprocess.run([*pip, *groups, "--editable", f".[{EXTRAS}]"], check=True, cwd=ROOT)
        listed = subprocess.run(
            [python, "-m", "pip", "list", "--format=json"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    releases = {each["name"]: each["version"].split("+")[0] for each in json.loads(listed)}
    for not_pinned in ("ethogram", "pip"):
        releases.pop(not_pinned, None)
    lines = [f"{name}=={releases[name]}\n" for name in sorted(releases, key=str.lower)]
    LOCK.parent.mkdir(exist_ok=True)
    LOCK.write_text(HEAD + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
