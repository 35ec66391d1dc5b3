"""Off topic: a pitfall rule that reads the encoder. The last third of an output left its prompt."""

from __future__ import annotations

from collections.abc import Sequence

from ethogram.metrics.base import NOT_APPLICABLE, Output, Score, Span, mean_score, metric
from ethogram.metrics.models import Encoder, Models
from ethogram.metrics.pitfalls.limits import LIMITS
from ethogram.metrics.pitfalls.rules import DOES_NOT_APPLY, Finding, drift, last_third
from ethogram.metrics.units import SHARE


def off_topic(outputs: Sequence[Output], encoder: Encoder) -> list[Finding]:
    """What the rule says of each output.

    It finds all that `drift` finds, and applies to the same outputs. Of the others it compares the
    last third with the prompt: a cosine below `Limits.off_topic_cosine` is another subject.
    """
    findings = [drift(output) if output.text.strip() else DOES_NOT_APPLY for output in outputs]
    compared = [
        place
        for place, (output, finding) in enumerate(zip(outputs, findings, strict=True))
        if finding.found is False
        and output.prompt.strip()
        and len(output.words) >= LIMITS.off_topic_words
    ]
    texts = [
        text
        for place in compared
        for text in (outputs[place].prompt, outputs[place].text[last_third(outputs[place]) :])
    ]
    vectors = encoder.encode(texts)
    for place, prompt, tail in zip(compared, vectors[::2], vectors[1::2], strict=True):
        findings[place] = _compared(outputs[place], float(prompt @ tail))
    return findings


def _compared(output: Output, cosine: float) -> Finding:
    scores = {"cosine": cosine}
    if cosine >= LIMITS.off_topic_cosine:
        return Finding(False, scores=scores)
    span = Span(last_third(output), len(output.text.rstrip()), f"cosine {cosine:.2f} to the prompt")
    return Finding(True, (span,), scores)


@metric(
    "pitfall_off_topic",
    title="Off topic",
    unit=SHARE,
    direction="lower",
    formula="share of outputs that show it: what pitfall_drift finds, or a cosine below "
    f"{LIMITS.off_topic_cosine} between the vectors of the prompt and of the last third, of "
    f"{LIMITS.off_topic_words} words or more, under a sentence encoder",
    source="rule of Ethogram",
    reference="precision and recall on outputs labelled by hand: docs/pitfalls.md",
    pitfalls="Applies where pitfall_drift does. Reports good answers whose words are far from the "
    "question's. The threshold was set for all-minilm-l6-v2.",
    needs=("encoder",),
    version=2,
)
def _measure(outputs: Sequence[Output], models: Models) -> list[Score]:
    return [
        NOT_APPLICABLE if finding.found is None else mean_score(finding.found, finding.spans)
        for finding in off_topic(outputs, models.encoder)
    ]
