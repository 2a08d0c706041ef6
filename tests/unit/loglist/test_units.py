"""The log list's own tables: the database holds whoever writes SQL as the web to their units."""

import psycopg
import pytest


@pytest.fixture
def notes(installation):
    """A table of the log list with a unit, and a connection as the web that reads as somebody."""
    with psycopg.connect(installation("owner"), autocommit=True) as owner:
        owner.execute("SET search_path = loglist, pg_catalog")
        owner.execute("CREATE TABLE note (unit text, text text)")
        owner.execute("GRANT ALL ON note TO kommunpost_web")
        owner.execute("SELECT hold_to_units('note')")
        owner.execute("INSERT INTO note VALUES ('ks', 'om ks'), ('bun', 'om bun')")
        with psycopg.connect(installation("web"), autocommit=True) as web:
            yield web
        owner.execute("DROP TABLE note")


def reads(web, token):
    web.execute("SELECT set_config('loglist.token', %s, false)", [token])
    return {text for (text,) in web.execute("SELECT text FROM loglist.note")}


def token_of(visit, name):
    return visit(name).session["token"]


def test_each_reads_the_rows_of_their_own_units(notes, visit):
    assert reads(notes, token_of(visit, "ks")) == {"om ks"}
    assert reads(notes, token_of(visit, "bada")) == {"om ks", "om bun"}
    assert reads(notes, token_of(visit, "chef")) == {"om ks", "om bun"}
    assert reads(notes, token_of(visit, "ingen")) == set()
    assert reads(notes, "") == set()


@pytest.mark.parametrize("name", ["ks", "forvaltningschef", "ingen", "chef"])
def test_only_a_reviewer_of_the_unit_writes(notes, visit, name):
    reads(notes, token_of(visit, name))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        notes.execute("INSERT INTO loglist.note VALUES ('bun', 'ny')")
    assert notes.execute("UPDATE loglist.note SET text = 'x' WHERE unit = 'bun'").rowcount == 0
    assert notes.execute("DELETE FROM loglist.note WHERE unit = 'bun'").rowcount == 0


def test_the_worker_writes_for_all(notes, installation):
    from compliance.loglist.login import log_in_worker

    assert reads(notes, log_in_worker()) == {"om ks", "om bun"}
    notes.execute("INSERT INTO loglist.note VALUES ('bun', 'nytt')")


def test_the_webs_role_makes_itself_no_rights(notes, visit):
    for statement in (
        "INSERT INTO loglist.session VALUES ('x', '{bun}', true)",
        "SELECT * FROM loglist.session",
        "ALTER TABLE loglist.note DISABLE ROW LEVEL SECURITY",
        "SELECT loglist.hold_to_units('loglist.note')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            notes.execute(statement)


def test_who_has_logged_out_writes_no_more(notes, visit):
    browser = visit("ks")
    token = browser.session["token"]
    assert reads(notes, token) == {"om ks"}
    notes.execute("UPDATE loglist.note SET text = 'ändrad' WHERE unit = 'ks'")
    browser.post("/logout")
    with pytest.raises(psycopg.errors.InvalidAuthorizationSpecification):
        notes.execute("INSERT INTO loglist.note VALUES ('ks', 'efter')")
