"""GuidanceRows: the rows of second views, beside those of the outputs. Knows who reads which.

A companion row holds the history that an output's second view reads: another prompt in the same
model, or the same prompt in another model, and then the output's own tokens. It is fed apart from
the outputs' rows, so that those are the same with and without it, and shared by all outputs for
which it would be the same.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ethogram.engine.forward.batch_invariance import RowClass
from ethogram.engine.forward.decode_step import feed
from ethogram.engine.forward.early_layers import LayeredDecoder
from ethogram.engine.forward.passes import DecoderOnly, Prefilled
from ethogram.engine.guidance import GuidanceBranch
from ethogram.engine.sampling.contrast import between_layers, contrasted, guided
from ethogram.engine.sequence import SequenceState
from ethogram.engine.slots import Group, SharedGroup, Slots
from ethogram.spec.guidance import EarlyLayers, Guidance

if TYPE_CHECKING:
    from ethogram.engine.batch import Work

#: Prefilled prompts kept: a study has few negative prompts, and each is asked for at every
#: admission.
_PROMPTS_KEPT = 4


@dataclass
class AuxiliaryGroup(SharedGroup):
    """Outputs whose second view has one history, and the slot that holds it.

    Attributes:
        prompt_length: tokens that the view reads before those of the outputs.
    """

    prompt_length: int = 0

    @property
    def length(self) -> int:
        """Positions filled once the last token has been fed."""
        return self.prompt_length + self.outputs[0].written


class AuxiliaryRows:
    """The rows of one model as a second view.

    Args:
        forward: the model, with a slot for every output that looks at it.
        rows: how many rows a decode step may feed.
        merging: let equal histories share a row.
        work: counts go here.
    """

    def __init__(self, forward: DecoderOnly, rows: RowClass, merging: bool, work: Work) -> None:
        self.forward, self.rows, self.work = forward, rows, work
        self.slots = Slots(forward.copy, merging)
        self._prompts: OrderedDict[tuple[int, ...], Prefilled] = OrderedDict()
        self._places: dict[int, int] = {}
        self._logits = torch.empty(0)
        forward.start(0)

    def admit(self, outputs: Sequence[SequenceState]) -> None:
        """Give outputs that have not begun their rows."""
        groups: dict[tuple[int, ...], list[SequenceState]] = {}
        for output in outputs:
            groups.setdefault(_second(output).prompt_ids, []).append(output)
        self._places = {}
        first: list[Tensor] = []
        for ids, group in groups.items():
            prompt = self._prefill(ids)
            self._places |= dict.fromkeys(map(id, group), len(first))
            first.append(prompt.logits)
            history = partial(AuxiliaryGroup, prompt_length=len(ids))
            for shared in self.slots.share(group, history):
                self.forward.fill(shared.slot, prompt)
        self._logits = torch.cat(first)

    def _prefill(self, ids: tuple[int, ...]) -> Prefilled:
        if ids not in self._prompts:
            self._prompts[ids] = self.forward.prefill(ids)
            self.work.companions += 1
            if len(self._prompts) > _PROMPTS_KEPT:
                self._prompts.popitem(last=False)
        self._prompts.move_to_end(ids)
        return self._prompts[ids]

    def advance(self) -> None:
        """Feed the last token of every row."""
        groups = [group for group in self.slots.owners if isinstance(group, SharedGroup)]
        if not groups:
            return
        tokens = [group.last_token for group in groups]
        places = [group.length - 1 for group in groups]
        self._logits, padding, _ = feed(self.forward, self.rows, tokens, places)
        self.work.companions += len(groups)
        self.work.padding += padding
        self._places = {id(output): group.slot for group in groups for output in group.outputs}

    def logits(self, outputs: Sequence[SequenceState]) -> Tensor:
        """[outputs, vocab] fp32 of what each output's second view says of its next token."""
        places = [self._places[id(output)] for output in outputs]
        return self._logits[torch.tensor(places, device=self._logits.device)].float()

    def settle(self) -> None:
        """Part histories that differ now, and free the rows of outputs that ended."""
        for group in list(self.slots.groups()):
            assert isinstance(group, SharedGroup)
            self.slots.part(group)


class GuidanceRows:
    """Everything that the outputs of a batch look at beside the model's own scores.

    Args:
        views: the rows of second views, by the name of their model (`Second.model`).
        layers: the batch's own model where its outputs look at its early layers.
    """

    def __init__(
        self, views: Mapping[str, AuxiliaryRows] | None = None, layers: LayeredDecoder | None = None
    ) -> None:
        self._views, self._layers = views or {}, layers
        self._slots: dict[int, int] = {}

    def admit(self, groups: Iterable[Group]) -> None:
        """Begin the second views of outputs that start with this step."""
        outputs = [output for group in self._seen(groups) for output in group.outputs]
        for name, rows in self._views.items():
            lookers = [one for one in outputs if one.job.second and one.job.second.model == name]
            if lookers:
                rows.admit(lookers)

    def advance(self, groups: Iterable[Group]) -> None:
        """Feed the tokens that were chosen last to every second view."""
        self._seen(groups)
        for rows in self._views.values():
            rows.advance()

    def settle(self) -> None:
        """Follow outputs that parted or ended."""
        for rows in self._views.values():
            rows.settle()

    def scores(self, outputs: Sequence[SequenceState], logits: Tensor) -> Tensor:
        """What enters the steps of outputs that have a second view.

        Args:
            outputs: of one decoding; they take part in this step.
            logits: [outputs, vocab] fp32 of the model itself.
        """
        second = _second(outputs[0])
        if isinstance(second.view, EarlyLayers):
            assert self._layers is not None
            slots = [self._slots[id(output)] for output in outputs]
            return between_layers(logits, self._layers.early(slots, second.layers))
        assert second.model is not None
        other = self._views[second.model].logits(outputs).to(logits.device)
        if isinstance(second.view, Guidance):
            return guided(logits, other, second.view.scale)
        return contrasted(logits, other, second.view)

    def _seen(self, groups: Iterable[Group]) -> list[SharedGroup]:
        """Remember where the states of this step's outputs lie, for those who look at layers."""
        if not self._views and self._layers is None:
            return []
        shared = [group for group in groups if isinstance(group, SharedGroup)]
        if self._layers is not None:
            self._slots = {id(one): group.slot for group in shared for one in group.outputs}
        return shared


def _second(output: SequenceState) -> GuidanceBranch:
    assert output.job.second is not None
    return output.job.second
