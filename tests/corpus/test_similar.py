"""Near-duplicates, overlap with a suite, and splits that leak nothing."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ethogram.corpus import Row, Turn, alike, fingerprint, overlap, split

WORDS = [f"word{number}" for number in range(60)]


def text(*changes: int) -> str:
    words = list(WORDS)
    for place in changes:
        words[place] = "other"
    return " ".join(words)


def row(words: str, line: int = 1, **extra: object) -> Row:
    return Row("text", Path("a.txt"), line, text=words, extra=extra)


def test_near_duplicates_are_one_group() -> None:
    groups = alike(
        [text(), text().upper() + "!", text(0), text(*range(0, 60, 3)), "short", "Short."]
    )
    assert [groups.find(member) for member in range(6)] == [0, 0, 0, 3, 4, 4]


def test_overlap_names_the_row_and_the_share() -> None:
    prompts = [" ".join(WORDS[:12]), "What is it?", "Hi"]
    rows = [row(text()), row("He asked: what is it? Nobody knew.", 2), row("nothing shared", 3)]
    found = overlap(rows, prompts)
    assert [(each.row.line, each.prompt, each.share) for each in found] == [
        (1, 0, 1.0),
        (2, 1, 1.0),
    ]
    assert found[1].example == "what is it"


def test_half_of_a_prompt_counts_and_less_does_not() -> None:
    prompt = " ".join([*WORDS[:12], *(f"new{number}" for number in range(4))])
    assert [each.share for each in overlap([row(text())], [prompt])] == [5 / 9]
    assert overlap([row(text())], [prompt], share=0.6) == []


@given(st.permutations(range(40)))
def test_a_split_does_not_depend_on_the_order_of_rows(order: list[int]) -> None:
    rows = [row(f"document number {number} about {number * 7}", number) for number in range(40)]
    learned, held = split(rows, 0.3)
    shuffled = split([rows[place] for place in order], 0.3)
    assert {each.line for each in shuffled[1]} == {each.line for each in held}
    assert len(learned) + len(held) == 40
    assert held


def test_groups_stay_on_one_side() -> None:
    rows = [row(f"{number} {text()}", number) for number in range(30)]
    for seed in range(20):
        sides = [len(side) for side in split(rows, 0.5, seed=seed)]
        assert 30 in sides
    asked = [
        Row(
            "messages",
            Path("a.jsonl"),
            number,
            messages=(
                Turn("user", f"Question {number % 4}"),
                Turn("assistant", f"Answer {number}"),
            ),
        )
        for number in range(40)
    ]
    learned, held = split(asked, 0.5, seed=3)
    prompts = [{each.messages[0].content for each in side} for side in (learned, held)]
    assert not prompts[0] & prompts[1]


def test_a_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    for name, content in (("a", "x"), ("b", "x"), ("c", "y")):
        (tmp_path / name).write_text(content)
    a, b, c = (fingerprint([tmp_path / name]) for name in "abc")
    assert a == b != c


def test_rows_of_one_topic_stay_on_one_side() -> None:
    rows = [
        row(f"document {number} on {number * 7}", number, topic=number % 4) for number in range(40)
    ]
    learned, held = split(rows, 0.5, by="topic", seed=2)
    topics = [{each.extra["topic"] for each in side} for side in (learned, held)]
    assert not topics[0] & topics[1]
    assert topics[0]
    assert topics[1]


@given(st.permutations(range(10)))
def test_chains_of_near_duplicates_are_one_group_in_any_order(order: list[int]) -> None:
    words = [f"word{number}" for number in range(400)]

    def link(place: int) -> str:
        """A text like its neighbours in the chain, and unlike the ends."""
        return " ".join(
            f"other{at}" if at % 40 == 0 and at < 40 * place else word
            for at, word in enumerate(words)
        )

    chain = [link(place) for place in range(10)]
    ends = alike([chain[0], chain[-1]])
    assert ends.find(0) != ends.find(1)
    groups = alike(chain[place] for place in order)
    assert {groups.find(member) for member in range(10)} == {0}
