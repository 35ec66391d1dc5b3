"""Request and generation: input and output of whatever generates text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ethogram.spec.decoding import Decoding
from ethogram.spec.guarded import Guarded
from ethogram.spec.selection import Selection
from ethogram.spec.wrapper import LoopBreaker, Wrapper

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FinishReason = Literal["stop", "eos", "length", "closed", "loop", "unknown"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat: role is system, developer, user, assistant or tool."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ChatFormat:
    """How the messages of a chat become a text.

    Attributes:
        arguments: of the model's chat template, as canonical JSON.
        continues: leave the last message, an assistant's, open for the model to go on with.
        text: the finished text, where it was made beforehand.
    """

    arguments: str = "{}"
    continues: bool = False
    text: str | None = None


#: The template's own defaults, and an assistant's turn to begin.
PLAIN_CHAT = ChatFormat()


@dataclass(frozen=True, slots=True)
class Request:
    """One output to make.

    Attributes:
        identity: hex digest of all that can change the output; equal identities are one request.
        prompt_id: id of the prompt in its suite.
        sample_index: 0..K-1.
        prompt: the finished prompt text, or the messages for the model's own chat template.
        decoding: how the next token is chosen.
        noise_key: 64-bit key of the sampling noise; None when the decoding is deterministic.
        chat: how messages become a text.
        wrapper: what is done around the completion; None where nothing is.
        stop_at_loop: end the output where this finds a loop; the wrapper then continues it.
        prefix: ids of its first tokens, given: those of the output that it is a branch of.
        known_logprobs: log-probabilities of its first forced tokens, nats, where an output before
            chose them. The engine then reads these tokens with the prompt, in one pass.
    """

    identity: str
    prompt_id: str
    sample_index: int
    prompt: str | tuple[Message, ...]
    decoding: Decoding
    noise_key: int | None = None
    chat: ChatFormat = PLAIN_CHAT
    wrapper: Wrapper | None = None
    stop_at_loop: LoopBreaker | None = None
    prefix: tuple[int, ...] = ()
    known_logprobs: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """How each token of an output was chosen.

    The raw distribution is the model's own at temperature 1, before any step; a chosen token's raw
    log-probability is in `Generation.logprobs`. The final one is what the decoding made of it.

    Attributes:
        entropy: [tokens] of the raw distribution, nats.
        rank: [tokens] of the chosen token: 1 + the number of tokens with a greater logit.
        probability: [tokens] of the chosen token in the final distribution. Greedy decoding and
            beam search draw from none: theirs is the softmax of the scores that they compare.
        alternatives: [tokens, k] ids of the k most probable tokens of the raw distribution, most
            probable first; the chosen one is among them if its rank allows.
        alternative_logprobs: [tokens, k] their raw log-probabilities, nats.
        steps: names of the decoding's active steps, in order.
        kept: [tokens, steps] how many tokens were possible after each step.
    """

    entropy: NDArray[np.float32]
    rank: NDArray[np.int32]
    probability: NDArray[np.float32]
    alternatives: NDArray[np.int32]
    alternative_logprobs: NDArray[np.float32]
    steps: tuple[str, ...]
    kept: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.rank)


@dataclass(frozen=True, slots=True)
class Generation:
    """One output of one version for one prompt and one sample index.

    Attributes:
        identity: that of the request.
        prompt_text: the text that the model saw.
        prompt_token_ids: its token ids, special tokens included.
        token_ids: the generated tokens, including the one that ended the output.
        text: the output, without special tokens and cut before a stop string.
        finish_reason: stop (stop string, stop token or a guard), eos, length (max_new_tokens, or
            the model's context is full), closed (complete, but brought to its end by the limit; see
            `decoding.response_format`), or loop (the loop breaker found one and gave up); unknown
            for imported outputs without one.
        logprobs: log-probability of each new token under the model's own distribution at
            temperature 1, before any step; nats, same length as token_ids. Empty if unknown.
        seconds: wall time from admission to finish; rows of one batch share the machine.
        selection: how it was chosen, if its decoding samples several candidates.
        guarded: what the wrapper did, if the version has one.
        trace: how each token was chosen, if requested.
        processor: the kind of processor that computed it, if known; outputs of another kind may
            differ in the last bits.
    """

    identity: str
    prompt_id: str
    sample_index: int
    prompt_text: str
    prompt_token_ids: tuple[int, ...]
    token_ids: tuple[int, ...]
    text: str
    finish_reason: FinishReason
    logprobs: tuple[float, ...]
    seconds: float
    selection: Selection | None = None
    guarded: Guarded | None = None
    trace: Trace | None = field(default=None, compare=False, repr=False)
    processor: str | None = field(default=None, compare=False)
