"""Fixtures for all tests: tiny checkpoints made here, an own cache, released data."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests import profiles
from tests.architectures import tiny_config, train_tokenizer
from tests.postgres import postgres, postgres_url

__all__ = ["postgres", "postgres_url"]

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
if "PYTEST_XDIST_WORKER" in os.environ:
    # Before torch is imported: workers that each start a thread per core slow one another down.
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")

profiles.register()

CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
WORDS = (
    "the old lighthouse keeper wrote a letter to the sea and the sea wrote back",
    "Question: what is the capital? Answer: it is a small town near the river.",
    "0 1 2 3 4 5 6 7 8 9 one two three; über café 日本",
)


def _data_folders() -> list[Path]:
    """Where released data may be: $ETHOGRAM_DATA, beside the checkout, the cache (`make data`)."""
    from ethogram.cache import cache_folder

    named = os.environ.get("ETHOGRAM_DATA")
    beside = Path(__file__).parents[2] / "shared" / "data"
    return [*([Path(named)] if named else []), beside, cache_folder() / "data"]


#: Found once, at import: tests change the variables that name them.
DATA_FOLDERS = _data_folders()
HOW_TO_GET_DATA = "no released data on this machine: run `make data`, or set ETHOGRAM_DATA"


def find_data(name: str) -> Path | None:
    """A file of released data, plain or packed: `find_data("wikitext-2/test.txt")`."""
    for folder in DATA_FOLDERS:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return path
    return None


@pytest.fixture(scope="session")
def released() -> Callable[[str], Path]:
    """Finds a file of released data, or skips the test: `released("truthfulqa.csv")`."""

    def find(name: str) -> Path:
        path = find_data(name)
        if path is None:
            pytest.skip(f"{name}: {HOW_TO_GET_DATA}")
        return path

    return find


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """A folder that has every data set of the replications."""
    from ethogram.replications.registry import DATA_SETS

    files = [file.path for data_set in DATA_SETS.values() for file in data_set.files.values()]
    for folder in DATA_FOLDERS:
        if all((folder / file).is_file() or (folder / f"{file}.gz").is_file() for file in files):
            return folder
    pytest.skip(HOW_TO_GET_DATA)


@pytest.fixture
def model_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model cache without models; it has the kernels, so that no test waits for a compiler."""
    from ethogram.engine.native import library

    kernels, folder = library(), tmp_path / "cache"
    if kernels is not None:
        compiled = Path(kernels._name).parent
        folder.mkdir()
        (folder / compiled.name).symlink_to(compiled, target_is_directory=True)
    monkeypatch.setenv("ETHOGRAM_CACHE", str(folder))
    return folder


def byte_level_tokenizer(chat_template: str | None = None) -> Any:
    """A byte-level BPE tokenizer of 300 tokens."""
    words = train_tokenizer(WORDS)
    words.chat_template = chat_template
    return words


def tiny_model(kind: str, vocab_size: int) -> Any:
    """A random model of an architecture: gpt2, gpt_neox, llama, llama_wide, qwen2 or t5."""
    import torch
    import transformers

    if kind == "llama_wide":
        # vLLM has attention kernels for some widths of a head only.
        config = tiny_config("llama", vocab_size, width=256)
        config.intermediate_size, config.max_position_embeddings = 64, 512
    else:
        config = tiny_config(kind, vocab_size)
    config.tie_word_embeddings = kind in ("gpt2", "llama", "t5")
    torch.manual_seed(3)
    make = transformers.AutoModelForSeq2SeqLM if kind == "t5" else transformers.AutoModelForCausalLM
    model = make.from_config(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(3.0)  # Ordinary random weights give an almost flat distribution.
    return model


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes the folder of a tiny checkpoint: `checkpoint("llama", chat=True)`."""
    made: dict[tuple[str, bool], Path] = {}

    def make(kind: str, *, chat: bool = False) -> Path:
        if (kind, chat) not in made:
            folder = tmp_path_factory.mktemp(f"{kind}-{'chat' if chat else 'plain'}")
            words = byte_level_tokenizer(CHAT_TEMPLATE if chat else None)
            words.save_pretrained(folder)
            tiny_model(kind, len(words)).save_pretrained(folder)
            made[kind, chat] = folder
        return made[kind, chat]

    return make


@pytest.fixture
def tiny_study(checkpoint: Callable[..., Path], tmp_path: Path, model_cache: Path) -> Path:
    """The folder of a study of three versions on a tiny chat model; nothing is generated yet."""
    folder = tmp_path / "study"
    model = checkpoint("llama", chat=True)
    files = {
        "study.yaml": "name: tiny\ntitle: Tiny\nseed: 5\nsamples: 2\nsuite: suites/prompts.jsonl\n",
        "versions/v0.0.1.yaml": (
            f"title: Greedy\nmodel: {model}\n"
            "decoding: {strategy: greedy, max_new_tokens: 24}\nlearned: [It loops.]\n"
        ),
        "versions/v0.1.0.yaml": (
            "title: Sampled\nparent: v0.0.1\n"
            "decoding: {strategy: sample, temperature: 1.1, top_p: 0.9}\n"
        ),
        "versions/v1.0.0.yaml": "title: Chat\nparent: v0.1.0\nprompt: {chat: true}\n",
        "suites/prompts.jsonl": "".join(
            f'{{"id": "p{i}", "text": "the old lighthouse keeper number {i} said"}}\n'
            for i in range(6)
        ),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder
