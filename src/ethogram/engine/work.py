"""Counts what a run computed and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass
class Work:
    """What a run computed; output tokens and computed tokens are counted apart.

    Attributes:
        output_tokens: tokens chosen for outputs; a search counts one a step.
        discarded_tokens: tokens chosen besides for outputs that were restarted, since a batch ran
            out of memory.
        computed_tokens: rows that decode steps computed for outputs; fewer than the output tokens
            where outputs shared a row.
        extra_beams: of these rows, those of the second and later beams of a beam search.
        padding: rows added to reach an invariant batch size.
        steps: decode steps.
        prefills: prompts run.
        prompt_tokens: tokens of these prompts.
        prompt_tokens_computed: those of them that were computed; the others are a prefix of the
            prompt before, and came from its cache.
        forks: times that the cache of a history was copied because its outputs diverged.
        guidance_rows: rows computed for guidance branches (negative prompts, amateurs); a prompt
            counts as one.
        accepted_drafts: of the computed rows, those of draft tokens that were accepted.
        rejected_drafts: rows computed besides for draft tokens that were rejected.
        memory_budget: bytes that the slots of outputs in progress may take.
        slots_bytes: most bytes that they took, slots for padding included.
    """

    output_tokens: int = 0
    discarded_tokens: int = 0
    computed_tokens: int = 0
    extra_beams: int = 0
    padding: int = 0
    steps: int = 0
    prefills: int = 0
    prompt_tokens: int = 0
    prompt_tokens_computed: int = 0
    forks: int = 0
    guidance_rows: int = 0
    accepted_drafts: int = 0
    rejected_drafts: int = 0
    memory_budget: int = 0
    slots_bytes: int = 0

    def __add__(self, other: Work) -> Work:
        """Both together; of sizes the larger."""
        sizes = {"memory_budget", "slots_bytes"}
        return Work(
            **{
                each.name: (max if each.name in sizes else sum)(
                    (getattr(self, each.name), getattr(other, each.name))
                )
                for each in fields(self)
            }
        )

    @property
    def merged_share(self) -> float:
        """Share of the chosen tokens that came from a row shared with another output."""
        rows = self.computed_tokens - self.extra_beams + self.prefills
        chosen = self.output_tokens + self.discarded_tokens
        return 1 - rows / chosen if chosen else 0.0
