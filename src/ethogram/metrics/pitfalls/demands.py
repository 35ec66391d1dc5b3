"""Demands: the form that a prompt asks for, and whether a text has it. English rules.

Sees what is said in plain words (`five …`, `in two sentences`, `JSON`, `a table`, `in capital
letters`, `haiku`, `a Python function`, `into French`, `with its ISBN`). What a suite declares as a
constraint needs no guessing; `instruction.py` judges it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ethogram.metrics import asking, formats
from ethogram.metrics.base import Output
from ethogram.metrics.citations import citations
from ethogram.metrics.pitfalls.language import function_share
from ethogram.metrics.pitfalls.limits import LIMITS

#: Why a text breaks a demand; None where it does not.
Fault = str | None

_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
_NUMBERS |= {"eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12}
_NUMBER = rf"(\d{{1,2}}|{'|'.join(_NUMBERS)})"
_PUT = (
    r"\b(?:write|give|make|create|return|produce|generate|output|print|draw|format|build|present|"
    r"answer|respond|reply|list|show|put|as|in|into)\b"
)
_JSON = re.compile(rf"{_PUT}[^.\n]{{0,40}}\bJSON\b", re.IGNORECASE)
_TABLE = re.compile(
    r"\b(?:make|create|draw|give|produce|generate|write|build|prepare|use|using|as|in|into)\b"
    r"[^.\n,]{0,20}\ba (?:\w+ ){0,2}table\b(?! of contents)",
    re.IGNORECASE,
)
_SENTENCES = re.compile(rf"\b(?:in|write|with|using|of) (?:exactly )?{_NUMBER} sentences?\b", re.I)
_PARAGRAPHS = re.compile(rf"\b(?:in|write|with|of) (?:exactly )?{_NUMBER} paragraphs?\b", re.I)
_ITEMS = re.compile(
    rf"\b(?:list|name|give|write|suggest|recommend|propose|cite|provide|come up with)\b"
    rf"(?: me)?(?: the names of)? {_NUMBER} (?!sentence|paragraph|word|line|reason)"
    r"(?:[a-z-]+ ){0,3}?[a-z-]{2,}s\b",
    re.IGNORECASE,
)
_CAPITALS = re.compile(
    r"\b(?:in|only|all|using) (?:all )?(?:capital letters|capitals|caps|upper ?case)\b", re.I
)
_LOWERCASE = re.compile(r"\b(?:in|only|all|using) (?:all )?(?:lower ?case|small letters)\b", re.I)
_HAIKU = re.compile(r"\b(?:write|compose|create|make)\b[^.\n]{0,30}\bhaiku\b", re.IGNORECASE)
_CODE = re.compile(
    r"(?:^|[.!?:\n]\s+)(?:please |now |then |can you |could you |i (?:want|need) you to )*"
    r"(?:write|implement|create|give|make|generate|develop)(?: me)?\b(?![^.\n]*\bgiven code)"
    r"[^.\n]{0,30}?\b(?:(?P<language>python|javascript|java|sql|html|css|c\+\+|bash|shell|latex) )?"
    r"(?:function|code|program|script|query|snippet|class)\b(?! names?\b)",
    re.IGNORECASE,
)
_LANGUAGES = (
    r"french|german|spanish|italian|portuguese|dutch|swedish|polish|russian|chinese|japanese|"
    r"korean|arabic|hindi|turkish|greek|latin"
)
_INTO = re.compile(rf"\b(?:in|into|to) ({_LANGUAGES})\b", re.IGNORECASE)
_ANY_LANGUAGE = re.compile(
    rf"\btranslat\w+|\b(?:in|into|to) (?:{_LANGUAGES})\b|\b(?:another|second|foreign) language\b",
    re.IGNORECASE,
)
_TRANSLATE = re.compile(r"\btranslat|\banswer\b|\brespond|\bwrite\b", re.IGNORECASE)
_SOURCES = {
    "doi": re.compile(r"\bDOIs?\b"),
    "isbn": re.compile(r"\bISBNs?\b"),
    "url": re.compile(r"\b(?:web ?(?:address(?:es)?|sites?)|URLs?|links?)\b", re.IGNORECASE),
}
_WANTS_SOURCE = re.compile(
    r"\b(?:with|give|provide|include|list|name|cite|share|find)\b", re.IGNORECASE
)
_CODE_LINE = re.compile(
    r"^[ \t]*(?:def \w+\(|class \w+|import \w+|from \w+ import|return\b|for\b.*[:{]$|if\b.*[:{]$|"
    r"(?:public|private|static|void|int|const|let|var|function)\b.*|#include|#!|<[a-z!][^>]*>|"
    r"\\[a-z]+\b.*|(?:SELECT|INSERT|UPDATE|DELETE|CREATE|WITH)\b.*|\w+ = .+|\w[\w.]*\(.*\)[;:]?|"
    r"['\"][\w -]+['\"] *(?::|=>).*|.*[({\[]|[{}()\[\],;]+)[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
_PYTHON = re.compile(r"^[ \t]*(?:def \w+\(|\w+ *= *lambda\b|print\(|import \w+)", re.MULTILINE)
_BARE_ADDRESS = re.compile(
    r"\b(?:www\.)?\w[\w-]*\.(?:com|org|net|edu|gov|io|co\.uk)\b", re.IGNORECASE
)
_ROW = re.compile(r"^.*\S[ \t]*\|.*$|^[ \t]*\|.*$", re.MULTILINE)
_BULLET = re.compile(
    r"^[ \t]*(?:[-*•+]|\(?\d{1,2}[.):]|step \d+|[A-Za-z][.)])[ \t]*\S", re.I | re.M
)
_INLINE_ITEM = re.compile(r"(?:^|\s)\(?\d{1,2}[.):](?=\s|\*)")
_ORDINAL = re.compile(
    r"\b(first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)\b", re.IGNORECASE
)
_SEPARATOR = re.compile(r",\s*(?:and\s+|or\s+)?|\s+and\s+|\s+or\s+|;\s*|\n+")


@dataclass(frozen=True)
class Demand:
    """A form that the prompt asks for.

    Attributes:
        name: what is asked for, in words.
        fault: of an output whose text is cut by the length limit or not (second argument).
    """

    name: str
    fault: Callable[[Output, bool], Fault]


def demands(output: Output) -> tuple[Demand, ...]:
    """What the last turn of an output's prompt asks of the form."""
    # What follows a colon is mostly a text to work on; its words ask for nothing.
    task = asking.request_of(output.prompt).split(":\n", 1)[0].split("\n\n", 1)[0]
    found = [
        Demand("JSON", _no_json) if _JSON.search(task) else None,
        Demand("a table", _no_table) if _TABLE.search(task) else None,
        _counted(_SENTENCES, "sentences", _sentence_count, task),
        _counted(_PARAGRAPHS, "paragraphs", _paragraph_count, task),
        _items(task),
        Demand("capital letters", _not_upper) if _CAPITALS.search(task) else None,
        Demand("small letters", _not_lower) if _LOWERCASE.search(task) else None,
        Demand("a haiku", _no_haiku) if _HAIKU.search(task) else None,
        _code(task),
        _language(task),
    ]
    found += [
        Demand(f"a {name.upper()}", _lacks(name, task))
        for name, pattern in _SOURCES.items()
        if pattern.search(task) and _WANTS_SOURCE.search(task)
    ]
    return tuple(demand for demand in found if demand)


def _number(word: str) -> int:
    return _NUMBERS.get(word.casefold()) or int(word)


def _counted(
    pattern: re.Pattern[str], what: str, count: Callable[[Output], int], task: str
) -> Demand | None:
    match = pattern.search(task)
    if not match:
        return None
    wanted = _number(match[1])

    def fault(output: Output, cut: bool) -> Fault:
        has = count(output)
        wrong = has > wanted if cut else has != wanted
        return f"{has} {what} where {wanted} are asked for" if wrong else None

    return Demand(f"{wanted} {what}", fault)


def _sentence_count(output: Output) -> int:
    return len(output.sentence_spans)


def _paragraph_count(output: Output) -> int:
    return len([part for part in re.split(r"\n\s*\n", output.text) if part.strip()])


def _items(task: str) -> Demand | None:
    match = _ITEMS.search(task)
    if not match or _number(match[1]) < 2:
        return None
    wanted = _number(match[1])

    def fault(output: Output, cut: bool) -> Fault:
        has = item_count(output.text)
        right = 0 < has <= wanted if cut else has == wanted
        return None if right else f"{has or 'no'} items where {wanted} are asked for"

    return Demand(f"{wanted} items", fault)


def item_count(text: str) -> int:
    """How many items a text lists; 0 where it lists nothing.

    In this order: lines with a mark or number, numbers within a line, a series within a line, lines
    without marks, ordinals in prose.
    """
    listed = len(_BULLET.findall(text))
    if listed:
        return listed
    inline = len(_INLINE_ITEM.findall(text))
    if inline:
        return inline
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) == 1:
        items = [part for part in _SEPARATOR.split(lines[0].rsplit(":", 1)[-1]) if part.strip()]
        # A series of names is short; the commas of running prose list nothing.
        short = len(lines[0].split()) <= LIMITS.series_words * len(items)
        if short and len(items) > 1:
            return len(items)
    elif max((len(line.split()) for line in lines), default=0) <= LIMITS.line_words:
        return len(lines)
    return len({found.casefold() for found in _ORDINAL.findall(text)})


def _no_json(output: Output, cut: bool) -> Fault:
    text = output.text.strip()
    fenced = re.search(r"```(?:json)?[ \t]*\n(.*?)(?:^[ \t]*```|\Z)", text, re.S | re.M | re.I)
    body = (fenced[1] if fenced else text).strip()
    fault = formats.json_fault(body)
    if fault is None:
        return None
    begun = body[:1] in ("{", "[")
    ended = fault[0] >= len(body) - 1 or fault[1].startswith("unterminated")
    return None if cut and begun and ended else f"no JSON: {fault[1]}"


def _no_table(output: Output, cut: bool) -> Fault:
    if "table" in output.once(formats.shape).blocks or output.text.count("\t") >= 2:
        return None
    rows = len(_ROW.findall(output.text))
    return None if rows >= (1 if cut else 2) else "no table"


def _not_upper(output: Output, cut: bool) -> Fault:
    return "small letters" if any(letter.islower() for letter in output.text) else None


def _not_lower(output: Output, cut: bool) -> Fault:
    return "capital letters" if any(letter.isupper() for letter in output.text) else None


def _no_haiku(output: Output, cut: bool) -> Fault:
    stanzas = [part.strip().splitlines() for part in re.split(r"\n[ \t]*\n", output.text)]
    lines = [len([line for line in stanza if line.strip()]) for stanza in stanzas]
    begun = cut and len(lines) == 1 and lines[0] <= 3 and len(output.words) <= 17
    return None if 3 in lines or begun else "no three lines"


def _code(task: str) -> Demand | None:
    match = _CODE.search(task)
    if not match:
        return None
    python = (match["language"] or "").casefold() == "python"

    def fault(output: Output, cut: bool) -> Fault:
        lines = _PYTHON if python else _CODE_LINE
        return None if lines.search(output.text) else "no code"

    return Demand("code", fault)


def _language(task: str) -> Demand | None:
    match = _INTO.search(task)
    if not match or not _TRANSLATE.search(task):
        return None

    def fault(output: Output, cut: bool) -> Fault:
        english = function_share(output.text) >= LIMITS.english
        return f"English where {match[1].title()} is asked for" if english else None

    return Demand(match[1].title(), fault)


_MANY = re.compile(
    rf"\b{_NUMBER} (?:[a-z-]+ ){{0,2}}?(?:articles|papers|studies|sources|books|references|links|"
    r"sites|websites|addresses)\b",
    re.IGNORECASE,
)


def _lacks(kind: str, task: str) -> Callable[[Output, bool], Fault]:
    match = _MANY.search(task)
    wanted = _number(match[1]) if match else 1

    def fault(output: Output, cut: bool) -> Fault:
        has = len({found.name for found in citations(output.text) if found.kind == kind})
        if kind == "url":
            has = max(has, len(set(_BARE_ADDRESS.findall(output.text))))
        if has >= (1 if cut else wanted):
            return None
        early = cut and len(output.words) < LIMITS.source_words
        return None if early else f"{has or 'no'} {kind.upper()} where {wanted} asked for"

    return fault


def has_rows(text: str) -> bool:
    """Whether a text has two lines or more with `|` in them, as tables written by hand do."""
    return len(_ROW.findall(text)) > 1


def wants_language(prompt: str) -> bool:
    """Whether a prompt asks for another language than its own."""
    return bool(_ANY_LANGUAGE.search(prompt))


def code_share(text: str) -> float:
    """Share of the lines with anything on them that are code by their look, or are in a fence."""
    inside, code, total = False, 0, 0
    for line in text.splitlines():
        if not line.strip():
            continue
        fence = line.lstrip().startswith("```")
        inside ^= fence
        total += 1
        code += fence or inside or bool(_CODE_LINE.match(line.strip()))
    return code / total if total else 0.0
