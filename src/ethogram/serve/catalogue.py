"""Catalogue: the versions that are served, by name, and the requests that a body implies."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ethogram.errors import RequestError, SpecError
from ethogram.serve.errors import not_found
from ethogram.spec import Prompt, Suite, SuitePrompt, Version, make_requests
from ethogram.spec.decoding import Decoding
from ethogram.spec.generation import Message, Request
from ethogram.spec.identity import digest
from ethogram.spec.prompt import DEFAULT_TEMPLATE
from ethogram.spec.suite import ChatMessage
from ethogram.spec.wrapper import Wrapper
from ethogram.wrap.conversation import Rendered, fit, render

if TYPE_CHECKING:
    from ethogram.models import ModelReference
    from ethogram.spec.requests import Finish
    from ethogram.study import Study

#: Keys the noise of a request that names no prompt of the suite.
_NO_PROMPT = "request"


@dataclass(frozen=True)
class Served:
    """A version that is served.

    Attributes:
        name: what clients call it.
        version: resolved.
        reference: its model.
        model_identity: of the weights.
        amateur: the amateur of its decoding, and the identity of its weights.
        seed: of the noise of prompts that are named.
        independent: key the noise by the version too.
        finish: makes the text of a chat whose template reads the clock.
        study: where it is from, if from a study.
    """

    name: str
    version: Version
    reference: ModelReference
    model_identity: str
    amateur: tuple[ModelReference, str] | None = None
    seed: int = 0
    independent: bool = False
    finish: Finish | None = None
    study: Study | None = None

    def chat(
        self,
        messages: Sequence[Message],
        decoding: Decoding,
        *,
        count: int,
        seed: int | None,
        prompt_id: str | None,
    ) -> list[Request]:
        """The requests of a conversation, by the version's prompt and wrapper.

        A single message of the user is a prompt's text, and fills the version's template. A longer
        conversation fills it once for each exchange, as in `ethogram chat`; the messages of a named
        prompt of the suite are read as they are.

        Args:
            messages: of the client.
            decoding: the version's, changed by the body.
            count: outputs.
            seed: of the noise; None is the study's where the prompt is named, else a random one.
            prompt_id: of the suite, so that noise and identity are those of the study.

        Raises:
            RequestError: the last message is not the user's, or the prompt is empty.
        """
        version = self.version.model_copy(update={"decoding": decoding})
        name = prompt_id or _NO_PROMPT
        if _is_text(messages) and not self._has_messages(prompt_id):
            item = SuitePrompt(id=name, text=messages[0].content)
            return self._requests(version, item, count, seed, prompt_id)
        if not self._has_messages(prompt_id):
            rendered = render(version.prompt, messages)
            version = version.model_copy(update={"prompt": _filled(version.prompt)})
            if isinstance(rendered, str):
                if not rendered:
                    raise RequestError("the prompt is empty", hint="write a message")
                item = SuitePrompt(id=name, text=rendered)
                return self._requests(version, item, count, seed, prompt_id)
            messages = rendered
        turns = [
            ChatMessage.model_validate({"role": each.role, "content": each.content})
            for each in messages
        ]
        item = SuitePrompt(id=name, messages=tuple(turns))
        return self._requests(version, item, count, seed, prompt_id)

    def fit(
        self,
        messages: Sequence[Message],
        decoding: Decoding,
        *,
        count: Callable[[Request], int],
        most_tokens: int,
        prompt_id: str | None,
    ) -> tuple[tuple[Message, ...], int]:
        """The messages that the wrapper's `history_tokens` keeps, and how many it drops.

        Args:
            messages: of the client.
            decoding: the version's, changed by the body.
            count: tokens of a request's prompt.
            most_tokens: of prompt and output.
            prompt_id: of the suite, whose prompts are not cut.

        Raises:
            PromptTooLongError: not even the last message fits.
        """
        budget, prompt = self.version.wrapper.history_tokens, self.version.prompt
        if budget is None or _is_text(messages) or self._has_messages(prompt_id):
            return tuple(messages), 0

        def tokens(rendered: Rendered) -> int:
            chat = prompt.chat_format(rendered)
            return count(Request("count", "chat", 0, rendered, decoding, 0, chat))

        room = min(budget, most_tokens - decoding.max_new_tokens)
        fitted = fit(prompt, messages, count=tokens, room=room)
        return fitted.messages, fitted.dropped

    def completion(
        self,
        prompt: str | tuple[int, ...],
        decoding: Decoding,
        *,
        count: int,
        seed: int | None,
        prompt_id: str | None,
    ) -> list[Request]:
        """The requests of a text as it is: no template and no wrapper.

        Args:
            prompt: a text or token ids.
            decoding: as for `chat`, and so on.
            count: outputs.
            seed: of the noise.
            prompt_id: of the suite.
        """
        plain = {"prompt": Prompt(stop=self.version.prompt.stop), "wrapper": Wrapper()}
        version = self.version.model_copy(update={"decoding": decoding, **plain})
        text = prompt if isinstance(prompt, str) else "token ids"
        item = SuitePrompt(id=prompt_id or _NO_PROMPT, text=text)
        made = self._requests(version, item, count, seed, prompt_id)
        if isinstance(prompt, str):
            return made
        ids = list(prompt)
        return [
            replace(each, prompt="", identity=digest([each.identity, "token ids", ids]))
            for each in made
        ]

    def _requests(
        self,
        version: Version,
        item: SuitePrompt,
        count: int,
        seed: int | None,
        prompt_id: str | None,
    ) -> list[Request]:
        if seed is None:
            seed = self.seed if prompt_id is not None else secrets.randbits(63)
        made = make_requests(
            version,
            Suite(prompts=(item,)),
            samples=count,
            seed=seed,
            model_identity=self.model_identity,
            amateur_identity=self.amateur[1] if self.amateur else None,
            independent_noise=self.independent,
            finish=self.finish,
        )
        if not self.version.wrapper.model_copy(update={"history_tokens": None}).canonical():
            made = [replace(each, wrapper=None) for each in made]  # It changes no reply.
        return made if len(made) == count else made * count

    def _has_messages(self, prompt_id: str | None) -> bool:
        if self.study is None or prompt_id is None:
            return False
        prompts = self.study.suite(self.name).prompts
        return any(each.id == prompt_id and each.messages is not None for each in prompts)


def _filled(prompt: Prompt) -> Prompt:
    """A prompt that adds nothing to what it has rendered already."""
    if not prompt.chat:
        return Prompt(stop=prompt.stop)
    return prompt.model_copy(update={"template": DEFAULT_TEMPLATE, "system": None, "examples": ()})


def _is_text(messages: Sequence[Message]) -> bool:
    """Whether a conversation is a single text of the user."""
    return len(messages) == 1 and messages[0].role == "user" and bool(messages[0].content)


class Catalogue:
    """The versions that are served.

    Args:
        served: by name.
    """

    def __init__(self, served: Mapping[str, Served]) -> None:
        self._served = dict(served)

    @property
    def names(self) -> list[str]:
        """Names, in the order given."""
        return list(self._served)

    def get(self, name: str) -> Served:
        """A version.

        Raises:
            ApiError: there is none of that name (404).
        """
        if name not in self._served:
            raise not_found(name)
        return self._served[name]

    def references(self) -> dict[ModelReference, dict[str, ModelReference]]:
        """The models to load, each with the amateurs of its versions by the name they give them."""
        found: dict[ModelReference, dict[str, ModelReference]] = {}
        for each in self._served.values():
            amateurs = found.setdefault(each.reference, {})
            if each.amateur is not None:
                amateurs[each.version.decoding.contrastive.amateur or ""] = each.amateur[0]
        return found


def of_study(study: Study, names: Sequence[str]) -> Catalogue:
    """The versions of a study; all that generate by the engine, without names.

    Raises:
        SpecError: a version is unknown, or nothing can be generated for it.
    """
    chosen = list(names) or [
        name
        for name, version in study.versions.items()
        if version.backend == "engine" and not version.outputs
    ]
    return Catalogue({name: _of_version(study, name) for name in chosen})


def _of_version(study: Study, name: str) -> Served:
    version = study.spec.version(name)
    if version.outputs or version.backend != "engine":
        imported = "its outputs are imported"
        what = imported if version.outputs else f"its backend is {version.backend}"
        raise SpecError(f"{what}, so Ethogram's engine cannot serve it", where=name)
    reference, amateur = study.model_reference(name), study.amateur_reference(name)
    settings = study.spec.settings
    return Served(
        name=name,
        version=version,
        reference=reference,
        model_identity=study.identity_of(reference),
        amateur=(amateur, study.identity_of(amateur)) if amateur else None,
        seed=settings.seed,
        independent=settings.coupling == "independent",
        finish=study.dated_chats.finish(reference) if version.prompt.chat else None,
        study=study,
    )


def of_model(name: str) -> Catalogue:
    """One model with default decoding and its own chat template, without a study.

    Raises:
        ModelError: the model cannot be found.
    """
    from datetime import datetime

    from ethogram.models import ModelReference, chat_template, identity
    from ethogram.models.builtin import BUILT_INS
    from ethogram.study.dated_chats import DatedChats

    reference = ModelReference.parse(name)
    # Built-ins are instruction models, and `chat_template` reads none of theirs.
    is_chat = name in BUILT_INS or bool(chat_template(reference))
    version = Version(model=name, prompt=Prompt(chat=is_chat))
    finish = DatedChats(datetime.now()).finish(reference) if is_chat else None
    shown = reference.model.rstrip("/").rpartition("/")[2] if reference.is_local else name
    served = Served(shown, version, reference, identity(reference), finish=finish)
    return Catalogue({shown: served})
