"""Token choice: the distribution that one token came from, before and after each decoding step."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ethogram.errors import SpecError
from ethogram.spec.setting import value_of
from ethogram.spec.steps import STEPS
from ethogram.study.calling import takes_study
from ethogram.study.found_output import FoundOutput, output_of_branch
from ethogram.study.pools import Backends
from ethogram.study.run import pool_of
from ethogram.study.trace import stored_output, token_texts
from ethogram.study.workspace import Study

if TYPE_CHECKING:
    from ethogram.engine.replay import Replay
    from ethogram.models.token_text import TokenText

#: Tokens of each distribution that are listed by name.
LISTED = 10
#: Tokens named among those that a step made impossible.
_REMOVED = 3
#: Bytes of scores that are kept of replayed outputs: 650 tokens of a vocabulary of 50 000, twice.
_KEPT_BYTES = 256 * 2**20


@dataclass(frozen=True)
class ChoiceStage:
    """The distribution at one place of the chain.

    Attributes:
        name: `model`, `guidance`, or the name of the step that made it.
        label: in words: "model", "after top-k".
        setting: the step's setting and its value, such as "top_k 40"; empty for the model's.
        probabilities: [vocab] fp64; they sum to 1.
        kept: tokens that are possible.
        removed: tokens that the step made impossible.
        removed_mass: the probability that they had before it.
        removed_examples: ids of the most probable of them.
        entropy: nats.
    """

    name: str
    label: str
    setting: str
    probabilities: NDArray[np.float64]
    kept: int
    removed: int
    removed_mass: float
    removed_examples: tuple[int, ...]
    entropy: float

    @property
    def words(self) -> str:
        """What the step did, in a sentence."""
        if not self.setting:
            return f"{self.kept} tokens possible"
        if not self.removed:
            return f"{self.setting}: removed nothing, moved probabilities"
        share = f"{100 * self.removed_mass:.2g} %"
        tokens = "token" if self.removed == 1 else "tokens"
        return f"{self.setting}: removed {self.removed} {tokens} with {share} of the probability"


@dataclass(frozen=True)
class TokenChoice:
    """What one token of an output was chosen from.

    Attributes:
        version: of the output.
        prompt_id: of the output.
        sample_index: of the output.
        branch: id of the branch, if the output is one.
        step: index of the token.
        token: its id.
        before: the text before it.
        stages: the distributions, in the order of the chain; the last is the final one.
        listed: ids of the tokens that matter most: the most probable ones of the first and the last
            distribution, the chosen one, and the most probable ones that a step removed.
        texts: of these.
        how: how a token is chosen from the final distribution.
        notes: what else decided; empty where nothing did.
    """

    version: str
    prompt_id: str
    sample_index: int
    branch: int | None
    step: int
    token: int
    before: str
    stages: Sequence[ChoiceStage]
    listed: tuple[int, ...]
    texts: tuple[str, ...]
    how: str
    notes: tuple[str, ...] = ()

    def rest(self, stage: ChoiceStage) -> float:
        """Probability of all tokens that are not listed."""
        return max(0.0, 1.0 - float(stage.probabilities[list(self.listed)].sum()))

    @property
    def why_possible(self) -> str:
        """Why the chosen token was possible at all, in a sentence."""
        first, last = self.stages[0].probabilities, self.stages[-1].probabilities
        rank = 1 + int((first > first[self.token]).sum())
        words = f"the model gave it {_percent(first[self.token])} (rank {rank})"
        masking = [one for one in self.stages[1:] if one.removed]
        lost = [one for one in self.stages if one.probabilities[self.token] == 0]
        if lost:
            return f"{words}; {lost[0].label.removeprefix('after ')} removed it, so it was given"
        if masking:
            names = ", ".join(one.label.removeprefix("after ") for one in masking)
            words += f"; {names} let it through"
        return f"{words}; the final probability is {_percent(last[self.token])}"

    def to_json(self) -> dict[str, Any]:
        """Plain data; of each distribution the listed tokens and the sum of the others."""
        texts = dict(zip(self.listed, self.texts, strict=True))
        return {
            "version": self.version,
            "prompt_id": self.prompt_id,
            "sample_index": self.sample_index,
            "branch": self.branch,
            "step": self.step,
            "token": self.token,
            "text": texts[self.token],
            "before": self.before,
            "how": self.how,
            "why_possible": self.why_possible,
            "notes": list(self.notes),
            "stages": [
                {
                    "name": one.name,
                    "label": one.label,
                    "setting": one.setting,
                    "words": one.words,
                    "kept": one.kept,
                    "removed": one.removed,
                    "removed_mass": one.removed_mass,
                    "removed_examples": [texts[token] for token in one.removed_examples],
                    "entropy": one.entropy,
                    "probability": float(one.probabilities[self.token]),
                    "rest": self.rest(one),
                }
                for one in self.stages
            ],
            "tokens": [
                {
                    "id": token,
                    "text": text,
                    "chosen": token == self.token,
                    "probabilities": [float(one.probabilities[token]) for one in self.stages],
                }
                for token, text in texts.items()
            ],
        }


class Microscope:
    """Looks at single tokens of outputs; the scores of the last outputs are kept.

    Args:
        study: the opened study.
        on_load: called with a model's name before it is loaded.
        backends: where models are loaded already.
    """

    def __init__(
        self,
        study: Study,
        on_load: Callable[[str], None] | None = None,
        backends: Backends | None = None,
    ) -> None:
        self.study = study
        self.backends = backends or Backends(None, on_load)
        self._replays: OrderedDict[str, Replay] = OrderedDict()

    def choice(
        self,
        version: str = "",
        prompt: str = "",
        *,
        sample: int = 0,
        step: int,
        branch: int | None = None,
    ) -> TokenChoice:
        """As `token_choice`."""
        found = (
            stored_output(self.study, version, prompt, sample)
            if branch is None
            else output_of_branch(self.study, branch)
        )
        count = len(found.generation.token_ids)
        if not 0 <= step < count:
            raise SpecError(
                f"the output has only {count} tokens",
                where=f"prompt {found.generation.prompt_id}",
            )
        texts = token_texts(self.study, found.named)
        return _choice(found, self._replay(found, step), step, texts)

    def _replay(self, found: FoundOutput, step: int) -> Replay:
        made = found.generation
        known = self._replays.get(made.identity)
        if known is not None and step in known.scores:
            self._replays.move_to_end(made.identity)
            return known
        pool = pool_of(found.study, found.version)
        if pool.backend != "engine":
            raise SpecError(
                f"backend {pool.backend} cannot show how a token was chosen",
                where=f"version {found.named}, backend",
                hint="trace a child version with backend: engine",
            )
        from ethogram.engine.replay import replay

        engine = self.backends.engine(pool)
        most = max(1, _KEPT_BYTES // (8 * engine.loaded.vocab_size))
        first = max(0, min(step - most // 2, len(made.token_ids) - most))
        kept = replay(
            engine,
            found.request,
            made.token_ids,
            range(first, min(first + most, len(made.token_ids))),
            candidate=made.selection.chosen if made.selection else 0,
        )
        self._replays[made.identity] = kept
        while sum(len(one.scores) for one in self._replays.values()) > most:
            if len(self._replays) == 1:
                break
            self._replays.popitem(last=False)
        return kept


@takes_study
def token_choice(
    study: Study,
    version: str = "",
    prompt: str = "",
    *,
    sample: int = 0,
    step: int,
    branch: int | None = None,
    on_load: Callable[[str], None] | None = None,
) -> TokenChoice:
    """Show what one token of a stored output was chosen from, before and after each step.

    The model runs the stored tokens again by the engine's own decode steps; the steps are the
    engine's.

    Args:
        study: the opened study.
        version: name of a version.
        prompt: id of a prompt of its suite.
        sample: sample index.
        step: index of the token, from 0.
        branch: id of a branch, instead of version, prompt and sample.
        on_load: called with the model's name before it is loaded.

    Raises:
        SpecError: the output is not stored with a trace, has no such token, or its backend is not
            the engine.
    """
    microscope = Microscope(study, on_load)
    return microscope.choice(version, prompt, sample=sample, step=step, branch=branch)


def _choice(found: FoundOutput, replay: Replay, step: int, texts: TokenText) -> TokenChoice:
    made, decoding = found.generation, replay.job.request.decoding
    token = made.token_ids[step]
    stages: list[ChoiceStage] = []
    for stage in replay.stages(step):
        before = stages[-1].probabilities if stages else stage.probabilities
        stages.append(_stage(stage.name, stage.probabilities, before, decoding))
    listed = _listed(stages, token)
    pieces = texts.pieces(made.token_ids)
    return TokenChoice(
        version=found.named,
        prompt_id=made.prompt_id,
        sample_index=made.sample_index,
        branch=found.branch.id if found.branch else None,
        step=step,
        token=token,
        before="".join(piece.text for piece in pieces[:step]),
        stages=stages,
        listed=listed,
        texts=tuple(texts.single(one) for one in listed),
        how=_how(decoding),
        notes=tuple(_notes(found, replay, step, stages)),
    )


def _stage(
    name: str, after: NDArray[np.float64], before: NDArray[np.float64], decoding: Any
) -> ChoiceStage:
    gone = np.flatnonzero((after == 0) & (before > 0))
    worst = gone[np.argsort(-before[gone], kind="stable")[:_REMOVED]]
    possible = after[after > 0]
    return ChoiceStage(
        name=name,
        label=_label(name),
        setting=_setting(name, decoding),
        probabilities=after,
        kept=len(possible),
        removed=len(gone),
        removed_mass=float(before[gone].sum()),
        removed_examples=tuple(worst.tolist()),
        entropy=float(-(possible * np.log(possible)).sum()),
    )


def _label(name: str) -> str:
    if name in ("model", "guidance"):
        return "model" if name == "model" else "after guidance"
    return f"after {STEPS[name].label}"


def _setting(name: str, decoding: Any) -> str:
    """The setting that turns a step on, and its value."""
    if name == "model":
        return ""
    setting = decoding.guidance_setting if name == "guidance" else STEPS[name].setting
    value = value_of(decoding, setting)
    return f"{setting} {value}" if isinstance(value, int | float | str) else str(setting)


def _listed(stages: Sequence[ChoiceStage], token: int) -> tuple[int, ...]:
    """The tokens to name, most probable in the end first."""
    wanted = {token}
    for stage in (stages[0], stages[-1]):
        best = np.argsort(-stage.probabilities, kind="stable")[:LISTED]
        wanted |= {int(one) for one in best if stage.probabilities[one] > 0}
    for stage in stages:
        wanted |= set(stage.removed_examples)
    first, last = stages[0].probabilities, stages[-1].probabilities
    return tuple(sorted(wanted, key=lambda one: (-last[one], -first[one], one)))


def _how(decoding: Any) -> str:
    strategy = decoding.resolved_strategy
    return {
        "greedy": "greedy decoding takes the most probable token",
        "beam": "beam search keeps the continuations whose log-probabilities add up to most",
        "contrastive": "contrastive search weighs these against the similarity to earlier tokens",
    }.get(strategy, "the token is drawn from the final distribution")


def _notes(
    found: FoundOutput, replay: Replay, step: int, stages: Sequence[ChoiceStage]
) -> list[str]:
    """What else decided the token, and where this view differs from the stored trace."""
    made, notes = found.generation, []
    if replay.job.forced.at(step) == made.token_ids[step]:
        notes.append("this token is forced by the decoding or the model")
    branch = found.branch
    if branch is not None and branch.token is not None and step == branch.at:
        notes.append("this token was put here by hand")
    elif branch is not None and step < branch.at:
        notes.append("this token is that of the original")
    elif made.guarded and made.guarded.actions:
        names = ", ".join(sorted({action.guard for action in made.guarded.actions}))
        notes.append(f"guards acted on this output ({names}); shown are the version's own settings")
    if made.trace is not None and not notes:
        stored = float(made.trace.probability[step])
        again = float(stages[-1].probabilities[made.token_ids[step]])
        if not math.isclose(stored, again, rel_tol=1e-3, abs_tol=1e-5):
            notes.append(
                f"the stored trace has a final probability of {_percent(stored)}: this machine "
                "computes other scores"
            )
    return notes


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"
