"""Hub models: what the local hub cache holds, and fetching into it. Loads nothing.

Only `pull` uses the network; everything else works from the cache.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethogram.errors import ModelError
from ethogram.extras import require

#: Files that are fetched; weights of other formats are not.
_PATTERNS = ("*.safetensors", "*.json", "*.model", "*.txt", "*.jinja")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


@dataclass(frozen=True, slots=True)
class CachedModel:
    """A hub model in the local cache."""

    name: str
    path: Path
    size: int


def is_hub_id(name: str) -> bool:
    """Whether a name could be a hub id: `gpt2` or `owner/model`."""
    return _HUB_ID.fullmatch(name) is not None


def snapshot(name: str, revision: str | None, *, suggestion: str = "") -> Path:
    """The folder of a hub model in the local cache; its name is the commit.

    Args:
        name: hub id.
        revision: branch, tag or commit; None means main.
        suggestion: a further hint for the error.

    Raises:
        ModelError: it is not downloaded; the error says how to fetch it.
    """
    hub = _hub()
    try:
        return Path(hub.snapshot_download(name, revision=revision, local_files_only=True))
    except (hub.errors.LocalEntryNotFoundError, hub.errors.HFValidationError, OSError):
        option = f" --revision {revision}" if revision else ""
        # A mistyped path looks like a hub id.
        folder = f", and there is no folder {name}" if "/" in name else ""
        raise ModelError(
            f"this model is not downloaded{suggestion}{folder}",
            where=f"model {name}",
            hint=f"fetch it with: ethogram pull {name}{option}",
        ) from None


def fetch(name: str, revision: str | None, *, suggestion: str = "") -> Path:
    """Fetch a hub model into the local hub cache.

    Args:
        name: hub id.
        revision: branch, tag or commit; None means main.
        suggestion: a further hint for the error.

    Raises:
        ModelError: there is no such model, it is gated, or the model hub is unreachable.
    """
    hub = _hub()
    where = f"model {name}"
    try:
        return Path(hub.snapshot_download(name, revision=revision, allow_patterns=list(_PATTERNS)))
    except hub.errors.GatedRepoError:
        raise ModelError(
            "the model requires you to accept its terms",
            where=where,
            hint=f"accept its terms at https://huggingface.co/{name} and run: hf auth login",
        ) from None
    except (hub.errors.RepositoryNotFoundError, hub.errors.RevisionNotFoundError):
        wanted = f"revision {revision} of this model" if revision else "model of this name"
        raise ModelError(
            f"the model hub has no {wanted} (or it is private){suggestion}",
            where=where,
            hint="check the name",
        ) from None
    except Exception as error:
        # The transport's exceptions change with the hub library; the fix is always the same.
        reason = getattr(error, "strerror", None)
        raise ModelError(
            f"the model hub is unreachable{f' ({reason})' if reason else ''}{suggestion}",
            where=where,
            hint="connect to the network and pull again, or name a local folder as `model:`",
        ) from error


def cached() -> list[CachedModel]:
    """Models of the local hub cache with safetensors weights; none without the hub library."""
    try:
        hub = _hub()
        repositories = hub.scan_cache_dir().repos
    except Exception:
        return []  # No cache yet, or no hub library.
    found = []
    for repository in repositories:
        if repository.repo_type != "model":
            continue
        for revision in repository.revisions:
            names = [file.file_name for file in revision.files]
            if any(name.endswith(".safetensors") for name in names):
                found.append(
                    CachedModel(repository.repo_id, revision.snapshot_path, revision.size_on_disk)
                )
    return sorted(found, key=lambda model: (model.name, str(model.path)))


def _hub() -> Any:
    hub = require("huggingface_hub", extra="engine", needed_for="using a hub model")
    require("huggingface_hub.errors", extra="engine", needed_for="using a hub model")
    return hub
