"""Picks the next token of every output. Knows programs, steps, noise and searches; runs no model.

On the CPU one compiled pass serves all outputs, whatever their decodings. Elsewhere, and without a
compiler, torch does the same: outputs that share a decoding are handled together.
"""

from __future__ import annotations

import ctypes
from collections import defaultdict
from collections.abc import Hashable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ethogram.engine import native
from ethogram.engine.forced import only
from ethogram.engine.guidance_rows import GuidanceRows
from ethogram.engine.native.sample import OUTPUT, Chosen, Edit, Traced, choose
from ethogram.engine.noise import draw
from ethogram.engine.sampling.compiled_chain import CompiledChain
from ethogram.engine.sampling.trace import Raw, apply_counting, from_kernels, look, see
from ethogram.engine.search.base import Search
from ethogram.engine.sequence import SequenceState
from ethogram.engine.slots import Group
from ethogram.engine.steps import History, apply_steps
from ethogram.engine.steps.mirostat import surprise


class Sampler:
    """Gives outputs their tokens, step after step.

    Args:
        companions: what outputs with a second view look at.
        alternatives: how many of the most probable tokens to note beside each one chosen; 0 notes
            nothing of how it was chosen.
    """

    def __init__(self, companions: GuidanceRows, alternatives: int = 0) -> None:
        self._companions, self._alternatives = companions, alternatives
        self._programs: dict[Hashable, CompiledChain] = {}

    def choose(self, groups: Sequence[Group], rows: Sequence[Sequence[int]], logits: Tensor) -> int:
        """Give every output its next token.

        Args:
            groups: of outputs and searches.
            rows: the rows of each: one, or one for each slot of a search.
            logits: [rows, vocab] in any floating type.

        Returns:
            How many tokens were chosen; a search chooses one a step.
        """
        plain: list[tuple[SequenceState, int]] = []
        seconded: list[tuple[SequenceState, int]] = []
        searched = forced = 0
        for group, mine in zip(groups, rows, strict=True):
            if isinstance(group, Search):
                written = group.length - len(group.job.decoder_prompt)
                scores = only(logits[list(mine)].float(), group.job.forced.at(written))
                log_probs = scores.log_softmax(-1)
                new = group.push(scores, log_probs, self._look(scores, log_probs))
                group.chosen += new
                searched += new
            else:
                for output in group.outputs:
                    if output.job.forced.at(output.written) is not None:
                        self._push_forced(output, logits[mine[0]].float())
                        forced += 1
                        continue
                    (plain if output.job.second is None else seconded).append((output, mine[0]))
        library = native.library() if logits.is_cpu else None
        if plain and library is not None:
            self._choose_compiled(library, plain, logits)
        elif plain:
            self._choose_in_torch(plain, logits)
        if seconded:  # Their scores are made in torch, so torch chooses from them too.
            self._choose_in_torch(seconded, logits)
        return searched + forced + len(plain) + len(seconded)

    def _push_forced(self, output: SequenceState, logits: Tensor) -> None:
        """Give an output the token that is forced here; its row of logits is [vocab] fp32."""
        token = output.job.forced.at(output.written)
        assert token is not None
        row = logits.unsqueeze(0)
        log_probs = row.log_softmax(-1)
        raw = self._look(row, log_probs)
        output.push(token, float(log_probs[0, token]))
        if raw is not None:
            steps = len(output.job.request.decoding.active_step_names())
            kept = np.ones((1, steps), np.int32)
            chosen = torch.tensor([token], device=row.device)
            output.watched.append((see(raw, [0], chosen, only(row, token), kept), 0))

    def _choose_compiled(
        self,
        library: ctypes.CDLL,
        placed: Sequence[tuple[SequenceState, int]],
        logits: Tensor,
    ) -> None:
        outputs, rows = zip(*placed, strict=True)
        programs = [self._program(output) for output in outputs]
        chosen = sample_compiled(
            library,
            outputs,
            programs,
            rows,
            logits,
            trace=self._alternatives > 0,
            alternatives=min(self._alternatives, logits.shape[1]),
        )
        for output, program, token, logprob, bits in zip(
            outputs,
            programs,
            chosen.tokens.tolist(),
            chosen.logprobs.tolist(),
            chosen.surprises.tolist(),
            strict=True,
        ):
            output.push(token, logprob, bits if program.is_steered else None)
        if chosen.trace is not None:
            _watch_compiled(outputs, programs, chosen.trace, logits.shape[1])

    def _choose_in_torch(self, placed: Sequence[tuple[SequenceState, int]], logits: Tensor) -> None:
        groups: dict[Hashable, list[tuple[SequenceState, int]]] = defaultdict(list)
        for output, row in placed:
            groups[output.group].append((output, row))
        for members in groups.values():
            mine = logits[[row for _, row in members]].float()
            self._choose_group([output for output, _ in members], mine)

    def _choose_group(self, outputs: Sequence[SequenceState], logits: Tensor) -> None:
        """Choose for outputs of one decoding, each from its row of [outputs, vocab] fp32."""
        decoding = outputs[0].job.request.decoding
        history = History(
            [output.job.decoder_prompt for output in outputs],
            [output.token_ids for output in outputs],
            outputs[0].job.rules.eos_token_ids,
            outputs[0].job.words,
            [output.job.request.noise_key or 0 for output in outputs],
            [output.surprise_limit for output in outputs],
        )
        scores = logits
        if outputs[0].job.second is not None:
            scores = self._companions.scores(outputs, logits)
        log_probs = logits.log_softmax(-1)
        raw = self._look(logits, log_probs)
        if raw is None:
            scores = apply_steps(scores, decoding, history)
        else:
            scores, kept = apply_counting(scores, decoding, history)
        if decoding.is_stochastic:
            tokens = draw(scores, history.keys, [output.written for output in outputs])
        else:
            tokens = scores.argmax(-1)
        picked = log_probs.gather(1, tokens.unsqueeze(1)).squeeze(1).tolist()
        is_steered = "mirostat_tau" in decoding.active_step_names()
        bits = surprise(scores, tokens) if is_steered else [None] * len(outputs)
        for output, *pushed in zip(outputs, tokens.tolist(), picked, bits, strict=True):
            output.push(*pushed)
        if raw is not None:
            seen = see(raw, range(len(outputs)), tokens, scores, kept)
            for place, output in enumerate(outputs):
                output.watched.append((seen, place))

    def _look(self, logits: Tensor, log_probs: Tensor) -> Raw | None:
        return look(logits, log_probs, self._alternatives) if self._alternatives else None

    def _program(self, output: SequenceState) -> CompiledChain:
        if output.group not in self._programs:
            job = output.job
            self._programs[output.group] = CompiledChain(
                job.request.decoding, job.words, job.rules.eos_token_ids
            )
        return self._programs[output.group]


def sample_compiled(
    library: ctypes.CDLL,
    outputs: Sequence[SequenceState],
    programs: Sequence[CompiledChain],
    rows: Sequence[int],
    logits: Tensor,
    *,
    trace: bool = False,
    alternatives: int = 0,
) -> Chosen:
    """Choose by the kernels, without telling the outputs.

    Args:
        library: the kernels.
        outputs: what is written.
        programs: the steps of each.
        rows: the row of each.
        logits: [rows, vocab].
        trace: also tell what was seen of each choice.
        alternatives: in the trace, the number of most probable tokens.
    """
    table, steps, edits = tables(outputs, programs, rows)
    return choose(library, logits, table, steps, edits, trace=trace, alternatives=alternatives)


def tables(
    outputs: Sequence[SequenceState], programs: Sequence[CompiledChain], rows: Sequence[int]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], list[Edit]]:
    """Outputs, steps and edits as the kernels read them; each program's steps once."""
    distinct = list({id(program): program for program in programs}.values())
    sizes = [len(program.steps) for program in distinct]
    starts = dict(zip(map(id, distinct), accumulate(sizes, initial=0), strict=False))
    edits: list[Edit] = []
    first_edits = []
    for output, program in zip(outputs, programs, strict=True):
        first_edits.append(len(edits))
        edits += [own(output.job.decoder_prompt, output.token_ids) for own in program.own_edits]
    table = np.empty(len(outputs), OUTPUT)
    table["row"] = rows
    table["first_step"] = [starts[id(program)] for program in programs]
    table["steps"] = [len(program.steps) for program in programs]
    table["first_edits"] = first_edits
    table["key"] = [output.job.request.noise_key or 0 for output in outputs]
    table["position"] = [output.written for output in outputs]
    table["is_sampled"] = [program.is_stochastic for program in programs]
    table["history"] = [output.seen.history for output in outputs]
    table["length"] = [output.seen.length for output in outputs]
    table["seen"] = [output.seen.distinct for output in outputs]
    table["counts"] = [output.seen.uses for output in outputs]
    table["seen_count"] = [output.seen.distinct_count for output in outputs]
    table["surprise_limit"] = [output.surprise_limit for output in outputs]
    return table, np.concatenate([program.steps for program in distinct]), edits


def _watch_compiled(
    outputs: Sequence[SequenceState], programs: Sequence[CompiledChain], traced: Traced, vocab: int
) -> None:
    """Hand what the kernels saw to the outputs, those of one program together."""
    groups: dict[int, list[int]] = defaultdict(list)
    for place, program in enumerate(programs):
        groups[id(program)].append(place)
    for places in groups.values():
        program = programs[places[0]]
        decoding = outputs[places[0]].job.request.decoding
        seen = from_kernels(traced, places, program.names, decoding.active_step_names(), vocab)
        for at, place in enumerate(places):
            outputs[place].watched.append((seen, at))
