"""Tables of what is known of whole versions, and would be found again without them."""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, Table

from ethogram.store.columns import Words
from ethogram.store.metadata import metadata

#: Cached scores of whole versions under metrics that need no model, a row each; `basis` is a digest
#: of all that they were computed from, and another basis replaces the row.
version_scores_table = Table(
    "version_scores",
    metadata,
    Column("version", Words(128), primary_key=True),
    Column("metric", Words(64), primary_key=True),
    Column("basis", Words(64), nullable=False),
    Column("data", Words(), nullable=False),
)

#: What is read of these scores most often, in few bytes: the value of the version and counts.
version_values_table = Table(
    "version_values",
    metadata,
    Column("version", Words(128), primary_key=True),
    Column("metric", Words(64), primary_key=True),
    Column("basis", Words(64), nullable=False),
    Column("data", Words(), nullable=False),
)

#: Versions of which every output was found stored and read without an error, by a digest of all
#: that their identities follow from. Triggers empty it whenever a generation is deleted or changed,
#: whoever does that, so a row is as good as looking again.
complete_table = Table(
    "complete",
    metadata,
    Column("basis", Words(64), primary_key=True),
    Column("identities", LargeBinary, nullable=False),
)
