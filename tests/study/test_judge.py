"""Judging a study by a server on this machine: orders, ties, storage, and what cannot be read."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from tests.judges import answers, prefers_longer, refusal, serving, verdict

import ethogram as eg
from ethogram.backends import Endpoint
from ethogram.errors import BackendError, EthogramError, SpecError
from ethogram.report.judging import print_pairwise, print_rubric
from ethogram.spec import Generation
from ethogram.spec.rubric import Criterion, Rubric
from ethogram.study import PairwiseJudgement, RubricJudgement
from ethogram.study.judging.prompts import PAIRWISE

SECRET = "sk-very-secret-0123456789"
KIND = Rubric(criteria=(Criterion(name="kind", question="Kind?"),))
BOTH = Rubric(criteria=(*KIND.criteria, Criterion(name="true", question="True?")))
Texts = Callable[[int, int], str]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def study_of(
    folder: Path,
    before: Texts,
    after: Texts,
    *,
    prompts: int = 12,
    samples: tuple[int, int],
    shift: int = 0,
) -> eg.Study:
    """A study of two versions whose outputs were made elsewhere.

    The second one's sample indices begin at `shift`.
    """
    (folder / "suites").mkdir(parents=True)
    (folder / "versions").mkdir()
    (folder / "study.yaml").write_text("name: judged\nsuite: suites/prompts.jsonl\n")
    (folder / "suites" / "prompts.jsonl").write_text('{"id": "unused", "text": "unused"}\n')
    for name, texts, number in (("v0.0.1", before, samples[0]), ("v0.1.0", after, samples[1])):
        file = folder / f"{name}.jsonl"
        rows = [
            {
                "prompt_id": f"p{prompt}",
                "prompt": f"Question {prompt}?",
                "sample_index": sample + (shift if texts is after else 0),
                "output": texts(prompt, sample),
            }
            for prompt in range(prompts)
            for sample in range(number)
        ]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        with eg.Study(folder) as study:
            eg.import_outputs(study, file, name)
    study = eg.Study(folder)
    eg.run(study)
    return study


@pytest.fixture
def study(tmp_path: Path) -> eg.Study:
    """Twelve prompts, two samples; the second version's outputs are longer on two thirds."""
    return study_of(
        tmp_path / "study",
        lambda prompt, sample: f"short answer {sample}",
        lambda prompt, sample: f"{'a longer' if prompt % 3 else 'a'} answer {sample}",
        samples=(2, 2),
    )


def judged(study: eg.Study, url: str, **options: Any) -> Any:
    endpoint = Endpoint(url, retries=0, timeout=10)
    return eg.judge(study, "v0.0.1", "v0.1.0", model="small", endpoint=endpoint, **options)


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


def test_nothing_is_asked_twice_whoever_serves_the_model(study: eg.Study) -> None:
    with serving(prefers_longer) as judge:
        first = judged(study, judge.url)
    with serving(lambda _: refusal(500)) as other:
        second = judged(study, other.url)
    assert other.asked == []
    offline = judged(study, "http://127.0.0.1:1/v1", offline=True)
    for again in (second, offline):
        assert again.cost.asked == 0
        same = {**first.to_json(), "cost": None}
        assert {**again.to_json(), "cost": None} == same
        assert again.cost.prompt_tokens == first.cost.prompt_tokens


@pytest.mark.parametrize("change", [{"max_tokens": 99}, {"rubric": KIND}, {"pairing": "shifted"}])
@pytest.mark.long
def test_another_question_is_asked_again(study: eg.Study, change: dict[str, Any]) -> None:
    with serving(prefers_longer) as judge:
        judged(study, judge.url)
        before = len(judge.asked)
        judged(study, judge.url, **change)
        assert len(judge.asked) == before + 48
    with serving(prefers_longer) as judge:
        eg.judge(study, "v0.0.1", "v0.1.0", model="large", endpoint=Endpoint(judge.url))
        assert len(judge.asked) == 48


def test_offline_says_what_is_missing(study: eg.Study) -> None:
    with serving(prefers_longer) as judge:
        judged(study, judge.url, samples=1)
    with pytest.raises(SpecError, match="24 of 48 verdicts of 'small' are not stored"):
        judged(study, judge.url, offline=True)
    assert len(judged(study, judge.url, offline=True, samples=1).pairs) == 12


def test_after_a_failure_only_the_rest_is_asked(study: eg.Study) -> None:
    tries = count()
    with serving(lambda q: prefers_longer(q) if next(tries) < 30 else refusal(401)) as judge:
        with pytest.raises(BackendError, match="requires a key"):
            judged(study, judge.url)
        with sqlite3.connect(study.folder / study.spec.settings.store) as connection:
            (stored,) = connection.execute("select count(*) from verdicts").fetchone()
    assert stored == 30
    with serving(prefers_longer) as judge:
        assert judged(study, judge.url).cost.asked == len(judge.asked) == 18


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


def test_a_rubric_scores_each_output_by_itself(study: eg.Study) -> None:
    def answer(question: str) -> str:
        (only,) = answers(question)
        if only.endswith("1") and "Question 7?" in question:
            return "No."
        return f'Fine.\n{{"kind": {9 if only.startswith("a longer") else 4}, "true": 6}}'

    with serving(answer) as judge:
        found = judged(study, judge.url, rubric=BOTH)
        again = judged(study, judge.url, rubric=BOTH, offline=True)
    assert isinstance(found, RubricJudgement)
    assert len(judge.asked) == 48
    kind, true, overall = found.differences
    assert (kind.metric.name, true.metric.name, overall.metric.name) == ("kind", "true", "overall")
    assert kind.before == pytest.approx(4)
    # Sample means by prompt; of prompt 7 one sample is left, and it is weighed by what it says.
    assert kind.after == pytest.approx((9 * 7.5 + 4 * 4) / 11.5)
    assert true.estimate == 0
    assert overall.estimate == pytest.approx(kind.estimate / 2)
    assert kind.verdict == "better"
    assert found.unparsed == (1, 1)
    assert again.to_json()["differences"] == found.to_json()["differences"]
    shown = words_of(found)
    assert "1 of 24 for v0.0.1, 1 of 24 for v0.1.0" in " ".join(shown.split())
    assert len(judged(study, judge.url, rubric=BOTH, offline=True, samples=1).scored[0]) == 12


def test_what_a_judge_says_is_inert_wherever_it_is_shown(study: eg.Study) -> None:
    hostile = "\x1b[2J\x1b]0;owned\x07<script>alert(1)</script> [bold red]x[/] \x9b31m\u202e"

    def answer(question: str) -> str:
        return hostile if "Question 1?" in question else hostile + "\n" + prefers_longer(question)

    with serving(answer) as judge:
        found = judged(study, judge.url)
        scored = judged(study, judge.url, rubric=BOTH)
    for result in (found, scored):
        shown = words_of(result, shown=24)
        assert all(character == "\n" or character.isprintable() for character in shown)
        assert "<script>" in shown  # As text, in a terminal.
        assert "[bold red]" in shown
        assert "<script>" not in result._repr_html_()
        # In JSON the words are whole; escapes are the form's own.
        assert "\x1b" not in json.dumps(result.to_json())


def test_the_key_is_nowhere_but_in_the_request(study: eg.Study) -> None:
    endpoint = Endpoint(None, api_key=SECRET, retries=0)
    with serving(prefers_longer) as judge:
        endpoint = Endpoint(judge.url, api_key=SECRET)
        found = eg.judge(study, "v0.0.1", "v0.1.0", model="small", endpoint=endpoint)
    assert set(judge.keys) == {f"Bearer {SECRET}"}
    study.close()
    for file in study.folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert SECRET.encode() not in content, file
            # Nor the endpoint: verdicts are those of a model, wherever it is served.
            assert judge.url.encode() not in content, file
    assert SECRET not in repr(endpoint) + words_of(found) + json.dumps(found.to_json())


def test_verdicts_tell_what_was_asked(study: eg.Study) -> None:
    with serving(prefers_longer) as judge:
        judged(study, judge.url)
    with sqlite3.connect(study.folder / study.spec.settings.store) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute("select * from verdicts").fetchall()
    identities = set(study.identities("v0.0.1")) | set(study.identities("v0.1.0"))
    for row in rows:
        assert (row["judge"], row["served_model"]) == ("small", "served-judge")
        assert (row["prompt"], row["prompt_digest"]) == (PAIRWISE.id, PAIRWISE.digest)
        assert {row["first"], row["second"]} <= identities
    pairs = {(row["first"], row["second"]) for row in rows}
    assert pairs == {(second, first) for first, second in pairs}


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


def words_of(found: PairwiseJudgement | RubricJudgement, *, shown: int = 1) -> str:
    """What the terminal shows."""
    console = Console(width=120, no_color=True, record=True, file=io.StringIO())
    if isinstance(found, PairwiseJudgement):
        print_pairwise(console, found, shown=shown)
    else:
        print_rubric(console, found, shown=shown)
    return console.export_text()
