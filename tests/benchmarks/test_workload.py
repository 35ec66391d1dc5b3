"""The parts of the benchmarks that run nothing: workload, figures, tables."""

import json
import mmap
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import engine, registry, results, roofline, table, workload
from benchmarks.environments import PEERS as REQUIREMENTS
from benchmarks.peers import common
from benchmarks.peers.common import expand, unsupported_settings, warm_up_rows
from ethogram.spec import Decoding


def encode(text: str) -> list[int]:
    return list(text.encode())


def case_of(size: int, kind: str = "short") -> dict[str, Any]:
    return workload.make_case(size, kind, new_tokens=5, encode=encode)


@pytest.mark.parametrize("size", workload.SHAPES)
def test_a_case_has_as_many_rows_as_it_says(size: int) -> None:
    case = case_of(size)
    shape = workload.SHAPES[size]
    assert len(case["rows"]) == size == shape.rows
    assert len(case["prompts"]) == shape.prompts
    assert len(case["decodings"]) == shape.decodings


@pytest.mark.parametrize("kind", workload.PROMPT_KINDS)
def test_a_case_is_plain_json(kind: str) -> None:
    case = case_of(48, kind)
    assert json.loads(json.dumps(case)) == {**case, "decodings": list(case["decodings"])}


def test_unknown_sizes_and_prompts_are_named() -> None:
    with pytest.raises(ValueError, match="no sweep of 5 rows"):
        case_of(5)
    with pytest.raises(ValueError, match="unknown prompts 'tall'"):
        case_of(48, "tall")


def test_decodings_are_valid_and_differ() -> None:
    forms = [json.dumps(Decoding(**d).canonical()) for d in workload.DECODINGS]
    assert len(set(forms)) == len(workload.DECODINGS) == 12


def test_the_seed_belongs_to_prompt_and_sample() -> None:
    rows = case_of(192)["rows"]
    by_seed = {row["seed"]: (row["prompt"], row["sample"]) for row in rows}
    assert all(by_seed[row["seed"]] == (row["prompt"], row["sample"]) for row in rows)
    assert set(Counter(row["seed"] for row in rows).values()) == {12}


def test_long_prompts_share_no_beginning_and_headed_ones_all_of_the_header() -> None:
    long = workload.prompt_texts("long")
    assert len({text[:20] for text in long}) == len(long)
    headed = workload.prompt_texts("shared")
    assert len({text.rsplit("Question:", 1)[0] for text in headed}) == 1


@pytest.mark.parametrize(("size", "repeated"), [(1, 0), (48, 0), (192, 12), (768, 60)])
def test_rows_that_only_repeat_a_greedy_one(size: int, repeated: int) -> None:
    assert workload.repeated_greedy_rows(case_of(size)) == repeated


@pytest.mark.parametrize("size", [48, 192, 768])
def test_a_spread_has_each_decoding_and_each_prompt(size: int) -> None:
    rows = workload.spread(case_of(size)["rows"], 12)
    assert {row["decoding"] for row in rows} == set(range(12))
    assert {row["prompt"] for row in rows} == set(range(4))


def test_a_spread_of_few_rows_is_all_of_them() -> None:
    assert workload.spread([1, 2], 12) == [1, 2] == workload.spread([1, 2], None)


def test_warm_up_never_uses_a_measured_prompt() -> None:
    case = case_of(48)
    measured = {prompt["text"] for prompt in case["prompts"]}
    assert not measured & {row.text for row in warm_up_rows(case, expand(case))}


def test_unsupported_settings_are_those_in_use() -> None:
    assert unsupported_settings(case_of(48), ("temperature", "top_p", "top_k")) == [
        "min_p",
        "repetition_penalty",
    ]
    assert unsupported_settings(case_of(1), ("temperature", "top_p")) == []


def run_of(
    seconds: float, delivered: int = 100, computed: int | None = None, **rest: Any
) -> dict[str, Any]:
    return {
        "seconds": seconds,
        "cpu_seconds": seconds,
        "rows_run": 1,
        "delivered_tokens": delivered,
        "computed_tokens": computed,
        "first_token_seconds": None,
        "load_seconds": 1.0,
        "peak_memory_bytes": 2**30,
        "versions": {"engine": "1.0"},
        "settings": {},
        "unsupported": [],
        "greedy": {"1": [1, 2, 3]},
        "example": "text",
        **rest,
    }


def test_the_best_run_counts_and_memory_is_the_worst() -> None:
    best = results.best_of(
        [
            run_of(4.0, first_token_seconds=0.2),
            run_of(2.0, peak_memory_bytes=2**31, first_token_seconds=0.3),
        ]
    )
    assert best["delivered_tokens_per_second"] == 50.0
    assert best["computed_tokens_per_second"] is None
    assert best["all_tokens_per_second"] == [25.0, 50.0]
    assert best["peak_memory_bytes"] == 2**31
    assert best["first_token_seconds"] == 0.2


def test_memory_is_held_against_the_budget() -> None:
    def run(growth: int, budget: int) -> dict[str, Any]:
        told = {"budget_bytes": budget, "slots_bytes": 10}
        return run_of(
            1.0,
            memory=told,
            # Loading may peak higher than generating: it does not count.
            peak_memory_bytes=2**40,
            loaded_memory_bytes=2**30 - growth,
            generation_peak_bytes=2**30,
        )

    assert results.best_of([run_of(1.0)])["memory"] is None
    assert results.best_of([run(50, 90), run(60, 80)])["memory"] == {
        "budget_bytes": 80,
        "slots_bytes": 10,
        "growth_bytes": 60,
        "within_budget": True,
    }
    assert not results.best_of([run(81, 80)])["memory"]["within_budget"]


@pytest.mark.parametrize("is_told", [True, False], ids=["peaks forgotten", "sampled"])
@pytest.mark.long
def test_memory_of_loading_is_not_that_of_generating(
    monkeypatch: pytest.MonkeyPatch, is_told: bool
) -> None:
    if not is_told:
        monkeypatch.setattr(common, "_forget_peaks", lambda: False)
    elif not common._forget_peaks():
        pytest.skip("this system does not forget peaks")

    def hold(megabytes: int) -> int:
        # Mapped on its own and given back whole, whatever the allocator was told to keep.
        with mmap.mmap(-1, megabytes << 20) as held:
            np.frombuffer(held, np.uint8).fill(1)
            time.sleep(0.1)
            return len(held)

    hold(384)
    with common.PeakMemory() as memory:
        wanted = hold(128)
    growth = memory.peak - memory.resident_before
    assert 0.8 * wanted < growth < 2 * wanted
    assert memory.peak_before >= memory.resident_before


def test_ratios_shares_and_merging() -> None:
    measured = {
        registry.OURS: results.best_of([run_of(1.0, computed=60)]),
        "other": results.best_of([run_of(2.0, greedy={"1": [1, 2, 9]})]),
    }
    compared = results.compare(measured, roofline=200.0)
    assert compared["ratios"] == {"other": 2.0}
    assert compared["merged_share"] == pytest.approx(0.4)
    assert compared["roofline_share"] == {registry.OURS: 0.3, "other": 0.25}
    assert compared["greedy_agreement"] == {"other": 2.0}


def test_the_engine_without_merging_is_held_against_openvino() -> None:
    data = page_data()
    assert "| 30% | – | – |" in table.page(data)
    (case,) = data["cases"]
    assert results.unmerged_ratio(case["measured"]) is None
    case["measured"][registry.UNMERGED] = results.best_of([run_of(1.6, computed=100)])
    case["measured"][registry.OPENVINO] = results.best_of([run_of(2.0)])
    case.update(results.compare(case["measured"], 200.0))
    assert case["ratios"][registry.UNMERGED] == 1.6
    assert case["merged_share"] == pytest.approx(0.4)
    assert "| 1 short | 100 | 60.0 | 40% | 200 | 30% | 62.5 | 1.25× | – |" in table.page(data)


def test_options_of_ours_reach_both_and_merging_stays_off(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}
    monkeypatch.setattr(
        engine,
        "run",
        lambda python, module, job, variables, enter: seen.update({module: job["options"]}),
    )
    options = engine.parse(["--quick", "--peers", "ethogram", "--ours", '{"max_rows": 7}'])
    assert [peer.name for peer in options.peers] == [registry.OURS, registry.UNMERGED]
    job: dict[str, Any] = {"case": {"rows": []}, "model": {"bfloat16": "models/bf16"}}
    told: list[Any] = []
    for peer in options.peers:
        engine.run_peer(peer, Path(sys.executable), job, options)
        told.append(seen["benchmarks.peers.ours"])
    assert told == [{"engine": {"max_rows": 7}}, {"engine": {"max_rows": 7, "merging": False}}]


def test_nothing_is_compared_without_ours() -> None:
    compared = results.compare({"other": results.best_of([run_of(2.0)])}, roofline=None)
    assert compared == {"roofline_share": {}, "ratios": {}, "merged_share": None}


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ({}, {}, None),
        ({"1": [1]}, {"2": [1]}, None),
        ({"1": [1, 2]}, {"1": [1, 2]}, 2.0),
        ({"1": [1, 2], "2": [5]}, {"1": [1, 3], "2": [4]}, 0.5),
    ],
)
def test_agreement(
    ours: dict[str, list[int]], theirs: dict[str, list[int]], expected: float | None
) -> None:
    assert results.agreement(ours, theirs) == expected


def test_roofline_shapes_and_best_batch() -> None:
    config = {
        "hidden_size": 576,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "head_dim": 64,
        "intermediate_size": 1536,
    }
    assert roofline.shapes(config) == [(576, 960), (576, 576), (576, 3072), (1536, 576)]
    assert roofline.best({"1": 10.0, "48": 90.0, "192": 80.0}, 192) == 90.0
    assert roofline.best({"1": 10.0, "48": 90.0}, 6) == 10.0


def page_data() -> dict[str, Any]:
    measured: dict[str, Any] = {
        registry.OURS: results.best_of([run_of(1.0, computed=60, first_token_seconds=0.05)]),
        "other": results.best_of([run_of(2.0)]),
    }
    case = {
        "name": "short-1",
        "date": "2026-01-02T03:04:05+00:00",
        "size": 1,
        "kind": "short",
        "prompt_tokens": [11, 13],
        "roofline_tokens_per_second": 200.0,
        "measured": measured,
        **results.compare(measured, 200.0),
    }
    about = {"versions": {"engine": "1.0"}, "same_work": True, "most_rows": None}
    return {
        "date": "2026-01-02T03:04:05+00:00",
        "new_tokens": 100,
        "repeats": 2,
        "threads": 2,
        "model": {"name": "a-model"},
        "machine": {"processor": "a processor", "memory_gib": 24.0},
        "cases": [case],
        "peers": {
            registry.OURS: {**about, "unsupported": []},
            "other": {**about, "unsupported": ["min_p"], "same_work": False, "most_rows": 12},
            "third": {"unavailable": "cannot be installed: no wheel"},
        },
    }


def test_the_page_says_what_was_measured() -> None:
    text = table.page(page_data())
    assert "| other | 50.0 (2.00×) |" in text
    assert "| 1 short | 100 | 60.0 | 40% | 200 | 30% | – | – | – | – | 1.0 GiB |" in text
    assert "| ethogram | 50 ms | 10.0 ms |" in text
    assert "| other | – | 20.0 ms |" in text
    assert "**other** (engine 1.0). **Not the same work**. Lacks or approximates: min_p" in text
    assert "**third**: not measured; cannot be installed: no wheel" in text
    assert "Prompts of 11 to 13 tokens" in text


def test_cases_that_were_added_keep_their_day() -> None:
    data = page_data()
    later = {**data["cases"][0], "date": "2026-01-05T03:04:05+00:00"}
    assert "Measured on 2026-01-02 with" in table.page(data)
    assert "Measured on 2026-01-02 to 2026-01-05 with" in table.page(
        {**data, "cases": [*data["cases"], later]}
    )


def test_every_row_of_a_table_has_the_cells_of_its_head() -> None:
    lines = [line for line in table.page(page_data()).splitlines() if line.startswith("|")]
    cells = [line.count("|") for line in lines]
    heads = [index for index, line in enumerate(lines) if line.startswith("|---")]
    for index in heads:
        end = next((h - 1 for h in heads if h > index), len(lines))
        assert len(set(cells[index - 1 : end])) == 1


def test_peers_are_chosen_by_the_beginning_of_their_name() -> None:
    assert [peer.name for peer in registry.chosen("vllm, openvino 8")] == [
        registry.OURS,
        "vllm",
        "vllm with zentorch",
        "openvino 8-bit cache",
    ]
    assert len(registry.chosen(None)) == len(registry.PEERS)
    with pytest.raises(ValueError, match="no peer is called 'nobody'"):
        registry.chosen("nobody")


@pytest.mark.parametrize("peer", registry.PEERS, ids=lambda peer: peer.name)
def test_each_peer_has_a_module_and_pinned_requirements(peer: registry.Peer) -> None:
    assert (REQUIREMENTS / f"{peer.module}.py").is_file()
    if peer.environment is not None:
        text = (REQUIREMENTS / f"{peer.environment}.txt").read_text(encoding="utf-8")
        assert "==" in text
        assert "://" not in text


@pytest.mark.parametrize(
    ("arguments", "cases", "page"),
    [
        ([], list(workload.DEFAULT_CASES), True),
        (["--quick"], [(1, "short"), (6, "short")], False),
        (["--sizes", "48", "--prompts", "long,shared"], [(48, "long"), (48, "shared")], False),
        (["--new-tokens", "8"], list(workload.DEFAULT_CASES), False),
    ],
)
def test_only_a_whole_run_writes_the_page(
    arguments: list[str], cases: list[tuple[int, str]], page: bool
) -> None:
    options = engine.parse(arguments)
    assert options.cases == cases
    assert options.page == page
    assert (options.output.name == "engine.json") == page
