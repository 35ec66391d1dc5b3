"""Architectures: equal to `generate` of transformers in a batch, or refused in one line."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import torch
import transformers
from scripts.architectures import PAGE, work
from scripts.tiny_models import PROMPTS, build
from tests.engine import tiny

from ethogram.engine import Engine
from ethogram.engine.forward import decoder_only, self_check
from ethogram.engine.forward.self_check import KNOWN_EQUAL
from ethogram.errors import ModelError, RequestError
from ethogram.models import load
from ethogram.spec import Decoding, Request

#: Families that people use most; scripts/architectures.py compares all.
FAMILIES = {
    "causal:gpt2": "equal",
    "causal:gpt_neo": "equal",
    "causal:gpt_neox": "equal",
    "causal:llama": "equal",
    "causal:qwen3": "equal",
    "causal:gemma2": "equal",
    "causal:phi3": "equal",
    "causal:falcon": "equal",
    "causal:deepseek_v2": "equal",
    "causal:opt": "equal",
    "seq2seq:t5": "equal",
    "seq2seq:bart": "equal",
    "causal:bloom": "refused",
    "causal:mpt": "refused",
    "causal:mamba": "refused",
    "causal:rwkv": "refused",
    "causal:jamba": "refused",
}


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.long
def test_families(name: str, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(name))
    work()
    _, _, verdict, why = json.loads(capsys.readouterr().out)
    assert verdict == FAMILIES[name], why


def test_the_page_lists_what_is_known_as_equal() -> None:
    rows = [line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines()]
    cells = [[cell.strip(" `") for cell in row] for row in rows if len(row) == 6]
    assert {row[3] for row in cells[2:]} <= {"equal", "refused", "not built"}
    assert {row[1] for row in cells if row[3] == "equal"} >= KNOWN_EQUAL


def _run(loaded: Any, decoding: Decoding, prompts: tuple[str, ...] = PROMPTS) -> list[list[int]]:
    requests = [Request(text, text, 0, text, decoding) for text in prompts]
    made = {one.prompt_id: one for one in Engine(loaded).generate(requests)}
    return [list(made[text].token_ids) for text in prompts]


def _loaded(model: Any, words: Any, **more: Any) -> tiny.Loaded:
    return tiny.Loaded(model, words, 256, frozenset({1}), vocab_size=len(words), **more)


def _generate(model: Any, words: Any, prompt: str, count: int, **more: Any) -> list[int]:
    inputs = words(prompt, return_tensors="pt")
    start = 1 if model.config.is_encoder_decoder else inputs.input_ids.shape[1]
    with torch.inference_mode():
        ids = model.generate(
            input_ids=inputs.input_ids,
            attention_mask=inputs.attention_mask,
            do_sample=False,
            max_new_tokens=count,
            **more,
        )
    return list(ids[0, start:].tolist())


class TestLocalAttention:
    """GPT-Neo: every second layer sees a window of positions only."""

    @staticmethod
    def _model(window: int) -> tuple[Any, Any]:
        words = tiny.tokenizer()
        torch.manual_seed(3)
        config = transformers.GPTNeoConfig(
            vocab_size=len(words),
            hidden_size=32,
            num_layers=2,
            num_heads=4,
            attention_types=[[["global", "local"], 1]],
            window_size=window,
            max_position_embeddings=256,
            eos_token_id=1,
        )
        model = transformers.GPTNeoForCausalLM(config).eval()
        with torch.no_grad():
            for weight in model.parameters():
                if weight.dim() > 1:
                    weight.mul_(6.0)
        return model, words

    @pytest.mark.parametrize(("window", "most"), [(64, 64), (100, 64), (128, 128)])
    def test_outputs_end_with_the_window(self, window: int, most: int) -> None:
        model, words = self._model(window)
        prompt = PROMPTS[1]
        (made,) = _run(
            _loaded(model, words), Decoding(strategy="greedy", max_new_tokens=150), (prompt,)
        )
        assert len(made) + len(words(prompt).input_ids) == most or made[-1] == 1
        expected = _generate(model, words, prompt, 150)
        assert made == expected[: len(made)]

    def test_a_window_narrower_than_a_bucket_is_refused(self) -> None:
        model, words = self._model(32)
        with pytest.raises(ModelError, match="gpt_neo has local attention over 32 positions"):
            _run(_loaded(model, words), Decoding(strategy="greedy", max_new_tokens=2))


def test_alibi_is_refused_by_the_configuration() -> None:
    config = transformers.FalconConfig(
        vocab_size=300, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, alibi=True
    )
    loaded = _loaded(transformers.FalconForCausalLM(config).eval(), tiny.tokenizer())
    with pytest.raises(ModelError, match="falcon uses ALiBi"):
        _run(loaded, Decoding(strategy="greedy", max_new_tokens=2))


class TestSelfCheck:
    """The last net: an architecture that no rule knows is compared when it is first run."""

    def test_an_equal_one_passes(self) -> None:
        model, words = build("stablelm")
        assert model.config.model_type not in KNOWN_EQUAL
        loaded = _loaded(model, words)
        expected = [_generate(model, words, text, 8) for text in PROMPTS]
        made = _run(loaded, Decoding(strategy="greedy", max_new_tokens=8))
        assert [mine[: len(mine)] for mine in made] == [
            theirs[: len(mine)] for theirs, mine in zip(expected, made, strict=True)
        ]

    def test_one_that_differs_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        model, words = build("stablelm")
        decode = decoder_only.DecoderOnly.decode
        monkeypatch.setattr(
            decoder_only.DecoderOnly, "decode", lambda *args, **more: 1.1 * decode(*args, **more)
        )
        with pytest.raises(ModelError, match=r"stablelm differs from transformers by 0\.1"):
            self_check.check_forward(_loaded(model, words))

    def test_one_that_fails_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        model, words = build("stablelm")

        def fail(*_: Any, **__: Any) -> None:
            raise IndexError("out of range\nsecond line")

        monkeypatch.setattr(decoder_only.DecoderOnly, "decode", fail)
        with pytest.raises(ModelError, match=r"cannot be run row by row \(IndexError: out of") as e:
            self_check.check_forward(_loaded(model, words))
        assert "second line" not in str(e.value)

    def test_known_ones_are_not_compared(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(self_check, "_difference", lambda _: pytest.fail("compared"))
        self_check.check_forward(tiny.loaded("llama"))


class TestForcedTokens:
    """First and last tokens that the model or the decoding prescribes."""

    @pytest.fixture(scope="class")
    @classmethod
    def bart(cls, tmp_path_factory: pytest.TempPathFactory) -> Any:
        model, words = build("bart", is_seq2seq=True)
        model.generation_config.forced_bos_token_id = 7
        model.generation_config.forced_eos_token_id = 1
        folder = tmp_path_factory.mktemp("bart")
        model.save_pretrained(folder)
        words.save_pretrained(folder)
        return load(str(folder), device="cpu")

    @pytest.mark.parametrize("beams", [1, 3])
    def test_those_of_the_model(self, bart: Any, beams: int) -> None:
        made = _run(
            bart,
            Decoding(strategy=None if beams > 1 else "greedy", num_beams=beams, max_new_tokens=9),
        )
        for mine, prompt in zip(made, PROMPTS, strict=True):
            theirs = _generate(bart.model, bart.tokenizer, prompt, 9, num_beams=beams)
            assert mine == theirs[: len(mine)]
            assert mine[0] == 7
            assert mine[-1] == 1

    def test_words_that_the_model_rules_out(self, bart: Any) -> None:
        greedy = Decoding(strategy="greedy", max_new_tokens=9)
        banned = _run(bart, greedy)[0][1]
        more = {"bad_words_ids": [[banned]]}
        made = _run(replace(bart, bad_words_ids=((banned,),)), greedy)
        for mine, prompt in zip(made, PROMPTS, strict=True):
            theirs = _generate(bart.model, bart.tokenizer, prompt, 9, **more)
            assert mine == theirs[: len(mine)]
        assert banned not in made[0][1:]

    def test_those_of_the_decoding_take_their_place(self, bart: Any) -> None:
        decoding = Decoding(strategy="greedy", max_new_tokens=6, forced_tokens=("a", 9))
        want = [bart.tokenizer.get_vocab()["a"], 9]
        assert [made[:2] for made in _run(bart, decoding)] == [want] * 3
        theirs = _generate(bart.model, bart.tokenizer, PROMPTS[0], 6, forced_bos_token_id=want[0])
        one = Decoding(strategy="greedy", max_new_tokens=6, forced_tokens=("a",))
        assert _run(bart, one)[0] == theirs

    @pytest.mark.parametrize("kind", ["llama", "gpt2"])
    @pytest.mark.parametrize("strategy", ["greedy", "sample"])
    def test_decoder_only_models_take_them_too(self, kind: str, strategy: Any) -> None:
        loaded = tiny.loaded(kind)
        decoding = Decoding(strategy=strategy, max_new_tokens=6, forced_tokens=(40, 41))
        request = Request("a", "a", 0, PROMPTS[0], decoding, noise_key=3)
        (made,) = Engine(loaded).generate([request], trace=True)
        assert made.token_ids[:2] == (40, 41)
        assert made.trace is not None
        assert made.trace.probability[:2].tolist() == [1.0, 1.0]
        assert len(made.trace.rank) == len(made.token_ids)
        # Their log-probabilities are the model's own.
        ids = torch.tensor([[*made.prompt_token_ids, *made.token_ids]])
        with torch.inference_mode():
            raw = loaded.model(ids).logits[0].log_softmax(-1)
        at = len(made.prompt_token_ids) - 1
        assert made.logprobs is not None
        assert made.logprobs[0] == pytest.approx(float(raw[at, 40]), abs=1e-3)

    def test_an_unknown_token_is_refused(self, bart: Any) -> None:
        for token in ("xx_XX", 5000):
            with pytest.raises(RequestError, match="the model has no token"):
                _run(bart, Decoding(strategy="greedy", forced_tokens=(token,)))

    def test_contrastive_search_takes_none(self) -> None:
        decoding = Decoding(penalty_alpha=0.5, top_k=4, max_new_tokens=4, forced_tokens=(9,))
        with pytest.raises(RequestError, match="contrastive search does not support forced tokens"):
            _run(tiny.loaded("llama"), decoding)

    def test_they_change_the_identity_and_only_where_they_are_set(self) -> None:
        plain = Decoding(strategy="greedy").canonical()
        assert "forced_tokens" not in plain
        assert Decoding(strategy="greedy", forced_tokens=(3,)).canonical() == plain | {
            "forced_tokens": [3]
        }
