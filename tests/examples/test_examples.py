"""The example studies: read whole, and gpt2-log run on stand-ins for the models of the hub."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import byte_level_tokenizer, tiny_model

from ethogram.metrics import get
from ethogram.report import log, verify
from ethogram.report.progress import find_blocks
from ethogram.study import Study, run

EXAMPLES = Path(__file__).parents[2] / "examples"
TAGS = ("story", "fact", "how-to", "opinion", "short-answer", "instruction")


@pytest.mark.parametrize("name", ["first-light", "gpt2-log"])
def test_an_example_is_whole(name: str) -> None:
    with Study(EXAMPLES / name) as study:
        assert len(study.versions) >= 5
        for version in study.versions:
            suite = study.suite(version)
            assert len(suite) >= 24
            tags = [tag for prompt in suite.prompts for tag in prompt.tags]
            assert {tag: tags.count(tag) for tag in TAGS} == {
                **dict.fromkeys(TAGS, 5),
                "short-answer": 19 if name == "first-light" else 5,
            }
            assert all(p.constraints for p in suite.prompts if "instruction" in p.tags)
        for described in study.versions.values():
            for metric in described.expect:
                assert get(metric).name == metric


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], None]:
    """Puts a GPT-2 of a few weights into an empty hub cache: `hub("gpt2", width)`."""
    import huggingface_hub.constants

    cache = tmp_path / "hub"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))

    def put(name: str, seed: int) -> None:
        import torch

        commit = f"{seed:040x}"
        folder = cache / f"models--{name}"
        snapshot = folder / "snapshots" / commit
        snapshot.mkdir(parents=True)
        (folder / "refs").mkdir()
        (folder / "refs" / "main").write_text(commit)
        words = byte_level_tokenizer()
        words.save_pretrained(snapshot)
        model = tiny_model("gpt2", len(words))
        with torch.no_grad():
            model.transformer.wpe.weight.mul_(seed)
        model.save_pretrained(snapshot)

    return put


@pytest.mark.long
def test_the_gpt2_log_runs_where_the_hub_models_are(
    hub: Callable[[str, int], None], tmp_path: Path, model_cache: Path
) -> None:
    folder = Path(shutil.copytree(EXAMPLES / "gpt2-log", tmp_path / "log"))
    for path in (folder / "versions").glob("*.yaml"):  # 256 positions is all that the stand-in has
        path.write_text(path.read_text().replace("max_new_tokens: 120", "max_new_tokens: 20"))
    hub("gpt2", 1)
    hub("gpt2-medium", 2)
    with Study(folder) as study:
        result = run(study)
        assert [row.version for row in result.rows] == [
            "v0.0.1",
            "v0.1.0",
            "v1.0.0",
            "v1.1.0",
            "v2.0.0",
        ]
        assert result.made == 30 + 4 * 120
        small, medium = study.generations("v0.1.0"), study.generations("v1.0.0")
        assert [one.token_ids for one in small] != [one.token_ids for one in medium]
        log(study)
        assert verify(study).holds
    text = (folder / "PROGRESS.md").read_text()
    assert "`model` `gpt2` → `gpt2-medium`" in text
    with Study(folder) as study:
        assert run(study).made == 0


def test_the_gpt2_log_runs_on_stand_ins(
    hub: Callable[[str, int], None], tmp_path: Path, model_cache: Path
) -> None:
    folder = Path(shutil.copytree(EXAMPLES / "gpt2-log", tmp_path / "log"))
    for path in (folder / "versions").glob("*.yaml"):
        path.write_text(path.read_text().replace("max_new_tokens: 120", "max_new_tokens: 12"))
    hub("small", 1)
    settings = folder / "study.yaml"
    settings.write_text(
        settings.read_text().replace("samples: 4", "samples: 1")
        + "stand_ins: {gpt2: small, gpt2-medium: small}\n"
    )
    with Study(folder) as study:
        result = run(study)
        # The same stand-in for both: changing the model changes nothing.
        assert study.identities("v0.1.0") == study.identities("v1.0.0")
        assert result["v1.0.0"].differences["words"].estimate == 0
        log(study)
        assert verify(study).holds
    text = (folder / "PROGRESS.md").read_text()
    assert "`gpt2 (stand-in: small)`" in text
    assert "`gpt2-medium (stand-in: small)`" in text


def test_without_the_models_it_says_how_to_get_them(
    hub: Callable[[str, int], None], tmp_path: Path, model_cache: Path
) -> None:
    from ethogram.errors import ModelError

    folder = Path(shutil.copytree(EXAMPLES / "gpt2-log", tmp_path / "log"))
    with Study(folder) as study, pytest.raises(ModelError, match="ethogram pull gpt2"):
        run(study)


def test_the_log_of_first_light_has_an_entry_for_each_version() -> None:
    folder = EXAMPLES / "first-light"
    path = folder / "PROGRESS.md"
    text = path.read_text()
    with Study(folder) as study:
        versions = list(study.versions)
        aimed = [name for name, version in study.versions.items() if version.aim]
    assert [block.name for block in find_blocks(text, path)] == ["findings", *versions]
    assert text.count("**Aim ") == len(aimed)
    assert "not shown" not in text
    assert "One prompt through all versions" in text
