"""Focus: how long an output is and whether it ended by itself. Knows lengths and finish reasons."""

from __future__ import annotations

from ethogram.metrics.base import NOT_APPLICABLE, Metric, Output, Score, mean_score, ratio


def _words(output: Output) -> Score:
    return mean_score(len(output.text.split()))


def _tokens(output: Output) -> Score:
    return mean_score(len(output.token_ids)) if output.token_ids else NOT_APPLICABLE


def _stop_rate(output: Output) -> Score:
    if output.finish_reason in (None, "", "unknown"):
        return NOT_APPLICABLE
    return mean_score(output.finish_reason in ("eos", "stop"))


FOCUS = (
    Metric(
        name="words",
        title="Words",
        unit="words",
        direction="none",
        formula="mean number of words of an output, split at white space",
        source="gen_length of Su and Xu 2022, Contrastive Search Is What You Need",
        reference="equal to the released gpt2-large WebText lengths",
        pitfalls="Length moves most other metrics; look here first when they differ.",
        measure=_words,
        aggregate=ratio,
    ),
    Metric(
        name="tokens",
        title="Tokens",
        unit="tokens",
        direction="none",
        formula="mean number of new tokens of an output, the one that ended it included",
        source="count",
        reference="count",
        pitfalls="Depends on the tokenizer; unknown for outputs that come as text only.",
        measure=_tokens,
        aggregate=ratio,
    ),
    Metric(
        name="stop_rate",
        title="Stop rate",
        unit="share",
        direction="higher",
        formula="share of outputs ended by the model or a stop string, not by the length limit",
        source="count of finish reasons",
        reference="count",
        pitfalls="A stop string may cut a good answer; an output may end at once and be empty.",
        measure=_stop_rate,
        aggregate=ratio,
    ),
)
