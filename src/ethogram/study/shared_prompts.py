"""Prompts: which ones two versions share. Knows outputs; knows no files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ethogram.errors import SpecError
from ethogram.metrics import Output

#: What the suite of an import says of a prompt that nobody kept.
UNKNOWN_PROMPT = "(none)"


def shared_prompts(
    first: Iterable[Output],
    second: Iterable[Output],
    before: str,
    after: str,
    *,
    wordings_known: bool = False,
) -> list[str]:
    """Ids of the prompts that two versions share, in the order of the first.

    Args:
        first: outputs of the first version.
        second: of the second.
        before: name of the first version, for messages.
        after: name of the second.
        wordings_known: whether a prompt that nobody kept is told apart from one that is known;
            otherwise its id alone says which prompt it is.

    Raises:
        SpecError: they share no prompt, or an id stands for two different prompts.
    """
    wordings, others = _wordings(first), _wordings(second)
    ids = [prompt_id for prompt_id in wordings if prompt_id in others]
    where = f"{before} and {after}"
    if not ids:
        raise SpecError(
            "they share no prompt", where=where, hint="name versions that run on the same suite"
        )
    unknown = set() if wordings_known else {"", UNKNOWN_PROMPT}
    for prompt_id in ids:
        if len((wordings[prompt_id] | others[prompt_id]) - unknown) > 1:
            raise SpecError(
                f"prompt id {prompt_id!r} stands for two different prompts",
                where=where,
                hint="give different prompts different ids; if it is one prompt in two wordings, "
                "name the same suite in both version files",
            )
    return ids


def _wordings(outputs: Iterable[Output]) -> Mapping[str, set[str]]:
    """Prompt id to all that is said to be its prompt."""
    found: dict[str, set[str]] = {}
    for output in outputs:
        found.setdefault(output.prompt_id, set()).add(output.prompt)
    return found
