"""Pitfalls: named failures, as rules over one output, each with its evidence.

A rule returns found, not found, or does not apply. docs/pitfalls.md has the precision and recall of
each on outputs labelled by hand, docs/labelling.md the definitions of the labels. Each is also a
metric `pitfall_…`: the share of outputs that show it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ethogram.metrics.base import NOT_APPLICABLE, Output, Score, declared, mean_score, metric
from ethogram.metrics.pitfalls import rules
from ethogram.metrics.pitfalls.limits import LIMITS
from ethogram.metrics.pitfalls.rules import DOES_NOT_APPLY, Finding
from ethogram.metrics.units import SHARE


@dataclass(frozen=True)
class Pitfall:
    """A named failure.

    Attributes:
        name: of the label in docs/labelling.md.
        title: for a reader.
        meaning: what the output does.
        rule: how it is detected.
        applies: which outputs the rule reads; empty ones are always left out.
        misleads: where the rule is wrong.
        look: the rule.
        version: raised whenever the same output would be judged otherwise than before.
    """

    name: str
    title: str
    meaning: str
    rule: str
    applies: str
    misleads: str
    look: Callable[[Output], Finding]
    version: int = 1

    def find(self, output: Output) -> Finding:
        """What the rule finds; to an empty output only `empty` applies."""
        if self.name != "empty" and not output.text.strip():
            return DOES_NOT_APPLY
        return self.look(output)


_ALL = "all"

#: In the order of the labelling guide; an output can show several.
PITFALLS = (
    Pitfall(
        "loop",
        "Loop",
        "repeats a phrase three times or more",
        f"a phrase occurs {LIMITS.loop_copies} times or more in a row, up to the end or over half "
        "of the text; a label (`B:`) or a number may change, and one word in phrases of "
        f"{LIMITS.changing_words} words or more",
        _ALL,
        "Requested refrains and lists of similar items count as loops; counting (`1, 2, 3`) does "
        "not.",
        rules.loop,
    ),
    Pitfall(
        "drift",
        "Drift",
        "ends in text that is not connected language",
        f"in the last third, less than {LIMITS.drift_function:.0%} of the words are English "
        f"function words ({LIMITS.drift_words} words or more), or more than "
        f"{LIMITS.drift_odd:.0%} of the words are malformed: capitals, punctuation or digits "
        "within a word (names such as LinkedIn in connected text excepted), or letters of two "
        "scripts",
        "running English text, as the prompt or the first two thirds show; not lists, tables, code "
        "or loops",
        "Misses fluent English about another subject (`pitfall_off_topic` finds it). Reports "
        "another language in answer to an English prompt.",
        rules.drift,
        version=2,
    ),
    Pitfall(
        "fabrication",
        "Fabrication",
        "names a source that nothing confirms",
        "names a DOI, arXiv number, ISBN or web address, or a title or text together with its "
        "author, year or publisher, that is not in the prompt",
        _ALL,
        "Cannot know which sources exist and reports real ones too. If the model cannot look "
        "sources up, read a finding as `cited from memory, to be checked`.",
        rules.fabrication,
    ),
    Pitfall(
        "format_break",
        "Format break",
        "does not have the form that the prompt asks for",
        "breaks a constraint of the suite, or a form that the prompt asks for: a number of items, "
        "sentences or paragraphs, JSON, a table, capitals, a haiku's three lines, code, a "
        "language, a DOI, ISBN or web address; if the length limit cut the text, only what more "
        "text could not fix",
        "prompts that ask for such a form",
        "Misses forms that the prompt asks for in other words.",
        rules.format_break,
    ),
    Pitfall(
        "truncation",
        "Truncation",
        "was cut off by the length limit inside a sentence",
        "the length limit ended it, not at the end of a sentence or code block",
        "outputs with a known finish reason",
        "Verse and headings end without punctuation.",
        rules.truncation,
    ),
    Pitfall("empty", "Empty", "has no text", "white space only", "all", "", rules.empty),
    Pitfall(
        "echo",
        "Echo",
        "repeats the prompt instead of answering",
        f"{LIMITS.echo_share:.0%} of the words or more are copied from the prompt in runs of "
        f"{LIMITS.echo_run} words or more",
        "prompts that do not ask to repeat or edit a given text",
        "Misses a paraphrase of the prompt.",
        rules.echo,
    ),
    Pitfall(
        "turn_leakage",
        "Turn leakage",
        "writes the user's turn",
        "contains a marker of a chat template, a label of the user's turn, the prompt's request or "
        "question again, a demand on `your answer`, or a request for help",
        _ALL,
        "Misses user turns without these words.",
        rules.turn_leakage,
    ),
)


def _measure(pitfall: Pitfall, output: Output) -> Score:
    finding = pitfall.find(output)
    return NOT_APPLICABLE if finding.found is None else mean_score(finding.found, finding.spans)


for _pitfall in PITFALLS:
    metric(
        f"pitfall_{_pitfall.name}",
        title=_pitfall.title,
        unit=SHARE,
        direction="lower",
        formula=f"share of outputs that show it: {_pitfall.rule}",
        source="rule of Ethogram",
        reference="precision and recall on outputs labelled by hand: docs/pitfalls.md",
        pitfalls=f"Applies to {_pitfall.applies}. {_pitfall.misleads}".strip(),
        version=_pitfall.version,
    )(partial(_measure, _pitfall))

#: In the order of `PITFALLS`.
PITFALL_METRICS = tuple(declared[f"pitfall_{pitfall.name}"] for pitfall in PITFALLS)
