"""Distances to human text against scipy, and that human text is near itself."""

import gzip
import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from ethogram.errors import SpecError
from ethogram.files import open_text
from ethogram.metrics import Output, score, score_outputs
from ethogram.metrics.human_text import WINDOW, jensen_shannon, read_human_text

COUNTS = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 9), min_size=1)


@given(COUNTS, COUNTS)
def test_divergence_is_that_of_scipy(a: dict[str, int], b: dict[str, int]) -> None:
    keys = sorted(a.keys() | b.keys())
    p, q = ([counts.get(key, 0) for key in keys] for counts in (a, b))
    value = jensen_shannon(Counter(a), Counter(b))
    assert value == pytest.approx(jensenshannon(p, q, base=2) ** 2, abs=1e-9)
    assert value == pytest.approx(jensen_shannon(Counter(b), Counter(a)), abs=1e-12)
    assert 0 <= value <= 1
    assert jensen_shannon(Counter(a), Counter(a)) == 0
    assert np.isnan(jensen_shannon(Counter(), Counter(a)))


def texts(seed: int, words: list[str], count: int) -> list[str]:
    rng = random.Random(seed)
    # A mark before a small letter ends no sentence.
    ended = {word: f"{word}. {word.capitalize()}" for word in words}
    return [
        " ".join(rng.choice([word, word, word, ended[word]]) for word in rng.choices(words, k=70))
        for _ in range(count)
    ]


@pytest.fixture
def human(tmp_path: Path) -> Path:
    file = tmp_path / "human.jsonl"
    rows = texts(0, ["the", "tide", "and", "gulls", "rise"], 200)
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in rows))
    return file


NAMES = [f"human_{kind}" for kind in ("words", "word_lengths", "sentence_lengths")]


def test_like_text_is_at_the_baseline_and_other_text_is_far(human: Path) -> None:
    like = texts(1, ["the", "tide", "and", "gulls", "rise"], 80)
    other = texts(2, ["astonishing", "circumstances", "notwithstanding"], 80)
    near = score_outputs(map(Output, like), NAMES, human_text=human)
    far = score_outputs(map(Output, other), NAMES, human_text=human)
    rest = read_human_text(human).baseline[:80]
    baseline = score_outputs(rest, NAMES, human_text=human)
    for name in NAMES:
        assert near[name].value < 0.1 > baseline[name].value
    assert far["human_words"].value == 1
    assert far["human_word_lengths"].value == 1


def test_length_does_not_matter(human: Path) -> None:
    rows = texts(1, ["the", "tide", "gulls"], 60)
    longer = [text + " and so they go on for ever and ever" for text in rows]
    short = [text for row in rows for text in (row, "too short")]
    tables = [
        score_outputs(map(Output, some), NAMES, human_text=human) for some in (rows, longer, short)
    ]
    for name in NAMES:
        assert len({table[name].value for table in tables}) == 1


def test_only_as_many_outputs_as_there_is_human_text(human: Path) -> None:
    half = len(read_human_text(human).baseline)
    rows = texts(1, ["the", "tide", "gulls"], half + 50)
    some, all_ = (
        score_outputs(map(Output, r), NAMES, human_text=human) for r in (rows[:half], rows)
    )
    assert some["human_words"].value == all_["human_words"].value


def test_a_text_file_has_a_text_a_line(tmp_path: Path) -> None:
    plain, packed = tmp_path / "human.txt", tmp_path / "human.txt.gz"
    content = "\n".join(["= Heading =", *texts(0, ["sea", "sand"], 4), ""])
    plain.write_text(content)
    packed.write_bytes(gzip.compress(content.encode()))
    for file in (plain, packed):
        text = read_human_text(file)
        assert len(text.compared) == len(text.baseline) == 2
        assert all(len(window.words) == WINDOW for window in text.compared)


def test_an_unreadable_human_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"none\.txt: no such file"):
        read_human_text(tmp_path / "none.txt")
    short = tmp_path / "short.txt"
    short.write_text("too short\n")
    with pytest.raises(SpecError, match="two texts of 50 words at least, has 0"):
        read_human_text(short)
    broken = tmp_path / "broken.txt"
    broken.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError, match="not UTF-8 text"):
        read_human_text(broken)
    with pytest.raises(SpecError, match=r"'human_words': needs human text .* --human-text FILE"):
        score_outputs([Output("a")], ["human_words"])


@pytest.mark.long
def test_released_samples_are_near_human_text_and_greedy_ones_and_wikipedia_are_not(
    released: Callable[[str], Path],
) -> None:
    human = released("gpt2-large-webtext/human.jsonl")
    kinds = [*NAMES, "human_function_words"]
    names = kinds
    rest = score_outputs(read_human_text(human).baseline, names, human_text=human)
    nucleus, greedy = (
        score(released(f"gpt2-large-webtext/{kind}.jsonl"), names, human_text=human, processes=1)
        for kind in ("nucleus", "greedy")
    )
    with open_text(released("wikitext-2/test.txt")) as file:
        lines = [Output(line) for line in file]
    wikipedia = score_outputs(lines, names, human_text=human, processes=1)
    for name in kinds:
        near = nucleus[name].by_sample[0]
        # It may fall below the baseline: it goes on with the same beginnings as its human half.
        assert near < 1.1 * rest[name].value
        assert near < greedy[name].by_sample[0]
        assert near < wikipedia[name].by_sample[0]
