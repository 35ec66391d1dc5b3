"""Records what transformers 4.55.4 writes under contrastive search.

Later releases moved it out of the library. In an environment of their own:

    pip install transformers==4.55.4 torch
    python tests/engine/vectors/record_searches.py

It writes `searches.json` beside itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import transformers
from checkpoint import EOS, PAD, VOCAB, build

RELEASE = "4.55.4"
SEED = 5
NEW_TOKENS = 24
#: Several ends of sequence, so that outputs and beams end at many places.
EOS_IDS = [EOS, 20, 41, 62, 83]
PROMPTS = [[7], [5, 17, 30, 5, 17], [*range(2, 70, 3)], [50, 51] * 12]
SETTINGS: dict[str, dict[str, Any]] = {
    "contrastive": {"penalty_alpha": 0.6, "top_k": 4},
    "contrastive_weak": {"penalty_alpha": 0.1, "top_k": 8},
    "contrastive_strong": {"penalty_alpha": 0.95, "top_k": 3},
    "contrastive_only_penalty": {"penalty_alpha": 1.0, "top_k": 5},
    "contrastive_all_tokens": {"penalty_alpha": 0.5, "top_k": VOCAB},
    "contrastive_penalised": {
        "penalty_alpha": 0.4,
        "top_k": 5,
        "repetition_penalty": 1.3,
        "no_repeat_ngram_size": 2,
    },
    "contrastive_min_new": {"penalty_alpha": 0.6, "top_k": 6, "min_new_tokens": 16},
}


def record(model: Any, prompt: list[int], settings: dict[str, Any]) -> list[int]:
    """New token ids, up to and without the token that ended them."""
    ids = torch.tensor([prompt])
    with torch.inference_mode():
        made = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=NEW_TOKENS,
            eos_token_id=EOS_IDS,
            pad_token_id=PAD,
            # As in the recorded runs of other searches: nobody may write padding.
            bad_words_ids=[[PAD]],
            trust_remote_code=True,
            **settings,
        )
    new = made[0, 1 if model.config.is_encoder_decoder else len(prompt) :].tolist()
    ends = [place for place, token in enumerate(new) if token in EOS_IDS]
    return new[: ends[0]] if ends else new


def main() -> None:
    """Write the vectors."""
    if transformers.__version__ != RELEASE:
        raise SystemExit(f"this is transformers {transformers.__version__}, not {RELEASE}")
    transformers.logging.set_verbosity_error()
    outputs = {
        kind: {
            name: [record(model, prompt, settings) for prompt in PROMPTS]
            for name, settings in SETTINGS.items()
        }
        for kind in ("gpt2", "llama", "t5")
        for model in [build(kind, SEED)]
    }
    vectors = {
        "transformers": transformers.__version__,
        "torch": torch.__version__,
        "seed": SEED,
        "new_tokens": NEW_TOKENS,
        "eos_token_ids": EOS_IDS,
        "prompts": PROMPTS,
        "settings": SETTINGS,
        "outputs": outputs,
    }
    target = Path(__file__).with_name("searches.json")
    target.write_text(as_lines(vectors) + "\n", encoding="utf-8")


def as_lines(value: Any, depth: int = 0) -> str:
    """JSON with a line for each setting and its outputs, so that a diff can be read."""
    if not isinstance(value, dict):
        return json.dumps(value)
    if depth == 2 and not any(isinstance(part, list) for part in value.values()):
        return json.dumps(value)
    pad = " " * (depth + 1)
    inner = (f"{pad}{json.dumps(key)}: {as_lines(part, depth + 1)}" for key, part in value.items())
    return "{\n" + ",\n".join(inner) + "\n" + " " * depth + "}"


if __name__ == "__main__":
    main()
