"""Schema: the tables of the store and the ordered migrations that create them."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
    func,
    insert,
    inspect,
    select,
    text,
)

from ethogram.errors import StoreError
from ethogram.store.columns import Count, Real, Words
from ethogram.store.kept_tables import (
    complete_table,
    version_scores_table,
    version_values_table,
)
from ethogram.store.metadata import metadata
from ethogram.store.sweep_tables import create_sweep_tables
from ethogram.store.triggers import create_triggers

schema_table = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

generations_table = Table(
    "generations",
    metadata,
    Column("identity", Words(64), primary_key=True),
    Column("prompt_id", Words(), nullable=False, index=True),
    Column("sample_index", Integer, nullable=False),
    Column("model", Words(), nullable=False),
    Column("prompt_text", Words(), nullable=False),
    Column("prompt_token_ids", LargeBinary, nullable=False),
    Column("token_ids", LargeBinary, nullable=False),
    Column("text", Words(), nullable=False),
    Column("finish_reason", Words(16), nullable=False),
    Column("logprobs", LargeBinary, nullable=False),
    Column("seconds", Real(), nullable=False),
    Column("created_at", Words(32), nullable=False),
    Column("selection", Words()),
    Column("guarded", Words()),
    Column("processor", Integer),
)

#: Kinds of processors that generations were computed on, each once.
processors_table = Table(
    "processors",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", Words(400), nullable=False, unique=True),
)

runs_table = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("version", Words(), nullable=False),
    Column("version_identity", Words(64), nullable=False),
    Column("started_at", Words(32), nullable=False),
    Column("finished_at", Words(32)),
    Column("made", Count),
    Column("tokens", Count),
    Column("settings", Words()),
)

#: Suites as they were at a run, each text once, so that the prompts of an earlier run are known.
suites_table = Table(
    "suites",
    metadata,
    Column("digest", Words(64), primary_key=True),
    Column("data", Words(), nullable=False),
)

#: Cached paired tests, by a digest of all that they compute from; see `study.tested`.
tests_table = Table(
    "tests",
    metadata,
    Column("identity", Words(64), primary_key=True),
    Column("metric", Words(64), nullable=False),
    Column("data", Words(), nullable=False),
)

traces_table = Table(
    "traces",
    metadata,
    Column("identity", Words(64), primary_key=True),
    Column("tokens", Integer, nullable=False),
    Column("alternatives", Integer, nullable=False),
    Column("steps", Words(), nullable=False),
    Column("data", LargeBinary, nullable=False),
)

#: Cached scores that are expensive to compute. A score of all samples of a prompt is keyed by the
#: first of them; `read` is a digest of everything else that was read.
scores_table = Table(
    "scores",
    metadata,
    Column("generation", Words(64), primary_key=True),
    Column("metric", Words(64), primary_key=True),
    Column("metric_version", Integer, primary_key=True),
    Column("model", Words(), primary_key=True),
    Column("read", Words(64), primary_key=True),
    Column("value", Real()),
    Column("parts", LargeBinary, nullable=False),
    Column("spans", Words(), nullable=False),
)

verdicts_table = Table(
    "verdicts",
    metadata,
    Column("identity", Words(64), primary_key=True),
    Column("judge", Words(), nullable=False, index=True),
    Column("prompt", Words(), nullable=False),
    Column("prompt_digest", Words(64), nullable=False),
    Column("first", Words(64), nullable=False, index=True),
    Column("second", Words(64)),
    Column("reply", Words(), nullable=False),
    Column("finish_reason", Words(16), nullable=False),
    Column("served_model", Words(), nullable=False),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("seconds", Real(), nullable=False),
    Column("created_at", Words(32), nullable=False),
)


#: Trainings, one row for each seed of a recipe; `key` is what decides the weights.
trainings_table = Table(
    "trainings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", Words(64), nullable=False, unique=True),
    Column("name", Words(), nullable=False, index=True),
    Column("kind", Words(16), nullable=False),
    Column("seed", Integer, nullable=False),
    Column("started_at", Words(32), nullable=False),
    Column("finished_at", Words(32)),
    Column("recipe", Words(), nullable=False),
    Column("plan", Words(), nullable=False),
    Column("result", Words()),
)

#: Everything measured while training: loss, tokens per second, behaviour metrics.
points_table = Table(
    "training_points",
    metadata,
    Column("training", Integer, primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("name", Words(96), primary_key=True),
    Column("value", Real()),
)

#: Outputs generated while training.
training_outputs_table = Table(
    "training_outputs",
    metadata,
    Column("training", Integer, primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("decoding", Words(64), primary_key=True),
    Column("prompt_id", Words(), primary_key=True),
    Column("sample_index", Integer, primary_key=True),
    Column("text", Words(), nullable=False),
    Column("finish_reason", Words(16), nullable=False),
)

#: Branches of outputs, each whole with its trace. `identity` is a digest of what decides it,
#: `origin` that of the generation it began from, `parent` the branch, if it began from one.
branches_table = Table(
    "branches",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("identity", Words(64), nullable=False, unique=True),
    Column("origin", Words(64), nullable=False, index=True),
    Column("parent", Integer),
    Column("version", Words(), nullable=False),
    Column("at", Integer, nullable=False),
    Column("token", Integer),
    Column("settings", Words(), nullable=False),
    Column("draw", Integer, nullable=False),
    Column("undone", Integer, nullable=False),
    Column("prompt_id", Words(), nullable=False),
    Column("sample_index", Integer, nullable=False),
    Column("model", Words(), nullable=False),
    Column("prompt_text", Words(), nullable=False),
    Column("prompt_token_ids", LargeBinary, nullable=False),
    Column("token_ids", LargeBinary, nullable=False),
    Column("text", Words(), nullable=False),
    Column("finish_reason", Words(16), nullable=False),
    Column("logprobs", LargeBinary, nullable=False),
    Column("seconds", Real(), nullable=False),
    Column("created_at", Words(32), nullable=False),
    Column("selection", Words()),
    Column("guarded", Words()),
    Column("tokens", Integer, nullable=False),
    Column("alternatives", Integer, nullable=False),
    Column("steps", Words(), nullable=False),
    Column("data", LargeBinary, nullable=False),
)

#: Pairs of outputs that were shown to a voter; `first` and `second` are in order of identity.
offered_pairs_table = Table(
    "offered_pairs",
    metadata,
    Column("ticket", Words, primary_key=True),
    Column("voter", Words, nullable=False, index=True),
    Column("kind", Words, nullable=False),
    Column("prompt_id", Words, nullable=False),
    Column("first", Words, nullable=False),
    Column("second", Words, nullable=False),
    Column("first_version", Words, nullable=False),
    Column("second_version", Words, nullable=False),
    Column("left", Words, nullable=False),
    Column("offered_at", Words, nullable=False),
)

#: Votes. A ticket has one vote, and a voter one standing vote on two outputs; `undone` is 0 for a
#: standing vote and its own id for one that was taken back, so that both can be unique.
votes_table = Table(
    "votes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("ticket", Words, nullable=False, unique=True),
    Column("voter", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("prompt_id", Words, nullable=False),
    Column("first", Words, nullable=False),
    Column("second", Words, nullable=False),
    Column("first_version", Words, nullable=False),
    Column("second_version", Words, nullable=False),
    Column("left", Words, nullable=False),
    Column("choice", Words, nullable=False),
    Column("voted_at", Words, nullable=False),
    Column("undone", Integer, nullable=False),
    UniqueConstraint("voter", "kind", "first", "second", "undone", name="one_vote_a_pair"),
)


def _create(connection: Connection) -> None:
    metadata.create_all(connection, tables=[generations_table, runs_table])


def _add_selection(connection: Connection) -> None:
    _add_column(connection, generations_table, "selection")


def _add_column(connection: Connection, table: Table, name: str) -> None:
    """Add a nullable column; a store created just now has it already."""
    if name in {column["name"] for column in inspect(connection).get_columns(table.name)}:
        return
    kind = table.c[name].type.compile(connection.dialect)
    connection.execute(text(f"ALTER TABLE {table.name} ADD COLUMN {name} {kind}"))


def _add_traces(connection: Connection) -> None:
    metadata.create_all(connection, tables=[traces_table])


def _add_scores(connection: Connection) -> None:
    metadata.create_all(connection, tables=[scores_table])


def _add_verdicts(connection: Connection) -> None:
    metadata.create_all(connection, tables=[verdicts_table])


def _add_settings(connection: Connection) -> None:
    _add_column(connection, runs_table, "settings")
    metadata.create_all(connection, tables=[suites_table])


def _add_tests(connection: Connection) -> None:
    metadata.create_all(connection, tables=[tests_table])


def _add_trainings(connection: Connection) -> None:
    tables = [trainings_table, points_table, training_outputs_table]
    metadata.create_all(connection, tables=tables)


def _add_guarded(connection: Connection) -> None:
    _add_column(connection, generations_table, "guarded")


def _add_version_scores(connection: Connection) -> None:
    metadata.create_all(connection, tables=[version_scores_table])


def _widen_text(connection: Connection) -> None:
    """In PostgreSQL, text of any length ordered by code point, in stores of 0.1 too."""
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        if not inspect(connection).has_table(table.name):
            continue
        held = {column["name"] for column in inspect(connection).get_columns(table.name)}
        changes = [
            f'ALTER COLUMN "{column.name}" TYPE {column.type.compile(connection.dialect)}'
            for column in table.columns
            if column.name in held and isinstance(column.type, Words)
        ]
        if changes:
            connection.execute(text(f"ALTER TABLE {table.name} {', '.join(changes)}"))


def _add_branches(connection: Connection) -> None:
    metadata.create_all(connection, tables=[branches_table])


def _add_votes(connection: Connection) -> None:
    metadata.create_all(connection, tables=[offered_pairs_table, votes_table])


def _add_processors(connection: Connection) -> None:
    metadata.create_all(connection, tables=[processors_table])
    _add_column(connection, generations_table, "processor")


def _add_complete(connection: Connection) -> None:
    metadata.create_all(connection, tables=[version_values_table, complete_table])
    create_triggers(connection)


#: Migration i goes from schema i to i + 1. Released migrations are never edited; append new ones.
#: A migration runs in SQLite and in PostgreSQL: it creates tables with `metadata.create_all` and
#: adds columns with `_add_column`, and its columns have the types of `columns.py`. One that needs
#: SQL of its own looks at `connection.dialect.name`.
MIGRATIONS: tuple[Callable[[Connection], None], ...] = (
    _create,
    _add_selection,
    _add_traces,
    _add_scores,
    _add_verdicts,
    _add_settings,
    _add_tests,
    _add_trainings,
    _add_guarded,
    _add_version_scores,
    _widen_text,
    _add_branches,
    _add_votes,
    _add_processors,
    create_sweep_tables,
    _add_complete,
)
SCHEMA_VERSION = len(MIGRATIONS)


def schema_at(connection: Connection, where: str) -> int:
    """The schema of a database; 0 for an empty one.

    Raises:
        StoreError: a newer Ethogram wrote it, or it is not a store.
    """
    names = set(inspect(connection).get_table_names())
    if schema_table.name not in names:
        if names:
            raise StoreError(
                "holds other tables, so it is not an Ethogram store",
                where=where,
                hint="name another file or database in study.yaml: store",
            )
        return 0
    at = connection.execute(select(func.max(schema_table.c.version))).scalar() or 0
    if at > SCHEMA_VERSION:
        raise StoreError(
            f"has schema {at}, but this Ethogram supports schemas up to {SCHEMA_VERSION}",
            where=where,
            hint="update Ethogram",
        )
    return int(at)


def migrate(connection: Connection, at: int) -> None:
    """Bring a database from schema `at` to the present one, one migration at a time."""
    schema_table.create(connection, checkfirst=True)
    for number in range(at, SCHEMA_VERSION):
        MIGRATIONS[number](connection)
        connection.execute(insert(schema_table).values(version=number + 1))
