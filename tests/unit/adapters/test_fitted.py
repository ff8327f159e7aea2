"""Fitted models from files and from the project's own code; a pickle is never opened."""

import io
import pickle
import zipfile

import joblib
import pytest
import skops.io
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor

from vigie.adapters.fitted import read_fitted
from vigie.errors import BundleError, ConfigurationError, DataError, UntrustedContentError

NOBODY = frozenset()


@pytest.fixture(scope="module")
def line():
    """Return a fitted line."""
    return LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0])


class _Canary:
    """Leaves a trace when it is unpickled."""

    def __reduce__(self):
        return (open, ("canary.txt", "w"))


def read(where, folder, trusted=NOBODY):
    """Read what is named."""
    return read_fitted(where, base=folder, trusted=trusted)


def test_a_skops_file_is_read(line, tmp_path):
    """Any estimator, not only a pipeline; it answers as it did."""
    skops.io.dump(line, tmp_path / "line.skops")
    assert read("line.skops", tmp_path).predict([[2.0]]).tolist() == line.predict([[2.0]]).tolist()


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "model.skops", "model"])
def test_a_pickle_is_refused_unread(name, tmp_path, monkeypatch):
    """Whatever its name; what it would run is not run, and the way out is two lines."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(pickle.dumps(_Canary()))
    with pytest.raises(BundleError, match="is a pickle") as caught:
        read(name, tmp_path)
    assert not (tmp_path / "canary.txt").exists()
    assert "skops.io.dump(" in str(caught.value)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("ending", "dump"), [("joblib", joblib.dump), ("pkl", None)])
def test_the_two_lines_convert_it(line, tmp_path, monkeypatch, ending, dump):
    """They are run here as they are printed, and the file that they write is read."""
    monkeypatch.chdir(tmp_path)
    if dump:
        dump(line, f"line.{ending}")
    else:
        (tmp_path / "line.pkl").write_bytes(pickle.dumps(line))
    with pytest.raises(BundleError) as caught:
        read(f"line.{ending}", tmp_path)
    lines = [text.strip() for text in str(caught.value).splitlines()[-2:]]
    exec("\n".join(lines), {})  # noqa: S102 - the promise is that these lines work
    assert read("line.skops", tmp_path).coef_.tolist() == line.coef_.tolist()


def test_types_that_nobody_trusts_are_refused(tmp_path):
    """The owner of the project may name them; the file may not."""
    skops.io.dump(KNeighborsRegressor(1, algorithm="kd_tree").fit([[0.0], [1.0]], [1.0, 3.0]), tmp_path / "near.skops")
    with pytest.raises(UntrustedContentError) as caught:
        read("near.skops", tmp_path)
    assert read("near.skops", tmp_path, frozenset(caught.value.types)).predict([[0.1]]).tolist() == [1.0]


def test_a_bomb_is_refused(tmp_path):
    """A small archive of a great many zeros."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", b"0" * 20_000_000)
    (tmp_path / "bomb.skops").write_bytes(content.getvalue())
    with pytest.raises(BundleError, match="decompression bomb"):
        read("bomb.skops", tmp_path)


@pytest.mark.parametrize(
    ("where", "kind", "message"),
    [
        ("model.skop", ConfigurationError, "no model file .*model.skop. Did you mean 'model.skops'"),
        ("elsewhere/model.skops", ConfigurationError, "no model file"),
        ("notes.txt", ConfigurationError, "is no .skops file"),
        ("mine:lien", DataError, "mine:lien does not exist. Did you mean 'line'"),
        ("mine:broken", DataError, "mine:broken raised RuntimeError: no database at mine.py"),
        ("nobodys:line", DataError, "no module 'nobodys'"),
    ],
)
def test_what_is_not_there_is_said(tmp_path, where, kind, message):
    """With the nearest name."""
    (tmp_path / "model.skops").write_bytes(b"PK")
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "mine.py").write_text("line = 3\n\ndef broken():\n    raise RuntimeError('no database')\n")
    with pytest.raises(kind, match=message):
        read(where, tmp_path)


@pytest.mark.parametrize("name", ["model", "make"])
def test_the_projects_own_code_gives_a_model(tmp_path, name):
    """An object, or a function that returns one."""
    (tmp_path / "mine_too.py").write_text(
        "from sklearn.linear_model import LinearRegression\n"
        "model = LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0])\n"
        "def make():\n    return model\n"
    )
    assert read(f"mine_too:{name}", tmp_path).predict([[2.0]]).tolist() == pytest.approx([5.0])
