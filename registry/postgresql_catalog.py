"""What PostgreSQL's catalog says of the registry's tables, and what it has to say of them.

The latter is read off tables that are made anew, temporary ones in a transaction that is rolled
back, so that nothing of `schema` has to be written down a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Engine, Row, bindparam, text

from toolguild.registry import schema
from toolguild.registry.guards import REFUSE, REFUSE_NAME

__all__ = ["differences"]

_Objects: TypeAlias = Mapping[tuple[str, str], object]
"""Definitions of tables, columns and so on, by kind and name."""

# A name that is not on the search path is spelled with its schema, so that one and the same text
# comes of a table wherever it is, and another one where it means what is in another schema.
_TABLES: Final = text(
    """
    WITH ours AS (
        SELECT oid, relname, relkind, relpersistence = 'u' AS is_unlogged, relrowsecurity,
            relforcerowsecurity, pg_table_is_visible(oid) AS is_visible
        FROM pg_class WHERE relnamespace = :namespace AND relname IN :tables
    )
    SELECT 'table' AS kind, relname::text AS name,
        concat_ws(' ', relkind, is_unlogged, relrowsecurity, relforcerowsecurity, is_visible)
            AS definition
    FROM ours
    UNION ALL
    SELECT 'column', format('%s of %s', attname, relname),
        concat_ws(' ', format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated,
            attcollation::regcollation, pg_get_expr(adbin, adrelid))
    FROM ours JOIN pg_attribute ON attrelid = ours.oid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT 'constraint', format('%s of %s', conname, relname),
        concat_ws(' ', convalidated, pg_get_constraintdef(pg_constraint.oid))
    FROM ours JOIN pg_constraint ON conrelid = ours.oid
    UNION ALL
    SELECT 'index', format('%s of %s', indexrelid::regclass, relname),
        concat_ws(' ', indisvalid, indisready, indislive, pg_get_indexdef(indexrelid, 0, true))
    FROM ours JOIN pg_index ON indrelid = ours.oid
    UNION ALL
    SELECT 'trigger', format('%s of %s', tgname, relname),
        concat_ws(' ', tgenabled, pg_get_triggerdef(pg_trigger.oid, true))
    FROM ours JOIN pg_trigger ON tgrelid = ours.oid WHERE NOT tgisinternal
    UNION ALL
    -- Those that look after foreign keys are numbered; each key has several on both its tables.
    SELECT 'trigger', format('for %s of %s', conname, relname),
        string_agg(concat_ws(' ', tgenabled, tgfoid::regproc), ', ' ORDER BY tgfoid)
    FROM ours JOIN pg_trigger ON tgrelid = ours.oid
    JOIN pg_constraint ON pg_constraint.oid = tgconstraint
    WHERE tgisinternal GROUP BY conname, relname
    UNION ALL
    SELECT 'rule', format('%s of %s', rulename, relname), ''
    FROM ours JOIN pg_rewrite ON ev_class = ours.oid
    UNION ALL
    SELECT 'policy', format('%s of %s', polname, relname), ''
    FROM ours JOIN pg_policy ON polrelid = ours.oid
    UNION ALL
    SELECT 'child', format('%s of %s', inhrelid::regclass, relname), ''
    FROM ours JOIN pg_inherits ON inhparent = ours.oid
    """
).bindparams(bindparam("tables", expanding=True))
_FUNCTION: Final = text(
    """
    SELECT 'function' AS kind, proname::text AS name,
        concat_ws(' ', lanname, prokind, prosecdef, provolatile, prorettype::regtype, proconfig,
            prosrc) AS definition
    FROM pg_proc JOIN pg_language ON pg_language.oid = prolang
    WHERE pronamespace = :namespace AND proname = :function AND pronargs = 0
    """
).bindparams(function=REFUSE_NAME)
_NAMESPACE: Final = text(
    "SELECT relnamespace, relnamespace::regnamespace::text FROM pg_class"
    " WHERE oid = to_regclass(:table)"
).bindparams(table=schema.schema_version.name)
_MAKE_TEMPORARY: Final = text("SELECT set_config('search_path', 'pg_temp, ' || :ours, true)")


def differences(connection: Connection, engine: Engine) -> Iterator[str]:
    """Yield what is defined otherwise than in a new registry.

    Args:
        connection: A transaction on the registry.
        engine: For another one, to make what it is compared with.
    """
    role = connection.scalar(text("SELECT current_setting('session_replication_role')"))
    if role != "origin":
        yield f"triggers are off: session_replication_role is {role}"
    namespace, ours = connection.execute(_NAMESPACE).one()
    with engine.connect() as other, other.begin() as transaction:
        other.execute(_MAKE_TEMPORARY, {"ours": ours})
        other.exec_driver_sql(REFUSE.sql)
        temporary = other.scalar(text("SELECT pg_my_temp_schema()"))
        found, made = _functions(connection, namespace), _functions(other, temporary)
        if found == made:
            # Triggers call the registry's own function: temporary ones are on no search path.
            schema.metadata.create_all(other, checkfirst=False)
            found, made = _tables(connection, namespace), _tables(other, temporary)
        transaction.rollback()
    for kind, name in sorted(found.keys() | made.keys()):
        if found.get((kind, name)) != made.get((kind, name)):
            yield f"the {kind} {name} is not as toolguild makes it"


def _functions(connection: Connection, namespace: int) -> _Objects:
    return _read(connection.execute(_FUNCTION, {"namespace": namespace}))


def _tables(connection: Connection, namespace: int) -> _Objects:
    names = [*schema.metadata.tables]
    return _read(connection.execute(_TABLES, {"namespace": namespace, "tables": names}))


def _read(rows: Iterable[Row[Any]]) -> _Objects:
    return {(row.kind, row.name): row.definition for row in rows}
