"""Scoring and its peers: `python -m benchmarks.measure`.

Three measurements: `ethogram score` on a file with every metric that needs no model, in processes
of their own, for two numbers of outputs, so that memory can be seen not to grow; each metric alone;
and reference implementations on the same work, as ratios. The best of the repeats counts.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks import machine, measured_outputs
from benchmarks.process import ROOT, run
from ethogram.cores import threads_to_use
from ethogram.metrics import Output, all_metrics, metrics_of, read_outputs

RESULTS = ROOT / "benchmarks" / "results"
#: Outputs that each metric alone is measured on, and the peers that grow with their square.
OUTPUTS_ALONE, OUTPUTS_SQUARE = 2000, 150
CALM = 0.5


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.measure", description=__doc__)
    parser.add_argument("--outputs", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--processes", type=int, default=threads_to_use())
    parser.add_argument("--output", type=Path, default=RESULTS / "measure.json")
    options = parser.parse_args(arguments)
    described = machine.describe()
    if described["load_before"] > CALM:
        print(f"warning: the machine is busy (load {described['load_before']:.1f})")
    with tempfile.TemporaryDirectory(prefix="ethogram-bench-") as folder:
        file = Path(folder) / "outputs.jsonl"
        measured_outputs.write(file, options.outputs)
        data = {
            "schema": 1,
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "commit": machine.commit(ROOT),
            "machine": described,
            "outputs": options.outputs,
            "tokens_an_output": measured_outputs.TOKENS,
            "metrics": len(all_metrics()) + len(metrics_of("corpus")),
            "total": totals(file, options),
        }
        outputs = list(islice(read_outputs(file), OUTPUTS_ALONE))
        data["alone"] = alone(outputs)
        data["peers"] = peers(outputs)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    print(options.output)


def totals(file: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """The whole table: of all outputs and of a quarter, in several processes and in one."""
    quarter = file.with_name("quarter.jsonl")
    measured_outputs.write(quarter, options.outputs // 4)
    found = []
    for work, outputs, processes in (
        (file, options.outputs, options.processes),
        (quarter, options.outputs // 4, options.processes),
        (file, options.outputs, 1),
    ):
        job = {"file": str(work), "processes": processes, "threads": 1}
        python = Path(sys.executable)
        runs = [run(python, "benchmarks.measure_once", job, {}) for _ in range(options.repeats)]
        best = min(runs, key=lambda one: one["seconds"])
        found.append({"outputs": outputs, "processes": processes, **best, "runs": runs})
        rate = outputs / best["seconds"]
        print(
            f"{outputs} outputs, {processes} processes: {best['seconds']:.1f} s, {rate:.0f}/s, "
            f"peak {best['peak_mib']:.0f} MiB in the first process, "
            f"{best['peak_child_mib']:.0f} MiB in the largest other",
            flush=True,
        )
    return found


def alone(outputs: Sequence[Output]) -> list[dict[str, Any]]:
    """Each metric by itself, on outputs that nothing has been found of yet."""
    found = []
    for metric in (*all_metrics(), *metrics_of("corpus")):
        fresh = [Output(**output.__getstate__()) for output in outputs]
        if metric.scope == "output":
            seconds = timed(partial(list, map(metric.measure, fresh)))
        else:
            seconds = timed(partial(metric.measure_corpus, fresh))
        found.append({"metric": metric.name, "outputs_per_second": len(outputs) / seconds})
    return found


def timed(work: Callable[[], Any]) -> float:
    """Seconds that a piece of work takes, once."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def peers(outputs: Sequence[Output]) -> list[dict[str, Any]]:
    """Reference implementations beside ours on the same texts: seconds of each, and their ratio."""
    few = [list(output.words) for output in outputs[:OUTPUTS_SQUARE]]
    texts = [output.text for output in outputs]
    found = []
    for name, outputs_used, theirs, ours in (
        ("nltk sentence_bleu, method1", len(few), lambda: nltk_bleu(few), lambda: our_bleu(few)),
        ("nltk Punkt sentences", len(texts), lambda: punkt(texts), lambda: our_sentences(texts)),
        ("degen loop rule", len(texts), lambda: degen_loops(outputs), lambda: our_loops(outputs)),
    ):
        seconds, reference = min(timed(ours) for _ in range(3)), timed(theirs)
        ratio = reference / seconds
        found.append(
            {
                "peer": name,
                "outputs": outputs_used,
                "peer_seconds": reference,
                "our_seconds": seconds,
                "ratio": ratio,
            }
        )
        print(f"{name}: ours is {ratio:.1f} times as fast on {outputs_used} outputs", flush=True)
    return found


def nltk_bleu(texts: list[list[str]]) -> None:
    """Self-BLEU-4 as degen computes it."""
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

    smooth = SmoothingFunction().method1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for at, text in enumerate(texts):
            sentence_bleu(texts[:at] + texts[at + 1 :], text, smoothing_function=smooth)


def our_bleu(texts: list[list[str]]) -> None:
    """The same numbers."""
    from ethogram.metrics.self_bleu import self_bleu

    self_bleu(texts)


def punkt(texts: list[str]) -> None:
    """Sentences by Punkt's English model."""
    import punkt as package

    for text in texts:
        package.sent_tokenize(text)


def our_sentences(texts: list[str]) -> None:
    """Sentences by our rules; not the same ones everywhere."""
    from ethogram.metrics.text import sentence_spans

    for text in texts:
        sentence_spans(text)


def degen_loops(outputs: Sequence[Output]) -> None:
    """The released loop rule, by slices for each length of a phrase."""
    for output in outputs:
        back = list(reversed(output.token_ids or ()))
        for n in range(1, 91):
            copies = 1
            while len(back) >= n * (copies + 1) and back[n * copies : n * (copies + 1)] == back[:n]:
                copies += 1


def our_loops(outputs: Sequence[Output]) -> None:
    """The same verdicts."""
    from ethogram.metrics.loops import find_loop_degen

    for output in outputs:
        find_loop_degen(output.token_ids or ())


if __name__ == "__main__":
    main()
