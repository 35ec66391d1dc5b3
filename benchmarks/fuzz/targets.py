"""Targets: what reads a file or a body of others, with valid inputs to start from."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
#: A study whose one version is imported, so that nothing is generated.
_STUDY = "name: s\ntitle: A study\nsuite: suites/p.jsonl\nsamples: 2\nmetrics: [words, rep_4]\n"
_VERSION = (
    "title: First\nmodel: SmolLM2-135M\ndecoding:\n  temperature: 0.7\n  top_p: 0.9\n"
    "  repetition: {penalty: 1.1}\n  self_consistency: 3\n  answer: pattern\n"
    '  answer_pattern: "is (\\\\d+)"\nprompt: {template: "Q: {{ input }}", stop: ["\\n"]}\n'
    'expect: {loop_rate: "< 0.02"}\nlearned: [a, b]\n'
)
_ROW = {"prompt_id": "p1", "prompt": "Say it", "output": "It is 7.", "sample_index": 0}
_PROMPT = {"id": "p1", "text": "Say it", "tags": ["a"], "reference": "7"}


@dataclass(frozen=True)
class Target:
    """A parser.

    Attributes:
        seeds: valid inputs.
        read: reads an input; refuses it with one of `refusals`, or accepts it.
        refusals: errors that are answers.
    """

    seeds: list[bytes]
    read: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...]


def target(name: str, folder: Path) -> Target:
    """A target by name, which writes its inputs into a folder."""
    return TARGETS[name](folder)


def _file(folder: Path, name: str, seeds: list[bytes], load: Callable[[Path], object]) -> Target:
    from ethogram.errors import EthogramError

    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)

    def read(data: bytes) -> object:
        path.write_bytes(data)
        found = load(path)
        return list(found) if isinstance(found, Iterator) else found

    return Target(seeds, read, (EthogramError,))


def _examples(pattern: str) -> list[bytes]:
    return [path.read_bytes()[:20_000] for path in sorted((ROOT / "examples").glob(pattern))]


def small_study(folder: Path) -> Path:
    """A study of two imported versions."""
    for name in ("versions", "suites"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text(_STUDY)
    (folder / "suites/p.jsonl").write_text(json.dumps(_PROMPT) + "\n")
    for name in ("v0.0.1", "v0.1.0"):
        (folder / f"{name}.jsonl").write_text(json.dumps(_ROW) + "\n")
        text = f"title: t\nmodel: elsewhere\noutputs: {name}.jsonl\n"
        (folder / f"versions/{name}.yaml").write_text(text)
    return folder


def _study(folder: Path) -> Target:
    from ethogram.spec import load_study

    study = small_study(folder)
    seeds = [_STUDY.encode(), *_examples("*/study.yaml")]
    return _file(study, "study.yaml", seeds, lambda path: load_study(path.parent))


def _version(folder: Path) -> Target:
    from ethogram.spec import load_study

    study = small_study(folder)
    seeds = [_VERSION.encode(), *_examples("*/versions/*.yaml")]

    def load(path: Path) -> object:
        spec = load_study(study)
        version = spec.versions["v0.2.0"]
        return version.prompt.canonical(), version.decoding.canonical(), version.model_dump_json()

    return _file(study, "versions/v0.2.0.yaml", seeds, load)


def _suite(folder: Path) -> Target:
    from ethogram.spec.suite import load_suite

    lines = [_PROMPT, {"id": "c", "messages": [{"role": "user", "content": "hi"}]}]
    constraint = {"type": "keywords:existence", "kwargs": {"keywords": ["a"]}}
    lines.append({"id": "k", "text": "t", "constraints": [constraint]})
    seeds = ["\n".join(map(json.dumps, lines)).encode(), *_examples("*/suites/*.jsonl")]
    return _file(folder, "suite.jsonl", seeds, load_suite)


def _suite_yaml(folder: Path) -> Target:
    from ethogram.spec.suite import load_suite

    seeds = [b"prompts:\n- {id: p1, text: Say it, tags: [a]}\n- id: p2\n  text: |\n    Two\n"]
    return _file(folder, "suite.yaml", seeds, load_suite)


def _recipe(folder: Path) -> Target:
    from ethogram.spec.recipes.load import load_recipe

    return _file(folder, "r.yaml", _examples("*/recipes/*.yaml"), load_recipe)


def _gguf(folder: Path) -> Target:
    from ethogram.models.gguf import check_gguf

    def text(words: str) -> bytes:
        return struct.pack("<Q", len(words)) + words.encode()

    pairs = [
        text("general.architecture") + struct.pack("<I", 8) + text("llama"),
        text("llama.block_count") + struct.pack("<II", 4, 2),
        text("tokens") + struct.pack("<IIQ", 9, 8, 3) + text("a") + text("b") + text("c"),
        text("scores") + struct.pack("<IIQ3f", 9, 6, 3, 0.0, 1.0, 2.0),
    ]
    tensor = text("w") + struct.pack("<IQQIQ", 2, 4, 4, 0, 0)
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, len(pairs)) + b"".join(pairs) + tensor
    return _file(folder, "m.gguf", [head + bytes(-len(head) % 32) + bytes(64)], check_gguf)


def _safetensors(folder: Path) -> Target:
    from ethogram.models.checkpoint import check_safetensors

    header = {
        "__metadata__": {"format": "pt"},
        "a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
        "b": {"dtype": "F16", "shape": [4], "data_offsets": [16, 24]},
    }
    packed = json.dumps(header).encode()
    seed = struct.pack("<Q", len(packed)) + packed + bytes(24)
    return _file(folder, "model.safetensors", [seed], check_safetensors)


def _outputs(folder: Path) -> Target:
    """Each import format, by the small files of the tests and what they are made of."""
    from tests.formats import samples as made

    from ethogram.metrics import read_outputs

    seeds = [
        made.lines(_ROW),
        json.dumps(made.promptfoo(made.promptfoo_result(0, "Rome."))),
        made.lines(made.promptfoo_result(1, "Oslo.")),
        json.dumps(made.inspect_log(made.inspect_sample("a", "yes"))),
        made.lines(made.lm_eval(1, "2"), made.lm_eval(2, "4")),
        made.lines(made.batch("p", {"role": "assistant", "content": "Yo"})),
        made.lines({"messages": made.CHAT}),
        made.lines({"prompt": "p", "chosen": "a", "rejected": "b"}),
        made.lines({"question_id": 1, "model_id": "m", "choices": [{"turns": ["a", "b"]}]}),
        made.lines({"instruction": "i", "input": "", "output": "o"}),
        "prompt,output\nhi,there\n",
    ]
    archive = made.inspect_archive(folder / "a.eval", made.inspect_sample("a", "yes"))
    packed = [each.encode() for each in seeds] + [archive.read_bytes(), made.packed_bomb(1)]
    return _file(folder, "outputs.jsonl", packed, read_outputs)


def _data(folder: Path) -> Target:
    from ethogram.corpus import read

    rows = [{"text": "a"}, {"prompt": "p", "completion": "c"}]
    chat = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
    pair = {"prompt": "p", "chosen": "a", "rejected": "b"}
    seeds = [json.dumps(each).encode() + b"\n" for each in (*rows, chat, pair)]
    return _file(folder, "data.jsonl", seeds, lambda path: iter(read(path)))


def _serve(folder: Path) -> Target:
    from ethogram.serve.bodies import (
        ChatBody,
        CompletionBody,
        EmbeddingsBody,
        ResponsesBody,
        Sampled,
        parse,
    )
    from ethogram.serve.errors import ApiError
    from ethogram.spec import Decoding

    common = {"model": "v0.0.1", "temperature": 0.5, "max_tokens": 9, "stop": ["a"], "seed": 1}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    bodies: list[dict[str, Any]] = [
        {**common, "messages": [{"role": "user", "content": "hi"}], "response_format": form},
        {**common, "prompt": "hi", "n": 2, "logit_bias": {"5": 1.0}, "top_k": -1},
        {"model": "m", "input": [{"role": "user", "content": "hi"}], "max_output_tokens": 5},
        {"model": "m", "input": ["a", "b"]},
    ]

    def read(data: bytes) -> None:
        for kind in (ChatBody, CompletionBody, ResponsesBody, EmbeddingsBody):
            try:
                body = parse(data, kind)
                if isinstance(body, Sampled):
                    body.decoding(Decoding())
            except ApiError:
                pass

    return Target([json.dumps(each).encode() for each in bodies], read, (ApiError,))


def _ui(folder: Path) -> Target:
    from starlette.testclient import TestClient

    from ethogram.ui.app import make_app
    from ethogram.ui.context import Context

    token, host = "fuzz", "127.0.0.1:8000"
    app = make_app(Context(small_study(folder)), token=token, hosts=[host])
    client = TestClient(app, base_url=f"http://{host}", raise_server_exceptions=True)
    client.post("/api/session", json={"token": token})
    document = client.get("/api/openapi.json").json()
    paths = [
        path
        for path, methods in document["paths"].items()
        if "post" in methods and "requestBody" in methods["post"] and "session" not in path
    ]
    known = {"version": "v0.0.1", "first": "v0.0.1", "second": "v0.1.0", "prompt": "p1"}
    body = {
        **known,
        "versions": ["v0.0.1"],
        "lanes": [known],
        "text": "hi",
        "samples": 1,
        "name": "x",
    }
    places = [path.format_map(_Place()) for path in paths]
    seeds = [json.dumps({"at": n, "body": body}).encode() for n in range(len(places))]

    def read(data: bytes) -> None:
        try:
            sent = json.loads(data)
            at, content = int(sent["at"]) % len(places), json.dumps(sent["body"]).encode()
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            at, content = len(data) % len(places), data
        client.post(places[at], content=content, headers={"content-type": "application/json"})

    return Target(seeds, read, ())


class _Place(dict[str, str]):
    """Fills the parameters of a path."""

    def __missing__(self, key: str) -> str:
        return "v0.0.1" if "version" in key else "p1"


TARGETS: dict[str, Callable[[Path], Target]] = {
    "study": _study,
    "version": _version,
    "suite": _suite,
    "suite-yaml": _suite_yaml,
    "recipe": _recipe,
    "gguf": _gguf,
    "safetensors": _safetensors,
    "outputs": _outputs,
    "data": _data,
    "serve": _serve,
    "ui": _ui,
}
