"""Runs the rows of guidance branches beside a batch and combines their scores with the model's.

A branch reads its own prompt and every token of its output. Its rows share, fork and end as those
of their outputs do, in slots of their own: the model's, for a negative prompt, or an amateur's.
Branches on early layers need no rows: the model's own forward pass provides them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ethogram.engine.forward.batch_invariance import BatchSizes
from ethogram.engine.forward.decode_step import decode_step
from ethogram.engine.forward.early_layers import LayeredDecoder
from ethogram.engine.forward.passes import ForwardPass, Prefilled
from ethogram.engine.guidance import BranchModel, GuidanceBranch
from ethogram.engine.sampling.contrast import between_layers, contrasted, guided
from ethogram.engine.sequence import SequenceState
from ethogram.engine.slots import Group, SharedGroup, Slots
from ethogram.engine.work import Work
from ethogram.spec.guidance import EarlyLayers, Guidance

#: Prefilled prompts kept: a study has few negative prompts, and every admission needs them.
_PROMPTS_KEPT = 4


@dataclass
class BranchGroup(SharedGroup):
    """Outputs whose guidance branches have equal histories, and the slot that holds them.

    Attributes:
        prompt_length: tokens of the branch's prompt.
    """

    prompt_length: int = 0

    @property
    def length(self) -> int:
        """Positions filled once the last token has been run."""
        return self.prompt_length + self.outputs[0].written


class BranchRows:
    """The rows of the guidance branches that run on one model.

    Args:
        forward: the model, with a slot for every output that has a branch on it.
        sizes: batch sizes of its decode steps.
        merging: let equal histories share a row.
        work: counts go here.
    """

    def __init__(self, forward: ForwardPass, sizes: BatchSizes, merging: bool, work: Work) -> None:
        self.forward, self.sizes, self.work = forward, sizes, work
        self.slots = Slots(forward.copy, merging)
        self._prompts: OrderedDict[tuple[int, ...], Prefilled] = OrderedDict()
        self._row_of: dict[int, int] = {}  # row of the logits, by id of the output
        self._logits = torch.empty(0)
        forward.start(0)

    def admit(self, outputs: Sequence[SequenceState]) -> None:
        """Give new outputs their rows."""
        groups: dict[tuple[int, ...], list[SequenceState]] = {}
        for output in outputs:
            groups.setdefault(_branch(output).prompt_ids, []).append(output)
        self._row_of = {}
        first: list[Tensor] = []
        for ids, group in groups.items():
            prompt = self._prefill(ids)
            self._row_of |= dict.fromkeys(map(id, group), len(first))
            first.append(prompt.logits)
            owner = partial(BranchGroup, prompt_length=len(ids))
            for shared in self.slots.share(group, owner):
                self.forward.fill(shared.slot, prompt)
        self._logits = torch.cat(first)

    def _prefill(self, ids: tuple[int, ...]) -> Prefilled:
        if ids not in self._prompts:
            self._prompts[ids] = self.forward.prefill(ids)
            self.work.guidance_rows += 1
            if len(self._prompts) > _PROMPTS_KEPT:
                self._prompts.popitem(last=False)
        self._prompts.move_to_end(ids)
        return self._prompts[ids]

    def advance(self) -> None:
        """Run the last token of every row."""
        groups = self.slots.owners  # One slot each, so these are in the order of the slots.
        if not groups:
            return
        tokens = [group.last_tokens[0] for group in groups]
        positions = [group.length - 1 for group in groups]
        self._logits, padding, _ = decode_step(self.forward, self.sizes, tokens, positions)
        self.work.guidance_rows += len(groups)
        self.work.padding += padding
        self._row_of = {id(output): group.rows[0] for group in groups for output in group.outputs}

    def logits(self, outputs: Sequence[SequenceState]) -> Tensor:
        """[outputs, vocab] fp32: the branch's logits for each output's next token."""
        rows = [self._row_of[id(output)] for output in outputs]
        return self._logits[torch.tensor(rows, device=self._logits.device)].float()

    def settle(self) -> None:
        """Fork histories that diverged, and free the rows of outputs that ended."""
        for group in list(self.slots.groups()):
            group.settle(self.slots)


class GuidanceRows:
    """All guidance branches of a batch.

    Args:
        branches: their rows, by the model that they run on.
        layers: the batch's own model where its outputs read its early layers.
    """

    def __init__(
        self,
        branches: Mapping[BranchModel, BranchRows] | None = None,
        layers: LayeredDecoder | None = None,
    ) -> None:
        self._branches, self._layers = branches or {}, layers
        self._slots: dict[int, int] = {}  # by id of the output, for early layers

    def admit(self, groups: Iterable[Group]) -> None:
        """Start the branches of outputs that start with this step."""
        outputs = [output for group in self._located(groups) for output in group.outputs]
        for model, rows in self._branches.items():
            guided_here = [
                output
                for output in outputs
                if output.job.guidance is not None and output.job.guidance.model == model
            ]
            if guided_here:
                rows.admit(guided_here)

    def advance(self, groups: Iterable[Group]) -> None:
        """Run the tokens chosen last through every branch."""
        self._located(groups)
        for rows in self._branches.values():
            rows.advance()

    def settle(self) -> None:
        """Follow outputs that diverged or ended."""
        for rows in self._branches.values():
            rows.settle()

    def scores(self, outputs: Sequence[SequenceState], logits: Tensor) -> Tensor:
        """The scores with which the steps of guided outputs start, [outputs, vocab] fp32.

        Args:
            outputs: of one decoding; they take part in this step.
            logits: [outputs, vocab] fp32 of the model itself.
        """
        branch = _branch(outputs[0])
        if isinstance(branch.view, EarlyLayers):
            assert self._layers is not None
            slots = [self._slots[id(output)] for output in outputs]
            return between_layers(logits, self._layers.early(slots, branch.layers))
        assert branch.model is not None
        other = self._branches[branch.model].logits(outputs).to(logits.device)
        if isinstance(branch.view, Guidance):
            return guided(logits, other, branch.view.scale)
        return contrasted(logits, other, branch.view)

    def _located(self, groups: Iterable[Group]) -> list[Group]:
        """The groups, once the slot of each of their outputs is noted for early layers."""
        located = list(groups) if self._branches or self._layers is not None else []
        if self._layers is not None:
            self._slots = {id(one): group.rows[0] for group in located for one in group.outputs}
        return located


def _branch(output: SequenceState) -> GuidanceBranch:
    assert output.job.guidance is not None
    return output.job.guidance
