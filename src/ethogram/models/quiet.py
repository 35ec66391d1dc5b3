"""Silences the notices and progress bars of the model libraries."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr

from ethogram.extras import require


@contextmanager
def quiet() -> Iterator[None]:
    """Silence transformers while a model is read; errors are still raised."""
    logging = require("transformers", extra="engine", needed_for="running a model").logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        # Its GGUF reader draws a bar that no setting turns off.
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
