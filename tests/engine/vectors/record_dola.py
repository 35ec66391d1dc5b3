"""Records what DoLa wrote in the last transformers that had it in its core.

In an environment of its own, with `transformers==4.55.4 torch==2.11.* numpy pydantic psutil`:

    PYTHONPATH=src python tests/engine/vectors/record_dola.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
import transformers

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import seeded  # noqa: E402

from ethogram.engine.noise import gumbel_numpy  # noqa: E402

SEED = 20230907  # The day on which the paper appeared.
MODELS = (
    ("llama", 6, True),
    ("llama", 5, False),
    ("gpt2", 4, True),
    ("gpt2", 2, True),
    ("gpt_neox", 6, False),
)
PROMPTS = ((7,), (3, 14, 15, 9, 26, 5), tuple(range(1, 90, 2)))
SETTINGS: tuple[dict[str, Any], ...] = (
    {"dola_layers": "low"},
    {"dola_layers": "high"},
    {"dola_layers": "high", "repetition_penalty": 1.2},
    {"dola_layers": [1]},
    {"dola_layers": [0, 1]},
    {"dola_layers": "low", "temperature": 0.7, "top_k": 8, "noise_key": 77},
    {"dola_layers": "high", "temperature": 1.5, "noise_key": 78},
)
NEW_TOKENS = 24


class KeyedGumbel(transformers.LogitsProcessor):
    """Adds our noise, so that the greatest score is the token that we draw."""

    def __init__(self, key: int, start: int) -> None:
        self.key, self.start = key, start

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        tokens = torch.arange(scores.shape[1]).numpy()
        noise = gumbel_numpy(self.key, input_ids.shape[1] - self.start, tokens)
        return scores.double() + torch.from_numpy(noise)


def write(model: Any, prompt: tuple[int, ...], settings: dict[str, Any]) -> list[int]:
    """New ids of `generate`."""
    chain: list[Any] = []
    if "noise_key" in settings:
        chain.append(transformers.TemperatureLogitsWarper(settings["temperature"]))
        if "top_k" in settings:
            chain.append(transformers.TopKLogitsWarper(settings["top_k"]))
        chain.append(KeyedGumbel(settings["noise_key"], len(prompt)))
    with torch.inference_mode():
        made = model.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.int64),
            dola_layers=settings["dola_layers"],
            repetition_penalty=settings.get("repetition_penalty", 1.0),
            do_sample=False,
            max_new_tokens=NEW_TOKENS,
            logits_processor=transformers.LogitsProcessorList(chain),
        )
    new: list[int] = made[0, len(prompt) :].tolist()
    return new


def main() -> None:
    """Write dola.json beside this file."""
    assert transformers.__version__ == "4.55.4"
    cases = []
    for kind, layers, tied in MODELS:
        model = seeded.model(kind, layers, tied, SEED)
        for settings in SETTINGS:
            outputs = [write(model, prompt, settings) for prompt in PROMPTS]
            name = {"kind": kind, "layers": layers, "tied": tied}
            cases.append({"model": name, "settings": settings, "outputs": outputs})
    rows = ",\n  ".join(json.dumps(case) for case in cases)
    head = {"transformers": transformers.__version__, "torch": torch.__version__, "seed": SEED}
    head |= {"new_tokens": NEW_TOKENS, "prompts": PROMPTS}
    opening = json.dumps(head)[:-1]
    text = f'{opening},\n "cases": [\n  {rows}\n ]}}\n'
    (HERE / "dola.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
