"""The command line itself: its table of commands, its exit codes, its sentences."""

import inspect
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from vigie import errors
from vigie.cli.exits import EXIT_CODES, MEANINGS, exit_code
from vigie.cli.main import COMMANDS, cli, main
from vigie.cli.monitor import check_season, length, longest
from vigie.settings.sections import MonitoringSettings

EXPECTED = {
    "ConfigurationError": 2,
    "DataError": 3, "SchemaMismatchError": 3, "InsufficientDataError": 3, "UnknownPredictionError": 3,
    "BundleError": 4, "BundleCorruptedError": 4, "BundleFormatError": 4, "UntrustedContentError": 4,
    "SignatureError": 4, "UnsignedBundleError": 4, "UnknownSignerError": 4, "WrongSignatureError": 4,
    "RegistryError": 5, "ModelNotFoundError": 5, "NoChampionError": 5, "AliasMovedError": 5, "LeaseHeldError": 5,
    "StorageError": 6,
}  # fmt: skip


def test_every_error_has_the_exit_code_of_its_branch():
    """No leaf of the tree is forgotten here."""
    kinds = {kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.VigieError)}
    found = {kind.__name__: exit_code(kind.__new__(kind)) for kind in kinds - {errors.VigieError}}
    assert found == EXPECTED


def test_every_exit_code_has_a_meaning():
    """The help and the documentation tell each code."""
    assert set(EXIT_CODES.values()) | {0, 1} == set(MEANINGS)


def test_help_lists_every_command_with_its_own_first_line():
    """The table that --help prints without importing says what the commands say."""
    for name, line in COMMANDS.items():
        shown = CliRunner().invoke(cli, [name, "--help"])
        assert shown.exit_code == 0
        paragraph = " ".join(shown.output.split("\n\n")[1].split())
        assert paragraph == line


def test_help_lists_all_commands():
    """In the order of the loop."""
    shown = CliRunner().invoke(cli, ["--help"]).output
    places = [shown.index(f"\n  {name} ") for name in COMMANDS]
    assert places == sorted(places)


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS)], ids=" ".join)
def test_help_fits_eighty_columns(arguments):
    """No line is wider."""
    lines = CliRunner().invoke(cli, arguments, terminal_width=80).output.splitlines()
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(("typed", "meant"), [("trian", "train"), ("sevre", "serve"), ("promot", "promote")])
def test_a_mistyped_command_is_corrected(typed, meant):
    """Usage error, with the nearest name."""
    found = CliRunner().invoke(cli, [typed])
    assert found.exit_code == 2
    assert meant in found.output


def test_an_unknown_command_is_a_usage_error():
    """Nothing near: the name is repeated and the help named."""
    found = CliRunner().invoke(cli, ["nosuch"])
    assert found.exit_code == 2
    assert "nosuch" in found.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["history", "--project", "{tmp}"],
        ["history", "--project", "{tmp}/nosuch"],
        ["history", "--project", "a" * 5000],
        ["train", "--project", "/dev/null"],
        ["serve", "--port", "70000"],
        ["monitor", "--by", "month"],
        ["monitor", "--fail-on", "ok"],
        ["monitor", "--replay", "100", "--data", "t.csv"],
        ["monitor", "--replay", "100", "--data", "t.csv", "--by", "month"],
        ["monitor", "--replay", "--html", "page.html"],
        ["monitor", "--replay", "100", "--evidently", "page.html"],
        ["monitor", "--replay", "100", "--fail-on", "warn"],
        ["monitor", "--replay", "100", "--last", "7d"],
        ["promote"],
        ["history", "--last", "0"],
        ["demo", "--keep", "{full}"],
    ],
    ids=lambda arguments: " ".join(arguments)[:40],
)
def test_wrong_usage_is_one_sentence_and_code_two(arguments, tmp_path, monkeypatch, capsys):
    """What was found and what to do; no traceback."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious").write_text("mine")
    arguments = [part.format(tmp=tmp_path, full=tmp_path / "full") for part in arguments]
    monkeypatch.setattr("sys.argv", ["vigie", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    told = capsys.readouterr()
    assert caught.value.code == 2
    assert "Traceback" not in told.err
    assert told.err.strip()


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["monitor", "--last", "8d"], "--last"),
        (["monitor", "--last", "90d", "--by", "month"], "--by"),
        (["watch", "--every", "8d"], "--every"),
    ],
)
def test_a_window_longer_than_the_season_is_refused(arguments, option, tmp_path):
    """Where its length is first known, with the setting's name, before any store is opened."""
    (tmp_path / "vigie.toml").write_text(
        "[project]\nname = 'x'\n[data]\nsource = 'x.csv'\ntarget = 'y'\n[monitoring]\nbaseline = 'season'\n"
    )
    found = CliRunner().invoke(cli, [*arguments, "--project", str(tmp_path)])
    assert found.exit_code == 2
    told = " ".join(found.output.replace("│", " ").split())
    for word in (option, "longer than monitoring.season, 7d", "VIGIE_MONITORING__BASELINE=training"):
        assert word in told
    assert not (tmp_path / ".vigie").exists()


@pytest.mark.parametrize("every", ["0h", "8d"])
def test_up_refuses_what_its_watcher_would(tmp_path, every):
    """Before a server is started."""
    (tmp_path / "vigie.toml").write_text(
        "[project]\nname = 'x'\n[data]\nsource = 'x.csv'\ntarget = 'y'\n[monitoring]\nbaseline = 'season'\n"
    )
    found = CliRunner().invoke(cli, ["up", "--every", every, "--project", str(tmp_path)])
    assert (found.exit_code, "Invalid value for --every" in found.output) == (2, True)
    assert not (tmp_path / ".vigie").exists()


@pytest.mark.parametrize(("last", "by"), [("90d", "week"), ("7d", None), ("90d", "day")])
def test_windows_no_longer_than_the_season_are_judged(last, by):
    """The pieces count, not the stretch that they are cut from."""
    settings = SimpleNamespace(monitoring=MonitoringSettings(baseline="season"))
    check_season(settings, longest(last, by), option="--last")


@pytest.mark.parametrize(
    "text", ["", "5", "abc", "nan", "nand", "-1h", "0s", "1e999d", "99999999999d", "1000000d", "1 x"]
)
def test_a_length_that_says_nothing_is_a_usage_error(text):
    """Infinities and a million days included: a date has no room for them."""
    from click import BadParameter  # noqa: PLC0415  beside its only use

    with pytest.raises(BadParameter, match="is not a length of time above 0 and at most 36525d, such as"):
        length(text)
