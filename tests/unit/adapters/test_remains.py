"""The search for bytes finds what is there, wherever it lies."""

import random

import pytest

from vigie.adapters.prediction_log import remains
from vigie.adapters.prediction_log.remains import count_bytes

NEEDLES = (b"\x01\x9b" + bytes(range(200, 214)), b"client-77", b"0198f2a4-1111")


@pytest.mark.parametrize("place", [0, 1, 62, 63, 64, 65, 127, 128, 300])
def test_finds_a_needle_anywhere(tmp_path, monkeypatch, place):
    """At odd and even places, at the ends, and across the parts in which a file is read."""
    monkeypatch.setattr(remains, "_CHUNK", 64)
    noise = random.Random(place).randbytes(300)  # noqa: S311  noise, no secret
    for needle in NEEDLES:
        (tmp_path / "file").write_bytes(noise[:place] + needle + noise[place:])
        assert count_bytes([tmp_path / "file"], NEEDLES) == {needle: 1}


def test_counts_like_a_plain_search(tmp_path):
    """On bytes of few kinds, where needles overlap, it counts what a search at every place counts."""
    text = bytes(random.Random(1).choices(b"ab", k=4000))  # noqa: S311  idem
    (tmp_path / "file").write_bytes(text)
    needles = [b"abab", b"aaaa", b"babba"]
    plain = {needle: sum(text.startswith(needle, at) for at in range(len(text))) for needle in needles}
    assert count_bytes([tmp_path / "file"], needles) == plain


@pytest.mark.parametrize("seed", [1, 2])
def test_counts_long_needles_like_a_plain_search(tmp_path, monkeypatch, seed):
    """Long needles that begin alike, overlap each other and themselves, in parts of odd sizes."""
    monkeypatch.setattr(remains, "_CHUNK", 101)
    noise = random.Random(seed)  # noqa: S311  idem
    text = b"".join(noise.choice([b"ab", b"abc", b"a" * 17, b"abcdefgh" * 3]) for _ in range(400))
    (tmp_path / "file").write_bytes(text)
    needles = [b"abcdefgh" * 2, b"abcdefgh" * 2 + b"abc", b"a" * 15, b"a" * 16, b"ab" * 8, b"bab" * 5, b"cab"]
    plain = {needle: sum(text.startswith(needle, at) for at in range(len(text))) for needle in needles}
    found = count_bytes([tmp_path / "file"], needles)
    assert found == {needle: n for needle, n in plain.items() if n}
    assert len(found) >= 5


def test_nothing_is_found_in_nothing(tmp_path):
    """Missing and empty files hold no needle, and no needle is in no file."""
    (tmp_path / "empty").write_bytes(b"")
    assert count_bytes([tmp_path / "empty", tmp_path / "missing"], NEEDLES).total() == 0
    assert count_bytes([tmp_path / "empty"], []).total() == 0
