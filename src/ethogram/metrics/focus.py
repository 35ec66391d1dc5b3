"""Focus: how long an output is, whether it ends when it is done and keeps to the prompt.

An answer counts as complete, in this order of rules, at the earliest of: the end of the sentence
that has the reference, where a word or two answer; the beginning of the asker's next turn or of a
marker of a chat template; the second copy of a phrase that loops to the end; a sentence that is
much like an earlier one, if all sentences behind it are so too.
"""

from __future__ import annotations

import zlib

from ethogram.metrics import asking
from ethogram.metrics.base import NOT_APPLICABLE, Output, Score, Span, mean_score, metric
from ethogram.metrics.factuality import normalised_answer
from ethogram.metrics.loops import find_loop
from ethogram.metrics.repetition import ZLIB_LEVEL, encode, sentences_said_again
from ethogram.metrics.structure import CHAT_MARKERS, asks, leaked_turn, wants_questions
from ethogram.metrics.units import RATIO, SHARE, TOKENS, WORDS

#: Words of a window in which a content word of the prompt is sought.
WINDOW_WORDS = 25
#: Words of a reference up to which a sentence with it is a whole answer.
BRIEF_REFERENCE = 5


@metric(
    "empty_rate",
    title="Empty outputs",
    unit=SHARE,
    direction="lower",
    formula="share of outputs that contain only white space",
    source="count",
    reference="count",
    pitfalls="Read this row first: the other metrics of a run's table leave empty outputs out, "
    "except contains_reference.",
)
def _empty_rate(output: Output) -> Score:
    return mean_score(output.is_empty)


@metric(
    "words",
    title="Words",
    unit=WORDS,
    direction="none",
    formula="mean number of words of an output, split at white space",
    source="gen_length of Su and Xu 2022, Contrastive Search Is What You Need",
    reference="equal to the released gpt2-large WebText lengths",
    pitfalls="Most other metrics depend on length: look here first when they differ. Empty "
    "outputs are left out: see empty_rate.",
    version=2,
)
def _words(output: Output) -> Score:
    return NOT_APPLICABLE if output.is_empty else mean_score(len(output.words))


@metric(
    "tokens",
    title="Tokens",
    unit=TOKENS,
    direction="none",
    formula="mean number of new tokens of an output, including the token that ended it",
    source="count",
    reference="count",
    pitfalls="Depends on the tokenizer. Unknown for outputs that are given only as text.",
)
def _tokens(output: Output) -> Score:
    return mean_score(len(output.token_ids)) if output.token_ids else NOT_APPLICABLE


@metric(
    "stop_rate",
    title="Stop rate",
    unit=SHARE,
    direction="higher",
    formula="share of outputs ended by the model or a stop string, not by the length limit",
    source="count of finish reasons",
    reference="count",
    pitfalls="A stop string can cut a good answer. Empty outputs are left out: see empty_rate.",
    version=2,
)
def _stop_rate(output: Output) -> Score:
    if output.finish_reason in (None, "", "unknown") or output.is_empty:
        return NOT_APPLICABLE
    return mean_score(output.finish_reason in ("eos", "stop"))


def answer_end(output: Output) -> tuple[int, str] | None:
    """The character at which the answer is complete, and why; None where it goes on to the end."""
    found = [
        end
        for end in (
            _reference_end(output),
            _turn_start(output),
            _loop_start(output),
            _said_again_start(output),
        )
        if end is not None
    ]
    return min(found, default=None)


def _reference_end(output: Output) -> tuple[int, str] | None:
    """The end of the first sentence with a brief right answer, where a question is asked."""
    brief = [
        reference
        for reference in output.references
        if reference and len(normalised_answer(reference)) <= BRIEF_REFERENCE
    ]
    if not (asking.wants_short_answer(output.tags) or asking.is_question(output.prompt)):
        return None
    for start, end in output.sentence_spans:
        if any(asking.contains(output.text[start:end], reference) for reference in brief):
            return end, "goes on after the answer"
    return None


def _turn_start(output: Output) -> tuple[int, str] | None:
    leak = output.once(leaked_turn)
    marker = CHAT_MARKERS.search(output.text)
    starts = [(leak[0], leak[2])] if leak else []
    starts += [(marker.start(), "a marker of a chat template")] if marker else []
    return min(starts, default=None)


def _loop_start(output: Output) -> tuple[int, str] | None:
    loop = find_loop(output.words)
    if loop is None:
        return None
    return output.word_spans[loop.onset + loop.period][0], "loops"


def _said_again_start(output: Output) -> tuple[int, str] | None:
    """Where the last sentences begin that are all much like earlier ones."""
    again = {span.start for span in output.once(sentences_said_again)[0]}
    start = None
    for sentence, _ in reversed(output.sentence_spans):
        if sentence not in again:
            break
        start = sentence
    return None if start is None else (start, "says the same again")


@metric(
    "post_answer_words",
    title="Words after the answer",
    unit=WORDS,
    direction="lower",
    formula="words after the answer is complete, mean over outputs. The answer is complete after "
    "the sentence with a brief reference, at the user's next turn, at the second copy of a "
    "final loop, or where every further sentence is a near duplicate",
    source="derived for Ethogram; verbosity of Zhang et al. 2024, arXiv:2411.07858",
    reference="the table of cases in tests/metrics",
    pitfalls="Only for prompts that ask. Without a reference it finds only turns, loops and "
    "repeated sentences, and misses new chatter. With a brief reference, an explanation "
    "after the answer counts as rambling.",
)
def _rambling(output: Output) -> Score:
    if not output.once(asks) or output.once(wants_questions):
        return NOT_APPLICABLE
    done = answer_end(output)
    if done is None:
        return mean_score(0.0)
    rest = output.text[done[0] :]
    start = done[0] + len(rest) - len(rest.lstrip())
    words = len(rest.split())
    if not words:
        return mean_score(0.0)
    return mean_score(words, (Span(start, len(output.text.rstrip()), done[1]),))


@metric(
    "topic_word_share",
    title="Windows on topic, by words",
    unit=SHARE,
    direction="higher",
    formula=f"windows of {WINDOW_WORDS} words with a content word of the prompt (compared by its "
    "first five letters) / all windows",
    source="derived for Ethogram: a cheap alternative to similarity under a sentence encoder",
    reference="the table of cases in tests/metrics",
    pitfalls="Synonyms count as off topic, and a passing mention as on topic; long prompts make "
    "it easy. Uses English stop words. If a sentence encoder is available, prefer "
    "on_topic_share.",
    weight="unit",
)
def _topic_share(output: Output) -> Score:
    topic = asking.content_words(output.prompt)
    if not topic or not output.words:
        return NOT_APPLICABLE
    starts = range(0, len(output.words), WINDOW_WORDS)
    # A last window of a few words would be off topic by chance; it belongs to the one before it.
    starts = starts[:-1] if len(starts) > 1 and len(output.words) % WINDOW_WORDS else starts
    ends = [*starts[1:], len(output.words)]
    spans = output.word_spans
    windows = [(spans[a][0], spans[b - 1][1]) for a, b in zip(starts, ends, strict=True)]
    off = tuple(
        Span(start, end, "shares no content word with the prompt")
        for start, end in windows
        if not topic & asking.content_words(output.text[start:end])
    )
    return Score(1 - len(off) / len(windows), (len(windows) - len(off), len(windows)), off)


def _packed(data: bytes) -> int:
    return len(zlib.compress(data, ZLIB_LEVEL))


@metric(
    "compression_by_prompt",
    title="Compression by the prompt",
    unit=RATIO,
    direction="none",
    formula="(Z(prompt and text) - Z(prompt)) / Z(text), Z = bytes under zlib at level 9; both "
    "summed over outputs",
    source="conditional compression of Li et al. 2004, The Similarity Metric, arXiv:cs/0111054",
    reference="zlib of the standard library",
    pitfalls="Low values mean that the text repeats the prompt. High values mean that they share "
    "no strings, which is normal for most questions. Short texts share little with anything.",
    weight="unit",
)
def _compression_by_prompt(output: Output) -> Score:
    if not output.prompt or not output.text:
        return NOT_APPLICABLE
    prompt, text = encode(output.prompt + "\n"), encode(output.text)
    given, alone = _packed(prompt + text) - _packed(prompt), _packed(text)
    return Score(given / alone, (given, alone))
