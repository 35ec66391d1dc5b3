"""CTranslate2: one batch for each decoding, as a call has one decoding for all its rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.common import Row, Running, is_greedy, serve, unsupported_settings

KNOWN = ("temperature", "top_k", "top_p", "repetition_penalty")
MOST_ROWS = 192


def start(job: dict[str, Any]) -> Running:
    """Load the model in the fastest type that keeps the weights: bf16, or else float32."""
    import ctranslate2

    offered = ctranslate2.get_supported_compute_types("cpu")
    kind = "bfloat16" if "bfloat16" in offered else "float32"
    folder = converted(Path(job["model"]["float32"]), Path(job["cache"]))
    generator = ctranslate2.Generator(
        str(folder), device="cpu", compute_type=kind, intra_threads=job["threads"]
    )
    vocabulary = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))

    def generate(rows: Sequence[Row], new_tokens: int) -> list[list[int]]:
        outputs: list[list[int]] = [[] for _ in rows]
        for group in _groups(rows):
            found = generator.generate_batch(
                [[vocabulary[i] for i in rows[index].token_ids] for index in group],
                max_length=new_tokens,
                min_length=new_tokens,
                include_prompt_in_result=False,
                max_batch_size=MOST_ROWS,
                **_settings(rows[group[0]]),
            )
            for index, result in zip(group, found, strict=True):
                outputs[index] = list(result.sequences_ids[0])
        return outputs

    unsupported = unsupported_settings(job["case"], KNOWN)
    if kind != "bfloat16":
        unsupported.append("bfloat16 on this CPU: float32 instead")
    return Running(
        generate,
        packages=("ctranslate2",),
        settings={"compute_type": kind, "most_rows_a_call": MOST_ROWS},
        unsupported=unsupported,
    )


def converted(source: Path, cache: Path) -> Path:
    """The model in CTranslate2's format, made once."""
    from ctranslate2.converters import TransformersConverter

    folder = cache / "ctranslate2"
    if not (folder / "model.bin").is_file():
        TransformersConverter(str(source)).convert(str(folder), force=True)
    return folder


def _groups(rows: Sequence[Row]) -> list[list[int]]:
    groups: dict[tuple[Any, ...], list[int]] = {}
    for index, row in enumerate(rows):
        groups.setdefault(tuple(sorted(row.decoding.items())), []).append(index)
    return list(groups.values())


def _settings(row: Row) -> dict[str, Any]:
    penalty = {"repetition_penalty": row.decoding.get("repetition_penalty", 1.0)}
    if is_greedy(row):
        return {"sampling_topk": 1, **penalty}
    return {
        "sampling_topk": int(row.decoding.get("top_k", 0)),
        "sampling_topp": row.decoding.get("top_p", 1.0),
        "sampling_temperature": row.decoding["temperature"],
        **penalty,
    }


if __name__ == "__main__":
    serve(start)
