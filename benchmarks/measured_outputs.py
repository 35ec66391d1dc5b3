"""The work of the measuring benchmark: a file of outputs, drawn from a seed; plain data.

Words follow Zipf's law over an invented vocabulary, in sentences and paragraphs, and a share of the
outputs has what the metrics look for: a loop, a list, code, references, a leaked turn, constraints.
"""

from __future__ import annotations

import json
import random
from itertools import accumulate
from pathlib import Path

TOKENS = 100
#: Tokens of a word of English prose, about, under the tokenizers of GPT-2 and its like.
TOKENS_A_WORD = 4 / 3
VOCABULARY = 20_000
SAMPLES = 4


def write(file: Path, outputs: int, seed: int = 0) -> None:
    """`outputs` outputs of `TOKENS` tokens, four samples a prompt."""
    rng = random.Random(seed)
    letters = "eeeeaaaiiioootttnnnssshhrrdlluucmfwygpbvk"
    words = ["".join(rng.choices(letters, k=rng.randint(2, 9))) for _ in range(VOCABULARY)]
    weights = list(accumulate(1 / (rank + 2.7) for rank in range(VOCABULARY)))
    with file.open("w", encoding="utf-8") as stream:
        for number in range(outputs):
            drawn = rng.choices(
                range(VOCABULARY), cum_weights=weights, k=int(TOKENS / TOKENS_A_WORD)
            )
            text = shaped([words[index] for index in drawn], rng)
            row = {
                "prompt_id": f"p{number // SAMPLES}",
                "sample_index": number % SAMPLES,
                "prompt": " ".join(["What is", *(words[i] for i in drawn[:6:2])]) + "?",
                "text": text,
                "token_ids": token_ids(weights, rng),
                "logprobs": [round(-rng.expovariate(0.5), 4) for _ in range(TOKENS)],
                "finish_reason": rng.choice(["eos", "length"]),
                "reference": words[drawn[0]],
            }
            if rng.random() < 0.2:
                row["constraints"] = [{"type": "punctuation:no_comma", "kwargs": {}}]
            stream.write(json.dumps(row) + "\n")


def token_ids(weights: list[float], rng: random.Random) -> list[int]:
    """Ids by Zipf's law; a twentieth of them end in a loop."""
    drawn = rng.choices(range(VOCABULARY), cum_weights=weights, k=TOKENS)
    half = TOKENS // 2
    return drawn[:half] + drawn[half - 5 : half] * (half // 5) if rng.random() < 0.05 else drawn


def shaped(words: list[str], rng: random.Random) -> str:
    """Words as prose, or in a twentieth of the cases each as something that a metric looks for."""
    sentences, rest = [], words
    while rest:
        length = rng.randint(6, 18)
        sentence, rest = " ".join(rest[:length]), rest[length:]
        sentences.append(sentence.capitalize() + rng.choice([".", ".", ".", "?", "!"]))
    prose = " ".join(sentences)
    half = len(words) // 2
    others = [
        " ".join(words[:half]) + " and so on" * (half // 3),
        "\n".join(f"{number}. {word}" for number, word in enumerate(words[:half], 1)),
        f"{' '.join(sentences[:2])}\n```py\n{' '.join(words[:half])}\n```",
        f"{sentences[0]} See arXiv:1904.09751 and https://example.org/{words[0]} (Low, 2019).",
        f"{prose}\nQ: {words[0]}?\nA: {words[1]}.",
        f"{' '.join(sentences[:-1])} {sentences[0]}",
    ]
    return rng.choice(others) if rng.random() < len(others) / 20 else prose
