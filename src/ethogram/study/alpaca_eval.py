"""AlpacaEval: published win rates derived again from released judgements. Asks nobody.

`ethogram replicate` prints this; here are only the rows, what was published, and why they differ.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ethogram.errors import SpecError
from ethogram.files import open_text
from ethogram.stats import LengthControlled, instruction_difficulty, length_controlled
from ethogram.study.difference import SEED

Array = np.ndarray[Any, np.dtype[np.float64]]

#: Model to raw and length-controlled win rate over gpt4_1106_preview, in percent: the leaderboard
#: `weighted_alpaca_eval_gpt4_turbo` that alpaca-eval 0.6.6 ships.
PUBLISHED = {
    "alpaca-7b": (2.591450540223603, 5.875487163278986),
    "falcon-7b-instruct": (2.146617553167702, 4.036937566812824),
    "oasst-sft-pythia-12b": (1.790114083180124, 3.270102114456748),
    "gpt35_turbo_instruct": (8.462446504415423, 17.72780108286588),
}
WHY = (
    "Raw win rates are the same mean over the same judgements. Length-controlled ones come from a "
    "regression, and AlpacaEval's cannot be run on these files alone: it takes the difficulty of "
    "each instruction from its whole leaderboard (more than a hundred models; here the three other "
    "models of this folder), adds to each fit the judgements of the baseline's own concise and "
    "verbose outputs, which hold the length coefficient near that of the baseline, and picks an L1 "
    "penalty by cross-validation (here a fixed ridge). Models that are almost always shorter than "
    "the baseline leave their length coefficient to such choices: at a coefficient between 1.4 "
    "and 2 each of the four published values comes out of our fit too."
)


@dataclass(frozen=True)
class AlpacaEvalRow:
    """One model: win rates over the baseline in percent, published and ours.

    Attributes:
        model: its name on the leaderboard.
        published_raw: mean preference.
        published_controlled: length-controlled.
        plain: our fit on the model's own judgements alone.
        joint: our fit with the difficulty of instructions, estimated from the other models.
    """

    model: str
    published_raw: float
    published_controlled: float
    plain: LengthControlled
    joint: LengthControlled

    def to_json(self) -> dict[str, Any]:
        """Plain data, in percent."""
        return {
            "model": self.model,
            "raw": {"published": self.published_raw, "ours": 100 * self.joint.raw},
            "length_controlled": {
                "published": self.published_controlled,
                "ours": 100 * self.joint.win_rate,
                "low": 100 * self.joint.low,
                "high": 100 * self.joint.high,
                "without_difficulty": 100 * self.plain.win_rate,
                "length_coefficient": self.joint.length_coefficient,
            },
            "prompts": self.joint.prompts,
        }


def alpaca_eval_replication(folder: str | Path) -> list[AlpacaEvalRow]:
    """Raw and length-controlled win rates of the models whose judgements a folder holds.

    Args:
        folder: of files MODEL.jsonl.gz, a line a judgement: `prompt`, `preference` from 1 (the
            baseline wins) to 2, and both lengths in characters, `output_a_chars` of the baseline
            and `output_b_chars` of the model.

    Raises:
        SpecError: a file is missing or a line is broken.
    """
    return win_rates({model: Path(folder) / f"{model}.jsonl.gz" for model in PUBLISHED})


def win_rates(files: Mapping[str, Path]) -> list[AlpacaEvalRow]:
    """The same of files anywhere.

    Args:
        files: model to its file of judgements, plain or packed (`.gz`).

    Raises:
        SpecError: a file is missing or a line is broken.
    """
    read = {model: _judgements(files[model]) for model in PUBLISHED}
    prompts = list(dict.fromkeys(prompt for rows in read.values() for prompt in rows))
    nothing = (math.nan, math.nan)
    table = np.array([[rows.get(each, nothing) for each in prompts] for rows in read.values()])
    labels, lengths = table[..., 0], table[..., 1]  # [models, prompts]
    found = []
    for row, (model, published) in enumerate(PUBLISHED.items()):
        others = np.arange(len(labels)) != row
        difficulty = instruction_difficulty(labels[others], lengths[others])
        known = ~np.isnan(labels[row])
        own = labels[row][known], lengths[row][known]
        found.append(
            AlpacaEvalRow(
                model,
                *published,
                plain=length_controlled(*own, seed=SEED),
                joint=length_controlled(*own, difficulty=difficulty[known], seed=SEED),
            )
        )
    return found


def _judgements(path: Path) -> dict[str, tuple[float, float]]:
    """Prompt to how far the model wins, in [0, 1], and its length minus the baseline's."""
    rows: dict[str, tuple[float, float]] = {}
    number = 0
    try:
        with open_text(path) as file:
            for number, line in enumerate(file, start=1):
                row = json.loads(line)
                won = float(row["preference"]) - 1
                if not 0 <= won <= 1:
                    raise SpecError(
                        f"preference must lie in 1 to 2, got {row['preference']!r}",
                        where=f"{path}:{number}",
                    )
                length = float(row["output_b_chars"]) - float(row["output_a_chars"])
                rows[str(row["prompt"])] = (won, length)
    except FileNotFoundError:
        raise SpecError(
            "no such file", where=str(path), hint="name the folder of the released judgements"
        ) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise SpecError(
            "not a judgement with prompt, preference, output_a_chars and output_b_chars",
            where=f"{path}:{number}",
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise SpecError(f"cannot be read: {error}", where=str(path)) from None
    return rows
