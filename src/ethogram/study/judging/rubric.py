"""Rubric judgement: two versions by a judge that scored each output by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ethogram.metrics import Output
from ethogram.metrics.table import html_table
from ethogram.study.difference import Difference
from ethogram.study.judging.pairwise import Cost, request_fields
from ethogram.study.judging.prompts import JudgePrompt


@dataclass(frozen=True, slots=True)
class ScoredOutput:
    """One output and its scores.

    Attributes:
        output: what was judged.
        scores: by criterion; None if the reply could not be read.
        reply: the judge's own words, untrusted.
    """

    output: Output
    scores: dict[str, int] | None
    reply: str


@dataclass(frozen=True)
class RubricJudgement:
    """Two versions by a judge that scored each output by itself.

    Attributes:
        before: name of the first version.
        after: of the second.
        judge: the judging model.
        prompt: the wording, with its rubric.
        scored: outputs of both versions with their scores.
        differences: one for each criterion and one for their mean, `overall`.
        cost: what it took.
    """

    before: str
    after: str
    judge: str
    prompt: JudgePrompt
    scored: tuple[Sequence[ScoredOutput], Sequence[ScoredOutput]]
    differences: Sequence[Difference]
    cost: Cost

    def __repr__(self) -> str:
        heading = f"RubricJudgement {self.before} → {self.after} by {self.judge}"
        return "\n  ".join([heading, *map(str, self.differences)])

    @property
    def unparsed(self) -> tuple[int, int]:
        """Replies of either version that could not be read."""
        before, after = (sum(each.scores is None for each in side) for side in self.scored)
        return before, after

    @property
    def unparsed_share(self) -> float:
        """Of all replies."""
        return sum(self.unparsed) / sum(len(side) for side in self.scored)

    def to_json(self) -> dict[str, Any]:
        """Plain data; what cannot be known is null."""
        before, after = self.unparsed
        return {
            "kind": "rubric",
            "before": self.before,
            "after": self.after,
            **request_fields(self.judge, self.prompt),
            "criteria": [each.name for each in self.prompt.rubric.criteria]
            if self.prompt.rubric
            else [],
            "differences": [each.to_json() for each in self.differences],
            "unparsed": {self.before: before, self.after: after},
            "unparsed_share": self.unparsed_share,
            "cost": self.cost.to_json(),
            "judged": [
                {
                    "version": version,
                    "prompt_id": each.output.prompt_id,
                    "sample": each.output.sample_index,
                    "scores": each.scores,
                    "reply": each.reply,
                }
                for version, side in zip((self.before, self.after), self.scored, strict=True)
                for each in side
            ],
        }

    def _repr_html_(self) -> str:
        lines = [["criterion", self.before, self.after, ""]]
        for each in self.differences:
            values = (f"{each.before:.3g}", f"{each.after:.3g}")
            lines.append([each.metric.title, *values, each.verdict])
        return html_table(lines)
