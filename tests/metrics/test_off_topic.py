"""Off topic: what drift finds, and last thirds far from the prompt by vectors reckoned by hand."""

from __future__ import annotations

from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from ethogram.metrics import Models, Output, get
from ethogram.metrics.pitfalls.limits import LIMITS
from ethogram.metrics.pitfalls.off_topic import off_topic
from ethogram.metrics.pitfalls.rules import Finding, drift, last_third

from .stubs import StubModels

MODELS = cast(Models, StubModels())
ABOUT = "the tide of the sea and then the sea with its tide for us at the sea. "
OTHER = "the moon of the sun and then the sun with its moon for us at the sun. "
TEXTS = st.lists(st.sampled_from(("the", "tide", "of", "moon.", "and", "sun")), max_size=60)


def find(text: str, prompt: str = "tide sea") -> Finding:
    (finding,) = off_topic([Output(text, prompt=prompt)], MODELS.encoder)
    return finding


def test_a_last_third_about_something_else_is_marked() -> None:
    text = f"{ABOUT}{ABOUT}{OTHER}"
    finding = find(text)
    assert finding.found
    (span,) = finding.spans
    assert text[span.start : span.end] == OTHER.strip()
    assert span.label == f"cosine {finding.scores['cosine']:.2f} to the prompt"
    assert finding.scores["cosine"] < LIMITS.off_topic_cosine


def test_who_comes_back_to_the_prompt_is_not_off_topic() -> None:
    finding = find(f"{OTHER}{OTHER}{ABOUT}")
    assert finding.found is False
    assert not finding.spans


def test_little_text_and_no_prompt_are_not_compared() -> None:
    words = f"{OTHER}But he and she had been at the moon, or so they said to me in the end.".split()
    enough = " ".join(words[: LIMITS.off_topic_words])
    assert find(enough).found
    assert find(enough, prompt="").found is False
    assert find(" ".join(words[: LIMITS.off_topic_words - 1])).found is False
    assert find("").found is None


@given(st.lists(TEXTS.map(" ".join), max_size=4))
def test_it_finds_all_that_drift_finds_and_applies_where_drift_does(texts: list[str]) -> None:
    outputs = [Output(text, prompt="the tide and the sea") for text in texts]
    for output, finding in zip(outputs, off_topic(outputs, MODELS.encoder), strict=True):
        if not output.text.strip():
            continue
        plain = drift(output)
        assert (finding.found is None) == (plain.found is None)
        if plain.found:
            assert finding == plain
        for span in finding.spans:
            assert span.start == last_third(output)


def test_the_metric_scores_what_the_rule_finds() -> None:
    metric = get("pitfall_off_topic")
    texts = (f"{ABOUT}{ABOUT}{OTHER}", f"{OTHER}{OTHER}{ABOUT}", ABOUT * 3, "")
    outputs = [Output(text, prompt="tide sea") for text in texts]
    scores = metric.measure_batch(outputs, MODELS)
    assert [score.value for score in scores] == [1.0, 0.0, None, None]  # The third is a loop.
