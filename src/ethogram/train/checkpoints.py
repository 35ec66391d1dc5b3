"""Whole checkpoints: written under another name, digested, and renamed; a damaged one is not taken.

A checkpoint holds weights, the optimizer with its masters, the schedule, the random state and the
Trainer's own state. Tensors are in safetensors; the random state is a file of torch that is read
with `weights_only`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from ethogram.files import system_errors
from ethogram.models.checkpoint import file_digest

_UNFINISHED = ".writing"
_DIGESTS = "digests.json"
_NAME = re.compile(r"^checkpoint-(\d+)$")
_OPTIMIZER, _OPTIMIZER_FORM, _SCHEDULE = "optimizer.safetensors", "optimizer.json", "schedule.json"


def whole_checkpoints(folder: Path) -> list[Path]:
    """The undamaged checkpoints of a training, newest first.

    Args:
        folder: where the training writes them; need not exist.
    """
    found = []
    if folder.is_dir():
        for path in folder.iterdir():
            match = _NAME.match(path.name)
            if match:
                found.append((int(match[1]), path))
    return [path for _, path in sorted(found, reverse=True) if _is_whole(path)]


def step_of(checkpoint: Path) -> int:
    """The steps done when a checkpoint was written."""
    match = _NAME.match(checkpoint.name)
    if match is None:
        raise ValueError(f"{checkpoint} is not named like a checkpoint")
    return int(match[1])


def _is_whole(path: Path) -> bool:
    try:
        digests = json.loads((path / _DIGESTS).read_text(encoding="utf-8"))
        return bool(digests) and all(
            file_digest(path / name) == digest for name, digest in digests.items()
        )
    except (OSError, ValueError, AttributeError):
        return False


class WholeCheckpoints:
    """Mixin over a Trainer whose checkpoints appear whole or not at all."""

    args: Any
    accelerator: Any
    optimizer: Any
    lr_scheduler: Any
    state: Any
    model: Any
    callback_handler: Any
    is_fsdp_enabled: bool

    def _get_output_dir(self, trial: Any) -> str:
        """Checkpoints are written below here, and moved out once they are whole."""
        return str(Path(self.args.output_dir) / _UNFINISHED)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        with system_errors(Path(self.args.output_dir)):
            self._save_whole(model, trial)

    def _save_whole(self, model: Any, trial: Any) -> None:
        root = Path(self.args.output_dir)
        if self.args.should_save:
            shutil.rmtree(root / _UNFINISHED, ignore_errors=True)
        self.accelerator.wait_for_everyone()
        for callback in self.callback_handler.callbacks:
            if hasattr(callback, "before_checkpoint"):
                callback.before_checkpoint()
        super()._save_checkpoint(model, trial)  # type: ignore[misc]
        self.accelerator.wait_for_everyone()
        if not self.args.should_save:
            return
        name = f"checkpoint-{self.state.global_step}"
        _finish(root / _UNFINISHED / name, root / name)
        shutil.rmtree(root / _UNFINISHED, ignore_errors=True)
        _keep_newest(root, max(2, self.args.save_total_limit or 2))

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        if self.is_fsdp_enabled:
            super()._save_optimizer_and_scheduler(output_dir)  # type: ignore[misc]
            return
        if not self.args.should_save:
            return
        folder = Path(output_dir)
        tensors: dict[str, torch.Tensor] = {}
        form = _without_tensors(self.optimizer.state_dict(), tensors)
        save_file(tensors, folder / _OPTIMIZER)
        (folder / _OPTIMIZER_FORM).write_text(json.dumps(form), encoding="utf-8")
        schedule = self.lr_scheduler.state_dict()
        (folder / _SCHEDULE).write_text(json.dumps(schedule), encoding="utf-8")

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is None or self.is_fsdp_enabled:
            super()._load_optimizer_and_scheduler(checkpoint)  # type: ignore[misc]
            return
        folder = Path(checkpoint)
        tensors = load_file(folder / _OPTIMIZER)
        form = json.loads((folder / _OPTIMIZER_FORM).read_text(encoding="utf-8"))
        self.optimizer.load_state_dict(_with_tensors(form, tensors))
        schedule = json.loads((folder / _SCHEDULE).read_text(encoding="utf-8"))
        self.lr_scheduler.load_state_dict(schedule)


def _finish(written: Path, target: Path) -> None:
    """Digest a written checkpoint and give it its name."""
    files = sorted(path for path in written.rglob("*") if path.is_file())
    digests = {str(path.relative_to(written)): file_digest(path) for path in files}
    listed = written / _DIGESTS
    listed.write_text(json.dumps(digests, indent=1), encoding="utf-8")
    for path in (*files, listed):
        _flush(path)
    shutil.rmtree(target, ignore_errors=True)
    written.rename(target)


def _flush(path: Path) -> None:
    """Have the system write a file to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _keep_newest(folder: Path, count: int) -> None:
    for old in whole_checkpoints(folder)[count:]:
        shutil.rmtree(old, ignore_errors=True)


_TENSOR = "__tensor__"
_PAIRS = "__pairs__"


def _without_tensors(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """Plain data for JSON, in which each tensor is replaced by its number in `tensors`."""
    if isinstance(value, torch.Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().contiguous().clone()
        return {_TENSOR: name}
    if isinstance(value, dict):
        # Keys of an optimizer's state are whole numbers, which JSON would make strings of.
        return {_PAIRS: [[key, _without_tensors(each, tensors)] for key, each in value.items()]}
    if isinstance(value, list | tuple):
        return [_without_tensors(each, tensors) for each in value]
    return value


def _with_tensors(form: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """The inverse of `_without_tensors`."""
    if isinstance(form, dict) and _TENSOR in form:
        return tensors[form[_TENSOR]]
    if isinstance(form, dict):
        return {key: _with_tensors(each, tensors) for key, each in form[_PAIRS]}
    if isinstance(form, list):
        return [_with_tensors(each, tensors) for each in form]
    return form
