"""Pairing: which outputs of two versions a judge compares."""

from __future__ import annotations

from dataclasses import dataclass

from ethogram.errors import SpecError
from ethogram.metrics import Output
from ethogram.study.judging.pairwise import Pairing
from ethogram.study.shared_prompts import shared_prompts
from ethogram.study.workspace import Study


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored output and the generation it comes from."""

    identity: str
    output: Output


#: Prompt id to sample index to candidate.
ByPrompt = dict[str, dict[int, Candidate]]


def candidates(study: Study, version: str) -> ByPrompt:
    """The stored outputs of a version, in suite order."""
    found: ByPrompt = {}
    outputs = study.outputs(version)
    for identity, output in zip(study.identities(version), outputs, strict=True):
        found.setdefault(output.prompt_id, {})[output.sample_index] = Candidate(identity, output)
    return found


def shared(first: ByPrompt, second: ByPrompt, before: str, after: str) -> tuple[ByPrompt, ByPrompt]:
    """Both versions, restricted to the prompts that both have.

    Raises:
        SpecError: they share no prompt, or an id is used for two different prompts.
    """
    a, b = (
        [each.output for row in side.values() for each in row.values()] for side in (first, second)
    )
    # A judge reads the prompt, so it has to be known of both or of neither.
    ids = shared_prompts(a, b, before, after, wordings_known=True)
    return {each: first[each] for each in ids}, {each: second[each] for each in ids}


def match_samples(
    first: dict[int, Candidate],
    second: dict[int, Candidate],
    pairing: Pairing,
    samples: int | None,
) -> list[tuple[Candidate, Candidate]]:
    """The pairs of outputs of a prompt; a greedy version's single output pairs with all others."""
    if len(first) == 1 or len(second) == 1:
        pairs = [(a, b) for a in first.values() for b in second.values()]
        return pairs[:samples]
    indices = [index for index in first if index in second]
    after = indices if pairing == "equal" else indices[1:] + indices[:1]
    if pairing == "shifted" and len(indices) < 2:
        raise SpecError(
            "shifted pairs need two samples of each prompt",
            where="--pairs shifted",
            hint="raise `samples` in study.yaml and run again",
        )
    return [(first[a], second[b]) for a, b in zip(indices, after, strict=True)][:samples]
