"""A large sweep on a tiny model: is memory flat, is the store quick? `python -m benchmarks.store`.

The model is random and made here; what is measured is everything around it. A sweep of 20 versions
goes through the engine into the store as `ethogram run` does it, while the resident memory of the
process is sampled; then the queries of a study are timed.
"""

from __future__ import annotations

import argparse
import datetime
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.peers.common import PeakMemory
from benchmarks.process import ROOT
from benchmarks.results import memory
from ethogram.engine import Engine
from ethogram.models import load
from ethogram.study import Study
from ethogram.study.record import Progress, Recorder

OUTPUT = ROOT / "benchmarks" / "results" / "store.json"
GENERATIONS, VERSIONS, SAMPLES = 100_000, 20, 20
#: Memory is taken to have settled once this share of the outputs is made.
WARM_UP = 0.1
SAMPLE_SECONDS = 0.5
#: Of each query the median of so many.
REPEATS = 5


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store", description=__doc__)
    parser.add_argument("--generations", type=int, default=GENERATIONS)
    parser.add_argument("--new-tokens", type=int, default=8, help="most of each output")
    parser.add_argument("--output", type=Path, help=f"default {OUTPUT.relative_to(ROOT)}")
    options = parser.parse_args(arguments)
    output = options.output or (OUTPUT if options.generations == GENERATIONS else None)
    described = machine.describe()
    with tempfile.TemporaryDirectory(prefix="ethogram-bench-store-") as folder:
        prompts = max(1, options.generations // (VERSIONS * SAMPLES))
        make_study(Path(folder), prompts, options.new_tokens)
        with Study(folder) as study:
            made = sweep(study)
            took = ask(study)
        size = sum(file.stat().st_size for file in Path(folder, ".ethogram").glob("store.sqlite*"))
    data = {
        "schema": 1,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": machine.commit(ROOT),
        "machine": described,
        "versions": VERSIONS,
        "prompts": prompts,
        "samples": SAMPLES,
        **made,
        "store_bytes": size,
        "query_seconds": took,
    }
    text = json.dumps(data, indent=1) + "\n"
    print(text if output is None else output)
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8")


def make_study(folder: Path, prompts: int, new_tokens: int) -> None:
    """A study of neighbouring settings on a tiny random Llama."""
    make_checkpoint(folder / "model")
    for name in ("versions", "suites"):
        (folder / name).mkdir()
    (folder / "study.yaml").write_text(f"name: store\nsamples: {SAMPLES}\n")
    (folder / "suites" / "prompts.jsonl").write_text(
        "".join(f'{{"id": "p{n}", "text": "number {n} said"}}\n' for n in range(prompts))
    )
    for number in range(VERSIONS):
        heat, mass = 0.6 + 0.1 * (number // 4), (1.0, 0.95, 0.9, 0.8)[number % 4]
        (folder / "versions" / f"v0.{number}.0.yaml").write_text(
            f"title: temperature {heat:.1f}, top_p {mass}\nmodel: model\ndecoding: "
            f"{{temperature: {heat:.1f}, top_p: {mass}, max_new_tokens: {new_tokens}}}\n"
        )


def make_checkpoint(folder: Path) -> None:
    """A Llama of two layers with random weights, and a tokenizer of bytes."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    ids = {token: place for place, token in enumerate(["<pad>", "<eos>", *alphabet])}
    raw = Tokenizer(models.BPE(vocab=ids, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    words = PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="<pad>", eos_token="<eos>")
    words.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(ids),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=1,
        eos_token_id=1,
        pad_token_id=0,
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(6.0)  # Fresh weights give a flat distribution, alike at any heat.
    model.save_pretrained(folder)


def sweep(study: Study) -> dict[str, Any]:
    """Make every output of every version, as one run does, and watch the memory."""
    engine = Engine(load(study.model_reference("v0.0.0")))
    watch = Watch()
    todo = {name: study.requests(name) for name in study.versions}
    recorder = Recorder(study, todo, watch.update)
    begun = time.perf_counter()
    with PeakMemory() as held, watch:
        requests = [request for one in todo.values() for request in one]
        recorder.record(engine.generate(requests, on_tokens=recorder.count_tokens))
    seconds, peak = time.perf_counter() - begun, max(held.peak_before, held.peak)
    figures = {
        "generation_peak_bytes": held.peak,
        "loaded_memory_bytes": held.resident_before,
        "memory": {
            "budget_bytes": engine.work.memory_budget,
            "slots_bytes": engine.work.slots_bytes,
        },
    }
    return {
        "generations": sum(recorder.made.values()),
        "delivered_tokens": engine.work.output_tokens,
        "computed_tokens": engine.work.computed_tokens + engine.work.prefills,
        "merged_share": engine.work.merged_share,
        "seconds": seconds,
        "memory": {
            **watch.summary(),
            "peak_memory_bytes": peak,
            **(memory([figures]) or {}),
        },
    }


def resident_bytes() -> int:
    """Resident memory of this process."""
    import psutil

    return int(psutil.Process().memory_info().rss)


class Watch:
    """Samples resident memory beside the number of outputs made."""

    def __init__(self) -> None:
        self.samples: list[tuple[int, int]] = []
        self._done = self._total = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def update(self, now: Progress) -> None:
        """The progress of the run."""
        self._done, self._total = now.done, now.total

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            self.samples.append((self._done, resident_bytes()))

    def summary(self) -> dict[str, Any]:
        """The memory at the end of the warm-up, the most after it, and how the two compare."""
        settled = [size for done, size in self.samples if done >= WARM_UP * self._total]
        every = max(1, len(self.samples) // 50)
        return {
            "settled_bytes": settled[0] if settled else None,
            "most_after_bytes": max(settled, default=None),
            "growth": max(settled) / settled[0] - 1 if settled else None,
            "samples": [{"done": done, "bytes": size} for done, size in self.samples[::every]],
        }


def ask(study: Study) -> dict[str, Any]:
    """Seconds of what a study asks its store, each the median of some repeats."""
    names = list(study.versions)
    begun = time.perf_counter()
    identities = {name: study.identities(name) for name in names}
    derived = time.perf_counter() - begun
    everything = [identity for one in identities.values() for identity in one]
    unknown = [identity[::-1] for identity in everything]
    requests = study.requests(names[0])
    one_prompt = [
        identity
        for name in names
        for request, identity in zip(requests, identities[name], strict=True)
        if request.prompt_id == requests[0].prompt_id
    ]
    store = study.store
    queries: dict[str, Callable[[], Any]] = {
        "count": store.count,
        "count by version": lambda: {
            name: len(one) - len(store.missing(one)) for name, one in identities.items()
        },
        "outputs of one version": lambda: store.get(identities[names[-1]]),
        "one prompt across versions": lambda: store.get(one_prompt),
        "missing of all, none missing": lambda: store.missing(everything),
        "missing of all, all missing": lambda: store.missing(unknown),
    }
    seconds = {name: timed(query) for name, query in queries.items()}
    return {**seconds, "(identities of all, from the study's files)": derived}


def timed(query: Callable[[], Any]) -> float:
    """Median seconds of a query."""
    found = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        query()
        found.append(time.perf_counter() - begun)
    return statistics.median(found)


if __name__ == "__main__":
    main()
