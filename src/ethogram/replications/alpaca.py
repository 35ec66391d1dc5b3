"""AlpacaEval: win rates from the released judgements, computed again. Asks no judge."""

from __future__ import annotations

from ethogram.replications.data import DataFolders
from ethogram.replications.result import Replicated, Row
from ethogram.study.alpaca_eval import WHY, win_rates

SOURCE = (
    "Dubois et al. 2024, Length-Controlled AlpacaEval, arXiv:2404.04475: the leaderboard "
    "weighted_alpaca_eval_gpt4_turbo as alpaca-eval 0.6.6 ships it"
)


def replicate(data: DataFolders) -> Replicated:
    """Raw and length-controlled win rates of four models over gpt4_1106_preview, in percent."""
    files = data.files("alpaca-eval-judgements")
    rows: list[Row] = []
    for found in win_rates(files):
        joint = found.joint
        rows.append(Row(found.model, "win rate", 100 * joint.raw, 3, round(found.published_raw, 3)))
        rows.append(
            Row(
                found.model,
                "length-controlled",
                100 * joint.win_rate,
                3,
                round(found.published_controlled, 3),
                100 * joint.low,
                100 * joint.high,
            )
        )
    return Replicated(
        name="alpaca-eval",
        title="AlpacaEval 2: win rates over gpt4_1106_preview, percent, 805 prompts",
        source=SOURCE,
        rows=rows,
        why=(WHY,),
    )
