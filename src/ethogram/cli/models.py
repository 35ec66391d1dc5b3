"""`ethogram models`, `pull` and `schema`: models on this machine, and the form of the files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ethogram.cli.options import command, json_option, print_json, shared_bar


@command("models", "ethogram models")
@json_option
def models_command(json_wanted: bool) -> None:
    """List the models on this machine and the built-in ones."""
    from ethogram.models import available

    infos = available()
    if json_wanted:
        print_json(infos)
        return
    for info in infos:
        click.echo(str(info))


@command(
    "pull",
    "ethogram pull smollm2-135m-instruct",
    "ethogram pull Qwen/Qwen3-0.6B",
    "ethogram pull s3://my-bucket/my-gpt2 --to models/my-gpt2",
)
@click.argument("name")
@click.option("--revision", help="Branch, tag or commit of a hub model.")
@click.option(
    "--to",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="New folder for a model at an address, or the folder that its GGUF file goes into. "
    "Default: models/NAME of the study in the current folder.",
)
@json_option
def pull_command(name: str, revision: str | None, to: Path | None, json_wanted: bool) -> None:
    """Fetch and verify a model.

    NAME is a built-in model, one of the Hugging Face hub, or an address of object storage: of a
    folder that `ethogram export --as model` wrote, or of a GGUF file.
    """
    from ethogram.models import pull
    from ethogram.objects import is_address, without_secrets

    shown = without_secrets(name)
    with shared_bar(quiet=json_wanted):
        path = pull(name, revision=revision, to=to)
    if json_wanted:
        print_json({"model": shown, "path": str(path)})
        return
    click.echo(f"{shown} is ready in {path}")
    if is_address(name):
        field = "adapter" if (path / "adapter_config.json").is_file() else "model"
        click.echo(f"Next: write `{field}: {path}` in a version")


@command("schema", "ethogram schema version > version.schema.json")
@click.argument("kind", type=click.Choice(["study", "version", "suite", "recipe"]))
def schema_command(kind: str) -> None:
    """Print the JSON Schema of a file, for editors."""
    from ethogram.spec import StudyFile, SuitePrompt, Version
    from ethogram.spec.recipes import recipe_schema

    kinds: dict[str, Callable[[], dict[str, Any]]] = {
        "study": StudyFile.model_json_schema,
        "version": Version.model_json_schema,
        "suite": SuitePrompt.model_json_schema,
        "recipe": recipe_schema,
    }
    print_json({"$schema": "https://json-schema.org/draft/2020-12/schema", **kinds[kind]()})
