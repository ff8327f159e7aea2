"""What `vigie train` says of tables and settings that cannot be meant."""

import random
import re

import pytest

from vigie.cli.main import main

HEAD = '[project]\nname = "m"\n\n[data]\nsource = "t.csv"\ntarget = "y"\n'
RNG = random.Random(1)  # noqa: S311  a table, not a secret
ROWS = [(i % 7, RNG.gauss(0, 1), RNG.choice(["no", "yes"])) for i in range(60)]
GOOD = "a,b,y\n" + "".join(f"{a},{b},{y}\n" for a, b, y in ROWS)

BAD = {
    "no table": (HEAD.replace("t.csv", "nosuch.csv"), GOOD, "nosuch.csv"),
    "empty file": (HEAD, "", "empty"),
    "only a heading": (HEAD, "a,b,y\n", "empty|no row"),
    "one class": (HEAD, GOOD.replace("yes", "no"), "same value in every row"),
    "target missing": (HEAD.replace('"y"', '"why"'), GOOD, "no column 'why'"),
    "two columns of one name": (HEAD, GOOD.replace("a,b,y", "a,a,y"), "more than one column called 'a'"),
    "a column without values": (HEAD, "a,b,y\n" + "".join(f",{b},{y}\n" for _, b, y in ROWS), "'a'"),
    "unique text": (HEAD, "a,b,y\n" + "".join(f"k{i}x,{b},{y}\n" for i, (_, b, y) in enumerate(ROWS)), "'a'"),
    "mixed types": (
        HEAD, "a,b,y\n" + "".join(f"{'n/d' if i == 30 else a},{b},{y}\n" for i, (a, b, y) in enumerate(ROWS)), "'a'",
    ),
    "a picture": (HEAD, b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 20, r"t\.csv"),
    "not UTF-8": (HEAD, ("a,b,y\n" + "".join(f"é{a % 3},{b},{y}\n" for a, b, y in ROWS)).encode("latin-1"), "UTF-8"),
    "too few rows": (HEAD, "a,b,y\n1,2,no\n2,1,yes\n", "at least 20"),
    "an unknown candidate": (HEAD + '[training]\ncandidates = ["logistik"]\n', GOOD, "logisti"),
    "a metric of another task": (HEAD + '[training]\nmetric = "rmse"\n', GOOD, "rmse"),
    "a wrong key": (HEAD + "test_fracton = 0.2\n", GOOD, "Did you mean 'test_fraction'"),
    "a wrong value": (HEAD + "test_fraction = 2\n", GOOD, "data.test_fraction"),
    "broken TOML": (HEAD + "[training\n", GOOD, "not TOML"),
    "the answer among the features": (HEAD, "a,c,y\n" + "".join(f"{b},{y},{y}\n" for _, b, y in ROWS), "'c'"),
    "an unknown positive class": (HEAD + 'positive = "oui"\n', GOOD, "oui"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", ["one class", "a wrong key"])
def test_a_bad_table_or_setting_ends_the_process_with_a_sentence(new_project, name):
    """By the real command line: exit code 2 or 3, nothing on standard output, no traceback."""
    toml, table, said = BAD[name]
    project = new_project(toml, rows=0)
    (project.folder / "t.csv").write_text(table)
    done = project.run("train", expect=(2, 3))
    assert re.search(said, done.stderr), done.stderr
    assert done.stdout == ""


# The other cases enter by the same door in this process, which saves the seconds that imports take.
@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")  # MLflow's own use of SQLAlchemy
@pytest.mark.parametrize(("toml", "table", "said"), BAD.values(), ids=BAD)
def test_a_bad_table_or_setting_is_one_sentence(new_project, toml, table, said, monkeypatch, capsys):
    """Exit code 2 or 3, what was found and what to do on standard error, no traceback, nothing registered."""
    project = new_project(toml, rows=0)
    (project.folder / "t.csv").write_bytes(table if isinstance(table, bytes) else table.encode())
    monkeypatch.setattr("sys.argv", ["vigie", "train", "--project", str(project.folder)])
    with pytest.raises(SystemExit) as caught:
        main()
    told = capsys.readouterr()
    assert caught.value.code in (2, 3)
    assert re.search(said, told.err), told.err
    assert told.err.startswith("vigie: ")
    assert "Traceback" not in told.err
    assert len(told.err.splitlines()) <= 3
    assert told.out == ""
    assert not (project.folder / "schema.toml").exists()


@pytest.mark.parametrize("name", ["no table", "only a heading", "target missing"])
def test_a_wrong_source_or_column_is_told_before_a_store_is_opened(tmp_path, name, monkeypatch, capsys):
    """A slip of the pen leaves no folder behind, and does not wait for MLflow to make its tables."""
    toml, table, said = BAD[name]
    (tmp_path / "vigie.toml").write_text(toml)
    (tmp_path / "t.csv").write_text(table)
    monkeypatch.setattr("sys.argv", ["vigie", "train", "--project", str(tmp_path)])
    with pytest.raises(SystemExit):
        main()
    assert re.search(said, capsys.readouterr().err)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.csv", "vigie.toml"]


@pytest.mark.slow
def test_the_report_is_with_the_run_and_in_a_file(new_project, tmp_path):
    """The same page in both places; a file that cannot be written is a warning, and the training stands."""
    project = new_project()
    done = project.run("train", "--report", str(tmp_path / "new" / "report.html"), VIGIE_TRAINING__REPORT="true")
    assert f"The training report is {tmp_path / 'new' / 'report.html'}." in done.stdout
    page = (tmp_path / "new" / "report.html").read_bytes()
    (kept,) = (project.folder / ".vigie" / "artifacts").rglob("report.html")
    assert kept.read_bytes() == page
    assert list((kept.parent / "charts").glob("*.png"))
    (tmp_path / "file").write_text("")
    done = project.run("train", "--report", str(tmp_path / "file" / "report.html"))
    assert "could not be written" in done.stderr
    assert "version 2 is registered" in done.stdout
    assert len(list((project.folder / ".vigie" / "artifacts").rglob("report.html"))) == 1


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")  # MLflow's own use of SQLAlchemy
@pytest.mark.parametrize("ask", [("predict", "t.csv"), ("monitor",)], ids=["predict", "monitor"])
def test_whoever_asks_after_a_refused_training_hears_of_it(new_project, ask, monkeypatch, capsys):
    """Coin tosses: not that training would help, but why it did not."""
    project = new_project(HEAD + '[training]\ncandidates = ["logistic"]\nreport = false\n', rows=0)
    (project.folder / "t.csv").write_text(GOOD)
    monkeypatch.chdir(project.folder)
    for line in (("train",), ask):
        monkeypatch.setattr("sys.argv", ["vigie", *line])
        with pytest.raises(SystemExit) as caught:
            main()
    told = capsys.readouterr().err
    assert caught.value.code == 5
    assert "what was trained last was refused" in told
    assert "the dummy" in told
