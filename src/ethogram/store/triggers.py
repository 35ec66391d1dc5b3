"""Triggers: empty the table of complete versions whenever a generation is deleted or changed."""

from __future__ import annotations

from sqlalchemy import Connection

_STATEMENTS = {
    "sqlite": (
        "CREATE TRIGGER IF NOT EXISTS generation_deleted AFTER DELETE ON generations "
        "BEGIN DELETE FROM complete; END",
        "CREATE TRIGGER IF NOT EXISTS generation_changed AFTER UPDATE ON generations "
        "BEGIN DELETE FROM complete; END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION none_complete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "EXECUTE 'DELETE FROM ' || quote_ident(TG_TABLE_SCHEMA) || '.complete'; "
        "RETURN NULL; END $$",
        "DROP TRIGGER IF EXISTS generation_lost ON generations",
        "CREATE TRIGGER generation_lost AFTER DELETE OR UPDATE OR TRUNCATE ON generations "
        "FOR EACH STATEMENT EXECUTE FUNCTION none_complete()",
    ),
}


def create_triggers(connection: Connection) -> None:
    """Create the triggers of a database; those that are there stay."""
    for statement in _STATEMENTS[connection.dialect.name]:
        connection.exec_driver_sql(statement)
