"""The official client, unmodified, against a server."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import openai
import pytest
from tests.serve.conftest import serving

from ethogram.engine.live import Chosen, LiveBatch
from ethogram.serve.catalogue import of_study
from ethogram.serve.server import Server
from ethogram.serve.service import Limits
from ethogram.spec import Prompt
from ethogram.spec.generation import Message
from ethogram.study import Study, run

TURN: Any = [{"role": "user", "content": "the old lighthouse keeper number 1 said"}]
PROMPT = "the old lighthouse keeper number 1 said"


def test_models_are_the_versions(client: openai.OpenAI, study: Study) -> None:
    assert [model.id for model in client.models.list()] == list(study.versions)
    assert client.models.retrieve("v1.0.0").id == "v1.0.0"
    with pytest.raises(openai.NotFoundError) as refused:
        client.models.retrieve("v9.9.9")
    assert refused.value.code == "model_not_found"


def test_a_named_prompt_has_the_bits_and_the_identity_of_the_study(
    client: openai.OpenAI, study: Study
) -> None:
    run(study)
    for name in study.versions:
        stored = {
            made.sample_index: made for made in study.generations(name) if made.prompt_id == "p1"
        }
        raw = client.chat.completions.with_raw_response.create(
            model=name, messages=TURN, n=len(stored), metadata={"prompt_id": "p1"}
        )
        reply = raw.parse()
        assert [each.message.content for each in reply.choices] == [
            stored[index].text for index in sorted(stored)
        ]
        identities = raw.headers["x-ethogram-generation"].split(",")
        assert identities == [stored[index].identity for index in sorted(stored)]


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("name", ["v0.0.1", "v1.0.0", "v1.1.0", "v1.2.0"])
def test_a_stream_is_the_whole_reply(client: openai.OpenAI, name: str, n: int) -> None:
    asked: Any = {"model": name, "messages": TURN, "n": n, "seed": 7}
    whole = client.chat.completions.create(**asked)
    chunks = list(
        client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
    )
    *steps, last = chunks
    assert last.choices == []
    assert last.usage == whole.usage
    assert len({(each.id, each.created, each.model) for each in chunks}) == 1
    assert all(each.usage is None for each in steps)
    assert [each.choices[0].index for each in steps[:n]] == list(range(n))
    for index, choice in enumerate(whole.choices):
        own = [each.choices[0] for each in steps if each.choices[0].index == index]
        assert [each.delta.role for each in own] == ["assistant"] + [None] * (len(own) - 1)
        assert "".join(each.delta.content or "" for each in own) == choice.message.content
        assert [each.finish_reason for each in own if each.finish_reason] == [choice.finish_reason]
        assert own[-1].finish_reason == choice.finish_reason
        assert own[-1].delta.content is None


def test_the_stream_helper(client: openai.OpenAI) -> None:
    asked: Any = {"model": "v1.0.0", "messages": TURN, "seed": 3, "stop": ["e"]}
    whole = client.chat.completions.create(**asked)
    with client.chat.completions.stream(**asked) as stream:
        if whole.choices[0].finish_reason == "length":
            with pytest.raises(openai.LengthFinishReasonError):
                stream.get_final_completion()
            return
        final = stream.get_final_completion()
    assert final.choices[0].message.content == whole.choices[0].message.content
    assert final.choices[0].message.role == "assistant"
    assert "e" not in (final.choices[0].message.content or "")


def test_seeds(client: openai.OpenAI) -> None:
    def text(**more: Any) -> str | None:
        reply = client.chat.completions.create(model="v1.0.0", messages=TURN, **more)
        return reply.choices[0].message.content

    assert text(seed=1) == text(seed=1)
    assert len({text(seed=seed) for seed in range(4)}) > 1
    assert len({text() for _ in range(4)}) > 1


def test_parameters_replace_those_of_the_version(client: openai.OpenAI) -> None:
    asked: Any = {"model": "v0.0.1", "prompt": PROMPT, "seed": 2}
    greedy = client.completions.create(**asked)
    assert greedy.choices[0].text == client.completions.create(**asked, top_p=1).choices[0].text
    sampled = client.completions.create(**asked, temperature=1.5, n=3)
    assert len({each.text for each in sampled.choices}) > 1
    short = client.completions.create(**asked, max_tokens=5)
    assert short.usage is not None
    assert (short.usage.completion_tokens, short.choices[0].finish_reason) == (5, "length")
    assert greedy.choices[0].text.startswith(short.choices[0].text)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("ids", [False, True])
@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("logprobs", [None, 0, 3])
@pytest.mark.parametrize("echo", [False, True])
def test_completions_in_all_combinations(
    client: openai.OpenAI,
    server: Server,
    echo: bool,
    logprobs: int | None,
    many: bool,
    ids: bool,
    n: int,
    stream: bool,
) -> None:
    [loop] = server.service.loops.values()
    tokenizer = loop.engine.loaded.tokenizer
    texts = [PROMPT, "one two three"] if many else [PROMPT]
    prompt: Any = [tokenizer(text).input_ids for text in texts] if ids else texts
    asked: Any = {"model": "v0.1.0", "prompt": prompt if many else prompt[0], "echo": echo}
    asked |= {"n": n, "seed": 1, "max_tokens": 6, "logprobs": logprobs}
    whole = client.completions.create(**asked)
    assert [choice.index for choice in whole.choices] == list(range(len(texts) * n))
    counts = [len(tokenizer(text).input_ids) for text in texts]
    assert whole.usage is not None
    assert whole.usage.prompt_tokens == sum(counts)
    told = 0
    for choice in whole.choices:
        text = texts[choice.index // n]
        assert choice.text.startswith(text) == echo or not echo
        if logprobs is None:
            assert choice.logprobs is None
            continue
        tokens, beside = choice.logprobs.tokens, choice.logprobs.top_logprobs
        told += len(tokens)
        assert len(tokens) == len(choice.logprobs.token_logprobs) == len(beside)
        for token, own, top in zip(tokens, choice.logprobs.token_logprobs, beside, strict=True):
            assert (own is None) == (top is None)
            if own is not None:
                assert own <= 0
                assert top[token] >= own
                assert 1 <= len(top) <= logprobs + 1
    if logprobs is not None:
        assert told == whole.usage.completion_tokens + (sum(counts) * n if echo else 0)
    if stream:
        parts: dict[int, str] = {}
        tokens_seen: dict[int, list[str]] = {}
        for chunk in client.completions.create(**asked, stream=True):
            [part] = chunk.choices
            parts[part.index] = parts.get(part.index, "") + part.text
            if part.logprobs:
                tokens_seen.setdefault(part.index, []).extend(part.logprobs.tokens)
        assert parts == {choice.index: choice.text for choice in whole.choices}
        if logprobs is not None:
            assert tokens_seen == {each.index: each.logprobs.tokens for each in whole.choices}


def test_scoring_as_evaluations_do_it(client: openai.OpenAI, server: Server) -> None:
    [loop] = server.service.loops.values()
    loaded = loop.engine.loaded
    from ethogram.engine.forward.teacher_forcing import TeacherForced

    ids = loaded.tokenizer(PROMPT).input_ids
    reply = client.completions.create(
        model="v0.0.1", prompt=[ids], echo=True, logprobs=1, max_tokens=1, temperature=0, seed=1234
    )
    logprobs = reply.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.token_logprobs is not None
    assert logprobs.tokens is not None
    assert logprobs.top_logprobs is not None
    assert len(logprobs.token_logprobs) == len(ids) + 1
    [forced] = TeacherForced(loaded).force([ids])
    assert logprobs.token_logprobs[0] is None
    assert logprobs.token_logprobs[1:-1] == pytest.approx(forced.logprobs.tolist(), abs=1e-5)
    likeliest = [
        token == max(top, key=lambda name: top[name])
        for token, top in list(zip(logprobs.tokens, logprobs.top_logprobs, strict=True))[1:-1]
    ]
    assert likeliest == (forced.argmax == ids[1:]).tolist()


def test_logprobs_of_a_chat(client: openai.OpenAI) -> None:
    asked: Any = {"model": "v1.0.0", "messages": TURN, "seed": 5, "logprobs": True}
    for count in (0, 5):
        reply = client.chat.completions.create(**asked, top_logprobs=count)
        told = reply.choices[0].logprobs
        assert told is not None
        assert told.content
        assert all(len(each.top_logprobs) == count for each in told.content)
        raw = bytes(byte for each in told.content for byte in each.bytes or [])
        assert raw.decode("utf-8", "replace").startswith(reply.choices[0].message.content or "")
        streamed = [
            each.token
            for chunk in client.chat.completions.create(**asked, top_logprobs=count, stream=True)
            if chunk.choices[0].logprobs
            for each in chunk.choices[0].logprobs.content or []
        ]
        assert streamed == [each.token for each in told.content]


def test_responses(client: openai.OpenAI) -> None:
    asked: Any = {"model": "v1.0.0", "input": "the old", "max_output_tokens": 40}
    asked["extra_body"] = {"seed": 4, "stop": ["e", "a", "o"]}
    whole = client.responses.create(**asked)
    assert whole.id.startswith("resp_")
    assert whole.output[0].id.startswith("msg_")
    events = list(client.responses.create(**asked, stream=True))
    assert [each.sequence_number for each in events] == list(range(len(events)))
    text = "".join(each.delta for each in events if each.type == "response.output_text.delta")
    assert text == whole.output_text
    assert events[-1].type == f"response.{whole.status}"
    assert whole.status == "completed"
    with client.responses.stream(**asked) as stream:
        assert stream.get_final_response().output_text == text


def test_a_reply_is_stored_when_asked(client: openai.OpenAI, study: Study) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="v1.0.0", messages=TURN, seed=77, store=True
    )
    identity = raw.headers["x-ethogram-generation"]
    [stored] = study.store.get([identity]).values()
    assert stored.text == raw.parse().choices[0].message.content


def test_keys(study: Study) -> None:
    with serving(study, names=["v0.0.1"], keys=["first", "second"]) as made:
        url = f"{made.url}/v1"
        for key in ("", "wrong", "second!"):
            with (
                openai.OpenAI(base_url=url, api_key=key or "-", max_retries=0) as client,
                pytest.raises(openai.AuthenticationError),
            ):
                client.models.list()
        with openai.OpenAI(base_url=url, api_key="second") as client:
            assert [each.id for each in client.models.list()] == ["v0.0.1"]


def test_a_crowd_is_refused_with_a_time_to_wait(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = LiveBatch.step

    def slowly(live: LiveBatch) -> list[Chosen]:
        time.sleep(0.02)  # The first request must still run when the second one comes.
        return step(live)

    monkeypatch.setattr(LiveBatch, "step", slowly)
    limits = Limits(max_rows=1, max_waiting=1)
    with (
        serving(study, limits, names=["v0.1.0"]) as made,
        openai.OpenAI(base_url=f"{made.url}/v1", api_key="-", max_retries=0) as client,
    ):
        with pytest.raises(openai.BadRequestError, match="more than the server takes"):
            client.completions.create(model="v0.1.0", prompt="a", n=3)
        asked: Any = {"model": "v0.1.0", "prompt": "a", "n": 2, "max_tokens": 100, "stream": True}
        stream = client.completions.create(**asked)
        next(iter(stream))
        with pytest.raises(openai.RateLimitError) as refused:
            client.completions.create(model="v0.1.0", prompt="a")
        assert 1 <= int(refused.value.response.headers["retry-after"]) <= 120
        stream.close()


def test_a_completion_model_reads_a_conversation_by_its_template(study: Study) -> None:
    served = of_study(study, ["v0.0.1"]).get("v0.0.1")
    asked = replace(
        served,
        version=served.version.model_copy(
            update={"prompt": Prompt(template="Q: {{ input }}\nA:", stop=("\nQ:",))}
        ),
    )
    turns = [Message("user", "One?"), Message("assistant", "1."), Message("user", "Two?")]
    [request] = asked.chat(turns, asked.version.decoding, count=1, seed=None, prompt_id=None)
    assert request.prompt == "Q: One?\nA: 1.\n\nQ: Two?\nA:"
    assert request.decoding.stop == ("\nQ:",)


def test_a_completion_model_answers_only_the_user(client: openai.OpenAI) -> None:
    turns: Any = [*TURN, {"role": "assistant", "content": "1."}]
    with pytest.raises(openai.BadRequestError, match="the last message is the assistant's"):
        client.chat.completions.create(model="v0.0.1", messages=turns)
