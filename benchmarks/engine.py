"""The sweep engine and its peers side by side: `python -m benchmarks.engine`.

Each measurement is a process of its own, in the peer's own environment: it loads, warms up, and
times the generation of one case. Within a case the engines take turns, repeat by repeat, so that a
slow minute of the machine meets all of them.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from scripts.check_sizes import wrapped

from benchmarks import (
    contention_table,
    machine,
    registry,
    results,
    roofline,
    table,
    weights,
    workload,
)
from benchmarks.environments import PeerUnavailableError, preloaded, python_of, root
from benchmarks.process import ROOT, RunFailedError, run

RESULTS = ROOT / "benchmarks" / "results"
CONTENTION = RESULTS / "contention.json"
PAGE = ROOT / "docs" / "benchmarks.md"
MODEL = "smollm2-135m-instruct"
#: A busy machine makes figures that mean nothing.
CALM = 0.5


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write the JSON and, unless it was a trial, the page."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # So that the running peer ends too.
    if options.render:
        write_page(options.output)
        return
    data = prepare(options)
    pythons = find_peers(options, data)
    job = {"threads": options.threads, "model": data.pop("forms")}
    rates = measure_roofline(options, job)
    before = _before(options)
    for size, kind in options.cases:
        case = workload.make_case(size, kind, new_tokens=options.new_tokens, encode=data["encode"])
        data["cases"].append(measure_case(options, data, pythons, {**job, "case": case}, rates))
        both = {"cases": _sorted([*before["cases"], *data["cases"]])}
        write(options.output, {**data, **both, "peers": {**before["peers"], **data["peers"]}})
    if options.page:
        write_page(options.output)
    print(f"\n{options.output}" + (f"\n{PAGE}" if options.page else ""))


def write_page(file: Path) -> None:
    """The page from the JSON of a run, and from that of `contention.py` where there is one."""
    contention = ""
    if CONTENTION.exists():
        contention = contention_table.table(json.loads(CONTENTION.read_text("utf-8"))) + "\n"
    made = table.page(json.loads(file.read_text("utf-8")), contention)
    PAGE.write_text(wrapped(made), "utf-8")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Options; `--quick` changes the defaults only."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a trial: 1 and 6 rows, 16 tokens")
    parser.add_argument("--sizes", help=f"of {sorted(workload.SHAPES)}, with commas between")
    parser.add_argument("--prompts", help=f"of {', '.join(workload.PROMPT_KINDS)}")
    parser.add_argument("--peers", help="names or their beginnings, with commas between")
    parser.add_argument("--new-tokens", type=int, help="for each row; default 100")
    parser.add_argument("--repeats", type=int, help="the best one counts; default 2")
    parser.add_argument("--threads", type=int, default=cores(), help="default: all cores")
    parser.add_argument("--ours", type=json.loads, default={}, help="JSON: options of Engine")
    parser.add_argument("--model", default=MODEL, help="a built-in model, or a folder")
    parser.add_argument("--output", type=Path, help="default benchmarks/results/engine.json")
    parser.add_argument("--no-install", action="store_true", help="only peers that are there")
    parser.add_argument("--install-only", action="store_true", help="make the environments, stop")
    parser.add_argument("--add", action="store_true", help="keep the other cases of the JSON")
    parser.add_argument("--render", action="store_true", help="write the page from the JSON, stop")
    options = parser.parse_args(arguments)
    _fill_defaults(options)
    return options


def cores() -> int:
    """Cores that this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def _fill_defaults(options: argparse.Namespace) -> None:
    whole = not (options.quick or options.sizes or options.prompts or options.peers)
    whole = whole or options.add
    options.page = whole and options.output is None and options.new_tokens is None
    name = "engine.json" if options.page or options.render else "trial.json"
    options.output = options.output or RESULTS / name
    options.new_tokens = options.new_tokens or (16 if options.quick else 100)
    options.repeats = options.repeats or (1 if options.quick else 2)
    options.cases = _cases(options)
    options.peers = registry.chosen(options.peers)


def _cases(options: argparse.Namespace) -> list[tuple[int, str]]:
    default = workload.QUICK_CASES if options.quick else workload.DEFAULT_CASES
    if not options.sizes and not options.prompts:
        return list(default)
    sizes = [int(size) for size in (options.sizes or "").split(",") if size]
    kinds = (options.prompts or "short").split(",")
    sizes = sizes or list(dict.fromkeys(size for size, _ in default))
    return [(size, kind) for kind in kinds for size in sizes]


def _before(options: argparse.Namespace) -> dict[str, Any]:
    """What the JSON already holds that stays: the whole run takes hours, its parts less."""
    if not options.add or not options.output.exists():
        return {"cases": [], "peers": {}}
    data: dict[str, Any] = json.loads(options.output.read_text(encoding="utf-8"))
    now = set(options.cases)
    data["cases"] = [case for case in data["cases"] if (case["size"], case["kind"]) not in now]
    return data


def _sorted(cases: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(cases, key=lambda c: (workload.PROMPT_KINDS.index(c["kind"]), c["size"]))


def prepare(options: argparse.Namespace) -> dict[str, Any]:
    """The record of the run, before any figure, and the model in all its forms."""
    import transformers

    folder, name = _find_model(options.model)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    described = machine.describe()
    if described["load_before"] > CALM:
        print(f"warning: the machine is busy (load {described['load_before']:.1f})")
    return {
        "schema": 1,
        "date": _now(),
        "commit": machine.commit(ROOT),
        "machine": described,
        "model": {"name": name, "dtype": "bfloat16"},
        "threads": options.threads,
        "new_tokens": options.new_tokens,
        "repeats": options.repeats,
        "peers": {},
        "cases": [],
        "forms": weights.prepare(folder, root() / "models" / folder.name),
        "encode": tokenizer.encode,
        "decode": tokenizer.decode,
    }


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _find_model(model: str) -> tuple[Path, str]:
    from ethogram.models import pull

    folder = Path(model)
    return (folder, folder.name) if folder.is_dir() else (Path(pull(model)), model)


def find_peers(
    options: argparse.Namespace, data: dict[str, Any]
) -> list[tuple[registry.Peer, Path]]:
    """Each peer that can run here with its Python; of the others, one line says why not."""
    found = []
    for peer in options.peers:
        try:
            found.append((peer, python_of(peer, install=not options.no_install)))
        except PeerUnavailableError as error:
            data["peers"][peer.name] = {"unavailable": str(error)}
            print(f"{peer.name}: {error}", flush=True)
    if options.install_only:
        raise SystemExit(0)
    return found


def measure_roofline(options: argparse.Namespace, job: dict[str, Any]) -> dict[str, float]:
    """Tokens a second of the matrix products alone, by rows."""
    sizes = [size for size, _ in options.cases]
    python = Path(sys.executable)
    return run(python, "benchmarks.roofline", {**job, "sizes": sizes}, {})


def measure_case(
    options: argparse.Namespace,
    data: dict[str, Any],
    pythons: Sequence[tuple[registry.Peer, Path]],
    job: dict[str, Any],
    rates: dict[str, float],
) -> dict[str, Any]:
    """All engines on one case, taking turns; one that fails sits out the rest of the case."""
    case = job["case"]
    runs: dict[str, list[dict[str, Any]]] = {}
    failed: dict[str, str] = {}
    for repeat in range(options.repeats):
        for peer, python in pythons:
            if peer.name in failed:
                continue
            try:
                found = run_peer(peer, python, job, options)
            except RunFailedError as error:
                failed[peer.name] = str(error)
                print(f"{case['name']:12} {peer.name:26} failed: {error}", flush=True)
                continue
            runs.setdefault(peer.name, []).append(found)
            data["peers"][peer.name] = _about(peer, data["peers"].get(peer.name), found)
            speed = results.rate(found)
            print(f"{case['name']:12} {peer.name:26} {repeat + 1} {speed:10.1f} tok/s", flush=True)
    measured = {name: results.best_of(found) for name, found in runs.items() if name not in failed}
    limit = roofline.best(rates, case["size"])
    return {**describe_case(case, measured, limit, data["decode"]), "failed": failed}


def _about(
    peer: registry.Peer, before: dict[str, Any] | None, run: dict[str, Any]
) -> dict[str, Any]:
    """What is true of a peer in all cases."""
    known = (before or {}).get("unsupported", [])
    return {
        "versions": run["versions"],
        "same_work": peer.same_work,
        "most_rows": peer.most_rows,
        "unsupported": list(dict.fromkeys([*known, *run["unsupported"]])),
    }


def describe_case(
    case: dict[str, Any],
    measured: dict[str, dict[str, Any]],
    limit: float,
    decode: Callable[[list[int]], str],
) -> dict[str, Any]:
    """The record of a case: what was asked, what each engine did, how they compare."""
    compared = results.compare(measured, limit)
    for measurement in measured.values():
        measurement["example"] = decode(measurement["example"])
        del measurement["greedy"]
    return {
        "name": case["name"],
        "date": _now(),
        "size": case["size"],
        "kind": case["kind"],
        "new_tokens": case["new_tokens"],
        "decodings": case["decodings"],
        "prompt_tokens": [len(prompt["token_ids"]) for prompt in case["prompts"]],
        "repeated_greedy_rows": workload.repeated_greedy_rows(case),
        "roofline_tokens_per_second": limit,
        "measured": measured,
        **compared,
    }


def run_peer(
    peer: registry.Peer,
    python: Path,
    job: dict[str, Any],
    options: argparse.Namespace,
    enter: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """One measurement of one peer; its process calls `enter` first."""
    chosen = dict(peer.options)
    if peer.module == "ours":
        chosen["engine"] = {**options.ours, **peer.options.get("engine", {})}
    case = {**job["case"], "rows": workload.spread(job["case"]["rows"], peer.most_rows)}
    whole = {**job, "case": case, "options": chosen}
    whole["cache"] = str(Path(job["model"]["bfloat16"]).parent)
    variables = {**peer.variables, **preloaded(peer, python)}
    return run(python, f"benchmarks.peers.{peer.module}", whole, variables, enter)


def write(file: Path, data: dict[str, Any]) -> None:
    """After each case, so that an end before the last one loses little."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(_plain(data), indent=1) + "\n", encoding="utf-8")


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key not in ("encode", "decode")}


if __name__ == "__main__":
    main()
