"""Writes docs/architectures.md: which architectures of transformers the engine serves.

A tiny random checkpoint of every causal and sequence-to-sequence architecture of the installed
transformers is saved, loaded as a user would load it, and run greedily on three prompts in one
batch; the tokens are compared with `generate` on each prompt alone. Takes some minutes:

    python scripts/architectures.py                          # all of them
    python scripts/architectures.py causal:gpt2 seq2seq:t5   # some rows of the page again
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

PAGE = Path(__file__).parents[1] / "docs" / "architectures.md"
HEAD = Path(__file__).with_name("architectures_head.md")
#: Seconds for one architecture.
TIMEOUT = 120
#: Architectures that one process compares.
_CHUNK = 20
MOST_PARAMETERS = 30_000_000
NEW_TOKENS = 52
#: With the new tokens they leave a window of 32 positions, and the first 64 places of a slot.
PROMPTS = (
    "the cat sat on the",
    "the dog ran to the house of the old man who was there",
    "0 1 2 3 4 5 6 7 8 9",
)
#: Sizes of a tiny model, by the names that configurations give them.
_NAMES_OF_SIZES = {
    32: "hidden_size d_model n_embd dim embed_dim model_dim decoder_hidden_size hidden_dim "
    "dim_model embedding_size encoder_hidden_dim attention_hidden_size lru_width "
    "hidden_size_per_layer_input word_embed_proj_dim sliding_window attention_window_size "
    "local_attention",
    64: "intermediate_size ffn_hidden_size d_ff encoder_ffn_dim decoder_ffn_dim ffn_dim dim_ff "
    "dense_intermediate_size intermediate_size_mlp feed_forward_size dff window_size",
    16: "moe_intermediate_size shared_expert_intermediate_size expert_ffn_hidden_size "
    "shared_intermediate_size moe_ffn_dim router_hidden_size expert_dim kv_lora_rank q_lora_rank "
    "dt_rank time_step_rank",
    2: "num_hidden_layers n_layer num_layers n_layers encoder_layers decoder_layers "
    "num_decoder_layers num_encoder_layers num_hidden_groups num_key_value_heads num_kv_heads "
    "n_head_kv num_experts_per_tok moe_topk moe_k moe_top_k num_experts_per_token top_k_experts",
    4: "num_attention_heads n_head num_heads n_heads encoder_attention_heads num_experts "
    "decoder_attention_heads num_encoder_attention_heads num_decoder_attention_heads "
    "n_routed_experts num_local_experts moe_num_experts num_experts_per_layer",
    8: "head_dim d_kv dim_head attention_head_dim d_head qk_rope_head_dim qk_nope_head_dim "
    "v_head_dim ssm_state_size state_size mamba_d_state rotary_dim",
    256: "max_position_embeddings n_positions max_sequence_length n_ctx seq_length max_seq_len "
    "max_encoder_position_embeddings max_decoder_position_embeddings max_source_positions "
    "max_target_positions context_length max_length",
    1: "n_shared_experts n_group topk_group first_k_dense_replace",
}
SIZES = {name: size for size, names in _NAMES_OF_SIZES.items() for name in names.split()}


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
    command = [sys.executable, __file__, "--work"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
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


def build(name: str, *, is_seq2seq: bool = False) -> tuple[Any, Any]:
    """A tiny random model of an architecture, and a tokenizer for it."""
    import torch
    import transformers

    words = _tokenizer()
    auto = transformers.AutoModelForSeq2SeqLM if is_seq2seq else transformers.AutoModelForCausalLM
    failure: Exception | None = None
    for heads in (2, 4):  # Some architectures have as many heads of keys as of queries.
        try:
            config = tiny(transformers.CONFIG_MAPPING[name], len(words), heads)
            with torch.device("meta"):
                size = sum(w.numel() for w in auto.from_config(config).parameters())
            if size > MOST_PARAMETERS:
                raise ValueError(f"{size / 1e6:.0f} million parameters even when shrunk")
            torch.manual_seed(7)
            model = auto.from_config(config).float().eval()
            _run_once(model)
            break
        except Exception as error:
            failure = error
    else:
        assert failure is not None
        raise failure
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(3.0)  # Ordinary random weights give an almost flat distribution.
    ends = {"eos_token_id": 1, "bos_token_id": 2, "pad_token_id": 0}
    if is_seq2seq:
        ends["decoder_start_token_id"] = 2
    model.generation_config = transformers.GenerationConfig(**ends)
    return model, words


def _run_once(model: Any) -> None:
    """Raise what a forward pass raises where sizes do not go together."""
    import torch

    ids = torch.tensor([[5, 6, 7]])
    with torch.inference_mode():
        if model.config.is_encoder_decoder:
            model(input_ids=ids, decoder_input_ids=ids)
        else:
            model(input_ids=ids)


def tiny(kind: Any, vocab: int, heads: int) -> Any:
    """A configuration with small sizes, those of its parts included."""
    return kind(**_small(kind(), vocab, heads))


def _small(default: Any, vocab: int, heads: int) -> dict[str, Any]:
    from transformers import PreTrainedConfig

    small: dict[str, Any] = {}
    for name, value in vars(default).items():
        if isinstance(value, PreTrainedConfig):
            inner = _small(value, vocab, heads)
            small[name] = {"model_type": value.model_type, **inner}
        elif name in ("eos_token_id", "bos_token_id", "pad_token_id"):
            small[name] = {"eos_token_id": 1, "bos_token_id": 2, "pad_token_id": 0}[name]
        elif name == "decoder_start_token_id":
            small[name] = 2
        elif name.endswith(("_token_id", "_token_index")) and isinstance(value, int):
            small[name] = 5
        elif "vocab_size" in name and isinstance(value, int):
            small[name] = vocab
        elif name in SIZES and isinstance(value, int) and not isinstance(value, bool):
            small[name] = SIZES[name]
            if name in ("num_key_value_heads", "num_kv_heads"):
                small[name] = heads
        elif name in ("num_experts_per_tok", "n_routed_experts", "head_dim") and value is None:
            small[name] = SIZES[name]
        elif name == "attention_types":
            small[name] = [[["global", "local"], 1]]
        elif name == "attention_window":
            small[name] = 64
        elif name == "is_decoder":
            small[name] = True
    return small


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    raw.train_from_iterator(
        PROMPTS,
        trainers.BpeTrainer(
            vocab_size=300,
            special_tokens=["<pad>", "<eos>", "<bos>"],
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    return PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="<pad>", eos_token="<eos>")


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
