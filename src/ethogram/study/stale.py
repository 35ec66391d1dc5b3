"""Stale results: what is stored of a version whose suite grew, or whose settings were edited."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from ethogram.spec import Request, Suite, Version, make_requests
from ethogram.spec.response_format import with_schema_as_text
from ethogram.study.requests import WHOLE, Part
from ethogram.study.stored_outputs import identities_of

if TYPE_CHECKING:
    from ethogram.store import RunRecord
    from ethogram.study.workspace import Study

#: Which results will do: of every output that the settings want, of some of them (whole prompts),
#: or those of the settings before an edit.
Accept = Literal["whole", "partial", "earlier"]


@dataclass(frozen=True)
class Results:
    """The stored outputs that a version's results rest on.

    Attributes:
        identities: of the generations, in suite order; empty if nothing is stored.
        stale: why they are not those of the version as it is now; empty if they are.
        version: as it was when they were made.
        suite: as it was.
    """

    identities: tuple[str, ...]
    stale: str
    version: Version
    suite: Suite


def results_of(study: Study, name: str, part: Part = WHOLE, accept: Accept = "earlier") -> Results:
    """The stored results of a version: all, else some prompts, else those before its last edit."""
    if (name, part) in study.known_whole:
        return study.known_whole[name, part]
    version, suite = study.spec.version(name), study.suite(name)
    wanted = tuple(identities_of(study, name, part))
    whole = Results(wanted, "", version, suite)
    if version.outputs or name not in study.spec.stated or accept == "whole":
        return whole
    missing = set() if wanted in study.known_stored else set(study.store.missing(wanted))
    if not missing:
        study.known_stored.add(wanted)
        study.known_whole[name, part] = whole
        return whole
    kept, words = _partial(study.requests(name, part), missing, name)
    if kept:
        return Results(kept, words, version, suite)
    if accept == "earlier":
        for run in reversed(study.store.runs(name)):
            found = _earlier(study, run, part)
            if found:
                return found
    return Results((), "", version, suite)


def stored_results(study: Study, name: str) -> Results:
    """As `results_of`; where nothing is stored, what would have to be, which reading names."""
    found = results_of(study, name)
    return found if found.identities else results_of(study, name, accept="whole")


def has_results(study: Study, name: str) -> bool:
    """Whether anything is stored that results of a version can rest on."""
    if study.spec.version(name).outputs:
        return not study.store.missing(identities_of(study, name))
    return bool(results_of(study, name).identities)


def _partial(
    requests: Sequence[Request], missing: set[str], name: str
) -> tuple[tuple[str, ...], str]:
    """Requests of prompts with all samples, else the rounds of samples that prompts share."""
    stored: dict[str, int] = {}
    wanted: dict[str, int] = {}
    for each in requests:
        wanted[each.prompt_id] = wanted.get(each.prompt_id, 0) + 1
        if stored.setdefault(each.prompt_id, 0) == each.sample_index:
            stored[each.prompt_id] += each.identity not in missing
    whole = {prompt for prompt in wanted if stored[prompt] == wanted[prompt]}
    if whole:
        kept = tuple(each.identity for each in requests if each.prompt_id in whole)
        lacking = len(wanted) - len(whole)
        have = "prompts have" if len(wanted) > 1 else "prompt has"
        what = f"{lacking} of {len(wanted)} {have} no output yet"
        if any(0 < stored[prompt] < wanted[prompt] for prompt in wanted):
            what = f"{lacking} of {len(wanted)} prompts lack outputs"
    else:
        some = {prompt: count for prompt, count in stored.items() if count}
        rounds = min(some.values(), default=0)
        kept = tuple(
            each.identity
            for each in requests
            if each.prompt_id in some and each.sample_index < rounds
        )
        what = f"{len(requests) - len(kept)} of {len(requests)} outputs are missing"
    return kept, f"stale: {what}; `ethogram run {name}` generates them"


def _earlier(study: Study, run: RunRecord, part: Part) -> Results | None:
    """The stored outputs of a finished run's settings; None if they cannot be found again."""
    if run.finished_at is None or run.settings is None:
        return None
    settings: dict[str, Any] = json.loads(run.settings)
    data = study.store.suite(settings["suite"])
    if data is None:
        return None
    try:
        version = Version.model_validate(settings["version"])
        suite = Suite.model_validate_json(data)
    except ValidationError:  # Of another release.
        return None
    chosen = suite
    if part.prompt_ids is not None:
        kept = tuple(item for item in suite.prompts if item.id in part.prompt_ids)
        chosen = Suite(prompts=kept)
    requests = make_requests(
        version,
        chosen,
        samples=part.samples or settings["samples"],
        seed=settings["seed"],
        model_identity=settings["model"],
        amateur_identity=settings["amateur"],
        independent_noise=settings["independent"],
    )
    missing = set(study.store.missing([each.identity for each in requests]))
    identities, _ = _partial(requests, missing, run.version)
    if not identities:
        return None
    words = f"stale: edited since; results are of the settings run on {run.finished_at[:10]}"
    return Results(identities, words, version, suite)


def remember_settings(study: Study, name: str) -> str | None:
    """All that a version's requests follow from, as JSON for its run; its suite is stored.

    Returns:
        None for a setting of a sweep, which has no file that could be edited.
    """
    if name not in study.spec.stated:
        return None
    version, suite = study.spec.version(name), study.suite(name)
    amateur = study.amateur_reference(name)
    identity = suite.identity
    if identity not in study.known_suites:
        study.store.add_suite(identity, suite.model_dump_json(exclude_defaults=True))
        study.known_suites.add(identity)
    return json.dumps(
        {
            "version": version_data(version),
            "suite": identity,
            "samples": study.spec.samples(name),
            "seed": study.spec.settings.seed,
            "independent": study.spec.settings.coupling == "independent",
            "model": study.model_identity(name),
            "amateur": study.identity_of(amateur) if amateur else None,
        },
        sort_keys=True,
    )


def version_data(version: Version) -> dict[str, Any]:
    """A version as data whose order says nothing: a schema, whose order does, as text."""
    fields = version.model_dump(mode="json", exclude_defaults=True)
    form = version.decoding.response_format
    if form is not None:
        fields["decoding"]["response_format"] = with_schema_as_text(form)
    return fields


def remember_whole(study: Study, name: str) -> None:
    """Record a run of nothing where a version's stored outputs have none of its settings yet."""
    if study.spec.version(name).outputs:
        return
    settings = remember_settings(study, name)
    finished = [run for run in study.store.runs(name) if run.finished_at]
    if settings is None or (finished and finished[-1].settings == settings):
        return
    identity = study.versions[name].identity
    run = study.store.start_run(name, identity, settings=settings)
    study.store.finish_run(run, made=0, tokens=0)
