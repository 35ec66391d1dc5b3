"""Chooses the next token of every output by its decoding: scores, steps, then argmax or a draw.

On the CPU one compiled pass serves all outputs, whatever their decodings. On other devices, and
without a compiler, torch does the same: outputs that share a decoding are handled together.
"""

from __future__ import annotations

import ctypes
import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ethogram.engine import native
from ethogram.engine.forced import only
from ethogram.engine.guidance_rows import GuidanceRows
from ethogram.engine.native.sample import (
    OUTPUT,
    Edit,
    KernelTrace,
    SampledTokens,
    sample_tokens,
)
from ethogram.engine.noise import draw
from ethogram.engine.sampling.compiled_chain import CompiledChain
from ethogram.engine.sampling.trace import (
    Distribution,
    apply_steps_counting,
    collect,
    from_kernels,
    record_step,
)
from ethogram.engine.sequence import SequenceState
from ethogram.engine.slots import Group
from ethogram.engine.steps import History, apply_steps
from ethogram.engine.steps.mirostat import surprisal
from ethogram.engine.steps.response_format import within_form

#: An output, the model's logits [1, vocab] fp32, and the scores that its first step starts from.
Watch = Callable[[SequenceState, Tensor, Tensor], None]


class Sampler:
    """Chooses tokens, step after step.

    Args:
        guidance: the guidance branches of the outputs.
        alternatives: how many of the most probable tokens to record beside each one chosen; 0
            records no trace.

    Attributes:
        watch: called with what each output's next token is chosen from.
    """

    def __init__(self, guidance: GuidanceRows, alternatives: int = 0) -> None:
        self._guidance, self._alternatives = guidance, alternatives
        self._chains: dict[Hashable, CompiledChain] = {}
        self.watch: Watch | None = None

    def record(self, alternatives: int) -> None:
        """Record so many alternatives from the next step on; 0 records no trace."""
        self._alternatives = alternatives

    def sample_tokens(
        self, groups: Sequence[Group], rows: Sequence[Sequence[int]], logits: Tensor
    ) -> int:
        """Give every output its next token.

        Args:
            groups: of outputs, and searches.
            rows: the rows of each: one, or one for each slot of a search.
            logits: [rows, vocab] in any floating type.

        Returns:
            How many tokens were chosen; a search chooses at most one a step.
        """
        plain: list[tuple[SequenceState, int]] = []
        guided: list[tuple[SequenceState, int]] = []
        by_searches = forced = 0
        for group, own in zip(groups, rows, strict=True):
            if not group.outputs:
                by_searches += group.search(logits[list(own)], self._collect)
            for output in group.outputs:
                if self.watch is not None:
                    self.watch(output, *self._first_scores(output, logits[own[0]]))
                if _is_forced(output):
                    self._push_forced(output, logits[own[0]].float())
                    forced += 1
                    continue
                (plain if output.job.guidance is None else guided).append((output, own[0]))
        library = native.library() if logits.is_cpu else None
        if plain and library is not None:
            self._sample_compiled(library, plain, logits)
        elif plain:
            self._sample_in_torch(plain, logits)
        if guided:  # Guidance combines scores in torch, so torch samples from them too.
            self._sample_in_torch(guided, logits)
        return by_searches + forced + len(plain) + len(guided)

    def _push_forced(self, output: SequenceState, logits: Tensor) -> None:
        """Give an output the token that is forced here; its row of logits is [vocab] fp32."""
        token = output.job.forced.at(output.written)
        assert token is not None
        output.takes(token)
        row = logits.unsqueeze(0)
        log_probs = row.log_softmax(-1)
        distribution = self._collect(row, log_probs)
        output.push(token, float(log_probs[0, token]))
        if distribution is not None:
            steps = len(output.job.request.decoding.active_step_names())
            kept = np.ones((1, steps), np.int32)
            chosen = torch.tensor([token], device=row.device)
            step = record_step(distribution, [0], chosen, only(row, token), kept)
            output.trace_rows.append((step, 0))

    def _first_scores(self, output: SequenceState, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and the scores that the first step starts from, [1, vocab] fp32 each."""
        row = logits.float().unsqueeze(0)
        return row, row if output.job.guidance is None else self._guidance.scores([output], row)

    def _push_given(self, output: SequenceState, token: int, logits: Tensor) -> None:
        """Give an output a token that its decoding did not choose; its logits are [vocab] fp32."""
        row = logits.unsqueeze(0)
        log_probs = row.log_softmax(-1)
        distribution = self._collect(row, log_probs)
        scores, kept = apply_steps_counting(row, output.job.request.decoding, history_of([output]))
        chosen = torch.tensor([token], device=row.device)
        output.takes(token)
        output.push(token, float(log_probs[0, token]), _steering([output], scores, chosen)[0])
        if distribution is not None:
            output.trace_rows.append((record_step(distribution, [0], chosen, scores, kept), 0))

    def _sample_compiled(
        self,
        library: ctypes.CDLL,
        located: Sequence[tuple[SequenceState, int]],
        logits: Tensor,
    ) -> None:
        """Choose for outputs at their rows of the logits, by the kernels."""
        outputs, rows = zip(*located, strict=True)
        chains = [self._chain(output) for output in outputs]
        sampled = sample_compiled(
            library,
            outputs,
            chains,
            rows,
            logits,
            trace=self._alternatives > 0,
            alternatives=min(self._alternatives, logits.shape[1]),
        )
        chosen: list[int] = []  # indices of the outputs whose tokens are those sampled
        refused = []
        for index, (output, token, logprob, bits) in enumerate(
            zip(
                outputs,
                sampled.tokens.tolist(),
                sampled.logprobs.tolist(),
                sampled.surprisals.tolist(),
                strict=True,
            )
        ):
            given = output.job.forced.given_at(output.written)
            if given is not None and given != token:
                self._push_given(output, given, logits[rows[index]].float())
                continue
            if not output.takes(token) and given is None:
                refused.append(index)
                continue
            output.push(token, logprob, bits if chains[index].is_steered else None)
            chosen.append(index)
        if sampled.trace is not None:
            _record_compiled(outputs, chosen, chains, sampled.trace, logits.shape[1])
        if refused:  # Their masks hold one token now.
            self._sample_compiled(library, [located[index] for index in refused], logits)

    def _sample_in_torch(
        self, located: Sequence[tuple[SequenceState, int]], logits: Tensor
    ) -> None:
        by_decoding: dict[Hashable, list[tuple[SequenceState, int]]] = defaultdict(list)
        for output, row in located:
            by_decoding[output.decoding_key].append((output, row))
        for members in by_decoding.values():
            own = logits[[row for _, row in members]].float()
            self._sample_alike([output for output, _ in members], own)

    def _sample_alike(self, outputs: Sequence[SequenceState], logits: Tensor) -> None:
        """Choose for outputs of one decoding, each from its row of [outputs, vocab] fp32."""
        decoding = outputs[0].job.request.decoding
        history = history_of(outputs)
        scores = logits
        if outputs[0].job.guidance is not None:
            scores = self._guidance.scores(outputs, logits)
        log_probs = logits.log_softmax(-1)
        distribution = self._collect(logits, log_probs)
        if distribution is None:
            scores = apply_steps(scores, decoding, history)
        else:
            scores, kept = apply_steps_counting(scores, decoding, history)
        scores = within_form(scores, logits, history)
        if decoding.is_stochastic:
            tokens = draw(scores, history.keys, [output.written for output in outputs])
        else:
            tokens = scores.argmax(-1)
        for index, output in enumerate(outputs):
            given = output.job.forced.given_at(output.written)
            if given is not None:
                tokens[index] = given
        logprobs = log_probs.gather(1, tokens.unsqueeze(1)).squeeze(1).tolist()
        chosen = zip(tokens.tolist(), logprobs, _steering(outputs, scores, tokens), strict=True)
        refused = []
        for index, (output, pushed) in enumerate(zip(outputs, chosen, strict=True)):
            is_given = output.job.forced.given_at(output.written) is not None
            if not output.takes(pushed[0]) and not is_given:
                refused.append(index)
                continue
            output.push(*pushed)
        if distribution is not None:
            step = record_step(distribution, range(len(outputs)), tokens, scores, kept)
            for index, output in enumerate(outputs):
                if index not in refused:
                    output.trace_rows.append((step, index))
        if refused:  # Their masks hold one token now.
            self._sample_alike([outputs[index] for index in refused], logits[refused])

    def _collect(self, logits: Tensor, log_probs: Tensor) -> Distribution | None:
        return collect(logits, log_probs, self._alternatives) if self._alternatives else None

    def _chain(self, output: SequenceState) -> CompiledChain:
        if output.decoding_key not in self._chains:
            job = output.job
            self._chains[output.decoding_key] = CompiledChain(
                job.request.decoding, job.string_ids, job.rules.eos_token_ids
            )
        return self._chains[output.decoding_key]


def _is_forced(output: SequenceState) -> bool:
    """Whether its next token is forced by its decoding, and no other one is given."""
    forced = output.job.forced
    token = forced.at(output.written)
    return token is not None and forced.given_at(output.written) in (None, token)


def history_of(outputs: Sequence[SequenceState]) -> History:
    """What the steps read of outputs of one decoding."""
    return History(
        [output.job.decoder_prompt for output in outputs],
        [output.token_ids for output in outputs],
        outputs[0].job.rules.eos_token_ids,
        outputs[0].job.string_ids,
        [output.job.request.noise_key or 0 for output in outputs],
        [output.surprisal_limit for output in outputs],
        [output.form.mask() for output in outputs if output.form is not None],
    )


def _steering(
    outputs: Sequence[SequenceState], scores: Tensor, tokens: Tensor
) -> list[float | None]:
    """Surprisal of each token for mirostat, bits; None without it, or of an impossible token."""
    if "mirostat" not in outputs[0].job.request.decoding.active_step_names():
        return [None] * len(outputs)
    return [bits if math.isfinite(bits) else None for bits in surprisal(scores, tokens)]


def sample_compiled(
    library: ctypes.CDLL,
    outputs: Sequence[SequenceState],
    chains: Sequence[CompiledChain],
    rows: Sequence[int],
    logits: Tensor,
    *,
    trace: bool = False,
    alternatives: int = 0,
) -> SampledTokens:
    """Choose by the kernels; the outputs stay as they are.

    Args:
        library: the kernels.
        outputs: what is written.
        chains: the steps of each.
        rows: the row of each.
        logits: [rows, vocab].
        trace: also record how each token was chosen.
        alternatives: in the trace, the number of most probable tokens.
    """
    table, steps, edits = tables(outputs, chains, rows)
    return sample_tokens(
        library, logits, table, steps, edits, trace=trace, alternatives=alternatives
    )


def tables(
    outputs: Sequence[SequenceState], chains: Sequence[CompiledChain], rows: Sequence[int]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], list[Edit]]:
    """Outputs, steps and edits as the kernels read them; each chain's steps once."""
    distinct = list({id(chain): chain for chain in chains}.values())
    sizes = [len(chain.steps) for chain in distinct]
    starts = dict(zip(map(id, distinct), accumulate(sizes, initial=0), strict=False))
    edits: list[Edit] = []
    first_edits = []
    for output, chain in zip(outputs, chains, strict=True):
        first_edits.append(len(edits))
        edits += [edit(output.job.decoder_prompt, output.token_ids) for edit in chain.own_edits]
    table = np.empty(len(outputs), OUTPUT)
    table["row"] = rows
    table["first_step"] = [starts[id(chain)] for chain in chains]
    table["steps"] = [len(chain.steps) for chain in chains]
    table["first_edits"] = first_edits
    table["key"] = [output.job.request.noise_key or 0 for output in outputs]
    table["position"] = [output.written for output in outputs]
    table["is_sampled"] = [chain.is_stochastic for chain in chains]
    table["history"] = [output.history.ids_address for output in outputs]
    table["length"] = [output.history.length for output in outputs]
    table["distinct"] = [output.history.distinct_address for output in outputs]
    table["counts"] = [output.history.counts_address for output in outputs]
    table["distinct_count"] = [output.history.distinct_count for output in outputs]
    table["surprisal_limit"] = [output.surprisal_limit for output in outputs]
    table["mask"] = [output.form.mask().ctypes.data if output.form else 0 for output in outputs]
    return table, np.concatenate([chain.steps for chain in distinct]), edits


def _record_compiled(
    outputs: Sequence[SequenceState],
    chosen: Sequence[int],
    chains: Sequence[CompiledChain],
    trace: KernelTrace,
    vocab: int,
) -> None:
    """Give the outputs at some indices their rows of the trace, those of one chain together."""
    by_chain: dict[int, list[int]] = defaultdict(list)
    for index in chosen:
        by_chain[id(chains[index])].append(index)
    for members in by_chain.values():
        chain = chains[members[0]]
        decoding = outputs[members[0]].job.request.decoding
        step = from_kernels(trace, members, chain.names, decoding.active_step_names(), vocab)
        for row, index in enumerate(members):
            outputs[index].trace_rows.append((step, row))
