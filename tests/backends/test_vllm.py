"""vLLM itself, where it is installed: the engine's outputs token for token, and whole runs.

`ETHOGRAM_VLLM='{"enforce_eager": true}'` spares it the time in which it compiles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("vllm", reason="vLLM is not installed: pip install '.[vllm]'")

from ethogram.backends.vllm import VllmBackend
from ethogram.engine import Engine
from ethogram.errors import RequestError
from ethogram.models import ModelReference, load
from ethogram.spec import Decoding, Request
from ethogram.study import Study, run

PROMPTS = ("the old lighthouse keeper", "what is the capital? Answer:", "0 1 2 3", "the sea")


@pytest.fixture(scope="module")
def both(checkpoint: Callable[..., Path]) -> Iterator[tuple[VllmBackend, Engine]]:
    """vLLM and the engine on one tiny Llama."""
    reference = ModelReference(str(checkpoint("llama_wide")))
    backend = VllmBackend(reference, options={"enforce_eager": True})
    yield backend, Engine(load(reference))
    backend.close()


def requests(decoding: Decoding, *, samples: int = 1) -> list[Request]:
    return [
        Request(f"{place}-{index}", f"p{place}", index, prompt, decoding, 1000 * place + index)
        for place, prompt in enumerate(PROMPTS)
        for index in range(samples)
    ]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"repetition_penalty": 1.3, "frequency_penalty": 0.4, "presence_penalty": -0.2},
        {"logit_bias": {5: 4.0, 40: -2.0}, "min_new_tokens": 10},
        {"stop": ("e",), "min_new_tokens": 5},
    ],
)
def test_greedy_outputs_are_the_engines(
    both: tuple[VllmBackend, Engine], settings: dict[str, Any]
) -> None:
    backend, engine = both
    wanted = requests(Decoding(strategy="greedy", max_new_tokens=24, **settings))
    theirs = {made.identity: made for made in backend.generate(wanted)}
    for ours in engine.generate(wanted):
        made = theirs[ours.identity]
        assert made.prompt_token_ids == ours.prompt_token_ids
        assert made.token_ids == ours.token_ids
        assert (made.text, made.finish_reason) == (ours.text, ours.finish_reason)
        assert made.logprobs == pytest.approx(ours.logprobs, abs=1e-3)


def test_a_seed_gives_its_sample_again(both: tuple[VllmBackend, Engine]) -> None:
    backend, _ = both
    wanted = requests(Decoding(temperature=0.9, top_p=0.95, max_new_tokens=8), samples=5)
    first = {made.identity: made.token_ids for made in backend.generate(wanted)}
    second = {made.identity: made.token_ids for made in backend.generate(wanted[::-1])}
    assert first == second
    assert len(set(first.values())) > len(PROMPTS)


def test_draws_follow_the_engines_distribution(both: tuple[VllmBackend, Engine]) -> None:
    """First tokens of 3000 samples of each, under all steps that reshape the distribution."""
    from scipy.stats import chi2_contingency

    decoding = Decoding(order="vllm", temperature=0.8, min_p=0.02, top_k=12, top_p=0.9)
    decoding = decoding.model_copy(update={"max_new_tokens": 1})
    wanted = [Request(str(i), "p", i, PROMPTS[0], decoding, 7919 * i) for i in range(3000)]
    counts = [Counter(made.token_ids[0] for made in source.generate(wanted)) for source in both]
    tokens = sorted(counts[0] | counts[1])
    assert len(tokens) > 2
    assert set(counts[0]) == set(counts[1]), "the same tokens are kept"
    table = [[one[token] for token in tokens] for one in counts]
    assert chi2_contingency(table).pvalue > 1e-4


def test_candidates_are_chosen_as_the_engine_chooses(both: tuple[VllmBackend, Engine]) -> None:
    backend, _ = both
    for made in backend.generate(requests(Decoding(best_of=4, max_new_tokens=6))):
        assert made.selection is not None
        assert len(made.selection.scores) == 4
        assert made.selection.score == max(made.selection.scores)


def test_a_bad_request_is_named_before_anything_runs(both: tuple[VllmBackend, Engine]) -> None:
    backend, _ = both
    good, bad = requests(Decoding())[:1], requests(Decoding(typical_p=0.9))[1:2]
    with pytest.raises(RequestError, match=r"decoding\.typical_p: vLLM has no") as caught:
        backend.generate(good + bad)
    assert caught.value.request == bad[0].identity


def test_a_version_runs_into_the_store(
    tiny_study: Path, checkpoint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETHOGRAM_VLLM", '{"enforce_eager": true}')
    (tiny_study / "versions/v0.2.0.yaml").write_text(
        f"title: Other\nparent: v0.1.0\nbackend: vllm\nmodel: {checkpoint('llama_wide')}\n",
        encoding="utf-8",
    )
    with Study(tiny_study) as study:
        assert run(study, ["v0.2.0"]).made == 12
        assert all(made.token_ids and made.logprobs for made in study.generations("v0.2.0"))
        assert run(study, ["v0.2.0"]).made == 0
