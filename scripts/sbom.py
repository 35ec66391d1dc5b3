"""Writes what the wheel with its extras installs as a CycloneDX SBOM, and audits it.

The wheel goes into an empty environment with the pinned releases, whose packages are the SBOM.
`pip-audit` reads that environment and knows its vulnerabilities. It stands in an environment of its
own, so it is not in the list.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

from scripts.lock import EXTRAS, LOCK
from scripts.wheel_test import build, environment, run


def main() -> None:
    """Write the SBOM; with --audit, exit 1 where a vulnerability is known or none can be."""
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
        found = components(python)
        write(found, options.output)
        print(f"wrote {options.output}: {len(found)} packages", flush=True)
        vulnerable, known = audit(tool, python)
    print("\n".join(vulnerable) or "no known vulnerability", f"({known} packages are known)")
    if options.audit and (vulnerable or not known):
        sys.exit("vulnerable" if vulnerable else "the advisory service does not answer")


def components(python: str) -> list[dict[str, str]]:
    """What an environment has installed, as CycloneDX names it."""
    command = [python, "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"]
    listed = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return [
        {
            "type": "library",
            "name": each["name"],
            "version": each["version"],
            "purl": f"pkg:pypi/{each['name'].lower().replace('_', '-')}@{each['version']}",
        }
        for each in sorted(listed, key=lambda each: str(each["name"]).lower())
    ]


def write(found: list[dict[str, str]], output: Path) -> None:
    """Write components as a CycloneDX document.

    pip-audit leaves out of its own each package that the advisory service does not answer for, so
    without a connection that one is empty.
    """
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "components": found,
    }
    output.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def audit(tool: str, python: str) -> tuple[list[str], int]:
    """The known vulnerabilities of an environment, and how many packages the service knows."""
    done = subprocess.run(
        [tool, "-m", "pip_audit", "--skip-editable", "--format", "json"],
        env={**os.environ, "PIPAPI_PYTHON_LOCATION": python},
        capture_output=True,
        check=False,
    )
    try:
        rows = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return [], 0
    known = [row for row in rows if "skip_reason" not in row]
    return [
        f"{row['name']} {row['version']}: {each['id']}" for row in known for each in row["vulns"]
    ], len(known)


if __name__ == "__main__":
    main()
