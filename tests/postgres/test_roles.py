"""What each role may do to a ledger in PostgreSQL: every statement, allowed or denied."""

from __future__ import annotations

import psycopg
import pytest

from events import errors
from tests.store.batches import many, put

ROLES = ("writer", "projector", "reader")
LOG = ("log_entry", "log_node", "log_root")
READ = (*LOG, "log_key", "log_layout", "log_role", "migration")
#: A full partition, which nobody but the owner may name.
PARTITION = "log_entry_1"
ALL = (*READ, PARTITION)

COLUMN = {
    "log_node": "hash",
    "log_root": "root",
    "log_layout": "partition_rows",
    "log_role": "role",
    "migration": "number",
}

#: operation -> (statement, role -> the tables on which it is allowed)
OPERATIONS = {
    "SELECT": (
        "SELECT count(*) FROM {table}",
        dict.fromkeys(ROLES, READ),
    ),
    "INSERT": (
        # A row that breaks no rule of privilege; whether it is a good one comes after.
        "INSERT INTO {table} SELECT * FROM {table} LIMIT 0",
        {"writer": LOG},
    ),
    "UPDATE": ("UPDATE {table} SET {column} = {column}", {}),
    "DELETE": ("DELETE FROM {table}", {}),
    "TRUNCATE": ("TRUNCATE {table}", {}),
    "TRIGGER": (
        "CREATE TRIGGER t BEFORE INSERT ON {table} EXECUTE FUNCTION tsvector_update_trigger()",
        {},
    ),
    "REFERENCES": ("CREATE TABLE yard.r (x bigint REFERENCES {table})", {}),
    "ALTER": ("ALTER TABLE {table} ADD COLUMN x int", {}),
    "DISABLE TRIGGER": ("ALTER TABLE {table} DISABLE TRIGGER ALL", {}),
    "NO FORCE": ("ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY", {}),
    "POLICY": ("CREATE POLICY mine ON {table}", {}),
    "INDEX": ("CREATE INDEX ON {table} ({column})", {}),
    "DROP": ("DROP TABLE {table} CASCADE", {}),
}

#: statement -> the roles that may run it.
ANYWHERE = {
    "CREATE TABLE henji.mine ()": (),
    "CREATE FUNCTION henji.f() RETURNS int LANGUAGE sql RETURN 1": (),
    "ALTER SCHEMA henji RENAME TO mine": (),
    "DROP SCHEMA henji CASCADE": (),
    "SET session_replication_role = replica": (),
    "SET ROLE {owner}": (),
    "SET SESSION AUTHORIZATION {owner}": (),
    "ALTER FUNCTION henji.extend_log(bigint) SECURITY INVOKER": (),
    "SELECT henji.log_bound()": ROLES,
    "SELECT henji.extend_log(1)": ("writer",),
    "SELECT henji.bind_rows('henji.log_root')": (),
    "SELECT henji.attach_partition('henji.log_key', 10001, 20000)": (),
    "COPY henji.log_root TO 'stolen'": (),
    "CREATE SCHEMA mine": (),
}


def denied(connection: psycopg.Connection, statement: str) -> bool:
    """Run a statement and take it back; tell whether privileges stood in the way."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return True
    except psycopg.errors.RestrictViolation:
        pytest.fail(f"the privilege was there, only the trigger refused: {statement}")
    return False


def column_of(table: str) -> str:
    """Return a column that a table has."""
    return COLUMN.get(table, "position" if "key" in table else "entry")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_rights_on_tables(shared_ledger, role, operation):
    """Role, table, operation: allowed where its duty needs it, denied everywhere else."""
    statement, allowed = OPERATIONS[operation]
    with shared_ledger.connect(role) as connection:
        found = {
            table
            for table in ALL
            if not denied(
                connection, statement.format(table=table, column=column_of(table))
            )
        }
    assert found == set(allowed.get(role, ()))


@pytest.mark.parametrize("role", ROLES)
def test_rights_beside_tables(shared_ledger, role):
    """Nobody who serves the log creates, becomes another, or skips triggers."""
    owner = shared_ledger.role("owner")
    with shared_ledger.connect(role) as connection:
        found = {
            statement: not denied(connection, statement.format(owner=owner))
            for statement in ANYWHERE
        }
    assert found == {text: role in roles for text, roles in ANYWHERE.items()}


def test_a_stranger_has_no_rights(shared_ledger):
    """A role that was granted nothing cannot even name the tables."""
    with shared_ledger.connect("superuser") as admin, admin.transaction():
        admin.execute("CREATE ROLE stranger; SET LOCAL ROLE stranger")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), admin.transaction():
            admin.execute("SELECT 1 FROM henji.log_root")
        admin.execute("RESET ROLE; DROP ROLE stranger")


def test_default_privileges_do_not_reach_partitions(empty_ledger):
    """What an administrator grants by default is taken back from tables of the log."""
    writer = empty_ledger.role("writer")
    with psycopg.connect(empty_ledger.dsns["owner"]) as owner:
        owner.execute(f"ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {writer}")
    empty_ledger.install()
    store = empty_ledger.open()
    put(store, many(700))
    store.close()
    with empty_ledger.connect("writer") as connection:
        for partition in (1, 301, 601, 901):
            assert denied(connection, f"DELETE FROM log_entry_{partition}")
            assert denied(connection, f"SELECT FROM log_entry_{partition}")


@pytest.mark.parametrize(
    "power",
    [
        "GRANT UPDATE ON log_entry TO {role}",
        "GRANT INSERT ON log_key TO {role}",
        "GRANT INSERT ON log_entry_1 TO {role}",
        "GRANT TRUNCATE ON log_entry_301 TO {role}",
        "GRANT TRIGGER ON log_root TO {role}",
        "GRANT REFERENCES (position) ON log_key TO {role}",
        "GRANT CREATE ON SCHEMA henji TO {role}",
        "GRANT SET ON PARAMETER session_replication_role TO {role}",
        "GRANT pg_write_server_files TO {role}",
        "ALTER ROLE {role} BYPASSRLS",
        "GRANT {owner} TO {role} WITH INHERIT FALSE",
    ],
)
@pytest.mark.parametrize("role", ROLES)
def test_one_power_too_many_is_refused_at_start(ledger, role, power):
    """No process starts with a role that could do more than any duty needs."""
    names = {"role": ledger.role(role), "owner": ledger.role("owner")}
    ledger.open(role, duty=role).close()
    with ledger.connect("superuser") as admin:
        admin.execute(power.format(**names))
    with pytest.raises(errors.Denied) as refused:
        ledger.open(role, duty=role)
    assert refused.value.code == "store_overprivileged"
    with ledger.connect("superuser") as admin:
        # Parameters are the server's, not the database's: other tests share it.
        admin.execute(
            f"REVOKE SET ON PARAMETER session_replication_role FROM {names['role']}"
        )


def test_projecting_with_the_right_to_append_is_refused(ledger):
    """Where projecting has a role of its own, the writer's is more than it needs."""
    with pytest.raises(errors.Denied) as refused:
        ledger.open("writer", duty="projector")
    assert "INSERT log_entry" in refused.value.detail


def test_the_writer_projects_where_nobody_else_does(empty_ledger):
    """A ledger with one role works: nothing forces a small deployment to have three."""
    empty_ledger.install(others={})
    empty_ledger.open("writer", duty="projector").close()


@pytest.mark.parametrize("role", ["projector", "reader"])
def test_reading_roles_read_all_and_append_nothing(ledger, role):
    """A reading role sees the whole log; its appends are refused before they begin."""
    store = ledger.open(role, duty="reader")
    assert len(list(store.iter_entries())) == store.head().size == 450
    assert store.find("urn:test:1", "e-7").position == 8
    with pytest.raises(errors.Unavailable) as refused:
        put(store, many(1))
    assert refused.value.code == "store_read_only"
    store.close()


def test_roles_given_again_lose_what_they_had_gained(ledger):
    """Installing again is the way back from a grant too many."""
    role = ledger.role("reader")
    with ledger.connect("owner") as owner:
        owner.execute(f"GRANT ALL ON log_entry, log_entry_1 TO {role}")
    ledger.install()
    ledger.open("reader", duty="reader").close()
