"""Asking: what a prompt asks for, and what an output's opening does about it. English rules.

Knows words and punctuation; knows no metric. `structure.py` says in which order the rules apply.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ethogram.metrics.text import bare, copied, sentence_spans, set_of

#: Verbs that open an instruction.
IMPERATIVES = set_of(
    """add advise analyze analyse answer arrange assess brainstorm build calculate categorize change
    choose classify come compare complete compose compute convert correct count create critique
    define describe design detect determine develop devise discuss draft draw edit estimate evaluate
    explain extract fill find finish fix generate give guess help identify imagine implement
    improve infer invent judge list look make match modify name offer order organize outline
    paraphrase plan pick predict prepare present produce proofread propose prove provide rank rate
    read recommend reorder rephrase replace reply respond rewrite rate say select show simplify
    solve sort specify spell split state suggest summarize summarise teach tell think transform
    translate use verify write"""
)
_BEFORE_ORDERS = set_of("please now then kindly first hi hello")
#: Openings of a question that lacks its mark: one of the first, then one of the second.
QUESTION_WORDS = set_of("what who whom whose which when where why how")
AUXILIARIES = set_of(
    """are can could did do does has have is many may might much should was were will would"""
)
#: Tags of a suite that say its prompts want an answer, or want none.
ASKING_TAGS = set_of("answer chat instruction math qa q&a question questions short-answer")
SHORT_ANSWER_TAGS = frozenset(["short-answer", "short answer", "short_answer"])
#: Words of a prompt that make a question or a dialogue a fitting answer to it.
WANTS_QUESTIONS = re.compile(
    r"\b(questions?|quiz|riddles?|jokes?|ask|asks|asking|interview\w*|dialogues?|conversations?|"
    r"scripts?|faqs?|q&a|titles?|headlines?|slogans?|taglines?|subject lines?|chat|trivia|"
    r"poems?|lyrics|song|email|letter|speech|blog|post|ad|tweet)\b",
    re.IGNORECASE,
)
#: Words of a prompt that ask to hand a given text back with changes, so that much is copied.
WANTS_EDITING = re.compile(
    r"\b(rewrite|rephrase|paraphrase|correct|edit|fix|proofread|translate|convert|change|replace|"
    r"improve|shorten|simplify|reorder|sort|extract|summari[sz]e|repeat|copy|complete|fill|continue|"
    r"classify|identify|select|choose|find|which|reply|respond|modify|transform|make)\b",
    re.IGNORECASE,
)
#: Words of a prompt that make code or formulas a fitting answer.
WANTS_CODE = re.compile(
    r"\b(code|python|java|javascript|sql|function|html|css|program\w*|script|regex|c\+\+|bash|"
    r"command|query|algorithm|formula|equation|latex|json|yaml|compute|calculate|solve)\b",
    re.IGNORECASE,
)
#: Labels of an asker's turn; the second kind counts only where the prompt itself uses it.
_ASKER = r"(?:q|question|user|human)"
_ASKER_IF_USED = r"(?:input|instruction|prompt|student|customer|client|person|speaker|interviewer)"
ASKER_LABEL = re.compile(
    rf"^[ \t]*(?:[#*>-]+[ \t]*)?(?:<\|)?({_ASKER}|{_ASKER_IF_USED})(?:[ \t]*\d{{1,3}})?"
    r"(?:\*\*)?(?:[ \t]*:|\|>|[ \t]*\.(?=[ \t]+[A-Z]))",
    re.IGNORECASE | re.MULTILINE,
)
#: A line that hands over a text to work on; what follows it asks for nothing.
_GIVEN = re.compile(
    r"^[ \t]*(?:input|text|sentence|context|passage|article|paragraph)\s*:", re.I | re.MULTILINE
)
_ALWAYS_ASKER = re.compile(rf"^{_ASKER}$", re.IGNORECASE)
#: The label of the answer's own turn, which may open an output.
ANSWER_LABEL = re.compile(
    r"\s*(?:[#*]+\s*)?(?:a|answer|assistant|output|response|reply|bot|ai)\s*(?:\*\*)?:(?:\*\*)?\s*",
    re.IGNORECASE,
)
#: A prompt whose last line ends with a label leaves a slot, where any beginning is a fresh one.
OPEN_SLOT = re.compile(r"(?:^|\n)[^\n]{0,40}:\s*$")
#: Sentences that are only courtesy or announce the answer; the next one decides.
_PREAMBLE = re.compile(
    r"(?:sure|certainly|of course|absolutely|okay|ok|no problem)"
    r"(?: thing|[,!]? (?:i|let me|here)\b[^\n]*)?[.!:]$"
    r"|(?:great|good|excellent|nice)(?: (?:question|point|idea|choice|one))?[.!]$"
    r"|(?:hello|hi|hey)\b[^.!?:\n]{0,40}[.!,]$"
    r"|(?:thanks|thank you)\b[^.!?:\n]{0,60}[.!]$"
    r"|i(?:'d| would|'ll| will| am|'m)(?: be)? (?:happy|glad|love|like) to\b[^\n]*[.!:]$"
    r"|(?:i can (?:certainly |definitely )?help|let me|here(?:'s| is| are))\b[^\n]*[.!:]$",
    re.IGNORECASE,
)
#: Sentences that decline to answer.
_DECLINES = re.compile(
    r"as an ai\b|(?:i'?m|i am) (?:not sure|unable|not able|not allowed)\b"
    r"|i (?:don't|do not) (?:know|have)\b"
    r"|i (?:cannot|can't|can not|could not) (?:\w+ ){0,2}?(?:access|answer|assist|complete|comply|"
    r"create|do|find|fulfil\w*|generate|give|help|offer|provide|recommend|say|tell|verify|write)\b"
    r"|(?:i'?m |i am )?(?:very |so |really )?sorry\b[^.\n]*\b(?:cannot|can't|unable|not able|"
    r"don't|do not|didn't|not)\b|i apologi[sz]e\b",
    re.IGNORECASE,
)
#: Characters of a sentence that the two patterns above look at; longer ones are neither.
_COURTESY_CHARACTERS = 300
#: A list item, heading, quotation or number may open with anything.
LIST_ITEM = re.compile(r"(?:[-*•+#>|]|\(?\d{1,3}[.):]|\(?[A-Za-z][.)]\s|```|\$|\d)")
_OPTION = re.compile(r"^\s*\(?[A-Ea-e1-5][.)]\s", re.MULTILINE)
_CONTINUES = re.compile(r"[,;.?!)\]}:…–—%/\\]|['’](?:s|t|re|ve|ll|d|m)\b")
_STOP_WORDS = set_of(
    """a about after all also an and any are as at be because been before being but by can could did
    do does each for from get give given had has have he her him his how i if in input into is it
    its just like make many may me might more most much my name no not of on one only or other our
    output out over please question answer q s she should so some such t tell than that the their
    them then there these they this those to too under up us use user very was we were what when
    where which who whom whose why will with would write you your"""
)


@dataclass(frozen=True)
class Sentence:
    """A stretch of text and where it is."""

    start: int
    end: int
    text: str


def asks(prompt: str, tags: tuple[str, ...], reference: str | None) -> bool:
    """Whether a prompt wants an answer: a question, an instruction, a labelled slot, a reference.

    A prompt that is the beginning of a text wants to be continued, not answered.
    """
    if not prompt.strip():
        return False
    if reference is not None or any(tag.casefold() in ASKING_TAGS for tag in tags):
        return True
    if ANSWER_LABEL.fullmatch(prompt.rstrip().rsplit("\n", 1)[-1] + " "):
        return True
    sentences = _sentences(task_of(prompt))
    if not sentences:
        return False
    if is_finished(prompt) or _OPTION.search(prompt):
        return any(_is_request(sentence.text) for sentence in sentences)
    # Without an end it is a beginning, unless it opens with an order or a question lost its mark.
    return _is_order(sentences[0].text) or _is_request(sentences[-1].text)


def task_of(prompt: str) -> str:
    """The last turn of a prompt: without worked examples, the asker's and the answer's labels."""
    body = prompt.rstrip()
    head, _, last = body.rpartition("\n")
    if ANSWER_LABEL.fullmatch(last + " "):
        body = head.rstrip()
    labels = list(ASKER_LABEL.finditer(body))
    turns = [label for label in labels if _ALWAYS_ASKER.match(label[1])]
    if turns:
        return body[turns[-1].end() :].strip()
    return body.strip()


def request_of(prompt: str) -> str:
    """What a prompt asks, without the labelled text that it hands over to be worked on."""
    given = _GIVEN.search(prompt)
    head = prompt[: given.start()].strip() if given else ""
    return task_of(head or prompt)


def _is_request(sentence: str) -> bool:
    """Whether a sentence asks: a question, with or without its mark, or an order."""
    words = [bare(word) for word in sentence.split()[:2]]
    unmarked = words[0] in QUESTION_WORDS and words[-1] in AUXILIARIES
    return unmarked or ends_asking(sentence) or _is_order(sentence)


def ends_asking(sentence: str) -> bool:
    """Whether a sentence has a question mark at its end, quotes and brackets aside."""
    return sentence.rstrip("\"'”’)* ").endswith("?")


def _is_order(sentence: str) -> bool:
    """Whether a sentence orders: `Write …`, `Please list …`, `Can you …`, `I need …`."""
    words = [bare(word) for word in sentence.split()[:4]]
    while len(words) > 1 and words[0] in _BEFORE_ORDERS:
        words = words[1:]
    asked_to = words[0] in ("can", "could", "would", "will") and "you" in words[1:2]
    need = words[0] == "i" and words[1:2] in (["need"], ["want"])
    return asked_to or need or words[0] in IMPERATIVES


def is_question(prompt: str) -> bool:
    """Whether the last turn of a prompt has a question in it."""
    return any(ends_asking(sentence.text) for sentence in _sentences(task_of(prompt)))


def wants_short_answer(tags: tuple[str, ...]) -> bool:
    """Whether the suite says that a word or two answer the prompt."""
    return any(tag.casefold() in SHORT_ANSWER_TAGS for tag in tags)


def is_finished(prompt: str) -> bool:
    """Whether a prompt ends a sentence or opens a slot, so that an answer begins afresh."""
    end = prompt.rstrip()
    return end.endswith((".", "?", "!", ":", '"', "”", ")", "```"))


def opening_sentences(text: str, limit: int = 3) -> list[Sentence]:
    """The first sentences of an output, without a label of the answer's own turn."""
    label = ANSWER_LABEL.match(text)
    return _sentences(text, label.end() if label else 0, limit)


def _sentences(text: str, start: int = 0, limit: int = 64) -> list[Sentence]:
    """The first sentences of a text from `start` on."""
    return [
        Sentence(start + first, start + last, text[start + first : start + last])
        for first, last in sentence_spans(text[start:], colon=True)[:limit]
    ]


def is_courtesy(sentence: str) -> bool:
    """Whether a sentence greets, thanks, agrees to help or announces the answer, and no more."""
    return len(sentence) <= _COURTESY_CHARACTERS and bool(_PREAMBLE.match(sentence))


def declines(sentence: str) -> bool:
    """Whether a sentence says that there will be no answer."""
    return bool(_DECLINES.match(sentence[:_COURTESY_CHARACTERS]))


def continues_prompt(sentence: str, prompt: str) -> bool:
    """Whether a sentence begins in the middle: the prompt is being spun on, not answered.

    A slot such as `A:` or `Output:` at the prompt's end, code and formulas may begin small.
    """
    if _CONTINUES.match(sentence):
        return True
    first = sentence.split()[0]
    if not first[:1].islower() or OPEN_SLOT.search(prompt.rstrip()):
        return False
    mixed = any(letter.isupper() or letter in "=(_/<>" for letter in first)
    return not (mixed or "=" in sentence or WANTS_CODE.search(prompt))


def echoes(sentence: str, prompt: str) -> bool:
    """Whether a sentence says the prompt again.

    A whole line or sentence of the prompt, or four fifths of its word 4-grams. Where the prompt
    asks to edit a given text, only a line or sentence that is not changed at all. Choosing one of
    listed options is not an echo, nor is a heading.
    """
    words = [bare(word) for word in sentence.split()]
    if LIST_ITEM.match(sentence) and _OPTION.search(prompt):
        return False
    task = ASKER_LABEL.sub("", prompt)
    units = [line for line in task.splitlines() if line.strip()]
    units += [found.text for found in _sentences(task)]
    if WANTS_EDITING.search(prompt):
        return any(sentence.split() == unit.split() for unit in units)
    heading = sentence.endswith((":", ","))
    if not heading and any(words == [bare(word) for word in unit.split()] for unit in units):
        return True
    again = copied(words, [bare(word) for word in prompt.split()], 4)
    return bool(again) and sum(again) >= 0.8 * len(again)


def content_words(text: str) -> set[str]:
    """Stems (five letters) of the words that carry content: crude, but it needs no dictionary."""
    words = (bare(word).removesuffix("'s") for word in re.split(r"[\s/\-–—]+", text))
    return {word[:5] for word in words if len(word) > 1 and word not in _STOP_WORDS}


def contains(text: str, wanted: str) -> bool:
    """Whether the words of `wanted` occur in `text` one after another; case does not matter."""
    inside = r"\s+".join(re.escape(word) for word in wanted.split())
    return bool(inside) and bool(re.search(rf"(?<!\w){inside}(?!\w)", text, re.IGNORECASE))


def leaked_turn(text: str, prompt: str) -> tuple[int, int, str] | None:
    """Where an output writes the asker's next turn itself: (start, end, reason), or None.

    A label such as `Q:` or `User:` at the start of a line, one of the prompt's own labels, or a
    line of four words or more that repeats a request of the prompt.
    """
    used = {match[1].casefold() for match in ASKER_LABEL.finditer(prompt)}
    for match in ASKER_LABEL.finditer(text):
        if _ALWAYS_ASKER.match(match[1]) or match[1].casefold() in used:
            return match.start(1), match.end(), "writes the asker's turn itself"
    asked = {
        " ".join(line.split())
        for line in prompt.splitlines()
        if len(line.split()) >= 4 and any(_is_request(part.text) for part in _sentences(line))
    }
    position = 0
    for line in text.splitlines(keepends=True):
        if position and " ".join(line.split()) in asked:
            return position, position + len(line.rstrip()), "asks the prompt again"
        position += len(line)
    return None
