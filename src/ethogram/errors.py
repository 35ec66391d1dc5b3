"""The one error tree: every error a user can meet says what is wrong, where, and how to fix it.

    EthogramError
    ├── SpecError          a file the user wrote is wrong (study, version, suite, outputs)
    ├── ModelError         a model cannot be found, verified or loaded
    ├── RequestError       a request the model cannot serve
    │   └── PromptTooLongError    prompt and output do not fit the context
    ├── StoreError         the store cannot be read or written (full disk, newer schema, locked)
    ├── VoteError          a vote that does not count: given already, late, or on no pair shown
    ├── WriteError         a file cannot be written (full disk, read-only folder)
    ├── MetricError        a metric fails on an output
    ├── DataError          a data set is missing, damaged, or cannot be fetched
    ├── BackendError       an endpoint elsewhere cannot be reached, refuses, or answers nonsense
    └── MissingExtraError  an extra is not installed

The CLI prints `str(error)` as one line and exits with `error.exit_code`.
"""

from __future__ import annotations

from typing import Any


class EthogramError(Exception):
    """Base of all errors meant for the user.

    Args:
        what: what is wrong, without a full stop.
        where: file, line and field, or the object concerned; printed first.
        hint: how to fix it; printed last.
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        # An error of another process comes over as it was: the arguments of a subclass differ.
        return _rebuilt, (type(self), self.args, self.__dict__)

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        if self.hint:
            line = f"{line}; {self.hint}"
        # Names and remote words may hold anything; none of it may drive the terminal.
        return "".join(each if each.isprintable() else "�" for each in " ".join(line.split()))


def _rebuilt(
    kind: type[EthogramError], args: tuple[Any, ...], state: dict[str, Any]
) -> EthogramError:
    """An error from its pickled parts."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class SpecError(EthogramError):
    """A file the user wrote is wrong."""


class ModelError(EthogramError):
    """A model cannot be found, verified or loaded."""


class RequestError(EthogramError):
    """A request the model cannot serve.

    Attributes:
        request: identity of the request, where one of many is meant.
    """

    request: str | None = None


class PromptTooLongError(RequestError):
    """A prompt and the output that it asks for do not fit the context or a limit."""


class NotTracedError(SpecError):
    """An output has no trace yet, which can be made."""


class StoreError(EthogramError):
    """The store cannot be read or written."""


class VoteError(EthogramError):
    """A vote that does not count: given already, late, or on no pair that was shown.

    Attributes:
        standing: the choice that counts for this pair; None if there is none.
    """

    standing: str | None = None


class WriteError(EthogramError):
    """A file cannot be written; the old file is untouched."""

    def __init__(self, path: object, error: OSError, *, hint: str | None = None) -> None:
        super().__init__(
            f"cannot be written: {error.strerror or error}",
            where=str(path),
            hint=hint or "free disk space and make it writable; nothing was changed",
        )


class MetricError(EthogramError):
    """A metric's function fails on an output."""


class BackendError(EthogramError):
    """An endpoint elsewhere cannot be reached, refuses, or answers with something else."""


class DataError(EthogramError):
    """A published data set is missing, is not the pinned one, or cannot be fetched."""


class MissingExtraError(EthogramError):
    """An extra is not installed."""

    def __init__(self, extra: str, needed_for: str) -> None:
        super().__init__(
            f"{needed_for} needs the extra [{extra}], which is not installed",
            hint=f"install it in the checkout with: pip install '.[{extra}]'",
        )
        self.extra = extra
