"""transformers `generate()`: one by one, one batch for each decoding, or one batch in all.

A call of `generate` has one decoding for its whole batch. Mode `homogeneous` therefore is not the
same work as a sweep: all rows get one decoding. It stands for the most that plain batching can do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.peers.common import Row, Running, serve, unsupported_settings

KNOWN = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty")
#: Rows of one call at most: larger batches make the cache's copies outgrow the memory.
MOST_ROWS = 192


def start(job: dict[str, Any]) -> Running:
    """Load the model in bf16."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(job["threads"])
    model = AutoModelForCausalLM.from_pretrained(job["model"]["bfloat16"], dtype=torch.bfloat16)
    model.eval().generation_config.eos_token_id = None  # Never ends before the last token.
    mode, one = job["options"]["mode"], job["case"]["one_decoding"]

    def generate(rows: Sequence[Row], new_tokens: int) -> list[list[int]]:
        outputs: list[list[int]] = [[] for _ in rows]
        for group in _groups(rows, mode):
            decoding = one if mode == "homogeneous" else rows[group[0]].decoding
            torch.manual_seed(rows[group[0]].seed)
            found = _call(model, [rows[index] for index in group], decoding, new_tokens)
            for index, ids in zip(group, found, strict=True):
                outputs[index] = ids
        return outputs

    unsupported = unsupported_settings(job["case"], KNOWN)
    if mode == "homogeneous":
        unsupported.append("a decoding for each row: all rows have the same one")
    return Running(
        generate,
        packages=("transformers", "torch"),
        settings={
            "mode": mode,
            "dtype": "bfloat16",
            "attention": model.config._attn_implementation,
            "most_rows_a_call": 1 if mode == "single" else MOST_ROWS,
        },
        unsupported=unsupported,
    )


def _groups(rows: Sequence[Row], mode: str) -> Iterator[list[int]]:
    """Row numbers of each call."""
    if mode == "single":
        yield from ([index] for index in range(len(rows)))
        return
    keys: dict[tuple[Any, ...], list[int]] = {}
    for index, row in enumerate(rows):
        key = () if mode == "homogeneous" else tuple(sorted(row.decoding.items()))
        keys.setdefault(key, []).append(index)
    for group in keys.values():
        yield from (group[at : at + MOST_ROWS] for at in range(0, len(group), MOST_ROWS))


def _call(
    model: Any, rows: Sequence[Row], decoding: dict[str, float], new_tokens: int
) -> list[list[int]]:
    """One call of `generate` on a batch padded on the left."""
    import torch
    from transformers import GenerationConfig

    width = max(len(row.token_ids) for row in rows)
    pad = model.config.pad_token_id or 0
    ids = torch.tensor([[pad] * (width - len(r.token_ids)) + r.token_ids for r in rows])
    mask = torch.tensor([[0] * (width - len(r.token_ids)) + [1] * len(r.token_ids) for r in rows])
    config = GenerationConfig(
        max_new_tokens=new_tokens, pad_token_id=pad, **_settings(decoding, KNOWN)
    )
    with torch.inference_mode():
        found = model.generate(input_ids=ids, attention_mask=mask, generation_config=config)
    return found[:, width:].tolist()


def _settings(decoding: dict[str, float], known: Sequence[str]) -> dict[str, Any]:
    chosen = {name: value for name, value in decoding.items() if name in known}
    if chosen.pop("temperature") == 0:
        greedy = {"repetition_penalty"} & set(chosen)
        return {"do_sample": False} | {name: chosen[name] for name in greedy}
    return {"do_sample": True, "top_k": 0, "temperature": decoding["temperature"], **chosen}


if __name__ == "__main__":
    serve(start)
