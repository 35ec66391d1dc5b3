"""Several processes give the table that one gives, bit for bit, and hold only a few chunks."""

import json
import pickle
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from ethogram.errors import MissingExtraError, SpecError
from ethogram.metrics import Output, Score, all_metrics, score_outputs
from ethogram.metrics import parallel as several
from ethogram.metrics.registry import chosen_metrics
from ethogram.spec.suite import Constraint


def outputs(count: int) -> Iterator[Output]:
    rng = random.Random(0)
    words = [
        "the",
        "tide",
        "comes",
        "in",
        "and",
        "on",
        "and",
        "on",
        "ISBN",
        "12345",
        "Q:",
        "<s>",
        "no.",
        "Yes!",
        "```",
    ]
    for number in range(count):
        text = " ".join(rng.choice(words) for _ in range(rng.randint(0, 40)))
        yield Output(
            text,
            prompt="When does the tide come in?",
            token_ids=tuple(rng.randrange(9) for _ in range(12)),
            logprobs=tuple(-rng.random() for _ in range(12)),
            finish_reason=rng.choice(["eos", "length", None]),
            reference=rng.choice([None, "tide"]),
            prompt_id=f"p{number // 3}",
            sample_index=number % 3,
            constraints=(Constraint(type="punctuation:no_comma"),) * rng.randint(0, 1),
        )


@pytest.mark.long
def test_two_processes_give_the_table_of_one() -> None:
    told: list[int] = []
    one = score_outputs(outputs(400), processes=1)
    two = score_outputs(outputs(400), processes=2, on_progress=told.append)
    assert json.dumps(one.to_json()) == json.dumps(two.to_json())
    assert told == list(range(1, 401))


def test_few_outputs_are_measured_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("started processes for a few outputs")

    monkeypatch.setattr(several, "ProcessPoolExecutor", refuse)
    assert score_outputs(outputs(20), ["empty_rate"], processes=None).outputs == 20
    monkeypatch.setattr(several, "SERIAL_OUTPUTS", 10)
    monkeypatch.setattr(several, "threads_to_use", lambda: 2)
    with pytest.raises(AssertionError, match="a few outputs"):
        score_outputs(outputs(20), ["words"], processes=None)


@pytest.mark.long
def test_only_a_few_chunks_are_on_their_way() -> None:
    read = 0

    def counted() -> Iterator[Output]:
        nonlocal read
        for output in outputs(2000):
            read += 1
            yield output

    choose = partial(chosen_metrics, ("words",))
    for done, (_, scores) in enumerate(several.measured(counted(), choose, 2), start=1):
        assert isinstance(scores[0], Score)
        assert read - done <= 5 * several.CHUNK
        if done == 600:
            break


@pytest.mark.long
def test_a_broken_line_in_the_middle_ends_it_with_its_place(tmp_path: Path) -> None:
    from ethogram.metrics import score

    file = tmp_path / "outputs.jsonl"
    file.write_text('{"text": "a"}\n' * 300 + "{broken\n")
    with pytest.raises(SpecError, match=f"{file}:301"):
        score(file, ["words"], processes=2)


def test_what_was_found_of_an_output_stays_in_its_process() -> None:
    output = next(outputs(1))
    before = pickle.dumps(output)
    for metric in all_metrics():
        metric.measure(output)
    assert pickle.dumps(output) == before
    assert pickle.loads(before) == output


@pytest.mark.parametrize(
    "error", [SpecError("wrong", where="a:1", hint="mend it"), MissingExtraError("ifeval", "this")]
)
def test_an_error_comes_over_from_another_process(error: SpecError | MissingExtraError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)
