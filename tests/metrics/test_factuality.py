"""Reference answers by SQuAD's formula, and what is said of references in a text."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.errors import SpecError
from ethogram.metrics import Output, get, score_outputs
from ethogram.metrics.citations import (
    Index,
    arxiv_fault,
    citations,
    isbn_fault,
    read_index,
    url_fault,
)
from ethogram.metrics.factuality import normalised_answer, token_f1, with_index

WORDS = st.lists(st.sampled_from(["sea", "tide", "gull"]), max_size=6)


@pytest.mark.parametrize(
    ("text", "reference", "exact", "f1", "contains"),
    [
        ("The Tide!", "tide", 1, 1.0, 1),
        ("a tide, an ebb", "Tide ebb", 1, 1.0, 1),
        # 2 common words, 4 and 3 of each: 2 · 2 / 7.
        ("the old harbour town here", "harbour town hall", 0, 4 / 7, 0),
        # "sea" stands twice in one and once in the other: 1 common word.
        ("sea sea", "sea", 0, 2 / 3, 1),
        ("It is Paris.", "Paris", 0, 0.5, 1),
        ("Lyon", "Paris", 0, 0.0, 0),
        ("Parish", "Paris", 0, 0.0, 0),
        ("co-operate", "cooperate", 1, 1.0, 1),
        ("", "Paris", 0, 0.0, 0),
    ],
)
def test_worked_by_hand(text: str, reference: str, exact: int, f1: float, contains: int) -> None:
    output = Output(text, reference=reference)
    assert get("exact_match").measure(output).value == exact
    assert get("token_f1").measure(output).value == pytest.approx(f1)
    assert get("contains_reference").measure(output).value == contains


def test_articles_alone_stay() -> None:
    assert token_f1(normalised_answer("the"), normalised_answer("A")) == 0
    assert token_f1(normalised_answer("the"), ["tide"]) == 0
    assert get("token_f1").measure(Output("x")).value is None
    assert get("contains_reference").measure(Output("x", reference=" ")).value is None


@given(WORDS, WORDS)
def test_f1_is_symmetric_and_one_only_for_equal_bags(a: list[str], b: list[str]) -> None:
    value = token_f1(a, b)
    assert value == token_f1(b, a)
    assert 0 <= value <= 1
    assert (value == 1) == (sorted(a) == sorted(b))


@given(st.text(max_size=40))
def test_an_answer_equal_to_the_reference_matches(text: str) -> None:
    output = Output(text.upper() if text.isascii() else text, reference=text)
    assert get("exact_match").measure(output).value == 1
    assert get("token_f1").measure(output).value == 1


@pytest.mark.parametrize(
    ("text", "kind", "name", "fault"),
    [
        ("doi:10.1145/3442188.3445922.", "doi", "doi:10.1145/3442188.3445922", None),
        ("https://doi.org/10.1000/(182)x,", "doi", "doi:10.1000/(182)x", None),
        ("(see 10.1000/182)", "doi", "doi:10.1000/182", None),
        ("doi: 11.1000/182", "doi", None, "no DOI"),
        ("doi.org/10.12/x", "doi", None, "no DOI"),
        ("doi:10.1000/", "doi", None, "no DOI"),
        ("arXiv:1904.09751v2", "arxiv", "arxiv:1904.09751", None),
        ("https://arxiv.org/abs/0704.0001", "arxiv", "arxiv:0704.0001", None),
        ("arXiv:cs/0111054", "arxiv", "arxiv:cs/0111054", None),
        ("arXiv:math.GT/0309136", "arxiv", "arxiv:math.gt/0309136", None),
        ("arXiv:1913.00001", "arxiv", None, "month 13"),
        ("arXiv:1904.0975", "arxiv", None, "4 digits"),
        ("arXiv:1304.09751", "arxiv", None, "5 digits"),
        ("arXiv:0612.0001", "arxiv", None, "began 0704"),
        ("arXiv:cs/1501001", "arxiv", None, "to 2007-03"),
        # The two examples of the ISBN manual and of the standard's predecessor.
        ("ISBN 978-3-16-148410-0", "isbn", "isbn:9783161484100", None),
        ("ISBN 0-306-40615-2", "isbn", "isbn:9780306406157", None),
        ("ISBN-13: 9780306406157 2009", "isbn", "isbn:9780306406157", None),
        ("ISBN 0-8044-2957-X", "isbn", "isbn:9780804429573", None),
        ("ISBN 978-3-16-148410-1", "isbn", None, "check digit"),
        ("ISBN 0-306-40615-3", "isbn", None, "check digit"),
        ("ISBN 12345", "isbn", None, "5 digits"),
        ("ISBN 0X30640615", "isbn", None, "an X that is not a check digit"),
        ("ISBN 97803064061X7", "isbn", None, "an X that is not a check digit"),
        ("https://www.example.org/a_(b).", "url", "example.org/a_(b)", None),
        ("http://localhost:8080/x", "url", "localhost:8080/x", None),
        ("http://bücher.example/", "url", "bücher.example", None),
        ("https://example", "url", None, "host"),
        ("https://-bad-.org/x", "url", None, "host"),
        ("http://300.1.1.1/", "url", None, "host"),
        ("https://example.org:99999999/", "url", None, "ort"),
        ("(Smith et al., 2019)", "author-year", "smith 2019", None),
        ("as Jones and Low (2020a) say", "author-year", "jones 2020", None),
    ],
)
def test_what_is_found_and_whether_it_can_be(
    text: str, kind: str, name: str | None, fault: str | None
) -> None:
    (found,) = citations(text)
    assert found.kind == kind
    assert (found.fault is None) == (fault is None)
    if fault:
        assert fault in (found.fault or "")
    else:
        assert found.name == name
    assert text[found.start : found.end].strip() == text[found.start : found.end] != ""


@pytest.mark.parametrize("text", ["in 2019 (Monday)", "version 1.2.3", "3.14/2", "(in 1999)", ""])
def test_what_is_no_reference(text: str) -> None:
    assert list(citations(text)) == []


@given(st.integers(0, 10**9 - 1), st.integers(0, 12), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(body: int, place: int, change: int) -> None:
    digits = f"978{body:09d}"
    check = -sum((1, 3)[i % 2] * int(d) for i, d in enumerate(digits)) % 10
    isbn = digits + str(check)
    assert isbn_fault(isbn) is None
    wrong = isbn[:place] + str((int(isbn[place]) + change) % 10) + isbn[place + 1 :]
    assert isbn_fault(wrong) is not None


@given(st.text(max_size=80))
def test_any_text_is_read_without_error(text: str) -> None:
    for found in citations("https://" + text + " doi:" + text + " arXiv:" + text):
        assert found.end > found.start
    url_fault("https://" + text)


def test_arxiv_ids_of_every_month() -> None:
    assert all(arxiv_fault(f"20{month:02d}.00001") is None for month in range(1, 13))
    assert all(arxiv_fault(f"20{month:02d}.00001") for month in (0, 13, 99))


TEXT = "See arXiv:1904.09751, arXiv:1904.99999, arXiv:1913.00001 and (Low, 2020)."


def index_file(folder: Path, *, closed: bool) -> Path:
    file = folder / "index.json"
    file.write_text(json.dumps({"closed": closed, "references": ["arXiv:1904.09751"]}))
    return file


def verdicts(file: Path | None) -> dict[str, float | None]:
    names = [f"{v}_references" for v in ("malformed", "listed", "unverifiable", "fabricated")]
    # All metrics where there is no index: naming those that read one is refused.
    table = score_outputs([Output(TEXT)], names if file else "all", index=file)
    return {name: table.to_json()["metrics"][name]["value"] for name in names}


def test_without_an_index_nothing_is_fabricated() -> None:
    with pytest.raises(SpecError, match=r"'listed_references': needs an index .* --index FILE"):
        score_outputs([Output(TEXT)], ["listed_references"])
    assert list(verdicts(None).values()) == [0.25, None, 0.75, None]


def test_an_open_index_never_says_fabricated(tmp_path: Path) -> None:
    assert list(verdicts(index_file(tmp_path, closed=False)).values()) == [0.25, 0.25, 0.5, None]


def test_a_closed_index_says_it_of_its_own_kinds_only(tmp_path: Path) -> None:
    # The paper by Low may exist: a closed list of arXiv ids says nothing of it.
    assert list(verdicts(index_file(tmp_path, closed=True)).values()) == [0.25, 0.25, 0.25, 0.25]


def test_the_verdict_is_shown_where_it_stands(tmp_path: Path) -> None:
    metrics = {m.name: m for m in with_index(read_index(index_file(tmp_path, closed=True)))}
    (fabricated,) = metrics["fabricated_references"].measure(Output(TEXT)).spans
    assert TEXT[fabricated.start : fabricated.end] == "arXiv:1904.99999"
    (malformed,) = metrics["malformed_references"].measure(Output(TEXT)).spans
    assert malformed.label == "arXiv id of month 13"


@given(st.randoms(use_true_random=False))
def test_verdicts_share_out_all_references(rng: random.Random) -> None:
    found = list(citations(TEXT))
    names = frozenset(rng.sample([c.name for c in found], rng.randint(0, len(found))))
    index = Index(names, frozenset(c.kind for c in found if c.name in names), rng.random() < 0.5)
    shares = [m.measure(Output(TEXT)).value or 0.0 for m in with_index(index)]
    assert sum(shares) == pytest.approx(1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[", "not valid JSON"),
        ('{"closed": true,\n"references": }', r"index\.json: not valid JSON: .* \(line 2\)"),
        ("[" * 100_000, r"index\.json: the JSON is nested too deeply"),
        ("9" * 5000, r"index\.json: a whole number of more than 4300 digits"),
        ("[]", "not an index of references"),
        ('{"closed": "yes", "references": []}', "not an index of references"),
        ('{"references": ["a book I read"]}', "reference 1"),
        ('{"references": ["ISBN 978-3-16-148410-1"]}', "check digit"),
    ],
)
def test_a_wrong_index_is_an_error(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "index.json"
    file.write_text(content)
    with pytest.raises(SpecError, match=said):
        read_index(file)
    with pytest.raises(SpecError, match="no such file"):
        read_index(tmp_path / "none.json")
