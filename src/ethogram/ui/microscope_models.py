"""What the microscope's answers are made of."""

from __future__ import annotations

from pydantic import JsonValue

from ethogram.ui.models import Answer, Clipped, Text


class MicroscopeVersion(Answer):
    """A version whose outputs can be looked at.

    Attributes:
        name: its name.
        title: what it tries.
        samples: sample indices of each prompt.
        prompts: ids of its suite.
    """

    name: str
    title: Text
    samples: int
    prompts: list[Text]


class Alternative(Answer):
    """A token that the model found likely."""

    id: int
    text: Text
    probability: float


class TokenInfo(Answer):
    """One token of an output.

    Attributes:
        id: in the vocabulary.
        text: its own; of tokens that make a character together, the first has it.
        part: which of these it is and how many there are; None if it stands alone.
        probability: under the model, at temperature 1.
        rank: under the model.
        entropy: of the model's distribution, nats.
        final: its probability in the final distribution.
        kept: tokens still possible after the last step; None without steps.
        alternatives: most probable first.
    """

    id: int
    text: Text
    part: tuple[int, int] | None
    probability: float
    rank: int
    entropy: float
    final: float
    kept: int | None
    alternatives: list[Alternative]


class LoopInfo(Answer):
    """A phrase that an output repeats; see `study.token_loops.TokenLoop`."""

    onset: int
    period: int
    copies: int
    probability: list[float]
    increased: list[float]
    won: list[float]


class BranchInfo(Answer):
    """A branch in a list.

    Attributes:
        id: its number.
        parent: the branch that it began from.
        at: index of the first token that may differ.
        words: what it changes.
        settings: dotted fields that differ from its version.
        undone: whether it is hidden.
        text: its output.
    """

    id: int
    parent: int | None
    at: int
    words: Text
    settings: dict[str, JsonValue]
    undone: bool
    text: Clipped


class OutputView(Answer):
    """An output, token by token.

    Attributes:
        version: its name.
        title: of the version.
        prompt_id: of the prompt.
        sample: sample index.
        branch: id of the branch, if it is one.
        words: of a branch, what it changes.
        at: of a branch, index of the first token that may differ.
        prompt: the text that the model saw.
        text: the output.
        finish_reason: why it ended.
        tokens: in order.
        loops: phrases that it repeats.
        branches: of the output, those undone included.
    """

    version: str
    title: Text
    prompt_id: Text
    sample: int
    branch: int | None
    words: Text
    at: int | None
    prompt: Text
    text: Text
    finish_reason: str
    tokens: list[TokenInfo]
    loops: list[LoopInfo]
    branches: list[BranchInfo]


class StageInfo(Answer):
    """A distribution before or after a step; see `study.token_choice.ChoiceStage`."""

    name: str
    label: str
    setting: Text
    words: Text
    kept: int
    removed: int
    removed_mass: float
    removed_examples: list[Text]
    entropy: float
    probability: float
    rest: float


class ChoiceToken(Answer):
    """A token that is listed, with its probability in each distribution."""

    id: int
    text: Text
    chosen: bool
    probabilities: list[float]


class StepView(Answer):
    """What one token was chosen from."""

    step: int
    token: int
    text: Text
    how: Text
    why_possible: Text
    notes: list[Text]
    stages: list[StageInfo]
    tokens: list[ChoiceToken]
