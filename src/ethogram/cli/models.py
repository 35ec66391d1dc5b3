"""`ethogram models`, `pull` and `schema`: models on this machine, and the form of the files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ethogram.cli.options import command, json_option, print_json


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


@command("pull", "ethogram pull smollm2-135m-instruct", "ethogram pull Qwen/Qwen3-0.6B")
@click.argument("name")
@click.option("--revision", help="Branch, tag or commit of a hub model.")
@json_option
def pull_command(name: str, revision: str | None, json_wanted: bool) -> None:
    """Fetch and verify a model.

    NAME is a built-in model or one of the Hugging Face hub.
    """
    from ethogram.models import pull

    path = pull(name, revision=revision)
    if json_wanted:
        print_json({"model": name, "path": str(path)})
    else:
        click.echo(f"{name} is ready in {path}")


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
