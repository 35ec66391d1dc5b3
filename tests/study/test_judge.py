"""Judging pairs of outputs: orders, ties, win rates, and what cannot be read."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from tests.judges import answers, prefers_longer, serving, verdict
from tests.study.judging import KIND, judged, study_of, words_of

import ethogram as eg
from ethogram.backends import Endpoint
from ethogram.errors import EthogramError, SpecError
from ethogram.spec import Generation
from ethogram.study import PairwiseJudgement


def test_both_orders_are_asked_and_a_judge_without_favourites_is_believed(study: eg.Study) -> None:
    with serving(prefers_longer) as judge:
        found = judged(study, judge.url)
    assert len(judge.asked) == 48
    shown = [answers(question) for question in judge.questions]
    assert sorted(shown) == sorted([[b, a] for a, b in shown])
    assert (found.count("after"), found.count("before"), found.count("tie")) == (16, 8, 0)
    assert found.win_rate.estimate == pytest.approx(2 / 3)
    assert found.consistency == 1
    assert found.first_position_rate == 0.5
    assert found.unparsed == found.identical == found.inconsistent == 0
    assert (found.cost.verdicts, found.cost.asked) == (48, 48)
    assert (found.cost.prompt_tokens, found.cost.completion_tokens) == (4800, 960)
    assert not found.coupled  # Nobody knows the noise of outputs made elsewhere.


def test_a_judge_that_always_takes_the_first_decides_nothing(study: eg.Study) -> None:
    with serving(lambda _: verdict("A")) as judge:
        found = judged(study, judge.url)
    assert found.count("tie") == found.inconsistent == 24
    assert found.consistency == 0
    assert found.first_position_rate == 1
    assert found.win_rate.estimate == 0.5
    assert found.verdict == "no clear preference"


def test_the_win_rate_is_a_paired_test_over_prompts(tmp_path: Path) -> None:
    """Each prompt alike, ties as half, the p-value that of swapping the versions of prompts."""
    from scipy.stats import permutation_test

    study = study_of(
        tmp_path,
        lambda prompt, sample: f"{prompt} before",
        lambda prompt, sample: f"{prompt} after {sample}",
        prompts=10,
        samples=(1, 2),
    )

    def answer(question: str) -> str:
        """After wins prompts 0 to 5 with both samples, 6 and 7 with one, and loses the others."""
        first = answers(question)[0]
        prompt, version = int(first.split()[0]), first.split()[1]
        sample = int(question.split("after ")[1][0])
        wins = prompt < 6 or (prompt < 8 and sample == 0)
        return verdict("A" if wins == (version == "after") else "B")

    with serving(answer) as judge:
        found = judged(study, judge.url)
    rates = np.array([1.0] * 6 + [0.5] * 2 + [0.0] * 2)
    assert len(found.pairs) == 20  # The only output of one meets both of the other's.
    assert found.win_rate.estimate == pytest.approx(rates.mean())
    theirs = permutation_test(
        (rates, 1 - rates),
        lambda a, b: np.mean(a - b),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    # Ours studentises; of so few values both order the assignments alike.
    assert found.test.p == pytest.approx(theirs.pvalue, abs=1e-12)


def test_unreadable_replies_are_kept_counted_and_reported(study: eg.Study) -> None:
    def answer(question: str) -> str:
        return "I would rather not say." if "Question 4?" in question else prefers_longer(question)

    with serving(answer) as judge:
        found = judged(study, judge.url)
    assert found.unparsed == 4
    assert found.unparsed_share == pytest.approx(4 / 48)
    assert [pair.outcome for pair in found.pairs if pair.before.prompt_id == "p4"] == ["tie"] * 2
    assert found.consistency == 1
    assert "8% of replies could not be read" in found.warning
    assert found.verdict == "no clear preference" or found.verdict.startswith("perhaps")
    data = found.to_json()
    assert data["unparsed"] == 4
    kept = [row for row in data["judged"] if row["before_first"] is None]
    assert {reply for row in kept for reply in row["replies"]} == {"I would rather not say."}
    with sqlite3.connect(study.folder / study.spec.settings.store) as connection:
        query = "select count(*) from verdicts where reply like 'I would%'"
        assert connection.execute(query).fetchone() == (4,)


def test_equal_outputs_tie_without_being_asked(tmp_path: Path) -> None:
    study = study_of(
        tmp_path,
        lambda prompt, sample: "the same" if prompt < 4 else "this one",
        lambda prompt, sample: "the same" if prompt < 4 else "that longer one",
        samples=(1, 1),
    )
    with serving(prefers_longer) as judge:
        found = judged(study, judge.url)
    assert len(judge.asked) == 16
    assert (found.identical, found.count("tie"), found.count("after")) == (4, 4, 8)
    assert found.win_rate.estimate == pytest.approx((4 * 0.5 + 8) / 12)
    assert found.consistency == 1  # Of the pairs that were asked about.


@pytest.mark.long
def test_a_preference_for_length_is_taken_out(tmp_path: Path) -> None:
    luck = np.random.default_rng(1)
    sizes = luck.integers(5, 60, size=(2, 60, 2))
    sizes[1] += 12
    study = study_of(
        tmp_path,
        lambda prompt, sample: "x" * int(sizes[0, prompt, sample]),
        lambda prompt, sample: "y" * int(sizes[1, prompt, sample]),
        prompts=60,
        samples=(2, 2),
    )
    with serving(prefers_longer) as judge:
        found = judged(study, judge.url)
    assert found.win_rate.low > 0.55
    assert found.length.low < 0.5 < found.length.high
    assert found.length.win_rate < found.win_rate.estimate - 0.1
    assert found.length.prompts == 60


def test_which_outputs_meet(study: eg.Study) -> None:
    with serving(prefers_longer) as judge:
        shifted = judged(study, judge.url, pairing="shifted")
        equal = judged(study, judge.url, samples=1)
    met = [(pair.before.sample_index, pair.after.sample_index) for pair in shifted.pairs]
    assert met == [(0, 1), (1, 0)] * 12
    met = [(pair.before.sample_index, pair.after.sample_index) for pair in equal.pairs]
    assert met == [(0, 0)] * 12


@pytest.fixture
def generated(tmp_path: Path, model_cache: Path) -> eg.Study:
    """A greedy version and two sampled ones, with stored outputs that no model had to make."""
    files = {
        "study.yaml": "name: made\nsamples: 2\nsuite: suites/prompts.jsonl\n",
        "versions/v0.0.1.yaml": (
            "title: Greedy\nmodel: smollm2-135m-instruct\ndecoding: {strategy: greedy}\n"
        ),
        "versions/v0.1.0.yaml": "title: A\nparent: v0.0.1\ndecoding: {strategy: sample}\n",
        "versions/v1.0.0.yaml": "title: B\nparent: v0.1.0\ndecoding: {temperature: 0.7}\n",
        "suites/prompts.jsonl": "".join(f'{{"id": "p{i}", "text": "Q{i}"}}\n' for i in range(6)),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    study = eg.Study(tmp_path)
    for version in study.versions:
        made = [
            Generation(
                identity=request.identity,
                prompt_id=request.prompt_id,
                sample_index=request.sample_index,
                prompt_text="Q",
                prompt_token_ids=(1,),
                token_ids=(2, 3),
                text=f"{version} {request.prompt_id} {request.sample_index}",
                finish_reason="eos",
                logprobs=(-1.0, -1.0),
                seconds=0.1,
            )
            for request in study.requests(version)
        ]
        study.store.add(made, model="fake")
    return study


def test_shared_noise_gives_the_win_rate_its_own_name(generated: eg.Study) -> None:
    """A coupled rate is never reported as an ordinary one; shifted indices give that."""
    names = ("v0.1.0", "v1.0.0")
    with generated as study, serving(lambda _: verdict("A")) as judge:
        endpoint = Endpoint(judge.url)
        coupled = eg.judge(study, *names, model="small", endpoint=endpoint)
        ordinary = eg.judge(study, *names, model="small", endpoint=endpoint, pairing="shifted")
        greedy = eg.judge(study, "v0.0.1", "v0.1.0", model="small", endpoint=endpoint)
    assert isinstance(coupled, PairwiseJudgement)
    assert coupled.coupled
    assert {"win_rate_coupled", "length_controlled_win_rate_coupled"} <= set(coupled.to_json())
    assert "win_rate" not in coupled.to_json()
    assert "(coupled)" in words_of(coupled)
    assert "coupled win rate" in coupled._repr_html_()
    for found in (ordinary, greedy):
        assert isinstance(found, PairwiseJudgement)
        assert not found.coupled
        assert "win_rate" in found.to_json()
        assert "win_rate_coupled" not in found.to_json()
        assert "coupled" not in words_of(found)
    assert isinstance(greedy, PairwiseJudgement)
    assert len(greedy.pairs) == 12  # Greedy's one output meets both samples.


def test_metrics_are_held_against_the_verdicts(study: eg.Study) -> None:
    """The judge goes by characters, which is mostly by words, and has nothing to do with loops."""
    metrics = ["words", "loop_rate"]
    with serving(prefers_longer) as judge:
        found = judged(study, judge.url, metrics=metrics)
        words, loops = found.agreements
        # Of 24 winners 16 have one word more, 8 won by the length of a word and have as many.
        assert words.winner_higher.estimate == pytest.approx((16 + 8 / 2) / 24)
        assert words.pairs == 24
        assert words.winner_higher.low <= words.winner_higher.estimate
        assert loops.winner_higher.estimate == 0.5
        with pytest.raises(SpecError, match="--metric: cannot be combined with --rubric"):
            judged(study, judge.url, metrics=metrics, rubric=KIND)
        with pytest.raises(EthogramError, match="wrods"):
            judged(study, judge.url, metrics=["wrods"])
    assert [each["metric"] for each in found.to_json()["metrics"]] == metrics
    assert "winner scores higher in" in words_of(found)


def test_without_a_winner_no_metric_is_held_against_anything(study: eg.Study) -> None:
    with serving(lambda _: verdict("A")) as judge:
        (words,) = judged(study, judge.url, metrics=["words"]).agreements
    assert words.pairs == 0
    assert words.to_json()["winner_higher"] is None


def test_mistakes_are_errors(tmp_path: Path, study: eg.Study) -> None:
    other = study_of(tmp_path / "b", lambda p, s: "x", lambda p, s: "y", samples=(1, 1))
    suite = other.folder / "suites" / "v0.1.0.jsonl"
    suite.write_text(suite.read_text().replace("Question 3?", "Something else?"))
    with (
        eg.Study(other.folder) as again,
        pytest.raises(SpecError, match="'p3' is used for two different prompts"),
    ):
        judged(again, "http://127.0.0.1:1/v1")
    with pytest.raises(SpecError, match="no such rubric"):
        judged(study, "http://127.0.0.1:1/v1", rubric="nope")
    with pytest.raises(EthogramError, match="v9"):
        eg.judge(study, "v0.0.1", "v9.9.9", model="small")


@pytest.mark.parametrize(
    ("shift", "pairing", "words"),
    [(1, "shifted", "shifted pairs need two samples"), (2, "equal", "share no sample index")],
)
def test_outputs_without_a_pair_are_reported(
    tmp_path: Path, shift: int, pairing: str, words: str
) -> None:
    study = study_of(tmp_path, lambda p, s: "x", lambda p, s: "y", samples=(2, 2), shift=shift)
    with pytest.raises(SpecError, match=words):
        judged(study, "http://127.0.0.1:1/v1", pairing=pairing)
