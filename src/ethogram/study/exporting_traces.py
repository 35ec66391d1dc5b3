"""Export of traces: how each token of the stored outputs was chosen, a row an output."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from ethogram.errors import SpecError
from ethogram.study.lines import output_columns
from ethogram.study.stale import stored_results
from ethogram.study.trace import traced_output
from ethogram.study.workspace import Study

_log = logging.getLogger(__name__)

#: Outputs whose traces are read at once.
_AT_ONCE = 32
#: What `Traced.to_json` says of the choices; the rest are columns of the row.
_OF_CHOICES = ("steps", "loops", "tokens")


def traced_versions(study: Study, versions: Sequence[str] | None) -> list[str]:
    """Those of versions (all by default) that have stored traces.

    Raises:
        SpecError: a named version has none, or no version of the study has any.
    """
    names = list(versions or study.versions)
    without = [name for name in names if not _has_traces(study, name)]
    if without and (versions or without == names):
        which = without[0] if versions else study.name
        raise SpecError(
            "no stored traces",
            where=which,
            hint=f"store them with: ethogram run {without[0]} --trace",
        )
    if without:
        _log.warning("left out, no stored traces: %s", ", ".join(without))
    return [name for name in names if name not in without]


def _has_traces(study: Study, version: str) -> bool:
    identities = stored_results(study, version).identities
    return len(study.store.missing_traces(identities)) < len(identities)


def trace_rows(
    study: Study, versions: Sequence[str], *, tag: str | None = None
) -> Iterator[dict[str, Any]]:
    """A row for each stored generation of versions that has a stored trace, read as they are used.

    Args:
        study: the opened study.
        versions: names.
        tag: only prompts with this tag.

    Raises:
        ModelError: the tokenizer of a version, which has the texts of its tokens, is not here.
        StoreError: a trace is damaged.
    """
    for name in versions:
        results = stored_results(study, name)
        if results.stale:
            _log.warning("%s %s", name, results.stale)
        tags = {item.id: item.tags for item in results.suite.prompts}
        for start in range(0, len(results.identities), _AT_ONCE):
            part = results.identities[start : start + _AT_ONCE]
            made, traces = study.store.get(part), study.store.traces(part)
            for identity in part:
                if identity not in made or identity not in traces:
                    continue
                generation = replace(made[identity], trace=traces[identity])
                if tag is not None and tag not in tags.get(generation.prompt_id, ()):
                    continue
                form = traced_output(study, name, generation).to_json()
                yield {
                    **output_columns(name, generation),
                    "trace": _plain({key: form[key] for key in _OF_CHOICES}),
                }


def _plain(value: Any) -> Any:
    """Data for JSON; a token that the model itself rules out has a log-probability of -inf."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
