"""Shared prompts: which prompts two versions have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ethogram.errors import SpecError
from ethogram.metrics import Output

#: The prompt text in an import's suite where the prompt is unknown.
UNKNOWN_PROMPT = "(none)"


def shared_prompts(
    first: Iterable[Output],
    second: Iterable[Output],
    before: str,
    after: str,
    *,
    wordings_known: bool = False,
    skip_reworded: bool = False,
) -> list[str]:
    """Ids of the prompts that two versions share, in the order of the first.

    Args:
        first: outputs of the first version.
        second: of the second.
        before: name of the first version, for messages.
        after: name of the second.
        wordings_known: whether an unknown prompt differs from a known one; otherwise the id alone
            identifies a prompt.
        skip_reworded: leave out an id used for two different prompts instead of refusing it.

    Raises:
        SpecError: they share no prompt, or an id is used for two different prompts.
    """
    wordings, others = _wordings(first), _wordings(second)
    ids = [prompt_id for prompt_id in wordings if prompt_id in others]
    if skip_reworded:
        ids = [each for each in ids if len((wordings[each] | others[each]) - {""}) < 2]
    where = f"{before} and {after}"
    if not ids:
        raise SpecError(
            "they share no prompt", where=where, hint="name versions that run on the same suite"
        )
    unknown = set() if wordings_known else {"", UNKNOWN_PROMPT}
    for prompt_id in ids:
        if len((wordings[prompt_id] | others[prompt_id]) - unknown) > 1:
            raise SpecError(
                f"prompt id {prompt_id!r} is used for two different prompts",
                where=where,
                hint="give different prompts different ids; if it is one prompt in two wordings, "
                "name the same suite in both version files",
            )
    return ids


def _wordings(outputs: Iterable[Output]) -> Mapping[str, set[str]]:
    """Prompt id to all texts given for its prompt."""
    found: dict[str, set[str]] = {}
    for output in outputs:
        found.setdefault(output.prompt_id, set()).add(output.prompt)
    return found
