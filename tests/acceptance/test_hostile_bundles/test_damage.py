"""Damage and forgery on real disks: files cut short, bits flipped, links, pipes, giants, false signatures."""

import io
import json
import os
import random
import zipfile

import pytest

from vigie.bundle.members import MAX_BYTES, OPTIONAL
from vigie.bundle.signature import SIGNATURE

STEP = 4096
PARSED = ("manifest.json", "schema.json", "golden.json", "model.skops", "scorer.json")
"""Members whose bytes mean something to the reader; a card or a profile cut short and sealed again is another one."""


def _cuts(content):
    return range(0, len(content), STEP)


@pytest.mark.parametrize("compiled", [False, True], ids=["scikit-learn", "compiled"])
def test_a_member_cut_short_anywhere_is_named(kit, reader, compiled):
    """At every 4 KiB of every member: its digest tells, before anything is parsed."""
    members = kit.good("forest", compiled=compiled)
    for name, content in members.items():
        for cut in _cuts(content):
            case = reader.put(members | {name: content[:cut]})
            if name == "manifest.json":
                reader.refuses(case, "cache", "BundleError", "manifest.json is not readable JSON")
            else:
                reader.refuses(case, "cache", "BundleCorruptedError", f"{name!r} has SHA-256")


@pytest.mark.parametrize("name", [name for name in PARSED if name != "manifest.json"])
def test_a_member_cut_short_and_sealed_again_is_refused(kit, reader, name):
    """At every 4 KiB, with a manifest that agrees: the reader of the member says that it is none."""
    members = kit.good("forest", compiled=name == "scorer.json")
    for cut in _cuts(members[name]):
        case = reader.put(kit.sealed(members | {name: members[name][:cut]}))
        reader.refuses(case, "cache", "BundleError", f"{name} ")


@pytest.mark.parametrize("kind", ["forest", "hist"])
def test_a_file_of_the_archive_cut_short_is_refused(kit, reader, kind):
    """At every 4 KiB of every file inside model.skops, packed and sealed again."""
    with zipfile.ZipFile(io.BytesIO(kit.good(kind)["model.skops"])) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    for name, content in files.items():
        for cut in _cuts(content):
            damaged = kit.zipped(files | {name: content[:cut]})
            case = reader.put(kit.sealed(kit.good(kind), model__skops=damaged))
            reader.refuses(case, "cache", "BundleError", "model.skops ")


def test_a_flipped_bit_is_found_wherever_it_is(kit, reader):
    """Three hundred bits, drawn by lot from all members but the manifest."""
    members, dice = kit.good("hist", compiled=True), random.Random(1)  # noqa: S311 - seeded dice, no secret
    for _ in range(300):
        name = dice.choice([name for name in members if name != "manifest.json"])
        content = bytearray(members[name])
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
        case = reader.put(members | {name: bytes(content)})
        reader.refuses(case, "cache", "BundleCorruptedError", f"{name!r} has SHA-256")


@pytest.mark.parametrize("name", sorted(set(MAX_BYTES) - OPTIONAL))
def test_a_missing_member_is_named(kit, reader, name):
    """Every member is needed."""
    members = kit.good()
    del members[name]
    case = reader.put(members)
    for route in ("cache", "mlflow", "registry", "members"):
        reader.refuses(case, route, "BundleError", f"lacks {name}")


def _link(folder, name, secret):
    (folder / name).symlink_to(secret)


def _hard_link(folder, name, secret):
    (folder / name).hardlink_to(secret)


def _pipe(folder, name, _secret):
    os.mkfifo(folder / name)


def _folder(folder, name, _secret):
    (folder / name).mkdir()


def _giant(folder, name, _secret):
    with (folder / name).open("wb") as file:
        file.truncate(10 * 2**30)  # a hole: ten GiB to read, none on the disk


DISK = {
    "a link": (_link, "no plain file"),
    "a second name of a file elsewhere": (_hard_link, "no plain file"),
    "a pipe": (_pipe, "no plain file"),
    "a folder": (_folder, "no plain file"),
    "ten GiB": (_giant, "10,737,418,240 bytes"),
}


@pytest.mark.parametrize("name", ["card.md", "manifest.json", "model.skops", "manifest.sig"])
@pytest.mark.parametrize("kind", DISK)
def test_what_is_no_plain_file_is_not_read(kit, reader, kind, name):
    """Neither followed, nor waited for, nor taken into memory."""
    make, match = DISK[kind]
    members = kit.good()
    secret = reader.root / f"secret-{kind}-{name}"
    secret.write_bytes(members.get(name, b"x"))  # what it leads to is even the right content
    case = reader.put({other: content for other, content in members.items() if other != name})
    make(reader.folder(case), name, secret)
    for route in ("cache", "mlflow"):
        reader.refuses(case, route, "BundleError", match)


@pytest.mark.parametrize("route", ["cache", "mlflow"])
def test_a_folder_of_code_beside_the_members_is_not_looked_into(kit, reader, route):
    """MLflow would put it on the import path."""
    case = reader.put(kit.good())
    (reader.folder(case) / "code").mkdir()
    (reader.folder(case) / "code" / "json.py").write_text("raise SystemExit")
    reader.refuses(case, route, "BundleError", "unknown member, 'code'")


def test_a_crowd_of_files_ends_at_the_first(kit, reader):
    """Twenty thousand names are not read to be counted."""
    case = reader.put(kit.good())
    for n in range(20_000):
        (reader.folder(case) / f"{n}").touch()
    reader.refuses(case, "cache", "BundleError", "unknown member")


def _mixed(kit):
    """Return a bundle with the signature of another one by the same key."""
    return kit.good() | {SIGNATURE: kit.signed(kit.good("forest"))[SIGNATURE]}


def _altered(kit):
    signed = kit.signed(kit.good())
    return kit.sealed(signed, card__md=b"# Another card")


def _renamed(kit):
    """Return a bundle signed by a stranger under the name of the trusted key."""
    line = kit.signed(kit.good(), kit.other_key)[SIGNATURE].split()
    return kit.good() | {SIGNATURE: b" ".join([line[0], kit.key.public.encode(), line[2]]) + b"\n"}


def _flipped(kit):
    signed = kit.signed(kit.good())
    line = bytearray(signed[SIGNATURE])
    line[-20] = ord("A") if line[-20] != ord("A") else ord("B")
    return signed | {SIGNATURE: bytes(line)}


def _purpose(kit):
    """Return a bundle with a signature of the bare manifest, made for something else."""
    key, members = kit.key, kit.good()

    class Bare:
        public = key.public

        def sign(self, message):
            return key.sign(message.partition(b"\n")[2])

    return kit.signed(members, Bare())


SIGNATURES = {
    "none": (lambda kit: kit.good(), "UnsignedBundleError", "is not signed"),
    "by a key unknown here": (lambda kit: kit.signed(kit.good(), kit.other_key), "UnknownSignerError", "ed25519:"),
    "of another bundle": (_mixed, "WrongSignatureError", "not made over this manifest"),
    "of the bundle before it was altered": (_altered, "WrongSignatureError", "not made over this manifest"),
    "by a stranger under a known name": (_renamed, "WrongSignatureError", "not made over this manifest"),
    "with a letter changed": (_flipped, "WrongSignatureError", "not made over this manifest"),
    "made for another purpose": (_purpose, "WrongSignatureError", "not made over this manifest"),
    "empty": (lambda kit: kit.good() | {SIGNATURE: b""}, "SignatureError", "does not hold a signature"),
    "twice": (lambda kit: (m := kit.signed(kit.good())) | {SIGNATURE: m[SIGNATURE] * 2}, "SignatureError",
              "does not hold a signature"),
    "too long": (lambda kit: kit.good() | {SIGNATURE: b"x" * 1025}, "BundleError", "at most 1,024"),
    "of a member exchanged since": (lambda kit: kit.signed(kit.good()) | {"card.md": b"x"}, "BundleCorruptedError",
                                    "'card.md' has SHA-256"),
}  # fmt: skip


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_signature_that_does_not_count_is_refused_where_one_is_required(kit, reader, name):
    """By every route; the same key over the same manifest is what counts, and nothing else."""
    make, error, match = SIGNATURES[name]
    case = reader.put(make(kit))
    for route in ("cache", "mlflow", "registry", "members"):
        reader.refuses(case, route, error, match, signed_only=True)


def test_a_signature_that_counts_opens_the_bundle(kit, reader):
    """The control: signed by the trusted key, by every route; and unsigned where nobody asks."""
    case = reader.put(kit.signed(kit.good("hist", compiled=True)))
    plain = reader.put(kit.good("hist"))
    for route in ("cache", "mlflow", "registry", "members"):
        assert reader.open(case, route, signed_only=True)["error"] is None
        assert reader.open(plain, route)["error"] is None


def test_an_unreadable_manifest_is_not_parsed_before_its_signature(kit, reader):
    """Where signatures are required, bytes that nobody vouches for reach no parser."""
    case = reader.put(kit.good() | {"manifest.json": json.dumps({"format_version": 9}).encode()})
    reader.refuses(case, "cache", "UnsignedBundleError", "is not signed", signed_only=True)
