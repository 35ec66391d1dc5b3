"""Prepares guidance branches: what each reads, on which model, and whether it can.

Classifier-free guidance, contrastive decoding and DoLa; `sampling/contrast.py` has their formulas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ethogram.engine.forward.decoder_only import DecoderOnly
from ethogram.engine.forward.early_layers import early_layers
from ethogram.engine.forward.passes import ServedModel
from ethogram.errors import RequestError
from ethogram.spec.generation import Request
from ethogram.spec.guidance import Amateur, Branch, EarlyLayers, Guidance


@dataclass(frozen=True, slots=True)
class BranchModel:
    """The model that guidance branches run on.

    Attributes:
        amateur: name of the amateur; None for the generating model itself.
    """

    amateur: str | None = None


@dataclass(frozen=True, slots=True)
class GuidanceBranch:
    """The second forward pass that an output's scores are combined with.

    Attributes:
        view: its settings.
        model: what its rows run on; None where it needs no rows, since it reads early layers.
        prompt_ids: the prompt of its rows.
        layers: early layers to choose from.
        max_new_tokens: new tokens that its context holds; None for as many as the output itself.
    """

    view: Branch
    model: BranchModel | None = None
    prompt_ids: tuple[int, ...] = ()
    layers: tuple[int, ...] = ()
    max_new_tokens: int | None = None


class GuidanceBranches:
    """Prepares the guidance branches of requests; caches what was checked once.

    Args:
        loaded: the model.
        context_length: most tokens of prompt and output together.
        amateurs: other models, by the name that decodings use.
    """

    def __init__(
        self,
        loaded: ServedModel,
        context_length: int,
        amateurs: Mapping[str, ServedModel],
    ) -> None:
        self._loaded, self._amateurs = loaded, amateurs
        self._context_length = context_length
        self._context: dict[str, int] = {}
        self._same_split: dict[tuple[str, str], bool] = {}
        self._negative: dict[str, tuple[int, ...]] = {}

    def of(self, request: Request, text: str, ids: tuple[int, ...]) -> GuidanceBranch | None:
        """The guidance branch of a request; None without one.

        Args:
            request: the request.
            text: its prompt as text.
            ids: its prompt as token ids.

        Raises:
            RequestError: the model or the amateur cannot run it.
        """
        view = request.decoding.guidance_branch
        if view is None:
            return None
        if self._loaded.is_encoder_decoder:
            raise RequestError(
                "needs a decoder-only model, and this one has an encoder",
                where=f"decoding.{request.decoding.guidance_setting}",
                hint="turn it off, or choose a decoder-only model",
            )
        if isinstance(view, EarlyLayers):
            return GuidanceBranch(view, layers=early_layers(self._loaded, view))
        if isinstance(view, Guidance):
            return self._guidance(view, ids)
        return self._amateur(view, request, text, ids)

    def _guidance(self, view: Guidance, ids: tuple[int, ...]) -> GuidanceBranch:
        """Without a negative prompt it starts from the prompt's last token, as in transformers."""
        if view.negative_prompt is None:
            return GuidanceBranch(view, BranchModel(), ids[-1:])
        if view.negative_prompt not in self._negative:
            made = self._loaded.tokenizer(view.negative_prompt, verbose=False).input_ids
            self._negative[view.negative_prompt] = tuple(made)
        negative = self._negative[view.negative_prompt]
        free = self._context_length - len(negative)
        if not negative or free < 1:
            what = (
                f"the negative prompt has {len(negative)} tokens, which leaves no room in the "
                f"model's context of {self._context_length}"
            )
            raise RequestError(
                what if negative else "the negative prompt has no tokens",
                where="decoding.negative_prompt",
                hint="shorten it" if negative else "write at least one word",
            )
        return GuidanceBranch(view, BranchModel(), negative, max_new_tokens=free)

    def _amateur(
        self, view: Amateur, request: Request, text: str, ids: tuple[int, ...]
    ) -> GuidanceBranch:
        if view.model not in self._amateurs:
            raise _refusal(
                f"the amateur {view.model} is not loaded",
                "pass it to the engine: Engine(model, amateurs={name: amateur})",
            )
        amateur = self._amateurs[view.model]
        context = self._context_of(view.model, amateur)
        if (view.model, text) not in self._same_split:
            self._same_split[view.model, text] = _split(amateur, text) == _split(self._loaded, text)
        if not self._same_split[view.model, text]:
            raise _other_tokenizer(view.model, f"it splits prompt {request.prompt_id} differently")
        free = context - len(ids)
        if free < 1:
            raise RequestError(
                f"the prompt has {len(ids)} tokens, which leaves no room in the amateur's context "
                f"of {context}",
                where=f"prompt {request.prompt_id}",
                hint="shorten the prompt or choose an amateur with a longer context",
            )
        return GuidanceBranch(view, BranchModel(view.model), ids, max_new_tokens=free)

    def _context_of(self, name: str, amateur: ServedModel) -> int:
        """Context length of an amateur, once it is checked against the model."""
        if name in self._context:
            return self._context[name]
        if amateur.is_encoder_decoder:
            raise _refusal(f"the amateur {name} has an encoder", "choose a decoder-only model")
        ours, theirs = (made.tokenizer.get_vocab() for made in (self._loaded, amateur))
        if ours != theirs:
            differing = len(set(ours.items()) ^ set(theirs.items()))
            raise _other_tokenizer(name, f"{differing} entries of their vocabularies differ")
        self._context[name] = DecoderOnly(amateur, 1).context_length
        return self._context[name]


def _split(loaded: ServedModel, text: str) -> Any:
    """A text as ids, without special tokens."""
    return loaded.tokenizer(text, add_special_tokens=False, verbose=False).input_ids


def _refusal(what: str, hint: str) -> RequestError:
    return RequestError(what, where="decoding.contrastive.amateur", hint=hint)


def _other_tokenizer(name: str, how: str) -> RequestError:
    return _refusal(
        f"the amateur {name} has a different tokenizer from the model ({how})",
        "choose an amateur of the model's family",
    )
