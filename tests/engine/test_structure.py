"""Outputs of a form: valid and complete within any limit, by kernel and torch, in any batch."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from tests.engine import tiny
from tests.engine.compiled import library, outputs_of
from tests.engine.scores import make_scores

from benchmarks import structured
from benchmarks.structured import SCHEMAS, fault
from ethogram.engine import Engine, native
from ethogram.engine.noise import draw
from ethogram.engine.sampler import sample_compiled
from ethogram.engine.sampling.compiled_chain import CompiledChain
from ethogram.engine.steps import History, apply_steps
from ethogram.engine.steps.response_format import within_form
from ethogram.engine.structure import OutputForm, form_of
from ethogram.engine.structure.bounds import bounded
from ethogram.errors import RequestError
from ethogram.spec import Decoding, Generation, Request
from ethogram.spec.vllm import refusal

EVERY: dict[str, dict[str, Any]] = {
    **structured.DECODINGS,
    "self-consistency": {"temperature": 1.0, "self_consistency": 2, "answer": "text"},
    "mirostat": {"mirostat": {"tau": 3.0}},
    "guidance": {"temperature": 1.0, "guidance_scale": 1.5},
    "truncations": {"top_k": 3, "top_p": 0.5, "min_p": 0.3, "typical_p": 0.4, "top_h": 0.3},
    "lookup": {"strategy": "greedy", "prompt_lookup_num_tokens": 4},
    "beams": {"num_beams": 3},
    "beams in order": {"num_beams": 2, "early_stopping": True, "top_k": 4, "length_penalty": 0.0},
    "contrastive": {"strategy": "contrastive", "penalty_alpha": 0.6, "top_k": 4},
    "late": {"order": ["top_k", "response_format", "temperature"], "top_k": 2},
}


def form(schema: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"schema": schema}}


def requests(settings: dict[str, Any], limit: int, count: int = 1) -> list[Request]:
    return [
        Request(
            f"{name}/{index}/{limit}",
            name,
            index,
            '{"a": 1} {"a": 2} the cat',
            Decoding(**settings, max_new_tokens=limit, response_format=form(schema)),
            noise_key=17 * index + limit,
        )
        for name, schema in SCHEMAS.items()
        for index in range(count)
    ]


def faults(made: list[Generation], limit: int) -> list[str]:
    found = [(each, fault(each, SCHEMAS[each.prompt_id], limit)) for each in made]
    return [f"{each.prompt_id}: {what}: {each.text}" for each, what in found if what]


@pytest.mark.parametrize("name", EVERY)
def test_a_random_model_writes_valid_replies_under_every_decoding(name: str) -> None:
    engine = Engine(tiny.loaded("llama"))
    made = list(engine.generate(requests(EVERY[name], 90)))
    assert len(made) == len(SCHEMAS)
    assert not faults(made, 90)


def least(schema: Any, kind: str = "llama") -> int:
    model = tiny.loaded(kind)
    made = form_of(
        Decoding(response_format=form(schema)),
        tokenizer=model.tokenizer,
        vocab_size=model.vocab_size,
        eos_token_ids=model.eos_token_ids,
    )
    assert made is not None
    return len(made.shortest) + 1


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_reply_fits_every_limit_and_a_smaller_one_is_refused(name: str) -> None:
    engine, shortest = Engine(tiny.loaded("llama")), least(SCHEMAS[name])
    tight = [
        request
        for limit in range(shortest, shortest + 14)
        for request in requests({"temperature": 1.5}, limit, 2)
        if request.prompt_id == name
    ]
    for made in engine.generate(tight):
        limit = int(made.identity.rpartition("/")[2])
        assert fault(made, SCHEMAS[name], limit) is None, made.text
    if shortest > 1:
        small = next(each for each in requests({}, shortest - 1) if each.prompt_id == name)
        with pytest.raises(RequestError, match=f"its shortest reply takes {shortest}") as refused:
            engine.generate([small])
        assert refused.value.where == "decoding.max_new_tokens"


def what(made: Generation) -> tuple[object, ...]:
    return made.token_ids, made.logprobs, made.text, made.finish_reason


def mixed() -> list[Request]:
    kinds: list[dict[str, Any]] = [
        {"strategy": "greedy"},
        {},
        {"temperature": 0.7, "top_p": 0.9},
        {"dry": {"base": 2}},
    ]
    plain = [
        Request(f"plain {i}", "p", i, "the old man", Decoding(**settings, max_new_tokens=30), i)
        for i, settings in enumerate(kinds)
    ]
    return [*plain, *requests({"temperature": 1.2}, 60), *requests({"strategy": "greedy"}, 61)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_rows_with_and_without_a_form_have_the_same_bits_alone_and_together(
    dtype: torch.dtype,
) -> None:
    library()
    model = tiny.loaded("llama", dtype)
    together = {made.identity: what(made) for made in Engine(model).generate(mixed())}
    for request in mixed():
        [alone] = Engine(model).generate([request])
        assert what(alone) == together[request.identity], request.identity


def test_torch_writes_the_same_tokens_as_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [
        *mixed(),
        *requests(structured.DECODINGS["bans"], 62),
        *requests(structured.DECODINGS["penalties"], 63),
    ]
    engine = Engine(tiny.loaded("llama"))
    library()
    by_kernel = {each.identity: each for each in engine.generate(asked, trace=True)}
    monkeypatch.setattr(native, "library", lambda: None)
    for made in engine.generate(asked, trace=True):
        other = by_kernel[made.identity]
        assert (made.token_ids, made.finish_reason) == (other.token_ids, other.finish_reason)
        assert made.trace is not None
        assert other.trace is not None
        np.testing.assert_array_equal(made.trace.kept, other.trace.kept)
        np.testing.assert_allclose(made.trace.probability, other.trace.probability, atol=2e-5)


@pytest.mark.parametrize("vocab", [40, 1000, 5003])
@pytest.mark.parametrize("settings", [{"strategy": "greedy"}, {}, {"top_k": 5, "temperature": 2.0}])
def test_the_kernel_chooses_within_the_mask_as_torch_does(
    vocab: int, settings: dict[str, Any]
) -> None:
    rows = 24
    scores = make_scores("peaked", vocab, seed=vocab)[:1].repeat(rows, 1)
    scores += torch.randn(rows, vocab, generator=torch.Generator().manual_seed(3))
    decoding = Decoding(**settings, response_format={"type": "json_object"})
    rng = np.random.default_rng(vocab)
    shares = rng.choice([0.001, 0.1, 0.9, 1.0], rows)
    bits = rng.random((rows, vocab)) < shares[:, None]
    bits[np.arange(rows), rng.integers(0, vocab, rows)] = True
    padded = np.zeros((rows, (vocab + 31) // 32 * 32), bool)
    padded[:, :vocab] = bits
    words = np.packbits(padded, axis=1, bitorder="little").view(np.uint32)
    history = History([[]] * rows, [[]] * rows, keys=list(range(rows)), masks=list(words))
    expected = within_form(apply_steps(scores, decoding, history), scores, history)
    outputs = outputs_of(decoding, history, rows)
    for output, mask in zip(outputs, words, strict=True):
        output.form = FixedMask(mask)  # type: ignore[assignment]
    chain = CompiledChain(decoding, history.words, frozenset())
    kernel = library()
    sampled = sample_compiled(kernel, outputs, [chain] * rows, range(rows), scores)
    tokens = (
        draw(expected, history.keys, [0] * rows) if decoding.is_stochastic else expected.argmax(-1)
    )
    assert sampled.tokens.tolist() == tokens.tolist()
    assert bits[np.arange(rows), sampled.tokens].all()


class FixedMask:
    """A form that always lets the same tokens in."""

    def __init__(self, words: np.ndarray) -> None:
        self._words = np.ascontiguousarray(words)

    def mask(self) -> np.ndarray:
        return self._words


@pytest.mark.parametrize("score", [-torch.inf, torch.nan])
def test_where_nothing_is_left_the_form_still_decides(score: float) -> None:
    scores = torch.full((1, 64), score)
    scores[0, 3] = 1.0 if score == -torch.inf else torch.nan
    mask = np.array([0, 1 << 9], np.uint32)
    decoding = Decoding(response_format={"type": "json_object"})
    history = History([[]], [[]], keys=[1], masks=[mask])
    scored = within_form(apply_steps(scores, decoding, history), scores, history)
    assert scored.argmax().item() == 41
    [output] = outputs_of(decoding, history, 1)
    output.form = FixedMask(mask)  # type: ignore[assignment]
    chain = CompiledChain(decoding, history.words, frozenset())
    assert sample_compiled(library(), [output], [chain], [0], scores).tokens.tolist() == [41]


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "array", "uniqueItems": True}, "uniqueItems is not supported"),
        ({"not": {"type": "string"}}, "not is not supported"),
        ({"x-guidance": {"lenient": True}, "not": {}}, "not is not supported"),
        ({"properties": {"a": {"x-guidance": {"lenient": True}, "contains": 1}}}, "contains is"),
        ({"type": "string", "format": "path"}, "Unknown format: path"),
        ({"type": "string", "pattern": "(?=a)b"}, "look-ahead"),
        ({"type": "string", "minLength": 5, "maxLength": 3}, "Unsatisfiable"),
        ({"type": "nonsense"}, "Invalid type"),
        ({"$ref": "#/nowhere"}, "does not exist"),
        (False, "not is not supported"),
    ],
)
def test_a_schema_that_cannot_be_served_is_refused_by_name(schema: Any, said: str) -> None:
    decoding = Decoding(response_format=form(schema))
    with pytest.raises(RequestError, match=said) as refused:
        Engine(tiny.loaded("llama")).generate([tiny.request("a", decoding)])
    assert refused.value.where == "decoding.response_format"
    assert "\n" not in refused.value.what


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (7, "write {type: json_object}"),
        ({"type": "xml"}, "unknown type 'xml'"),
        ({"type": "json_schema"}, "needs a field schema"),
        ({"type": "json_schema", "json_schema": {"schema": 3}}, "needs a field schema"),
        ({"type": "json_object", "schema": {}}, "unknown field 'schema'"),
        ({"type": "json_schema", "json_schema": {"schema": {"a": float("nan")}}}, "use only"),
    ],
)
def test_a_wrong_format_is_refused(value: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Decoding(response_format=value)


def test_other_names_of_one_format_are_one_identity() -> None:
    plain = Decoding(stop=["x"], stop_token_ids=[5])
    assert Decoding(response_format="text", stop=["x"], stop_token_ids=[5]) == plain
    named = {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": {}}}
    first, second = Decoding(response_format=named), Decoding(response_format=form({}))
    assert first.canonical() == second.canonical()
    assert Decoding(response_format=form({}), stop=["}"]).canonical() == second.canonical()
    assert first.canonical() != Decoding().canonical()
    found = refusal(first)
    assert found is not None
    assert found.setting == "response_format"


def test_forced_tokens_begin_the_reply_or_are_refused() -> None:
    model = tiny.loaded("llama")
    begun = model.tokenizer('{"user":{"name":"cat', add_special_tokens=False).input_ids
    settings = {"forced_tokens": begun, "max_new_tokens": 120}
    decoding = Decoding(**settings, response_format=form(SCHEMAS["nested"]))
    [made] = Engine(model).generate([tiny.request("a", decoding)])
    assert made.text.startswith('{"user":{"name":"cat')
    assert fault(made, SCHEMAS["nested"], 120) is None
    wrong = Decoding(**settings, response_format=form(SCHEMAS["array"]))
    with pytest.raises(RequestError, match="do not begin a reply"):
        Engine(model).generate([tiny.request("a", wrong)])


def test_a_stop_string_does_not_cut_a_reply() -> None:
    stop = {"stop": ["}", '"', "0"], "stop_token_ids": [5, 9]}
    asked = [
        Request(name, name, 0, "a", Decoding(**stop, max_new_tokens=80, response_format=form(s)), 3)
        for name, s in SCHEMAS.items()
    ]
    assert not faults(list(Engine(tiny.loaded("gpt2")).generate(asked)), 80)


def test_bounds_are_added_only_where_a_schema_states_none() -> None:
    whole = bounded(
        {
            "type": "object",
            "properties": {
                "x-guidance": {"type": "string"},
                "long": {"type": "string", "maxLength": 5000},
                "date": {"type": "string", "format": "date"},
                "size": {"type": "integer", "minimum": 3},
                "ends": {"type": "array", "minItems": 200},
                "any": True,
                "one": {"enum": [1]},
            },
            "x-guidance": {"lenient": True},
        }
    )
    inner = whole["properties"]
    assert "x-guidance" not in whole
    assert inner["x-guidance"] == {"type": "string", "maxLength": 1000}
    assert inner["long"]["maxLength"] == 5000
    assert inner["date"] == {"type": "string", "format": "date"}
    assert inner["size"] == {"type": "integer", "minimum": 3, "maximum": 10**15}
    assert inner["ends"] == {"type": "array", "minItems": 200, "items": inner["any"]}
    assert inner["one"] == {"enum": [1]}
    assert whole["additionalProperties"] == inner["any"]


def test_a_library_that_gives_up_leaves_the_known_way() -> None:
    """Its limits on a hard grammar may strike at any token; the reply still ends valid."""
    model = tiny.loaded("llama")
    made = form_of(
        Decoding(response_format=form(SCHEMAS["nested"])),
        tokenizer=model.tokenizer,
        vocab_size=model.vocab_size,
        eos_token_ids=model.eos_token_ids,
    )
    assert made is not None
    output, written = OutputForm(made, 400), []
    for token in made.shortest[:9]:
        assert output.take(token)
        written.append(token)
    output._matcher.consume_token(5 if 5 not in made.shortest else 6)
    assert output._matcher.is_error()
    while True:
        allowed = np.unpackbits(output.mask().view(np.uint8), bitorder="little")
        [only] = np.flatnonzero(allowed).tolist()
        assert output.take(only)
        if only in model.eos_token_ids:
            break
        written.append(only)
    assert output.is_closed
    assert json.loads(model.tokenizer.decode(written)) == {
        "user": {"name": "", "home": {"city": "", "zip": ""}}
    }


@pytest.mark.model
@pytest.mark.parametrize(
    "replies",
    [pytest.param(84, marks=pytest.mark.long), pytest.param(1008, marks=pytest.mark.slow)],
)
def test_every_reply_of_the_built_in_model_is_valid(replies: int) -> None:
    from ethogram.models import ModelReference, load

    engine = Engine(load(ModelReference("smollm2-135m-instruct", dtype="bfloat16"), device="cpu"))
    made_for = {case.request.identity: case for case in structured.cases(replies)}
    for made in engine.generate([case.request for case in made_for.values()]):
        case = made_for[made.identity]
        limit = case.request.decoding.max_new_tokens
        assert fault(made, SCHEMAS[case.schema], limit) is None, made.text
