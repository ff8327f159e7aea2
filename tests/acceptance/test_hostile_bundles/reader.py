"""Open bundles one by one, as a server, a notebook and MLflow would, and print what came of each as a line of JSON.

Run as a process of its own: a bundle that ends it is found by the lines that are missing. An audit hook, which nothing
can remove, notes every file, process, socket and import while a bundle is being opened.
"""

import json
import os
import pickle
import sys
import time
import warnings
from pathlib import Path

from vigie.adapters.bundle_cache import BundleCache
from vigie.adapters.mlflow_pyfunc import _load_pyfunc
from vigie.bundle import ed25519  # noqa: F401 - imported before anything is watched, as the other libraries are
from vigie.bundle.archive import unpack
from vigie.bundle.trust import Trust
from vigie.errors import VigieError
from vigie.loop.open_bundle import open_bundle

PEAK_OF_ITS_OWN = "5"
"""Written to clear_refs, it makes the kernel count the peak anew (proc(5))."""

WATCHED = ("open", "import", "os.", "subprocess.", "socket.", "shutil.", "ctypes.", "pickle.", "marshal.", "mmap.",
           "tempfile.", "glob.", "urllib.", "sys.unraisablehook", "fcntl.", "signal.", "webbrowser.")  # fmt: skip

watching = False
seen = []


def note(event, arguments):
    """Remember what happens while a bundle is opened."""
    if watching and event.startswith(WATCHED):
        seen.append([event, [str(argument)[:300] for argument in arguments[:3]]])


def memory_kib(field):
    """Return a figure of this process's memory, in KiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1])
    raise KeyError(field)


def from_cache(root, case, trust):
    """Open as the server does: from the cache's folder."""
    return open_bundle(BundleCache(root).load("people", case), version="1", trust=trust)


def from_mlflow(root, case, _trust):
    """Open as MLflow does: our loader is handed a folder and reads the rest from the environment."""
    return _load_pyfunc(str(root / "people" / case))


def from_registry(root, case, trust):
    """Open as training, monitoring and the gate do: members in memory, the scikit-learn model included."""
    return unpack(MEMBERS[case] if case in MEMBERS else held(root, case), trust=trust)


def from_members(root, case, trust):
    """Open members in memory as a server would."""
    return open_bundle(MEMBERS[case] if case in MEMBERS else held(root, case), version="1", trust=trust)


def careless(root, case, _trust):
    """Unpickle a file: the control that the hook must notice."""
    return pickle.loads((root / "people" / case / "model.skops").read_bytes())  # noqa: S301 - the point of it


def held(root, case):
    """Return the members in a folder, read without any check."""
    return {file.name: file.read_bytes() for file in (root / "people" / case).iterdir()}


ROUTES = {
    "cache": from_cache, "mlflow": from_mlflow, "registry": from_registry, "members": from_members,
    "careless": careless,
}  # fmt: skip
MEMBERS = {}


def outcome(root, task):
    """Open one bundle by one route and say what came of it."""
    global watching  # noqa: PLW0603 - the hook cannot be handed anything
    trust = Trust(signed_only=task["signed_only"], keys=frozenset(task["keys"]))
    if task["route"] in {"registry", "members"}:
        MEMBERS[task["case"]] = held(root, task["case"])
    os.environ["VIGIE_BUNDLE__REQUIRE_SIGNATURE"] = str(trust.signed_only).lower()
    os.environ["VIGIE_BUNDLE__TRUSTED_KEYS"] = ",".join(trust.keys)
    seen.clear()
    Path("/proc/self/clear_refs").write_text(PEAK_OF_ITS_OWN)
    before, began = memory_kib("VmRSS"), time.process_time()
    watching, error = True, None
    try:
        ROUTES[task["route"]](root, task["case"], trust)
    except VigieError as caught:
        error = caught
    finally:
        watching = False
    spent = time.process_time() - began
    MEMBERS.clear()
    return {
        **task,
        "error": type(error).__name__ if error else None,
        "message": str(error) if error else "",
        "cpu_s": spent,
        "growth_mib": max(0, memory_kib("VmHWM") - before) / 1024,
        "events": [[name, arguments] for name, arguments in seen],
    }


def main():
    """Read tasks from standard input, one JSON object a line, and answer each with one."""
    warnings.simplefilter("ignore")  # a damaged array may overflow on its way to being refused
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # a model may be told to be verbose: what it prints is no answer of ours
    root = Path(sys.argv[1])
    sys.addaudithook(note)
    for line in sys.stdin:
        answers.write(json.dumps(outcome(root, json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
