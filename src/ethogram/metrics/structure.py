"""Structure: whether an output answers what was asked, and stops at that. English rules, no model.

answer_first looks at the first sentence that is not mere courtesy, in this order:

 1. courtesy only (an empty output is left out)                          no answer
 2. it opens with a label of the asker's turn (`Q:`, `User:`, …)         no answer
 3. it declines ("I cannot …", "As an AI …", "I'm not sure")              no answer
 4. it contains the reference                                            answer
 5. it begins in the middle (small letter, comma, …) after a finished
    prompt, as a continuation does; one to three words may, and so may
    what `Here it is:` announces                                         no answer
 6. it asks, though the prompt does not ask for a question               no answer
 7. it says the prompt again                                             no answer
 8. the prompt is an unfinished sentence with a reference, not met        no answer
 9. it is short, a list or code, it obeys an order rather than a
    question, or the opening shares a content word with the question      answer
10. else it speaks about something else                                  no answer
"""

from __future__ import annotations

import re

from ethogram.metrics import asking, formats
from ethogram.metrics.base import NOT_APPLICABLE, Output, Score, Span, mean_score, metric
from ethogram.metrics.units import SHARE

#: Words up to which a sentence counts as a short answer, which need not repeat the question's.
SHORT_WORDS = 8
#: Words up to which a small first letter is a short answer rather than a continuation.
TERSE_WORDS = 3
#: Markers of chat templates and prompt formats; none belongs into an answer.
CHAT_MARKERS = re.compile(
    r"<\|(?:im_start|im_end|system|user|assistant|endoftext|end_of_text|begin_of_text|eot_id|"
    r"start_header_id|end_header_id|end|eom_id)\|>|</?s>|\[/?INST\]|<</?SYS>>|"
    r"<(?:start|end)_of_turn>|^#{2,3} (?:Instruction|Input|Response|Human|Assistant|User)\b:?",
    re.MULTILINE,
)
#: Characters of an output in which a content word of the prompt is sought.
OPENING_CHARACTERS = 400


_RULES = "rule of Ethogram for the notes that such logs keep by hand ('no clear Q&A structure')"
_ASKING_ONLY = "Only for prompts that ask: question, instruction, labelled slot or reference. "
_ENGLISH = "English rules on form: they do not judge whether the answer is right. "


def asks(output: Output) -> bool:
    """Whether the prompt of an output wants an answer."""
    return asking.asks(output.prompt, output.tags, output.reference)


def wants_questions(output: Output) -> bool:
    """Whether a question or a dialogue is a fitting answer to the prompt of an output."""
    return bool(asking.WANTS_QUESTIONS.search(asking.task_of(output.prompt)))


def leaked_turn(output: Output) -> tuple[int, int, str] | None:
    """Where an output writes the asker's next turn itself: (start, end, reason), or None."""
    return asking.leaked_turn(output.text, output.prompt)


@metric(
    "answer_first",
    title="Answers first",
    unit=SHARE,
    direction="higher",
    formula="share of outputs whose first sentence answers (pleasantries are skipped): it does "
    "not continue the prompt, ask back, repeat the prompt, open a turn, decline, or change "
    "the subject",
    source=_RULES,
    reference="the table of cases in tests/metrics",
    pitfalls=_ENGLISH + _ASKING_ONLY + "Each verdict shows the sentence that decided it. Not "
    "measured on labelled outputs: it accepts most that are not empty.",
    version=2,
)
def _answer_first(output: Output) -> Score:
    if output.is_empty or not output.once(asks):
        return NOT_APPLICABLE
    sentences = asking.opening_sentences(output.text)
    announced = False
    while sentences and asking.is_courtesy(sentences[0].text):
        announced = sentences[0].text.endswith(":")
        sentences = sentences[1:]
    if not sentences:
        return mean_score(0.0, (Span(0, len(output.text), "courtesy only"),))
    first = sentences[0]
    fault = _fault(output, first, announced)
    label = fault or "answers"
    return mean_score(0.0 if fault else 1.0, (Span(first.start, first.end, label),))


def _fault(output: Output, first: asking.Sentence, announced: bool) -> str | None:
    """Why the first sentence is not an answer; None if it is one. `Here it is:` may announce it."""
    prompt, sentence = output.prompt, first.text
    label = output.once(leaked_turn)
    if label and label[0] <= first.start:
        return label[2]
    if asking.declines(sentence):
        return "declines"
    if any(asking.contains(sentence, reference) for reference in output.references):
        return None
    finished = asking.is_finished(prompt)
    words = sentence.split()
    terse = len(words) <= TERSE_WORDS and len(output.words) <= SHORT_WORDS
    fresh = terse or announced or not finished
    if not fresh and asking.continues_prompt(sentence, prompt):
        return "continues the prompt"
    if asking.ends_asking(sentence) and not output.once(wants_questions):
        return "asks instead of answering"
    if asking.echoes(sentence, prompt):
        return "says the prompt again"
    if not finished and output.reference:
        return "does not come to the reference"
    short = len(words) <= SHORT_WORDS or asking.wants_short_answer(output.tags)
    fitting = asking.LIST_ITEM.match(sentence) or asking.WANTS_CODE.search(prompt)
    if short or fitting or not asking.is_question(prompt):
        return None
    opening = output.text[: first.start + OPENING_CHARACTERS]
    asked = asking.content_words(prompt) | asking.content_words(" ".join(output.references))
    if not asked or asked & asking.content_words(opening):
        return None
    return "speaks about something else"


@metric(
    "qa_structure",
    title="Stays in its own turn",
    unit=SHARE,
    direction="higher",
    formula="share of outputs that are not empty and do not write the user's next turn",
    source=_RULES,
    reference="the table of cases in tests/metrics",
    pitfalls=_ENGLISH + _ASKING_ONLY + "A stop string hides what the model would have written.",
)
def _qa_structure(output: Output) -> Score:
    if not output.once(asks) or output.once(wants_questions):
        return NOT_APPLICABLE
    if not output.text.strip():
        return mean_score(0.0, (Span(0, len(output.text), "empty"),))
    leak = output.once(leaked_turn)
    return mean_score(0.0, (Span(*leak),)) if leak else mean_score(1.0)


@metric(
    "format_valid",
    title="Intact formatting",
    unit=SHARE,
    direction="higher",
    formula="share of outputs with code fences, numbered lists or tables in which every fence is "
    "closed, numbers increase by one, and rows have as many cells as the header",
    source=_RULES + "; forms of CommonMark 0.31 and GitHub's tables",
    reference="the table of cases in tests/metrics",
    pitfalls="Covers only outputs with such forms. CommonMark renders broken ones anyway. The "
    "length limit can leave a fence open.",
)
def _format_valid(output: Output) -> Score:
    count, spans = output.once(formats.faults)
    return mean_score(not spans, spans) if count else NOT_APPLICABLE


@metric(
    "json_valid",
    title="Valid JSON",
    unit=SHARE,
    direction="higher",
    formula="share that parse (the first fenced part, otherwise the whole) of the outputs whose "
    "prompt mentions JSON, that have a JSON fence, or that begin like JSON",
    source="RFC 8259",
    reference="json of the standard library, NaN and Infinity refused",
    pitfalls="No schema is checked. A prompt that only mentions JSON counts as asking for it.",
)
def _json_valid(output: Output) -> Score:
    place = formats.wanted_json(output)
    if place is None:
        return NOT_APPLICABLE
    start, end = place
    fault = formats.json_fault(output.text[start:end])
    if fault is None:
        return mean_score(1.0)
    return mean_score(0.0, (Span(min(start + fault[0], end), end, fault[1]),))


@metric(
    "markdown_share",
    title="Uses Markdown",
    unit=SHARE,
    direction="none",
    formula="share of outputs with a heading, list, table, code block or quotation",
    source="CommonMark 0.31",
    reference="markdown-it-py, which finds the blocks",
    pitfalls="Emphasis within a line does not count. A line that begins with a dash or four "
    "spaces counts as Markdown, intended or not.",
)
def _markdown_share(output: Output) -> Score:
    return mean_score(bool(output.once(formats.shape).blocks))


@metric(
    "list_words",
    title="Words in lists",
    unit=SHARE,
    direction="none",
    formula="mean over outputs of the share of its words that are in a list",
    source="CommonMark 0.31",
    reference="markdown-it-py, which finds the lists",
    pitfalls="Text after a list item belongs to it unless an empty line comes first.",
)
def _list_words(output: Output) -> Score:
    if not output.words:
        return NOT_APPLICABLE
    lines = output.text.split("\n")
    lists = output.once(formats.shape).list_lines
    listed = sum(len(" ".join(lines[start:end]).split()) for start, end in lists)
    return mean_score(listed / len(output.words))
