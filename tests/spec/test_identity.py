"""Settings that cannot change the output do not change the identity; all others do."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.spec import Decoding, Prompt, Suite, SuitePrompt, Version, make_requests
from ethogram.spec.generation import Message

HISTORY = {
    "logit_bias": st.dictionaries(st.integers(0, 9), st.floats(-5, 5), max_size=3),
    "bad_words": st.lists(
        st.text("ab ", min_size=1, max_size=3) | st.lists(st.integers(0, 9), min_size=1),
        max_size=3,
    ),
    "repetition_penalty": st.floats(0.5, 2.0),
    "frequency_penalty": st.floats(-2, 2),
    "presence_penalty": st.floats(-2, 2),
    "no_repeat_ngram_size": st.integers(0, 5),
    "min_new_tokens": st.integers(0, 10),
    "dry_multiplier": st.floats(0, 2),
    "dry_base": st.floats(1, 3),
    "dry_penalty_last_n": st.integers(-1, 3),
}
SAMPLING = {
    "temperature": st.floats(0.1, 2),
    "top_k": st.integers(0, 100),
    "top_p": st.floats(0.1, 1),
    "min_p": st.floats(0, 0.5),
    "typical_p": st.floats(0.1, 1),
    "epsilon_cutoff": st.floats(0, 0.5),
    "eta_cutoff": st.floats(0, 0.5),
    "top_n_sigma": st.floats(0, 4),
    "top_h": st.floats(0, 1),
    "xtc_probability": st.floats(0, 1),
    "xtc_threshold": st.floats(0.01, 1),
    "mirostat_tau": st.sampled_from([0, 3.0]),
    "mirostat_eta": st.floats(0, 1),
}


@given(st.fixed_dictionaries({}, optional=HISTORY), st.fixed_dictionaries({}, optional=SAMPLING))
def test_sampling_settings_do_not_count_under_greedy(
    history: dict[str, Any], sampling: dict[str, Any]
) -> None:
    plain = Decoding(strategy="greedy", **history)
    noisy = Decoding(strategy="greedy", **history, **sampling)
    assert Version(decoding=plain).identity == Version(decoding=noisy).identity


@given(
    st.fixed_dictionaries({}, optional={**HISTORY, **SAMPLING}),
    st.sampled_from(["transformers", "vllm", "llamacpp"]),
)
def test_order_counts_only_among_active_steps(settings: dict[str, Any], order: str) -> None:
    one = Decoding(strategy="sample", order=order, **settings)
    listed = Decoding(strategy="sample", order=one.active_step_names(), **settings)
    assert Version(decoding=one).identity == Version(decoding=listed).identity


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0.9},
        {"top_k": 7},
        {"top_p": 0.7},
        {"min_p": 0.1},
        {"typical_p": 0.9},
        {"epsilon_cutoff": 0.001},
        {"eta_cutoff": 0.001},
        {"top_n_sigma": 1.5},
        {"top_h": 1.0},
        {"logit_bias": {3: 1.0}},
        {"bad_words": ["a"]},
        {"bad_words": [[1, 2]]},
        {"dry_multiplier": 0.8},
        {"xtc_probability": 0.5},
        {"mirostat_tau": 3.0},
        {"guidance_scale": 1.5},
        {"amateur": "gpt2"},
        {"dola_layers": "low"},
        {"best_of": 3},
        {"self_consistency": 3},
        {"repetition_penalty": 1.2},
        {"stop": ["\n"]},
        {"stop_token_ids": [3]},
        {"max_new_tokens": 9},
        {"order": "llamacpp", "top_p": 0.5},
    ],
)
def test_settings_that_matter_count(change: dict[str, Any]) -> None:
    base = {"strategy": "sample", "temperature": 0.7, "top_p": 0.5}
    assert Version(decoding=base).identity != Version(decoding={**base, **change}).identity


FULL = {
    "temperature": 0.7,
    "top_k": 40,
    "top_p": 0.9,
    "min_p": 0.05,
    "repetition_penalty": 1.2,
    "frequency_penalty": 0.3,
    "presence_penalty": 0.2,
    "no_repeat_ngram_size": 3,
    "min_new_tokens": 5,
}


@pytest.mark.parametrize(
    ("settings", "order", "identity"),
    [
        ({}, "llamacpp", "88eef41662a2509f67cee08d5fa59f54e5789e085de7ce594d97f9b1543f35bd"),
        (
            {"strategy": "greedy"},
            "vllm",
            "bad098b5bcf1457015b5572aefea9c04e849f6d7453fff9f357008b24bedb19b",
        ),
        (FULL, "transformers", "8f17802ae757f0fbbfb399afc686ebb6702a500786a868ec7fc0856d3603d3ff"),
        (FULL, "vllm", "d61217a73dcea51f0094e9eb183314a278acea1cd8e2972ec6cf4818924c7115"),
        (FULL, "llamacpp", "2c07714eb3ecb360e07d31befecc30ceef5f55ffa0f964aadd6fb906962f7b72"),
    ],
)
def test_identities_of_release_0_1_0_are_unchanged(
    settings: dict[str, Any], order: str, identity: str
) -> None:
    """New settings must not change the key under which old generations are stored."""
    assert Version(decoding={**settings, "order": order}).identity == identity


@pytest.mark.parametrize(
    ("step", "change"),
    [
        ({"dry_multiplier": 1}, {"dry_base": 2}),
        ({"dry_multiplier": 1}, {"dry_allowed_length": 3}),
        ({"dry_multiplier": 1}, {"dry_penalty_last_n": -1}),
        ({"dry_multiplier": 1}, {"dry_sequence_breakers": []}),
        ({"xtc_probability": 0.5}, {"xtc_threshold": 0.2}),
        ({"xtc_probability": 0.5}, {"xtc_threshold": 0.6}),
        ({"mirostat_tau": 3}, {"mirostat_eta": 0.2}),
        ({"mirostat_tau": 3}, {"repetition_penalty": 1.1}),
        ({"guidance_scale": 2}, {"guidance_scale": 0}),
        ({"guidance_scale": 2}, {"negative_prompt": "a"}),
        ({"guidance_scale": 2, "negative_prompt": "a"}, {"negative_prompt": "b"}),
        ({"amateur": "gpt2"}, {"amateur": "distilgpt2"}),
        ({"amateur": "gpt2"}, {"contrastive_alpha": 0.2}),
        ({"amateur": "gpt2"}, {"contrastive_beta": 0.5}),
        ({"amateur": "gpt2"}, {"amateur_temperature": 0.5}),
        ({"dola_layers": "low"}, {"dola_layers": "high"}),
        ({"dola_layers": [1]}, {"dola_layers": [2]}),
    ],
)
def test_the_details_of_an_active_step_count(step: dict[str, Any], change: dict[str, Any]) -> None:
    assert Version(decoding=step).identity != Version(decoding={**step, **change}).identity


def test_notes_and_stop_order_do_not_count() -> None:
    one = Version(decoding={"stop": ["a", "b"]}, title="x", learned="y", expect={"words": "> 3"})
    two = Version(decoding={"stop": ["b"]}, prompt={"stop": ["a"]})
    assert one.identity == two.identity


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ({}, {"logit_bias": {4: 0.0}, "bad_words": []}),
        ({"logit_bias": {4: 1}}, {"logit_bias": {"5": 0, "4": 1.0}}),
        ({"bad_words": ["b", "a"]}, {"bad_words": ["a", "b", "a"]}),
        ({"bad_words": "a"}, {"bad_words": ["a"]}),
        ({}, {"dry_base": 2, "dry_allowed_length": 3, "dry_penalty_last_n": 9}),
        ({}, {"dry_sequence_breakers": ["a"]}),
        ({}, {"guidance_scale": 1, "negative_prompt": "a"}),
        ({}, {"contrastive_alpha": 0.5, "contrastive_beta": 1, "amateur_temperature": 2}),
        ({"guidance_scale": 2}, {"guidance_scale": 2.0, "contrastive_alpha": 0.5}),
        ({"dola_layers": [3, 1]}, {"dola_layers": [1, 3, 3]}),
        ({}, {"xtc_threshold": 0.2, "mirostat_eta": 0.2}),
        ({}, {"xtc_threshold": 0.51, "xtc_probability": 1.0}),
        (
            {"mirostat_tau": 3, "temperature": 0.7},
            {"mirostat_tau": 3, "temperature": 0.7, "top_k": 5, "top_p": 0.9, "typical_p": 0.3}
            | {"min_p": 0.1, "epsilon_cutoff": 0.1, "eta_cutoff": 0.1, "top_n_sigma": 1}
            | {"top_h": 0.5, "xtc_probability": 0.5},
        ),
        ({}, {"dry_multiplier": 1, "dry_penalty_last_n": 0}),
        (
            {"dry_multiplier": 1},
            {"dry_multiplier": 1, "dry_sequence_breakers": ["*", '"', "\n", ":", ":"]},
        ),
    ],
)
def test_two_ways_to_say_the_same_are_one_identity(one: Any, same: Any) -> None:
    assert Version(decoding=one).identity == Version(decoding=same).identity


def suite(*ids: str) -> Suite:
    return Suite(prompts=tuple(SuitePrompt(id=name, text=f"Say {name}") for name in ids))


def requests(version: Version, **changes: Any) -> list[Any]:
    settings: dict[str, Any] = {"samples": 3, "seed": 1, "model_identity": "m"} | changes
    return make_requests(version, suite("a", "b"), **settings)


def test_greedy_runs_once_and_sampling_k_times() -> None:
    assert len(requests(Version(decoding={"strategy": "greedy"}))) == 2
    sampled = requests(Version())
    assert len(sampled) == len({request.identity for request in sampled}) == 6


def test_versions_share_noise_unless_independent() -> None:
    hot, cold = Version(decoding={"temperature": 2}), Version(decoding={"temperature": 0.5})
    shared = [[r.noise_key for r in requests(version)] for version in (hot, cold)]
    assert shared[0] == shared[1]
    apart = [
        [r.noise_key for r in requests(version, independent_noise=True)] for version in (hot, cold)
    ]
    assert not set(apart[0]) & set(apart[1])


def test_an_amateur_counts_by_its_weights_and_not_by_its_name() -> None:
    one, other = (Version(decoding={"amateur": name}) for name in ("models/a", "models/b"))
    named = [[r.identity for r in requests(v, amateur_identity="x")] for v in (one, other)]
    assert named[0] == named[1]
    assert named[0] != [r.identity for r in requests(one, amateur_identity="y")]
    with pytest.raises(ValueError, match="amateur_identity is needed: the amateur is models/a"):
        requests(one)
    assert [r.identity for r in requests(Version(), amateur_identity="x")] == [
        r.identity for r in requests(Version())
    ]


def test_seed_counts_only_when_sampling() -> None:
    greedy = Version(decoding={"strategy": "greedy"})
    assert [r.identity for r in requests(greedy)] == [r.identity for r in requests(greedy, seed=9)]
    assert requests(Version())[0].identity != requests(Version(), seed=9)[0].identity


def test_prompt_rendering() -> None:
    item = SuitePrompt(id="a", text="Why?")
    prompt = Prompt(
        template="{% for e in examples %}Q: {{ e.input }}\nA: {{ e.output }}\n{% endfor %}"
        "Q: {{ input }}\nA:",
        examples=[{"input": "One?", "output": "Two."}],
    )
    assert prompt.render(item) == "Q: One?\nA: Two.\nQ: Why?\nA:"
    chat = Prompt(chat=True, system="Be brief.", examples=[{"input": "One?", "output": "Two."}])
    assert [(m.role, m.content) for m in chat.render(item) if isinstance(m, Message)] == [
        ("system", "Be brief."),
        ("user", "One?"),
        ("assistant", "Two."),
        ("user", "Why?"),
    ]
    own = SuitePrompt(id="b", messages=[{"role": "system", "content": "S"}])
    assert [
        m.content for m in Prompt(chat=True, system="T").render(own) if isinstance(m, Message)
    ] == ["S"]


def test_unused_prompt_parts_do_not_count() -> None:
    assert Version(prompt={"system": "x"}).identity == Version().identity
    assert Version(prompt={"system": "x", "chat": True}).identity != Version().identity
