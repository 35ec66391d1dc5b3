"""Writes docs/architectures.md: which architectures of transformers the engine serves.

A tiny random checkpoint of every causal and sequence-to-sequence architecture of the installed
transformers is saved, loaded as a user would load it, and run greedily on three prompts in one
batch; the tokens are compared with `generate` on each prompt alone. Takes some minutes:

    python -m scripts.architectures                          # all of them
    python -m scripts.architectures causal:gpt2 seq2seq:t5   # some rows of the page again
"""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from scripts.tiny_models import PROMPTS, build

PAGE = Path(__file__).parents[1] / "docs" / "architectures.md"
HEAD = Path(__file__).with_name("architectures_head.md")
#: Seconds for one architecture.
TIMEOUT = 120
#: Architectures that one process compares.
_CHUNK = 20
NEW_TOKENS = 52


class Row(NamedTuple):
    """One line of the table: an architecture, its kind, and what came of it."""

    name: str
    kind: str
    verdict: str
    why: str = ""


def main() -> None:
    """Compare the architectures that are named, or all, and write their rows into the page."""
    if sys.argv[1:2] == ["--work"]:
        logging.disable(logging.WARNING)
        warnings.filterwarnings("ignore")
        work()
        return
    wanted = sys.argv[1:]
    rows = compare(wanted or names())
    for row in rows:
        print(f"{row.name:28} {row.kind:8} {row.verdict:10} {row.why}")
    print(dict(Counter(row.verdict for row in rows)))
    known = {(row.kind, row.name): row for row in ([*read_page(), *rows] if wanted else rows)}
    PAGE.write_text(page([known[key] for key in sorted(known)]), encoding="utf-8")


def names() -> list[str]:
    """Architectures of the installed transformers, each once a kind: `causal:gpt2`."""
    from transformers.models.auto import modeling_auto

    causal = modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    seq2seq = modeling_auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES
    return [f"causal:{name}" for name in causal] + [f"seq2seq:{name}" for name in seq2seq]


def page(rows: Sequence[Row]) -> str:
    """The page: its head, what came of how many, and a line for each architecture."""
    import transformers

    counts = Counter(row.verdict for row in rows)
    lines = [
        HEAD.read_text(encoding="utf-8").rstrip(),
        "",
        f"With transformers {transformers.__version__}: "
        + ", ".join(f"{counts[verdict]} {verdict}" for verdict in sorted(counts))
        + ".",
        "",
        "| architecture | kind | result | why |",
        "|---|---|---|---|",
        *(f"| `{row.name}` | {row.kind} | {row.verdict} | {row.why} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def read_page() -> list[Row]:
    """The rows of the page as it is."""
    if not PAGE.is_file():
        return []
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return [
        Row(name.strip("`"), kind, verdict, why)
        for name, kind, verdict, why in (row for row in cells if len(row) == 4)
        if name.startswith("`")
    ]


def compare(wanted: Sequence[str]) -> list[Row]:
    """Run workers until each architecture has its row; one that hangs or dies is replaced."""
    waiting = list(wanted)
    rows: list[Row] = []
    while waiting:
        chunk, waiting = waiting[:_CHUNK], waiting[_CHUNK:]
        made = list(_worker(chunk))
        rows += made
        if len(made) < len(chunk):
            kind, name = chunk[len(made)].split(":")
            rows.append(Row(name, kind, "not built", f"its process died, or took {TIMEOUT} s"))
            waiting = [*chunk[len(made) + 1 :], *waiting]
    return rows


def _worker(chunk: Sequence[str]) -> Iterator[Row]:
    """Rows as a process makes them, until it is done, hangs or dies."""
    command = [sys.executable, "-m", "scripts.architectures", "--work"]
    process = subprocess.Popen(
        command,
        cwd=PAGE.parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write("\n".join(chunk))
    process.stdin.close()
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    try:
        for _ in chunk:
            line = lines.get(timeout=TIMEOUT + 30)
            if line is None:
                return
            row = Row(*json.loads(line))
            print(row.name, row.verdict, file=sys.stderr)
            yield row
    except queue.Empty:
        return
    finally:
        process.kill()
        process.wait()


def work() -> None:
    """Read names from standard input and write a row for each."""
    out = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        for line in sys.stdin.read().split():
            kind, name = line.split(":")
            signal.signal(signal.SIGALRM, _too_long)
            signal.alarm(TIMEOUT)
            try:
                verdict, why = _verdict(name, is_seq2seq=kind == "seq2seq")
            except TimeoutError:
                verdict, why = "not built", f"no answer within {TIMEOUT} s"
            signal.alarm(0)
            print(json.dumps([name, kind, verdict, why]), file=out, flush=True)


def _too_long(*_: object) -> None:
    raise TimeoutError


def _verdict(name: str, *, is_seq2seq: bool) -> tuple[str, str]:
    import transformers

    from ethogram.errors import EthogramError

    try:
        model, words = build(name, is_seq2seq=is_seq2seq)
    except TimeoutError:
        raise
    except Exception as error:
        if _is_stateful(name):
            return "refused", f"architecture {name} keeps a recurrent state (by its class)"
        return "not built", _one_line(error)
    try:
        with tempfile.TemporaryDirectory() as folder:
            model.save_pretrained(folder)
            words.save_pretrained(folder)
            made = _ours(folder)
            # Read again: some tables are computed when a model is loaded, and some architectures
            # have their own way to split words.
            model = type(model).from_pretrained(folder, dtype="float32").eval()
            words = transformers.AutoTokenizer.from_pretrained(folder)
    except EthogramError as error:
        return "refused", _plain(error.what)
    except TimeoutError:
        raise
    except Exception as error:
        return "crashed", _one_line(error)
    try:
        expected = [_reference(model, words, prompt) for prompt in PROMPTS]
    except TimeoutError:
        raise
    except Exception as error:
        return "not built", f"generate: {_one_line(error)}"
    return _compared(made, expected)


def _is_stateful(name: str) -> bool:
    """Whether the class of an architecture is refused whatever its sizes."""
    import transformers

    mapping = transformers.MODEL_FOR_CAUSAL_LM_MAPPING
    return bool(getattr(mapping[transformers.CONFIG_MAPPING[name]], "_is_stateful", False))


def _compared(made: Sequence[Sequence[int]], expected: Sequence[Sequence[int]]) -> tuple[str, str]:
    is_shorter = False
    for mine, theirs in zip(made, expected, strict=True):
        common = min(len(mine), len(theirs))
        if list(mine[:common]) != list(theirs[:common]) or len(mine) > len(theirs):
            place = next((i for i in range(common) if mine[i] != theirs[i]), common)
            return "differs", f"from token {place} of {len(theirs)}"
        is_shorter = is_shorter or common < len(theirs)
    return "equal", "within its window of local attention" if is_shorter else ""


def _reference(model: Any, words: Any, prompt: str) -> list[int]:
    """New tokens of transformers for one prompt, up to the end of sequence."""
    import torch

    inputs = words(prompt, return_tensors="pt")
    start = 1 if model.config.is_encoder_decoder else inputs.input_ids.shape[1]
    with torch.inference_mode():
        ids = model.generate(
            input_ids=inputs.input_ids,
            attention_mask=inputs.attention_mask,
            do_sample=False,
            max_new_tokens=NEW_TOKENS,
        )
    new: list[int] = ids[0, start:].tolist()
    return new[: new.index(1) + 1] if 1 in new else new


def _ours(folder: str) -> list[tuple[int, ...]]:
    """New tokens of the engine for all prompts in one batch."""
    from ethogram.engine import Engine
    from ethogram.models import load
    from ethogram.spec import Decoding, Request

    decoding = Decoding(strategy="greedy", max_new_tokens=NEW_TOKENS)
    requests = [Request(str(i), str(i), 0, text, decoding) for i, text in enumerate(PROMPTS)]
    made = {one.prompt_id: one for one in Engine(load(folder, device="cpu")).generate(requests)}
    return [made[str(i)].token_ids for i in range(len(PROMPTS))]


def _one_line(error: BaseException) -> str:
    return _plain(f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}")


def _plain(text: str) -> str:
    """A text that fits a cell of a table."""
    return " ".join(text.replace("|", "/").replace("<", "‹").replace(">", "›").split())[:160]


if __name__ == "__main__":
    main()
