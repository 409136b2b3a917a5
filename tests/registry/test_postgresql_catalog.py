"""On PostgreSQL, `verify` finds and names what is defined otherwise than toolguild makes it."""

from __future__ import annotations

import pytest

from toolguild.registry import Registry, RegistryFileError, verify

pytestmark = [
    pytest.mark.parametrize("database", ["postgresql"], indirect=True),
    pytest.mark.usefixtures("database"),
    pytest.mark.postgres,
]

LETS_ALL_THROUGH = (
    "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql "
    "AS 'BEGIN RETURN NEW; END'"
)
CHANGES = {
    "trigger disabled": (
        "ALTER TABLE audit DISABLE TRIGGER audit_no_update",
        "trigger audit_no_update of audit",
    ),
    "trigger that fires for replication only": (
        "ALTER TABLE uses ENABLE REPLICA TRIGGER uses_no_delete",
        "trigger uses_no_delete of uses",
    ),
    "trigger dropped": (
        "DROP TRIGGER versions_no_truncate ON versions",
        "trigger versions_no_truncate of versions",
    ),
    "trigger that never fires": (
        "DROP TRIGGER uses_no_update ON uses; CREATE TRIGGER uses_no_update BEFORE UPDATE ON uses"
        " FOR EACH ROW WHEN (false) EXECUTE FUNCTION toolguild_refuse()",
        "trigger uses_no_update of uses",
    ),
    "trigger for some columns only": (
        "DROP TRIGGER uses_no_update ON uses; CREATE TRIGGER uses_no_update BEFORE UPDATE OF error"
        " ON uses FOR EACH ROW EXECUTE FUNCTION toolguild_refuse()",
        "trigger uses_no_update of uses",
    ),
    "trigger that calls another function": (
        LETS_ALL_THROUGH.format(name="harmless")
        + "; DROP TRIGGER uses_no_update ON uses; CREATE TRIGGER uses_no_update"
        " BEFORE UPDATE ON uses FOR EACH ROW EXECUTE FUNCTION harmless()",
        "trigger uses_no_update of uses",
    ),
    "trigger that drops what is written": (
        LETS_ALL_THROUGH.format(name="nothing").replace("NEW", "NULL")
        + "; CREATE TRIGGER silent BEFORE INSERT ON uses FOR EACH ROW EXECUTE FUNCTION nothing()",
        "trigger silent of uses",
    ),
    "function replaced": (
        LETS_ALL_THROUGH.format(name="toolguild_refuse"),
        "function toolguild_refuse",
    ),
    "function dropped": (
        "DROP FUNCTION toolguild_refuse() CASCADE",
        "function toolguild_refuse",
    ),
    "foreign keys not looked after": (
        "ALTER TABLE tools DISABLE TRIGGER ALL",
        "trigger for tools_active_fkey of tools",
    ),
    "primary key dropped": (
        "ALTER TABLE search_words DROP CONSTRAINT search_words_pkey",
        "constraint search_words_pkey of search_words",
    ),
    "unique constraint dropped": (
        "ALTER TABLE versions DROP CONSTRAINT versions_name_number_key",
        "constraint versions_name_number_key of versions",
    ),
    "foreign key dropped": (
        "ALTER TABLE uses DROP CONSTRAINT uses_caller_fkey",
        "constraint uses_caller_fkey of uses",
    ),
    "constraint added": (
        "ALTER TABLE uses ADD CONSTRAINT only_good CHECK (status = 'ok')",
        "constraint only_good of uses",
    ),
    "type changed": (
        "ALTER TABLE heads ALTER COLUMN seq TYPE integer",
        "column seq of heads",
    ),
    "null allowed": (
        "ALTER TABLE versions ALTER COLUMN tier DROP NOT NULL",
        "column tier of versions",
    ),
    "default changed": (
        "ALTER TABLE uses ALTER COLUMN counts SET DEFAULT true",
        "column counts of uses",
    ),
    "sorted otherwise": (
        'ALTER TABLE audit ALTER COLUMN action TYPE varchar COLLATE "C.utf8"',
        "column action of audit",
    ),
    "column added": (
        "ALTER TABLE tools ADD COLUMN note text",
        "column note of tools",
    ),
    "index dropped": (
        "DROP INDEX uses_by_input",
        "index uses_by_input of uses",
    ),
    "index of some rows only": (
        "DROP INDEX uses_by_input;"
        " CREATE INDEX uses_by_input ON uses (version, input_digest) WHERE id < 0",
        "index uses_by_input of uses",
    ),
    "rows hidden": (
        "ALTER TABLE uses ENABLE ROW LEVEL SECURITY",
        "table uses",
    ),
    "policy added": (
        "CREATE POLICY only_good ON uses USING (status = 'ok')",
        "policy only_good of uses",
    ),
    "rule added": (
        "CREATE RULE silent AS ON INSERT TO uses DO INSTEAD NOTHING",
        "rule silent of uses",
    ),
    "rows of another table": (
        "CREATE TABLE more () INHERITS (uses)",
        "child more of uses",
    ),
    "lost in a crash": ("ALTER TABLE search_words SET UNLOGGED", "table search_words"),
}


@pytest.mark.parametrize(("statements", "what"), CHANGES.values(), ids=CHANGES)
def test_what_is_defined_otherwise_is_found_and_named(registry, statements, what):
    assert verify(registry).ok
    with registry.database.write() as connection:
        connection.exec_driver_sql(statements)
    assert f"the {what} is not as toolguild makes it" in all_damage(registry)


def all_damage(registry):
    assert not verify(registry).ok
    with registry.database.read() as connection:
        return [*registry.database.damage(connection)]


def test_triggers_that_are_off_for_the_user_are_found(registry):
    """As where a superuser has set it for the database or for the role."""
    with registry.database.read() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        [found] = registry.database.damage(connection)
    assert found == "triggers are off: session_replication_role is replica"


def test_what_others_have_in_the_same_schema_is_theirs(registry):
    with registry.database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE notes (text text)")
        connection.exec_driver_sql(LETS_ALL_THROUGH.format(name="harmless"))
    assert verify(registry).ok


def test_looking_leaves_nothing_behind(registry):
    def all_there_is():
        with registry.database.read() as connection:
            return {
                row
                for catalog in ("pg_class", "pg_type", "pg_proc", "pg_trigger", "pg_constraint")
                for row in connection.exec_driver_sql(f"SELECT oid FROM {catalog}")  # noqa: S608
            }

    before = all_there_is()
    assert verify(registry).ok
    assert all_there_is() == before


@pytest.fixture
def reader(registry, where):
    """The URL for a user who may read the registry, and nothing else."""
    with registry.database.write() as connection:
        home = connection.exec_driver_sql("SELECT current_schema()").scalar()
        connection.exec_driver_sql("CREATE ROLE reader LOGIN")
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {home} TO reader")
        connection.exec_driver_sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA {home} TO reader")
    yield where.replace("toolguild@", "reader@")
    with registry.database.write() as connection:
        connection.exec_driver_sql("DROP OWNED BY reader; DROP ROLE reader")


def test_who_may_only_read_can_verify(reader):
    with Registry.open(reader) as registry:
        assert verify(registry).ok


def test_who_may_make_no_temporary_tables_is_told_so(registry, reader):
    def allow(statement):
        with registry.database.write() as connection:
            connection.exec_driver_sql(statement)

    allow("REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC")
    try:
        with (
            Registry.open(reader) as read_only,
            pytest.raises(RegistryFileError, match=r"no permission.*temporary"),
        ):
            verify(read_only)
    finally:
        allow("GRANT TEMPORARY ON DATABASE postgres TO PUBLIC")
