"""``vigie keys`` makes a pair once and signs what passes its checks."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

from vigie.adapters.bundle_folder import read_bundle
from vigie.adapters.signing_key import read_signing_key
from vigie.bundle.archive import BundleContent, pack, unpack
from vigie.bundle.trust import Trust
from vigie.cli.main import cli
from vigie.domain.frame import model_frame
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import BundleCorruptedError, ConfigurationError
from vigie.loop.golden import golden_rows

PRICE = Schema((Feature("size", Kind.NUMBER),), Target("price", Task.REGRESSION))


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return what calls ``vigie keys`` for a user whose configuration folder is empty."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return lambda *line: CliRunner().invoke(cli, ["keys", *map(str, line)], catch_exceptions=True)


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a bundle."""
    columns = {"size": np.arange(9.0).tolist()}
    model = Pipeline([("model", LinearRegression())]).fit(model_frame(PRICE, columns), np.arange(9.0))
    at, golden = datetime(2026, 3, 1, tzinfo=UTC), golden_rows(model, PRICE, columns)
    made = tmp_path / "bundle"
    made.mkdir()
    for name, content in pack(BundleContent("homes", at, PRICE, model, b"{}", golden, [], "d")).items():
        (made / name).write_bytes(content)
    return made


def test_a_pair_goes_to_the_users_own_folder_and_only_once(run, tmp_path):
    """The public half is printed as settings take it; the private one is never printed."""
    made = run("pair")
    path = tmp_path / "config" / "vigie" / "signing-key.pem"
    assert f'trusted_keys = ["{read_signing_key(path).public}"]' in made.output
    assert "PRIVATE KEY-----" not in made.output
    assert isinstance(run("pair").exception, ConfigurationError)


@pytest.mark.parametrize(("inside", "said"), [(".git", "under git"), (".vigie", "state of a project")])
def test_a_careless_place_is_warned_of(run, tmp_path, inside, said):
    """A private key in a work tree or in a project's state is copied sooner or later."""
    (tmp_path / inside).mkdir()
    place = tmp_path / inside / "key.pem" if inside == ".vigie" else tmp_path / "key.pem"
    assert said in json.loads(run("pair", place, "--json").output)["warning"]


def test_a_folder_is_signed_without_its_project(run, folder, tmp_path):
    """It opens afterwards where signatures are required; signing again with another key replaces the first."""
    for name in ("one.pem", "two.pem"):
        public = json.loads(run("pair", tmp_path / name, "--json").output)["public_key"]
        told = json.loads(run("sign", folder, "--key", tmp_path / name, "--json").output)
        assert told["signer"] == public
        trust = Trust(signed_only=True, keys=frozenset({public}))
        assert unpack(read_bundle(folder), trust=trust).manifest.name == "homes"


def test_what_is_damaged_is_not_signed(run, folder):
    """A signature vouches for something: it must pass its checks first."""
    run("pair")
    (folder / "card.md").write_bytes(b"x")
    done = run("sign", folder, "--key", folder.parent / "config" / "vigie" / "signing-key.pem")
    assert isinstance(done.exception, BundleCorruptedError)
    assert not (folder / "manifest.sig").exists()


def test_a_folder_and_a_version_are_one_too_many(run, folder):
    """Which of the two would be signed is not guessed."""
    assert run("sign", folder, "--version", "1").exit_code == 2
