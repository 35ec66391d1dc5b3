"""Schema: the tables of the store and the ordered migrations that create them."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import (
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    func,
    insert,
    inspect,
    select,
    text,
)

from ethogram.errors import StoreError

metadata = MetaData()

schema_table = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

generations_table = Table(
    "generations",
    metadata,
    Column("identity", String(64), primary_key=True),
    Column("prompt_id", Text, nullable=False, index=True),
    Column("sample_index", Integer, nullable=False),
    Column("model", Text, nullable=False),
    Column("prompt_text", Text, nullable=False),
    Column("prompt_token_ids", LargeBinary, nullable=False),
    Column("token_ids", LargeBinary, nullable=False),
    Column("text", Text, nullable=False),
    Column("finish_reason", String(16), nullable=False),
    Column("logprobs", LargeBinary, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("selection", Text),
    Column("guarded", Text),
    Column("processor", Integer),
)

#: Kinds of processors that generations were computed on, each once.
processors_table = Table(
    "processors",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(400), nullable=False, unique=True),
)

runs_table = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("version", Text, nullable=False),
    Column("version_identity", String(64), nullable=False),
    Column("started_at", String(32), nullable=False),
    Column("finished_at", String(32)),
    Column("made", Integer),
    Column("tokens", Integer),
    Column("settings", Text),
)

#: Suites as they were at a run, each text once, so that the prompts of an earlier run are known.
suites_table = Table(
    "suites",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("data", Text, nullable=False),
)

#: Cached paired tests, by a digest of all that they compute from; see `study.tested`.
tests_table = Table(
    "tests",
    metadata,
    Column("identity", String(64), primary_key=True),
    Column("metric", String(64), nullable=False),
    Column("data", Text, nullable=False),
)

traces_table = Table(
    "traces",
    metadata,
    Column("identity", String(64), primary_key=True),
    Column("tokens", Integer, nullable=False),
    Column("alternatives", Integer, nullable=False),
    Column("steps", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

#: Cached scores that are expensive to compute. A score of all samples of a prompt is keyed by the
#: first of them; `read` is a digest of everything else that was read.
scores_table = Table(
    "scores",
    metadata,
    Column("generation", String(64), primary_key=True),
    Column("metric", String(64), primary_key=True),
    Column("metric_version", Integer, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("read", String(64), primary_key=True),
    Column("value", Float),
    Column("parts", LargeBinary, nullable=False),
    Column("spans", Text, nullable=False),
)

#: Cached scores of whole versions under metrics that need no model, a row each; `basis` is a digest
#: of all that they were computed from, and another basis replaces the row.
version_scores_table = Table(
    "version_scores",
    metadata,
    Column("version", String(128), primary_key=True),
    Column("metric", String(64), primary_key=True),
    Column("basis", String(64), nullable=False),
    Column("data", Text, nullable=False),
)

verdicts_table = Table(
    "verdicts",
    metadata,
    Column("identity", String(64), primary_key=True),
    Column("judge", Text, nullable=False, index=True),
    Column("prompt", Text, nullable=False),
    Column("prompt_digest", String(64), nullable=False),
    Column("first", String(64), nullable=False, index=True),
    Column("second", String(64)),
    Column("reply", Text, nullable=False),
    Column("finish_reason", String(16), nullable=False),
    Column("served_model", Text, nullable=False),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("created_at", String(32), nullable=False),
)


#: Trainings, one row for each seed of a recipe; `key` is what decides the weights.
trainings_table = Table(
    "trainings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(64), nullable=False, unique=True),
    Column("name", Text, nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("seed", Integer, nullable=False),
    Column("started_at", String(32), nullable=False),
    Column("finished_at", String(32)),
    Column("recipe", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("result", Text),
)

#: Everything measured while training: loss, tokens per second, behaviour metrics.
points_table = Table(
    "training_points",
    metadata,
    Column("training", Integer, primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("name", String(96), primary_key=True),
    Column("value", Float),
)

#: Outputs generated while training.
training_outputs_table = Table(
    "training_outputs",
    metadata,
    Column("training", Integer, primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("decoding", String(64), primary_key=True),
    Column("prompt_id", Text, primary_key=True),
    Column("sample_index", Integer, primary_key=True),
    Column("text", Text, nullable=False),
    Column("finish_reason", String(16), nullable=False),
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


def _add_processors(connection: Connection) -> None:
    metadata.create_all(connection, tables=[processors_table])
    _add_column(connection, generations_table, "processor")


#: Migration i goes from schema i to i + 1. Released migrations are never edited; append new ones.
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
    _add_processors,
)
SCHEMA_VERSION = len(MIGRATIONS)


def migrate(connection: Connection, where: str) -> None:
    """Bring a database to the present schema, one migration at a time.

    Raises:
        StoreError: a newer Ethogram wrote it, or it is not a store.
    """
    names = set(inspect(connection).get_table_names())
    if names and schema_table.name not in names:
        raise StoreError(
            "holds other tables, so it is not an Ethogram store",
            where=where,
            hint="name another file in study.yaml: store",
        )
    schema_table.create(connection, checkfirst=True)
    at = connection.execute(select(func.max(schema_table.c.version))).scalar() or 0
    if at > SCHEMA_VERSION:
        raise StoreError(
            f"has schema {at}, but this Ethogram supports schemas up to {SCHEMA_VERSION}",
            where=where,
            hint="update Ethogram",
        )
    for number in range(at, SCHEMA_VERSION):
        MIGRATIONS[number](connection)
        connection.execute(insert(schema_table).values(version=number + 1))
