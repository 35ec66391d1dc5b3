"""Builds the wheel, installs it into an empty environment, and runs a study and fast tests there.

The tests are copied away from the checkout, so that they can only import the installed package.
`--bare` stops after the wheel without any extra was started. Used by `make wheel-test` and by the
release workflow, on every system.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from scripts.lock import EXTRAS, LOCK

ROOT = Path(__file__).resolve().parent.parent
#: What the tests read beside the package: data files of the checkout, but never `src`.
BESIDE = (
    "tests", "scripts", "benchmarks", "examples", "docs", "requirements", ".github", "web",
    "pyproject.toml", "Makefile", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md",
    "zensical.toml", "action.yml",
)  # fmt: skip
#: Tests of the checkout itself read its source files.
LEFT_OUT = ("tests/house", "tests/docs")
FAST = "not slow and not long and not model and not gpu"


def main() -> None:
    """Build (or take) the wheel and test it; exits with the code of what failed."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="ethogram-wheel-") as name:
        folder = Path(name)
        wheel = options.wheel or build(folder / "dist")
        print(f"testing {wheel.name}", flush=True)
        bare(wheel, folder / "bare")
        if not options.bare:
            full(wheel, folder / "full", folder / "away", options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, help="test this wheel in place of a new one")
    parser.add_argument("--bare", action="store_true", help="only the wheel without extras")
    parser.add_argument("--marks", default=FAST, help="pytest's -m")
    parser.add_argument("--jobs", default=os.environ.get("JOBS", "2"), help="test processes")
    return parser.parse_args()


def build(folder: Path) -> Path:
    """A wheel made from a source distribution, as users of the index get it."""
    tool = folder.parent / "build"
    python = environment(tool)
    run(python, "-m", "pip", "install", "--quiet", "build")
    run(python, "-m", "build", "--outdir", str(folder), str(ROOT))
    (wheel,) = folder.glob("*.whl")
    return wheel


def environment(folder: Path) -> str:
    """An empty environment; returns its Python."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    run(str(python), "-m", "pip", "install", "--quiet", "--upgrade", "pip>=25.1")
    return str(python)


def bare(wheel: Path, folder: Path) -> None:
    """The wheel without any extra starts, and its errors name the extra to install."""
    python = environment(folder)
    run(python, "-m", "pip", "install", "--quiet", str(wheel))
    command = [python, "-c", "from ethogram.cli import main; main()"]
    run(*command, "--version", cwd=folder)
    run(*command, "doctor", "--no-measure", cwd=folder)
    run(*command, "init", "demo", "--example", cwd=folder)
    done = subprocess.run(
        [*command, "run", "-C", "demo"], capture_output=True, text=True, cwd=folder, check=False
    )
    if done.returncode != 2 or "[engine]" not in done.stderr or "Traceback" in done.stderr:
        sys.exit(f"the bare wheel's run ended with {done.returncode}: {done.stderr}")
    print("the bare wheel starts, and names the extra that a run needs", flush=True)


def full(wheel: Path, folder: Path, away: Path, options: argparse.Namespace) -> None:
    """The wheel with its extras runs the demo study and the tests."""
    python = environment(folder)
    pip = [python, "-m", "pip", "install", "--quiet", "--constraint", str(LOCK)]
    run(*pip, "--group", f"{ROOT / 'pyproject.toml'}:test", f"{wheel}[{EXTRAS}]")
    command = [python, "-c", "from ethogram.cli import main; main()"]
    away.mkdir()
    run(*command, "init", "demo", "--example", cwd=away)
    run(*command, "run", "v0.0.1", "v0.0.2", "-C", "demo", "--log", cwd=away)
    for item in BESIDE:
        source, target = ROOT / item, away / item
        if source.is_dir():
            shutil.copytree(
                source,
                target,
                ignore=shutil.ignore_patterns("__pycache__", ".ethogram", "node_modules"),
            )
        elif source.exists():
            shutil.copy(source, target)
    # Not the checkout's pythonpath, which names `src`.
    settings = (away / "pyproject.toml").read_text(encoding="utf-8")
    settings = settings.replace('pythonpath = ["src", "."]', 'pythonpath = ["."]')
    (away / "pyproject.toml").write_text(settings, encoding="utf-8")
    run(
        python,
        "-c",
        f"import ethogram, sys; sys.exit({str(ROOT)!r} in ethogram.__file__)",
        cwd=away,
    )
    ignored = [f"--ignore={folder}" for folder in LEFT_OUT]
    parallel = ["--numprocesses", options.jobs, "--dist", "worksteal"]
    run(
        python, "-m", "pytest", "-q", *parallel, "--hypothesis-profile=fast", "-m", options.marks,
        *ignored, cwd=away,
    )  # fmt: skip


def run(*command: str, cwd: Path | None = None) -> None:
    """Run a command, shown first; ends the program with its code if it fails."""
    print("$", " ".join(command[:6]), "…" if len(command) > 6 else "", flush=True)
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=environ, check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
