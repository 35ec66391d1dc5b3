"""Citations: what an output refers to, and what can be known of it without a network.

Four verdicts, of which the first three need no knowledge of the world:

    malformed     cannot exist: an ISBN whose check digit is wrong, an arXiv month of 13, a DOI
                  without a suffix, an address without a host
    listed        is in the index that the user named
    unverifiable  well formed; whether it exists cannot be known offline
    fabricated    well formed, of a kind that the index covers, not in it, and the index says of
                  itself that it is closed: that it holds all there is
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from ethogram.errors import SpecError
from ethogram.spec.source import parse_json, read_text

Kind = Literal["doi", "arxiv", "isbn", "url", "author-year"]
Verdict = Literal["malformed", "listed", "unverifiable", "fabricated"]

_DOI = re.compile(r"(?:\bdoi:[ \t]*|\bdoi\.org/)(\S+)|(?<![\w./])(10\.\d{4,9}/\S+)", re.IGNORECASE)
_GOOD_DOI = re.compile(r"10\.\d{4,9}(?:\.\d+)*/[!-~]+")
_ARXIV = re.compile(
    r"(?:\barxiv:[ \t]*|\barxiv\.org/(?:abs|pdf)/)([a-z-]+(?:\.[A-Z]{2})?/\d+|\d+\.\d+)(v\d+)?",
    re.IGNORECASE,
)
_ISBN = re.compile(
    r"\bISBN(?:-1[03])?:?[ \t]*((?:97[89][- ]?)?\d(?:[- ]?[\dXx]){3,16})", re.IGNORECASE
)
_URL = re.compile(r"\bhttps?:(?://)?[^\s<>\"”’\]]*", re.IGNORECASE)
# No name is longer; without a bound each `A` of `A-A-A-…` would be read to the end.
_NAME = r"[A-Z][\w'’-]{1,60}+"
_NAMES = rf"{_NAME}(?: et al\.?|,? (?:and|&) {_NAME})?"
_AUTHOR_YEAR = re.compile(
    rf"\(({_NAMES}),? ((?:1[5-9]|20)\d\d)[a-z]?\)|\b({_NAMES}) \(((?:1[5-9]|20)\d\d)[a-z]?\)"
)
_YEAR_IN_BRACKETS = re.compile(r"\d{4}[a-z]?\)")
_HOST = re.compile(r"(?=.{4,253}$)(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$")
_TAIL = ".,;:!?'\"”’)]}>*_"


@dataclass(frozen=True)
class Citation:
    """One reference in a text.

    Attributes:
        kind: of the reference.
        name: it, in the one way in which the index writes it.
        start: of its characters in the text.
        end: after them.
        fault: why it cannot exist; None where it is well formed.
    """

    kind: Kind
    name: str
    start: int
    end: int
    fault: str | None = None


@dataclass(frozen=True)
class Index:
    """References that are known to exist.

    Attributes:
        names: normalised names.
        kinds: kinds among them.
        closed: whether it holds all there is; only then is a missing one fabricated.
    """

    names: frozenset[str]
    kinds: frozenset[Kind]
    closed: bool

    def verdict(self, citation: Citation) -> Verdict:
        """What can be said of a reference."""
        if citation.fault:
            return "malformed"
        if citation.name in self.names:
            return "listed"
        # A closed list of DOIs says nothing of books.
        known_kind = citation.kind in self.kinds
        return "fabricated" if self.closed and known_kind else "unverifiable"


NO_INDEX = Index(frozenset(), frozenset(), closed=False)


def read_index(path: Path) -> Index:
    """The index in a JSON file: `{"closed": true, "references": ["doi:10.…", "arXiv:…", …]}`.

    Raises:
        SpecError: the file cannot be read, has another form, or names what is not a reference.
    """
    data = parse_json(read_text(path), str(path))
    listed = data.get("references") if isinstance(data, dict) else None
    closed = data.get("closed", False) if isinstance(data, dict) else None
    if not isinstance(listed, list) or not isinstance(closed, bool):
        raise SpecError(
            "not an index of references",
            where=str(path),
            hint='write {"closed": false, "references": ["doi:10.1000/182", "arXiv:1904.09751"]}',
        )
    found: list[Citation] = []
    for number, text in enumerate(listed, start=1):
        cited = list(citations(text)) if isinstance(text, str) else []
        if not cited or cited[0].fault:
            why = cited[0].fault if cited else "no DOI, arXiv id, ISBN, address or author and year"
            raise SpecError(f"{text!r}: {why}", where=f"{path}: reference {number}")
        found += cited
    return Index(
        frozenset(cited.name for cited in found), frozenset(cited.kind for cited in found), closed
    )


def citations(text: str) -> Iterator[Citation]:
    """The references in a text, in order of kind; an address of a DOI or arXiv is that."""
    taken: list[tuple[int, int]] = []
    for cited in (*_dois(text), *_arxiv_ids(text), *_isbns(text), *_author_years(text)):
        taken.append((cited.start, cited.end))
        yield cited
    for match in _URL.finditer(text):
        start, end = match.start(), match.start() + len(_trimmed(match[0]))
        if not any(start < other_end and other < end for other, other_end in taken):
            address = text[start:end]
            yield Citation("url", _plain_url(address), start, end, url_fault(address))


def _trimmed(found: str) -> str:
    """Without the marks of the sentence around it; a bracket that it opens itself stays."""
    trimmed = found.rstrip(_TAIL)
    if found[len(trimmed) :].startswith(")") and trimmed.count("(") > trimmed.count(")"):
        trimmed += ")"
    return trimmed


def _dois(text: str) -> Iterator[Citation]:
    for match in _DOI.finditer(text):
        group = 1 if match[1] else 2
        doi = _trimmed(match[group])
        good = _GOOD_DOI.fullmatch(doi)
        end = match.start(group) + len(doi)
        fault = None if good else "no DOI: 10., a registrant's number, / and a suffix"
        yield Citation("doi", f"doi:{doi.lower()}", match.start(), end, fault)


def _arxiv_ids(text: str) -> Iterator[Citation]:
    for match in _ARXIV.finditer(text):
        name, fault = match[1].lower(), arxiv_fault(match[1])
        yield Citation("arxiv", f"arxiv:{name}", match.start(), match.end(), fault)


def arxiv_fault(name: str) -> str | None:
    """Why a text is not an arXiv identifier; None if it is one.

    YYMM.NNNN from 2007-04 to 2014-12, YYMM.NNNNN since; archive/YYMMNNN before.
    """
    old, _, number = name.rpartition("/")
    digits = number if old else number.split(".")[0]
    year, month = int(digits[:2] or 0), int(digits[2:4] or 0)
    if not 1 <= month <= 12:
        return f"arXiv id of month {digits[2:4]}"
    if old:
        early = year >= 91 or (year, month) <= (7, 3)
        return (
            None if len(digits) == 7 and early else "no old arXiv id: archive/YYMMNNN, to 2007-03"
        )
    if len(digits) != 4 or (year, month) < (7, 4):
        return "no arXiv id: such began 0704"
    wanted = 4 if year < 15 else 5
    behind = len(number.split(".")[1])
    return (
        None if behind == wanted else f"arXiv id with {behind} digits behind the dot, not {wanted}"
    )


def _isbns(text: str) -> Iterator[Citation]:
    for match in _ISBN.finditer(text):
        written = match[1]
        # Digits of what follows, as a year, may follow a space: the first valid form counts.
        forms = [written, *(written[: gap.start()] for gap in re.finditer(" ", written))]
        good = next((form for form in forms if isbn_fault(form) is None), None)
        chosen = good or written
        digits = re.sub(r"[- ]", "", chosen).upper()
        # What is not an ISBN has no other form: an X may be anywhere in it.
        name = "isbn:" + (_isbn_13(digits) if good else digits)
        end = match.start(1) + len(chosen)
        yield Citation("isbn", name, match.start(), end, None if good else isbn_fault(written))


def isbn_fault(written: str) -> str | None:
    """Why a text is no ISBN (ISO 2108); None if it is one. Hyphens and spaces do not count."""
    digits = re.sub(r"[- ]", "", written).upper()
    if re.fullmatch(r"\d{9}[\dX]", digits):
        values = [10 if digit == "X" else int(digit) for digit in digits]
        total = sum(weight * value for weight, value in zip(range(10, 0, -1), values, strict=True))
        return None if total % 11 == 0 else "ISBN whose check digit is wrong"
    if re.fullmatch(r"97[89]\d{10}", digits):
        total = sum((1, 3)[at % 2] * int(digit) for at, digit in enumerate(digits))
        return None if total % 10 == 0 else "ISBN whose check digit is wrong"
    if "X" in digits[:-1]:
        return "ISBN with an X that is not a check digit"
    return f"ISBN of {len(digits)} digits"


def _isbn_13(digits: str) -> str:
    """The 13-digit form of a valid ISBN, so that both forms of one book have one name."""
    if len(digits) != 10:
        return digits
    body = "978" + digits[:9]
    total = sum((1, 3)[at % 2] * int(digit) for at, digit in enumerate(body))
    return body + str(-total % 10)


def _author_years(text: str) -> Iterator[Citation]:
    # The pattern is slow on prose, and most of it has no year in brackets.
    for match in _AUTHOR_YEAR.finditer(text) if _YEAR_IN_BRACKETS.search(text) else ():
        names, year = (match[1], match[2]) if match[1] else (match[3], match[4])
        first = names.split()[0].rstrip(",").casefold()
        yield Citation("author-year", f"{first} {year}", match.start(), match.end())


def _plain_url(address: str) -> str:
    return re.sub(r"^https?://(www\.)?", "", address, flags=re.IGNORECASE).rstrip("/")


def url_fault(address: str) -> str | None:
    """Why a text is not an address of the web; None if it is one (RFC 3986, with a dotted host)."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"no address: {error}"
    if not host:
        return "address without a host"
    if host == "localhost" or ":" in host:  # urlsplit has read an IPv6 address by now.
        return None
    if re.fullmatch(r"[\d.]+", host):
        numbers = host.split(".")
        good = len(numbers) == 4 and all(part.isdigit() and int(part) < 256 for part in numbers)
        return None if good else f"no address: host {host!r}"
    try:
        ascii_host = host.encode("idna").decode().lower()
    except UnicodeError:
        return f"no address: host {host!r}"
    return None if _HOST.match(ascii_host) else f"no address: host {host!r}"
