"""Constraints: whether a text follows one of IFEval's 25 instructions.

The rules are those of the released checkers (google-research, instruction_following_eval, which
lm-eval and if-verifiable keep), with three differences: keywords and markers are literal texts, not
patterns; a missing argument is an error instead of a random value; and a character outside
the alphabet is counted as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from ethogram.extras import require
from ethogram.spec.constraints import check_constraint
from ethogram.spec.suite import Constraint

Check = Callable[..., bool]
_ANSWERS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
_EXTRA = "ifeval"


def follows(constraint: Constraint, text: str) -> bool:
    """Whether a text follows a constraint that has no `fault_of`; an empty text follows none.

    Raises:
        MissingExtraError: the constraint needs the extra `ifeval` (languages, sentences, capitals).
    """
    if not text.strip():
        return False
    given = {name: value for name, value in constraint.kwargs.items() if value is not None}
    return _CHECKS[constraint.type](text, **given)


def fault_of(constraint: Constraint) -> str | None:
    """Why no check fits a constraint: an unknown instruction or wrong arguments; None if one does.

    A suite refuses such a constraint; a file of outputs made elsewhere may hold one.
    """
    given = {name: value for name, value in constraint.kwargs.items() if value is not None}
    try:
        check_constraint(constraint.type, given)
    except ValueError as error:
        return str(error)
    return None


def loose_variants(text: str) -> list[str]:
    """The eight texts of which one has to follow in the loose reading.

    As it is, without the first line, the last, or both; and each of these without asterisks.
    """
    lines = text.split("\n")
    cut = [lines[1:], lines[:-1], lines[1:-1]]
    variants = [text, *("\n".join(kept).strip() for kept in cut)]
    return [*variants, *(variant.replace("*", "") for variant in variants)]


def _holds(count: int, relation: str, bound: int) -> bool:
    return count < bound if relation == "less than" else count >= bound


def _existence(text: str, keywords: list[str]) -> bool:
    return all(re.search(re.escape(word), text, re.IGNORECASE) for word in keywords)


def _frequency(text: str, keyword: str, frequency: int, relation: str) -> bool:
    found = re.findall(re.escape(keyword.strip()), text, re.IGNORECASE)
    return _holds(len(found), relation, frequency)


def forbidden(text: str, words: list[str]) -> re.Match[str] | None:
    """The first of the words that is in the text as a word of its own."""
    either = "|".join(re.escape(word) for word in words)
    return re.search(rf"\b(?:{either})\b", text, re.IGNORECASE)


def _letter_frequency(text: str, letter: str, let_frequency: int, let_relation: str) -> bool:
    return _holds(text.lower().count(letter.strip().lower()), let_relation, let_frequency)


def _language(text: str) -> str | None:
    """ISO 639-1 code of a text's language; None where it has no letters to tell it by.

    langdetect is randomised; its seed is set before each text, so a text has one answer.
    """
    detect = require("langdetect", extra=_EXTRA, needed_for="telling a text's language")
    detect.DetectorFactory.seed = 0
    try:
        return str(detect.detect(text))
    except detect.LangDetectException:
        return None


def _response_language(text: str, language: str) -> bool:
    return _language(text) in (language, None)


def _sentences(text: str) -> list[str]:
    punkt = require("punkt", extra=_EXTRA, needed_for="counting sentences as IFEval does")
    found: list[str] = punkt.sent_tokenize(text)
    return found


def _number_sentences(text: str, num_sentences: int, relation: str) -> bool:
    return _holds(len(_sentences(text)), relation, num_sentences)


def _number_paragraphs(text: str, num_paragraphs: int) -> bool:
    paragraphs = [part.strip() for part in re.split(r"\s?\*\*\*\s?", text)]
    if not all(paragraphs[1:-1]):
        return False
    return sum(map(bool, paragraphs)) == num_paragraphs


def _number_words(text: str, num_words: int, relation: str) -> bool:
    return _holds(len(re.findall(r"\w+", text)), relation, num_words)


def _nth_paragraph(text: str, num_paragraphs: int, nth_paragraph: int, first_word: str) -> bool:
    paragraphs = text.split("\n\n")
    count = sum(bool(paragraph.strip()) for paragraph in paragraphs)
    # The checkers count the filled paragraphs but look up the nth of all, empty ones included.
    if not 0 < nth_paragraph <= count or count != num_paragraphs:
        return False
    words = paragraphs[nth_paragraph - 1].split()
    if not words:
        return False
    found = re.match(r"[^.,?!'\"]*", words[0].lstrip("'").lstrip('"'))
    return found is not None and found[0].lower() == first_word.lower()


def _placeholders(text: str, num_placeholders: int) -> bool:
    # What follows the last mark of a line cannot match; searched, it would take quadratic time.
    lines = [line[: line.rfind("]") + 1] for line in text.split("\n")]
    return sum(len(re.findall(r"\[.*?\]", line)) for line in lines) >= num_placeholders


def _postscript(text: str, postscript_marker: str) -> bool:
    marker = postscript_marker.strip()
    pattern = {"P.P.S": r"p\.\s?p\.\s?s", "P.S.": r"p\.\s?s\."}.get(marker)
    return bool(re.search(pattern or re.escape(marker.lower()), text.lower()))


def _bullets(text: str, num_bullets: int) -> bool:
    # The checkers' `^\s*` also runs over empty lines before, which takes quadratic time.
    stars = re.findall(r"^[^\S\n]*\*[^\*].*$", text, re.MULTILINE)
    dashes = re.findall(r"^[^\S\n]*-.*$", text, re.MULTILINE)
    return len(stars) + len(dashes) == num_bullets


def _highlights(text: str, num_highlights: int) -> bool:
    single = [found for found in re.findall(r"\*[^\n\*]*\*", text) if found.strip("*").strip()]
    double = [found for found in re.findall(r"\*\*[^\n\*]*\*\*", text) if found[2:-2].strip()]
    return len(single) + len(double) >= num_highlights


def _sections(text: str, section_spliter: str, num_sections: int) -> bool:
    marks = re.findall(rf"\s?{re.escape(section_spliter.strip())}\s?\d+\s?", text)
    return len(marks) >= num_sections


def _json(text: str) -> bool:
    body = text.strip()
    for fence in ("```json", "```Json", "```JSON", "```"):
        body = body.removeprefix(fence)
    try:
        json.loads(body.removesuffix("```").strip())
    except (ValueError, RecursionError):
        return False
    return True


def _title(text: str) -> bool:
    lines = [line[: line.rfind(">>") + 2] for line in text.split("\n") if ">>" in line]
    found = [title for line in lines for title in re.findall(r"<<[^\n]+>>", line)]
    return any(title.lstrip("<").rstrip(">").strip() for title in found)


def _two_responses(text: str) -> bool:
    parts = [part.strip() for part in text.split("******")]
    filled = [part for part in parts if part]
    return all(parts[1:-1]) and len(filled) == 2 and filled[0] != filled[1]


def _repeat_prompt(text: str, prompt_to_repeat: str) -> bool:
    return text.strip().lower().startswith(prompt_to_repeat.strip().lower())


def _end(text: str, end_phrase: str) -> bool:
    return text.strip().strip('"').lower().endswith(end_phrase.strip().lower())


def _quotation(text: str) -> bool:
    body = text.strip()
    return len(body) > 1 and body[0] == body[-1] == '"'


@cache
def _word_tokenizer() -> Any:
    module = require("nltk.tokenize", extra=_EXTRA, needed_for="counting words in capitals")
    return module.NLTKWordTokenizer()


def _capital_words(text: str, capital_frequency: int, capital_relation: str) -> bool:
    tokenize = _word_tokenizer().tokenize
    words = [word for sentence in _sentences(text) for word in tokenize(sentence)]
    return _holds(sum(word.isupper() for word in words), capital_relation, capital_frequency)


_CHECKS: dict[str, Check] = {
    "keywords:existence": _existence,
    "keywords:frequency": _frequency,
    "keywords:forbidden_words": lambda text, forbidden_words: not forbidden(text, forbidden_words),
    "keywords:letter_frequency": _letter_frequency,
    "language:response_language": _response_language,
    "length_constraints:number_sentences": _number_sentences,
    "length_constraints:number_paragraphs": _number_paragraphs,
    "length_constraints:number_words": _number_words,
    "length_constraints:nth_paragraph_first_word": _nth_paragraph,
    "detectable_content:number_placeholders": _placeholders,
    "detectable_content:postscript": _postscript,
    "detectable_format:number_bullet_lists": _bullets,
    "detectable_format:constrained_response": lambda text: any(said in text for said in _ANSWERS),
    "detectable_format:number_highlighted_sections": _highlights,
    "detectable_format:multiple_sections": _sections,
    "detectable_format:json_format": _json,
    "detectable_format:title": _title,
    "combination:two_responses": _two_responses,
    "combination:repeat_prompt": _repeat_prompt,
    "startend:end_checker": _end,
    "startend:quotation": _quotation,
    "change_case:capital_word_frequency": _capital_words,
    "change_case:english_capital": lambda text: text.isupper() and _language(text) in ("en", None),
    "change_case:english_lowercase": (
        lambda text: text.islower() and _language(text) in ("en", None)
    ),
    "punctuation:no_comma": lambda text: "," not in text,
}
