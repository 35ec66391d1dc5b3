"""Neural text degeneration: rows of its table 1, on other outputs of its model. Runs no model."""

from __future__ import annotations

from ethogram.metrics import read_outputs, score_outputs
from ethogram.replications.data import DataFolders
from ethogram.replications.result import Replicated, Row

#: Self-BLEU-4, Zipf coefficient and repetition in percent, of table 1.
PUBLISHED = {
    "human": (0.31, 0.93, 0.28),
    "greedy": (0.50, 1.00, 73.66),
    "nucleus": (0.32, 0.95, 0.36),
}
MEASURES = (
    ("self_bleu_4", 2, 1.0),
    ("zipf_coefficient", 2, 1.0),
    ("loop_rate_degen", 2, 100.0),
)
SOURCE = (
    "Holtzman et al. 2020, The Curious Case of Neural Text Degeneration, arXiv:1904.09751, table 1 "
    "(loop_rate_degen there: Repetition %)"
)
_WHY = (
    "The paper's 5000 outputs are not released at an address that can be pinned. These are other "
    "outputs of the same model, gpt2-large, for 1000 other openings of WebText, by Su and Xu "
    "2022: greedy search, nucleus sampling with p = 0.95 (the mean of three runs), and what people "
    "wrote.",
    "Units are words here and GPT-2's tokens there. A loop that ends within a word counts there "
    "only; four words in a row occur elsewhere less often than four tokens, and less often in 999 "
    "other texts than in 4999, which pulls Self-BLEU down.",
    "Perplexity needs gpt2-large itself, HUSE its readers: both are left out.",
)


def replicate(data: DataFolders) -> Replicated:
    """Self-BLEU, Zipf coefficient and repetition of greedy and nucleus outputs and human text."""
    files = data.files("gpt2-large-webtext")
    rows: list[Row] = []
    names = tuple(name for name, _, _ in MEASURES)
    for of, published in PUBLISHED.items():
        table = score_outputs(read_outputs(files[of]), names)
        for (name, decimals, scale), value in zip(MEASURES, published, strict=True):
            runs = table[name].by_sample.values()
            rows.append(Row(of, name, scale * sum(runs) / len(runs), decimals, value))
    return Replicated(
        name="holtzman",
        title="gpt2-large on WebText: sameness, vocabulary and loops (percent)",
        source=SOURCE,
        rows=rows,
        why=_WHY,
    )
