"""SQL files become statements and migrations."""

import pytest

from vigie.adapters.sqlite.statements import migrations, named_statements, split_script


def test_statements_go_by_name(tmp_path):
    """Each statement is found under its name, without its neighbour."""
    (tmp_path / "statements.sql").write_text("-- About.\n\n-- name: one\n-- Why.\nSELECT 1\n\n-- name: two\nSELECT 2\n")
    assert named_statements(tmp_path) == {"one": "-- Why.\nSELECT 1", "two": "SELECT 2"}


def test_one_name_for_two_statements_is_refused(tmp_path):
    """A name that occurs twice is a mistake."""
    (tmp_path / "statements.sql").write_text("-- name: one\nSELECT 1\n-- name: one\nSELECT 2\n")
    with pytest.raises(ValueError, match="one name"):
        named_statements(tmp_path)


def test_migrations_are_in_order(tmp_path):
    """Numbered files become steps by number; other files are left aside."""
    (tmp_path / "0002_more.sql").write_text("CREATE TABLE b (x);")
    (tmp_path / "0001_start.sql").write_text("CREATE TABLE a (x);")
    (tmp_path / "notes.txt").write_text("x")
    assert [step.statements for step in migrations(tmp_path)] == [("CREATE TABLE a (x);",), ("CREATE TABLE b (x);",)]


def test_gap_between_migrations_is_refused(tmp_path):
    """Numbers must count without a gap."""
    (tmp_path / "0002_more.sql").write_text("CREATE TABLE b (x);")
    with pytest.raises(ValueError, match=r"1, 2, 3 and are \[2\]"):
        migrations(tmp_path)


def test_triggers_stay_whole():
    """A semicolon inside a trigger or a text does not end the statement."""
    trigger = "CREATE TRIGGER t BEFORE DELETE ON a\nBEGIN\n  SELECT RAISE(ABORT, 'no; never');\nEND;"
    assert split_script(f"CREATE TABLE a (x);\n{trigger}\n") == ("CREATE TABLE a (x);", trigger)


def test_unfinished_script_is_refused():
    """A last statement without semicolon is a mistake, not a missing table."""
    with pytest.raises(ValueError, match="semicolon"):
        split_script("CREATE TABLE a (x)")
