"""AlpacaEval: raw win rates from the released judgements, computed again; no judge is called."""

from __future__ import annotations

import json
import math
import zlib
from pathlib import Path

from ethogram.errors import SpecError
from ethogram.files import open_text
from ethogram.replications.data import DataFolders
from ethogram.replications.result import Replicated, Row

SOURCE = (
    "Dubois et al. 2024, Length-Controlled AlpacaEval, arXiv:2404.04475: the leaderboard "
    "weighted_alpaca_eval_gpt4_turbo as alpaca-eval 0.6.6 ships it"
)
#: Model to raw win rate over gpt4_1106_preview, in percent, on that leaderboard.
PUBLISHED = {
    "alpaca-7b": 2.591450540223603,
    "falcon-7b-instruct": 2.146617553167702,
    "oasst-sft-pythia-12b": 1.790114083180124,
    "gpt35_turbo_instruct": 8.462446504415423,
}
WHY = (
    "Raw win rates are the same mean over the same judgements. The length-controlled ones are left "
    "out: AlpacaEval estimates the difficulty of each instruction from its whole leaderboard, more "
    "than a hundred models, and these files hold four."
)


def replicate(data: DataFolders) -> Replicated:
    """Raw win rates of four models over gpt4_1106_preview, in percent."""
    files = data.files("alpaca-eval-judgements")
    return Replicated(
        name="alpaca-eval",
        title="AlpacaEval 2: win rates over gpt4_1106_preview, percent, 805 prompts",
        source=SOURCE,
        rows=[
            Row(model, "win rate", 100 * win_rate(files[model]), 3, round(published, 3))
            for model, published in PUBLISHED.items()
        ],
        why=(WHY,),
    )


def win_rate(path: Path) -> float:
    """Mean preference for a model, 0 to 1, in a file of a judgement a line, plain or `.gz`.

    Each has a `prompt` and a `preference` from 1, the baseline wins, to 2.

    Raises:
        SpecError: the file is missing or a line is broken.
    """
    won: dict[str, float] = {}
    number = 0
    try:
        with open_text(path) as file:
            for number, line in enumerate(file, start=1):
                row = json.loads(line)
                preference = float(row["preference"])
                if not 1 <= preference <= 2:
                    raise SpecError(
                        f"preference must be between 1 and 2, got {row['preference']!r}",
                        where=f"{path}:{number}",
                    )
                won[str(row["prompt"])] = preference - 1
    except FileNotFoundError:
        raise SpecError(
            "no such file", where=str(path), hint="name the folder of the released judgements"
        ) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise SpecError(
            "not a judgement with prompt and preference", where=f"{path}:{number}"
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise SpecError(f"cannot be read: {error}", where=str(path)) from None
    return math.fsum(won.values()) / len(won) if won else math.nan
