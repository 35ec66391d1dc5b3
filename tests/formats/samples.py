"""Small files in the shapes that other tools publish, made by hand for these tests."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from ethogram.errors import EthogramError
from ethogram.metrics import read_outputs

CHAT = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}]


def lines(*rows: Any) -> str:
    """JSON lines."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def promptfoo_result(
    index: int, text: Any, *, provider: str = "openai:small", prompt: int = 0, **rest: Any
) -> dict[str, Any]:
    """One result of promptfoo; its variables hold the question."""
    city = ("Rome", "Oslo", "Cairo", "Lima", "Quito", "Bern")[index % 6]
    return {
        "promptIdx": prompt,
        "testIdx": index,
        "testCase": {"vars": {"city": city}, "assert": [{"type": "contains", "value": "city"}]},
        "vars": {"city": city},
        "prompt": {"raw": f"Describe {city}.", "label": "Describe {{city}}."},
        "provider": {"id": provider, "label": ""},
        "response": {"output": text, "finishReason": "length"},
        "success": True,
        "score": 1,
        **rest,
    }


def promptfoo(*results: dict[str, Any]) -> dict[str, Any]:
    """A whole result file, as version 3 and 4 write it."""
    return {
        "evalId": "eval-abc",
        "results": {"version": 3, "prompts": [], "results": list(results), "stats": {}},
        "config": {},
    }


def inspect_sample(
    name: str, text: Any, *, epoch: int = 1, stop: str = "stop", **message: Any
) -> dict[str, Any]:
    """One sample of inspect_ai."""
    choice = {
        "message": {"role": "assistant", "content": text, **message},
        "stop_reason": stop,
    }
    return {
        "id": name,
        "epoch": epoch,
        "input": [{"role": "user", "content": f"Where is {name}?"}],
        "target": ["north", "up"],
        "messages": [],
        "output": {"model": "served-name", "choices": [choice], "completion": text or ""},
    }


def inspect_log(*samples: dict[str, Any]) -> dict[str, Any]:
    """A log as `inspect log dump` writes it."""
    return {
        "version": 2,
        "status": "success",
        "eval": {"task": "where", "model": "mock/model"},
        "plan": {},
        "samples": list(samples),
    }


def inspect_archive(
    path: Path, *samples: dict[str, Any], method: int = zipfile.ZIP_DEFLATED
) -> Path:
    """A log as `inspect eval` writes it: a zip."""
    log = inspect_log()
    del log["samples"]
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("_journal/start.json", json.dumps({"eval": log["eval"]}))
        for sample in samples:
            name = f"samples/{sample['id']}_epoch_{sample['epoch']}.json"
            archive.writestr(name, json.dumps(sample))
        archive.writestr("summaries.json", "[]")
        archive.writestr("header.json", json.dumps(log))
    return path


def lm_eval(doc: int, *texts: str, name: str = "none", **rest: Any) -> dict[str, Any]:
    """One line of `samples_*.jsonl`."""
    return {
        "doc_id": doc,
        "doc": {"question": f"What is {doc} and {doc}?"},
        "target": str(2 * doc),
        "arguments": {"gen_args_0": {"arg_0": f"Q: {doc} and {doc}?\nA:", "arg_1": {"until": []}}},
        "resps": [list(texts)],
        "filtered_resps": [texts[0] if texts else ""],
        "filter": name,
        "doc_hash": "00",
        "exact_match": 1.0,
        **rest,
    }


def batch(name: str, message: dict[str, Any] | None, **rest: Any) -> dict[str, Any]:
    """One line of a batch's output file."""
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    body = {"object": "chat.completion", "model": "gpt-x", "choices": [choice]}
    response = {"status_code": 200, "request_id": "r", "body": body}
    return {"id": "b", "custom_id": name, "response": response, "error": None, **rest}


def packed_bomb(megabytes: int) -> bytes:
    """Gzipped zeros and line ends that unpack to so many MiB."""
    import gzip

    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9) as file:
        for _ in range(megabytes):
            file.write(b"\n" * 2**20)
    return out.getvalue()


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def error_of(file: Path) -> str | None:
    """What the reader refuses a file with; None if it reads it."""
    try:
        for output in read_outputs(file):
            output.text.encode()
    except EthogramError as error:
        return str(error)
    return None
