"""Writes what the wheel with its extras installs as a CycloneDX SBOM, and audits it.

The wheel goes into an empty environment with the pinned releases; `pip-audit` reads that
environment, knows its vulnerabilities, and writes the SBOM. It stands in an environment of its own,
so it is not in the list.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.lock import EXTRAS, LOCK
from scripts.wheel_test import build, environment, run


def main() -> None:
    """Write the SBOM; with --audit, exit 1 where a vulnerability with a fix is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, help="of this wheel in place of a new one")
    parser.add_argument("--output", type=Path, default=Path("dist/ethogram.cdx.json"))
    parser.add_argument("--audit", action="store_true", help="fail on known vulnerabilities")
    options = parser.parse_args()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ethogram-sbom-") as name:
        folder = Path(name)
        wheel = options.wheel or build(folder / "dist")
        python = environment(folder / "installed")
        pip = [python, "-m", "pip", "install", "--quiet", "--constraint", str(LOCK)]
        run(*pip, f"{wheel}[{EXTRAS}]")
        tool = environment(folder / "tool")
        run(tool, "-m", "pip", "install", "--quiet", "pip-audit")
        code = audit(tool, python, options.output)
    print(f"wrote {options.output}", flush=True)
    if options.audit and code:
        sys.exit(code)


def audit(tool: str, python: str, output: Path) -> int:
    """Run pip-audit on an environment; returns its code: 1 where something is known."""
    command = [tool, "-m", "pip_audit", "--skip-editable", "--format", "cyclonedx-json"]
    done = subprocess.run(
        [*command, "--output", str(output)],
        env={**os.environ, "PIPAPI_PYTHON_LOCATION": python},
        check=False,
    )
    if not output.is_file():
        sys.exit(f"pip-audit wrote nothing (exit code {done.returncode})")
    return done.returncode


if __name__ == "__main__":
    main()
