"""Registry: the published data sets that replications read.

None of them is part of Ethogram: users fetch them from their publishers or name a folder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ethogram.replications.origins import (
    alpaca_eval_judgements,
    as_published,
    ifeval_prompts,
    released_outputs,
    released_references,
)

_GITHUB = "https://raw.githubusercontent.com"


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of a data set.

    Attributes:
        path: where it lies in a data folder, plain or with `.gz` behind it.
        sha256: of its content, unpacked, so that it does not depend on who packed it.
        url: what its publisher serves; https.
        convert: the publisher's bytes to this file's content.
    """

    path: str
    sha256: str
    url: str
    convert: Callable[[bytes], bytes] = as_published


@dataclass(frozen=True, slots=True)
class DataSet:
    """A published data set.

    Attributes:
        name: its name here.
        title: what it is.
        origin: its page.
        licence: under which terms its publisher gives it; users fetch it under these.
        files: by their names.
    """

    name: str
    title: str
    origin: str
    licence: str
    files: dict[str, DataFile]


_CONTRASTIVE = (
    f"{_GITHUB}/yxuansu/Contrastive_Search_Is_What_You_Need/"
    "542d6ecd7b99f3bc04a514d89b99bbfcc707bbb4/open_ended_generation/english/inference_results/"
    "gpt2-large"
)
_ALPACA = f"{_GITHUB}/tatsu-lab/alpaca_eval/cd543a149df89434d8a54582c0151c0b945c3d20/results"
_IFEVAL = f"{_GITHUB}/google-research/google-research/19638399cc9e03623c5b9087a1d6fa8813974ce9"
_WIKITEXT = f"{_GITHUB}/pytorch/examples/cada773327ba94a5970e0d57c17c847d69dbbb8f"


def _judgements(model: str, sha256: str) -> DataFile:
    url = f"{_ALPACA}/{model}/weighted_alpaca_eval_gpt4_turbo/annotations.json"
    path = f"alpaca-eval/judgements/{model}.jsonl"
    return DataFile(path, sha256, url, alpaca_eval_judgements)


DATA_SETS = {
    each.name: each
    for each in (
        DataSet(
            name="gpt2-large-webtext",
            title="gpt2-large on 1000 openings of WebText, 40 tokens each, up to 200 new",
            origin="https://github.com/yxuansu/Contrastive_Search_Is_What_You_Need",
            licence="research release without a licence file",
            files={
                "greedy": DataFile(
                    "gpt2-large-webtext/greedy.jsonl",
                    "723593efabec95c79f32a6eef31f62fc1a8def79522edf4bae1b089806c52c06",
                    f"{_CONTRASTIVE}/greedy/greedy_result.json",
                    released_outputs,
                ),
                "nucleus": DataFile(
                    "gpt2-large-webtext/nucleus.jsonl",
                    "4ec012a531e3d85c2dd582eb5f981097e25f1ed3255a6dfc098a8d494ac37656",
                    f"{_CONTRASTIVE}/nucleus/nucleus_result.json",
                    released_outputs,
                ),
                "human": DataFile(
                    "gpt2-large-webtext/human.jsonl",
                    "833c8281b9197ca1c11bd7f5e9ebf07819ac6aebf0f1a1ba232c44265b87614f",
                    f"{_CONTRASTIVE}/greedy/greedy_result.json",
                    released_references,
                ),
            },
        ),
        DataSet(
            name="alpaca-eval-judgements",
            title="GPT-4 Turbo's judgements of four models against gpt4_1106_preview, 805 prompts",
            origin="https://github.com/tatsu-lab/alpaca_eval",
            licence="Apache-2.0",
            files={
                "alpaca-7b": _judgements(
                    "alpaca-7b",
                    "483e4ee08896f59f7f144a828ca71cceb689b6f954b5be8ebe360a480e416ee5",
                ),
                "falcon-7b-instruct": _judgements(
                    "falcon-7b-instruct",
                    "8deb1598fb7fa6445a620e57b9a93775b695f9392eca08be5dd985ded33b451f",
                ),
                "oasst-sft-pythia-12b": _judgements(
                    "oasst-sft-pythia-12b",
                    "07e43e62a14c28145b1206748011fb6abee2ffe738b682d08accb6901b3693c0",
                ),
                "gpt35_turbo_instruct": _judgements(
                    "gpt35_turbo_instruct",
                    "38e2228ad4efbd008f6190720156f06ab46ea50a2840edeb6e28170ddde8e7dd",
                ),
            },
        ),
        DataSet(
            name="truthfulqa",
            title="TruthfulQA, 790 questions (its authors' revision of 2025)",
            origin="https://github.com/sylinrl/TruthfulQA",
            licence="Apache-2.0",
            files={
                "questions": DataFile(
                    "truthfulqa.csv",
                    "764be5c0c27c337baed4db641555c125428569df44a8dbf9b28796a6ce4d7616",
                    f"{_GITHUB}/sylinrl/TruthfulQA/main/TruthfulQA.csv",
                )
            },
        ),
        DataSet(
            name="wikitext-2",
            title="WikiText-2, its test part of 4358 lines and its valid part of 3760",
            origin="https://github.com/pytorch/examples/tree/main/word_language_model",
            licence="CC-BY-SA-3.0",
            files={
                "test": DataFile(
                    "wikitext-2/test.txt",
                    "d790b833ef8cf03a90db7bf1271b7520b83c45ce07ba3c1a9699df81e239eca0",
                    f"{_WIKITEXT}/word_language_model/data/wikitext-2/test.txt",
                ),
                "valid": DataFile(
                    "wikitext-2/valid.txt",
                    "f0737ed31fc1329026e95cb8b98e19c2a182c39c240ab909dc31abf2f8af58e8",
                    f"{_WIKITEXT}/word_language_model/data/wikitext-2/valid.txt",
                ),
            },
        ),
        DataSet(
            name="ifeval",
            title="IFEval, 541 prompts with checkable constraints",
            origin="https://github.com/google-research/google-research/tree/master/"
            "instruction_following_eval",
            licence="Apache-2.0",
            files={
                "prompts": DataFile(
                    "ifeval-prompts.jsonl",
                    "96b2536a5c1a7a92f99093e4678dcc2f86a0ad60b1d2caebd962647e5bba7937",
                    f"{_IFEVAL}/instruction_following_eval/data/input_data.jsonl",
                    ifeval_prompts,
                )
            },
        ),
    )
}
