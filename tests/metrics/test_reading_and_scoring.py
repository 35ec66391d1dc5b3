"""Reading outputs, the registry and score tables: input, table, error."""

import gzip
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from ethogram.errors import SpecError
from ethogram.metrics import Output, all_metrics, get, metrics_of, read_outputs, score_outputs
from ethogram.metrics.base import Metric
from ethogram.metrics.units import Unit
from ethogram.report.scores import scores_text

KNOWN = [metric.name for metric in all_metrics()]
SHOWN = [name for name in KNOWN if not name.startswith("pitfall_")]


def write(path: Path, *rows: Any) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("field", ["text", "output", "completion", "generation"])
def test_names_of_the_text(tmp_path: Path, field: str) -> None:
    (output,) = read_outputs(write(tmp_path / "a.jsonl", {field: "Hi", "other": 1}))
    assert output == Output("Hi", prompt_id="line-1")


def test_all_fields(tmp_path: Path) -> None:
    row = {
        "prompt": "Say hi",
        "id": 7,
        "sample": 2,
        "text": "Hi",
        "token_ids": [1, 2],
        "logprobs": [-1, -0.5],
        "finish_reason": "max_tokens",
        "reference": "Hi",
        "tag": "chat",
    }
    (output,) = read_outputs(write(tmp_path / "a.jsonl", row))
    assert output == Output(
        text="Hi",
        prompt="Say hi",
        token_ids=(1, 2),
        logprobs=(-1.0, -0.5),
        finish_reason="length",
        reference="Hi",
        tags=("chat",),
        prompt_id="7",
        sample_index=2,
    )


def test_chat_prompt_lists_and_unknown_ends(tmp_path: Path) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    row = {"prompt": messages, "text": "Yo", "tags": ["a", "b"], "finish_reason": "tired"}
    (output,) = read_outputs(write(tmp_path / "a.jsonl", row))
    assert (output.prompt, output.tags) == ("Be brief.\nHi", ("a", "b"))
    assert output.finish_reason == "unknown"


def test_samples_of_one_prompt(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl",
        {"id": "p", "text": ["one", "two"]},
        "",
        {"id": "p", "text": "three"},
        {"text": "alone"},
        {"id": "q", "text": "first"},
    )
    found = [(output.prompt_id, output.sample_index) for output in read_outputs(path)]
    assert found == [("p", 0), ("p", 1), ("p", 2), ("line-4", 0), ("q", 0)]


def test_gzip_and_byte_order_mark(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + '{"text": "Grüße"}\n'.encode()
    packed = tmp_path / "outputs.data"
    packed.write_bytes(gzip.compress(data))
    assert [output.text for output in read_outputs(str(packed))] == ["Grüße"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": "a"', ":2: not valid JSON"),
        ("[" * 100_000, ":2: the JSON is nested too deeply"),
        ('{"id": ' + "9" * 5000 + "}", ":2: a whole number of more than 4300 digits"),
        ("[1]", ":2: a line must be a JSON object"),
        ('{"prompt": "a"}', ":2: no output text; put it under 'text'"),
        ('{"text": 3}', ":2: text: must be a text or a list of texts"),
        ('{"output": ["a", 3]}', ":2: output: must be a text or a list"),
        ('{"text": []}', ":2: text: must be a text or a list"),
        ('{"text": "a", "prompt": 3}', ":2: prompt: must be a text or a list of chat messages"),
        ('{"text": "a", "prompt": ["x"]}', ":2: prompt: must be a text or a list of chat messages"),
        ('{"text": "a", "id": [1]}', ":2: id: must be a text or a whole number"),
        ('{"text": "a", "sample": -1}', ":2: sample: must be a whole number from 0 on"),
        ('{"text": "a", "sample": "x"}', ":2: sample: must be a whole number from 0 on"),
        ('{"text": "a", "token_ids": [1.5]}', ":2: token_ids: must be a list of whole numbers"),
        (f'{{"text": "a", "sample": {2**31}}}', ":2: sample: must be a whole number from 0 on"),
        (f'{{"text": "a", "token_ids": [{2**31}]}}', ":2: token_ids: must be a list of whole"),
        ('{"text": "a", "token_ids": [-1]}', ":2: token_ids: must be a list of whole numbers"),
        (f'{{"text": "a", "token_ids": [{10**400}]}}', ":2: token_ids: must be a list of whole"),
        (f'{{"text": "a", "logprobs": [{10**400}]}}', ":2: logprobs: must be a list of finite"),
        ('{"text": "a", "logprobs": [1e999]}', ":2: logprobs: must be a list of finite numbers"),
        ('{"text": "a", "logprobs": [NaN]}', ":2: logprobs: must be a list of finite numbers"),
        ('{"text": "a", "logprobs": "x"}', ":2: logprobs: must be a list of finite numbers"),
        ('{"text": "a", "token_ids": [1], "logprobs": [-1, -2]}', ":2: logprobs: 2 of them for 1"),
        ('{"text": ["a", "b"], "token_ids": [1]}', ":2: token_ids: go with one text"),
        ('{"text": "a", "reference": {}}', ":2: reference: must be a text"),
        ('{"text": "a", "tags": [3]}', ":2: tags: must be a text or a list of texts"),
    ],
)
def test_broken_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = write(tmp_path / "a.jsonl", {"text": "fine"}, line)
    outputs = read_outputs(path)
    assert next(outputs).text == "fine"
    with pytest.raises(SpecError) as caught:
        list(outputs)
    assert str(caught.value).startswith(f"{path}{message}")
    assert "\n" not in str(caught.value)


def test_file_errors(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"nowhere\.jsonl: no such file"):
        read_outputs(tmp_path / "nowhere.jsonl")
    with pytest.raises(SpecError, match="cannot be read: "):
        list(read_outputs(tmp_path))
    with pytest.raises(SpecError, match="no outputs in this file; write one JSON object a line"):
        list(read_outputs(write(tmp_path / "empty.jsonl", "", "")))
    latin = tmp_path / "latin.jsonl"
    latin.write_bytes(b'{"text": "a"}\n{"text": "\xe4"}\n')
    with pytest.raises(SpecError, match=r"latin\.jsonl:2: not UTF-8 text"):
        list(read_outputs(latin))
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(gzip.compress(b'{"text": "abc def"}\n' * 500)[:-12])
    with pytest.raises(SpecError, match="the gzip data is truncated or damaged after line"):
        list(read_outputs(cut))


def test_registry() -> None:
    assert len(set(KNOWN)) == len(KNOWN)
    assert get("diversity").name == "diversity"
    for metric in (*all_metrics(), *metrics_of("corpus")):
        texts = (metric.title, metric.unit.name, metric.formula, metric.source, metric.pitfalls)
        assert all(texts)
        assert metric.reference
    with pytest.raises(SpecError, match=r"metric 'loop_rat': unknown metric; did you mean 'loop_r"):
        get("loop_rat")
    with pytest.raises(SpecError, match="whole set of outputs"):
        get("corpus_distinct_2")
    with pytest.raises(SpecError, match="did you mean 'corpus_distinct_2'"):
        score_outputs([Output("a")], ["corpus_distinkt_2"])


@pytest.mark.parametrize("kind", [Output, Metric, Unit])
def test_every_documented_attribute_of_a_metric_is_there(kind: type) -> None:
    documented = re.findall(r"^        (\w+):", (kind.__doc__ or "").split("Attributes:")[1], re.M)
    assert documented
    assert set(documented) <= {each.name for each in fields(kind)}


def test_table_is_a_stream_with_constant_memory() -> None:
    def endless() -> Iterator[Output]:
        for number in range(300):
            yield Output(f"word {number}", sample_index=number % 3, prompt_id=str(number // 3))

    table = score_outputs(endless(), ["words", "self_perplexity", "words", "corpus_distinct_1"])
    assert [row.metric.name for row in table.rows] == [
        "words",
        "self_perplexity",
        "corpus_distinct_1",
    ]
    assert (table.outputs, list(table.samples)) == (300, [0, 1, 2])
    assert table["words"].by_sample == {0: 2.0, 1: 2.0, 2: 2.0}
    assert math.isnan(table["self_perplexity"].value)
    assert table["corpus_distinct_1"].value == pytest.approx(101 / 200)
    with pytest.raises(KeyError):
        table["rep_2"]


def test_mean_over_samples_weighs_outputs() -> None:
    outputs = [Output("a"), Output("a b c", sample_index=1), Output("a b c", sample_index=1)]
    assert score_outputs(outputs, ["words"])["words"].value == pytest.approx(7 / 3)


def test_the_value_of_a_conditional_metric_is_over_the_outputs_it_applies_to() -> None:
    """As its formula says, however they lie on the sample indices: 1 loops of ten, then all ten."""
    looping = [Output(("x " * onset) + "a b " * 5, sample_index=1) for onset in range(30, 40)]
    quiet = [Output(f"one two {number}") for number in range(9)]
    outputs = [*quiet, Output("y a b a b a b"), *looping]
    names = ["loop_onset", "words", "rep_2", "corpus_distinct_1"]
    table = score_outputs(outputs, names)
    alone = score_outputs([replace(output, sample_index=0) for output in outputs], names)
    onsets = [get("loop_onset").measure(output).value for output in outputs]
    looped = [onset for onset in onsets if onset is not None]
    assert len(looped) == table["loop_onset"].applies_to == 11
    assert table["loop_onset"].value == pytest.approx(sum(looped) / 11)
    for name in names[:-1]:
        assert table[name].value == pytest.approx(alone[name].value)
    corpus = table["corpus_distinct_1"]
    assert corpus.value == pytest.approx(sum(corpus.by_sample.values()) / 2)
    assert corpus.value != pytest.approx(alone["corpus_distinct_1"].value)
    assert "except corpus metrics, which are means over the samples." in scores_text(table)


def test_json_of_a_table_is_plain_and_comes_back() -> None:
    table = score_outputs([Output("a b c d e f"), Output("a a", sample_index=1)], "all")
    data = table.to_json()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data["metrics"]["words"] == {
        "title": "Words",
        "value": 4.0,
        "shown": "4.00",
        "unit": "words",
        "direction": "none",
        "applies_to": 2,
        "evidence": None,
        "by_sample": {"0": 6.0, "1": 2.0},
    }
    assert data["metrics"]["self_perplexity"]["value"] is None
    assert set(data["metrics"]) == {*SHOWN, *(metric.name for metric in metrics_of("corpus"))}


def test_text_of_a_table() -> None:
    names = ["words", "distinct_1", "rep_2", "tokens"]
    outputs = [Output("a b c d"), Output("a a", sample_index=1)]
    assert scores_text(score_outputs(outputs, names)).splitlines() == [
        "metric           value  better  sample 0  sample 1  outputs",
        "words       3.00 words              4.00      2.00        2",
        "distinct_1      75.0 %  higher   100.0 %    50.0 %        2",
        "rep_2            0.0 %  lower      0.0 %         –        1",
        "",
        "2 outputs, 2 samples per prompt; values cover all.",
        "Not applicable to these outputs: tokens",
    ]
    assert scores_text(score_outputs(outputs[:1], ["words"])).endswith("\n\n1 outputs.")
    assert scores_text(score_outputs(outputs, ["tokens"])).endswith("these outputs: tokens")


def test_html_of_a_table() -> None:
    page = score_outputs([Output("<b>bold</b>")], ["words", "tokens"])._repr_html_()
    assert "<td>words</td><td>1.00</td>" in page
    assert "Not applicable: tokens." in page


def test_nothing_to_score() -> None:
    with pytest.raises(SpecError, match="no outputs to score"):
        score_outputs([])


def test_importing_the_room_loads_no_torch() -> None:
    code = "import sys, ethogram.metrics; sys.exit('torch' in sys.modules)"
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], check=False, env=path).returncode == 0


def test_the_clearest_output_is_shown_with_where_and_what() -> None:
    texts = ("all good here", "go on and on and on and on", "so it is as it is, it is, it is,")
    table = score_outputs(
        [Output(text, prompt_id=f"p{index}") for index, text in enumerate(texts)],
        ["loop_onset", "rep_2", "words"],
    )
    found = table["loop_onset"].evidence
    assert found is not None
    assert (found.prompt_id, found.value) == ("p1", 1.0), "the earlier a loop, the worse"
    assert table["words"].evidence is None
    data = table.to_json()["metrics"]["rep_2"]["evidence"]
    assert data["prompt_id"] == "p1"
    for span in data["spans"]:
        assert texts[1][span["start"] : span["end"]] == span["text"]
    shown = scores_text(table, evidence=True)
    assert "loop_onset 1.00: p1, sample 0" in shown
    assert "    at 3: loop starts: 3.5 times a phrase of 2: 'on and'" in shown
    assert "loop starts" not in scores_text(table)


def test_evidence_of_a_metric_where_more_is_better_is_the_worst_output() -> None:
    prompt = "What is the capital of France?"
    answers = [Output("Paris.", prompt=prompt), Output("Who knows?", prompt=prompt, prompt_id="x")]
    found = score_outputs(answers, ["answer_first"])["answer_first"].evidence
    assert found is not None
    assert (found.prompt_id, found.value) == ("x", 0.0)


def test_long_and_hostile_evidence_stays_one_line() -> None:
    text = "\x1b[2Jhalt \n" * 400
    shown = scores_text(score_outputs([Output(text)], ["loop_onset", "rep_2"]), evidence=True)
    assert "\x1b" not in shown
    assert "more" in shown
    assert max(len(line) for line in shown.splitlines()) < 250
