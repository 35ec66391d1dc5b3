"""Other people's clients, unmodified, against a server of the built-in model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.serve.conftest import serving_all
from tests.serve.test_behaviours import CHAT, post

from ethogram.serve.catalogue import of_model
from ethogram.serve.server import Server

MODEL = "smollm2-135m-instruct"
QUESTIONS = (
    ("Which of these is a liquid at room temperature?", ("water", "iron", "salt"), 0),
    ("What do plants take from the air?", ("carbon dioxide", "gold", "sand"), 0),
    ("Which animal can fly?", ("a snake", "an eagle", "a whale"), 1),
    ("What pulls a stone to the ground?", ("light", "sound", "gravity"), 2),
    ("Which organ pumps blood?", ("the heart", "the lung"), 0),
)

pytestmark = [pytest.mark.model, pytest.mark.long]


@pytest.fixture(scope="module")
def builtin() -> Iterator[Server]:
    """A server of the built-in model, as `ethogram serve --model` makes it."""
    with serving_all(of_model(MODEL)) as made:
        yield made


def client(folder: Path, *arguments: str) -> str:
    """What a client prints that runs in a process of its own."""
    environment = os.environ | {
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_CACHE": str(folder / "datasets"),
        "LLM_USER_PATH": str(folder / "llm"),
        "OPENAI_API_KEY": "none",
    }
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_a_built_in_model_reads_a_message_by_its_chat_template(builtin: Server) -> None:
    messages = [{"role": "user", "content": "Name a river."}]
    body = {"model": MODEL, "messages": messages, "max_tokens": 3}
    status, _, raw = post(builtin, CHAT, body)
    [loop] = builtin.service.loops.values()
    tokenizer = loop.engine.loaded.tokenizer
    ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)
    assert (status, json.loads(raw)["usage"]["prompt_tokens"]) == (200, len(ids["input_ids"]))


# simonw/llm


@pytest.fixture
def llm(builtin: Server, tmp_path: Path) -> Path:
    """A folder of llm's settings that names the server."""
    pytest.importorskip("llm")
    (tmp_path / "llm").mkdir()
    common = f"  model_name: {MODEL}\n  api_base: {builtin.url}/v1\n"
    (tmp_path / "llm" / "extra-openai-models.yaml").write_text(
        f"- model_id: chat\n{common}- model_id: text\n{common}  completion: true\n",
        encoding="utf-8",
    )
    return tmp_path


def test_llm_streams_what_it_gets_whole_and_goes_on(llm: Path) -> None:
    asked = ("llm", "-m", "chat", "Name a river.", "-o", "max_tokens", "12", "-o", "temperature")
    streamed = client(llm, *asked, "0")
    assert streamed.strip()
    assert client(llm, *asked, "0", "--no-stream") == streamed
    followed = client(llm, "llm", "-c", "And a lake?", "-o", "max_tokens", "12")
    assert followed.strip()
    [last] = json.loads(client(llm, "llm", "logs", "-n", "1", "--json"))
    assert last["response"].strip() == followed.strip()
    assert last["input_tokens"] > 10
    assert 1 <= last["output_tokens"] <= 12


def test_llm_continues_a_text(llm: Path) -> None:
    asked = ("llm", "-m", "text", "The sea is", "-o", "max_tokens", "8", "-o", "temperature", "0")
    assert client(llm, *asked).strip()
    assert client(llm, *asked, "--no-stream") == client(llm, *asked)


def test_llm_asks_an_endpoint_without_settings(builtin: Server, llm: Path) -> None:
    endpoint = ("llm", "openai", "endpoint", f"{builtin.url}/v1")
    assert client(llm, *endpoint, "--models").split() == [MODEL]
    asked = (*endpoint, "Name a river.", "-m", MODEL, "-o", "temperature", "0")
    assert client(llm, *asked).strip()


# lm-eval


@pytest.fixture
def evaluation(builtin: Server, tmp_path: Path) -> Path:
    """A folder of two tasks of lm-eval, their questions, and the model's tokenizer."""
    pytest.importorskip("lm_eval")
    [loop] = builtin.service.loops.values()
    loop.engine.loaded.tokenizer.save_pretrained(tmp_path / "tokenizer")
    rows = [
        json.dumps({"question": question, "choices": list(choices), "label": label})
        for question, choices, label in QUESTIONS
    ]
    (tmp_path / "questions.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    data = f"dataset_path: json\ndataset_kwargs: {{data_files: {tmp_path}/questions.jsonl}}\n"
    data += 'test_split: train\ndoc_to_text: "Question: {{question}}\\nAnswer:"\n'
    tasks = {
        "choosing": "output_type: multiple_choice\ndoc_to_choice: choices\ndoc_to_target: label\n"
        "metric_list: [{metric: acc}, {metric: acc_norm}]\n",
        "answering": "output_type: generate_until\ndoc_to_target: '{{choices[label]}}'\n"
        'generation_kwargs: {until: ["\\n\\n"], max_gen_toks: 12}\nmetric_list: [{metric: bleu}]\n',
    }
    for name, task in tasks.items():
        text = f"task: {name}\n{data}{task}"
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def evaluate(folder: Path, kind: str, task: str, url: str, *more: str) -> list[dict[str, Any]]:
    """The samples that lm-eval logs, in the order of the questions."""
    model = f"model={MODEL},base_url={url},tokenizer={folder}/tokenizer,num_concurrent=3"
    arguments = ["--model", kind, "--model_args", model, "--tasks", task, *more]
    arguments += ["--include_path", str(folder), "--output_path", str(folder / "out")]
    client(folder, "lm_eval", *arguments, "--log_samples", "--batch_size", "2")
    [path] = (folder / "out").rglob(f"samples_{task}_*.jsonl")
    samples = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return sorted(samples, key=lambda each: int(each["doc_id"]))


@pytest.mark.slow
def test_lm_eval_scores_as_the_model_itself_does(builtin: Server, evaluation: Path) -> None:
    url = f"{builtin.url}/v1/completions"
    samples = evaluate(evaluation, "local-completions", "choosing", url)
    assert len(samples) == len(QUESTIONS)
    [loop] = builtin.service.loops.values()
    loaded = loop.engine.loaded
    for sample, (question, choices, _) in zip(samples, QUESTIONS, strict=True):
        context = loaded.tokenizer(f"Question: {question}\nAnswer:").input_ids
        scored = [each[0] for each in sample["resps"]]
        for (logprob, is_greedy), choice in zip(scored, choices, strict=True):
            whole = loaded.tokenizer(f"Question: {question}\nAnswer: {choice}").input_ids
            assert whole[: len(context)] == context
            with torch.inference_mode():
                logits = loaded.model(torch.tensor([whole])).logits[0].double()
            own = torch.tensor(whole[len(context) :])
            scores = logits[len(context) - 1 : -1].log_softmax(-1)
            expected = scores.gather(1, own[:, None]).sum()
            assert float(logprob) == pytest.approx(float(expected), abs=1e-3)
            assert (str(is_greedy) == "True") == bool((scores.argmax(-1) == own).all())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["local-completions", "local-chat-completions"])
def test_lm_eval_generates(builtin: Server, evaluation: Path, kind: str) -> None:
    path = "/v1/completions" if kind == "local-completions" else "/v1/chat/completions"
    more = () if kind == "local-completions" else ("--apply_chat_template",)
    samples = evaluate(evaluation, kind, "answering", f"{builtin.url}{path}", *more)
    replies = [sample["resps"][0][0] for sample in samples]
    assert len(replies) == len(QUESTIONS)
    assert all("\n\n" not in reply for reply in replies)
    assert sum(bool(reply.strip()) for reply in replies) >= 4
