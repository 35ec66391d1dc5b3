"""Pitfalls: named ways to go wrong, as rules over one output, each with its evidence.

A rule says found, not found, or that it does not apply. What each is worth, measured on outputs
labelled by hand, is in docs/pitfalls.md; what the words mean in docs/labelling.md. Each is a
metric too, `pitfall_…`: the share of outputs that show it.
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
    """A named way to go wrong.

    Attributes:
        name: of the label in docs/labelling.md.
        title: for a reader.
        meaning: what the output does.
        rule: how it is detected.
        applies: to which outputs, besides that they say something.
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
        """What the rule says of an output; of one that says nothing, only `empty` says a thing."""
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
        f"{LIMITS.loop_copies} phrases or more in a row, equal but for a label (`B:`), a number "
        f"or, in {LIMITS.changing_words} words or more, one word; to the end or over half of it",
        _ALL,
        "Lists of like items and refrains that are asked for count; counting (`1, 2, 3`) does not.",
        rules.loop,
    ),
    Pitfall(
        "drift",
        "Drift",
        "ends in words that are no connected language",
        f"of the last third, less than {LIMITS.drift_function:.0%} of the words are English "
        f"function words ({LIMITS.drift_words} words or more), or more than "
        f"{LIMITS.drift_odd:.0%} are odd: capitals (but for names such as LinkedIn in connected "
        "text), marks or digits within a word, letters of two scripts",
        "running text; no lists, tables, code or loops, and no text that neither prompt nor first "
        "two thirds show to be English",
        "Another subject in good English is missed (`pitfall_off_topic` finds it). Another "
        "language in answer to an English prompt is taken for drift.",
        rules.drift,
        version=2,
    ),
    Pitfall(
        "fabrication",
        "Fabrication",
        "names a source that nothing confirms",
        "a DOI, arXiv number, ISBN or address, or a title or text together with its author, year "
        "or publisher, that is not in the prompt",
        _ALL,
        "Cannot know what exists: a real source is found too. Of a model that looks nothing up, "
        "read it as `named from memory, to be checked`.",
        rules.fabrication,
    ),
    Pitfall(
        "format_break",
        "Format break",
        "lacks the form that the prompt asks for",
        "breaks a constraint of the suite, or a form that the prompt's words ask for: a number of "
        "items, sentences or paragraphs, JSON, a table, capitals, a haiku's three lines, code, a "
        "language, a DOI, ISBN or address; of a text that the limit cut, only what it cannot fix",
        "prompts that ask for such a form",
        "Forms that are asked for in other words are not seen.",
        rules.format_break,
    ),
    Pitfall(
        "truncation",
        "Truncation",
        "was cut off by the length limit within a sentence",
        "ended by the length limit, and not on the end of a sentence or code block",
        "outputs of which it is known why they ended",
        "Verse and headings end without a mark.",
        rules.truncation,
    ),
    Pitfall("empty", "Empty", "says nothing", "white space only", "all", "", rules.empty),
    Pitfall(
        "echo",
        "Echo",
        "says the prompt's own words again in place of an answer",
        f"{LIMITS.echo_share:.0%} of the words or more are in runs of {LIMITS.echo_run} words or "
        "more of the prompt",
        "prompts that do not ask for a given text again, changed or not",
        "Says nothing of an echo in other words.",
        rules.echo,
    ),
    Pitfall(
        "turn_leakage",
        "Turn leakage",
        "writes what the asker would say",
        "a marker of a chat template, a label of the asker's turn, the prompt's request or its "
        "question again, demands on `your answer`, or a request for help",
        _ALL,
        "The asker's voice has more words than these.",
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
