"""Scoring with a sentence encoder and its peer: `python -m benchmarks.encoders`.

Two measurements: every metric that reads the encoder, on outputs of about 100 tokens, through
`score_outputs`; and encoding alone beside sentence-transformers (where it is installed) on the same
weights and texts, as a ratio. No two texts are equal, so that nothing is saved by remembering.
"""

from __future__ import annotations

import argparse
import datetime
import json
import random
import re
import resource
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.process import ROOT
from benchmarks.prompts import PARAGRAPHS
from ethogram.metrics import NamedModels, Output, named_metrics, score_outputs
from ethogram.metrics.models import Encoder
from ethogram.models import locate
from ethogram.models.reference import ModelReference

RESULTS = ROOT / "benchmarks" / "results"
ENCODER = "all-minilm-l6-v2"
TOKENS = 100
SAMPLES = 4
CALM = 0.5


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.encoders", description=__doc__)
    parser.add_argument("--outputs", type=int, default=10_000)
    parser.add_argument("--peer-texts", type=int, default=500)
    parser.add_argument("--output", type=Path, default=RESULTS / "encoders.json")
    options = parser.parse_args(arguments)
    described = machine.describe()
    if described["load_before"] > CALM:
        print(f"warning: the machine is busy (load {described['load_before']:.1f})")
    data = {
        "schema": 1,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": machine.commit(ROOT),
        "machine": described,
        "outputs": options.outputs,
        "tokens_an_output": TOKENS,
        "total": total(options.outputs),
        "peers": peers(options.peer_texts),
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    print(options.output)


def outputs(count: int, encoder: Encoder, *, seed: int = 0) -> Iterator[Output]:
    """Outputs of 100 tokens of the encoder, of shuffled words in sentences of a common length."""
    source = random.Random(seed)
    words = sorted({word.lower() for text in PARAGRAPHS for word in re.findall(r"[a-zA-Z]+", text)})
    for number in range(count):
        lengths = [source.randint(10, 20) for _ in range(TOKENS // 10)]
        sentences = [" ".join(source.choices(words, k=k)).capitalize() + "." for k in lengths]
        text = " ".join(sentences)
        yield Output(
            text[: encoder.token_spans(text)[TOKENS - 1][1]],
            prompt=f"Write about the {source.choice(words)} and the {source.choice(words)}.",
            prompt_id=str(number // SAMPLES),
            sample_index=number % SAMPLES,
        )


def total(count: int) -> dict[str, Any]:
    """All metrics of the encoder together, the loading of the model apart."""
    names = [m.name for m in named_metrics() if m.needs == ("encoder",)]
    models = NamedModels()
    models.encoder.encode(["a text to warm up with"])
    made = list(outputs(count, models.encoder))
    began = time.perf_counter()
    score_outputs(made, names, models=models)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{count} outputs, {len(names)} metrics: {seconds:.1f} s, peak {peak:.0f} MiB", flush=True
    )
    return {
        "metrics": names,
        "seconds": seconds,
        "outputs_per_second": count / seconds,
        "peak_mib": peak,
    }


def peers(count: int) -> list[dict[str, Any]]:
    """sentence-transformers beside ours on the same texts: seconds of each, and their ratio."""
    if find_spec("sentence_transformers") is None:
        print("sentence-transformers is not installed: no peer")
        return []
    from sentence_transformers import SentenceTransformer, __version__

    folder = locate(ModelReference(ENCODER))
    encoder = NamedModels().encoder
    texts = [output.text for output in outputs(count, encoder, seed=1)]
    peer = SentenceTransformer(str(folder), device="cpu")
    peer.encode(texts[:8])
    began = time.perf_counter()
    theirs = peer.encode(list(texts), normalize_embeddings=True)
    reference = time.perf_counter() - began
    encoder.encode(["a text to warm up with"])
    began = time.perf_counter()
    ours = encoder.encode(texts)
    seconds = time.perf_counter() - began
    ratio = reference / seconds
    print(f"sentence-transformers: ours is {ratio:.1f} times as fast on {len(texts)} texts")
    return [
        {
            "peer": f"sentence-transformers {__version__}, float32",
            "texts": len(texts),
            "peer_seconds": reference,
            "our_seconds": seconds,
            "ratio": ratio,
            "least_cosine": float((ours * theirs).sum(axis=1).min()),
        }
    ]


if __name__ == "__main__":
    main()
