"""The control of the tree check: the file that we refuse ends a process that does not look."""

import subprocess
import sys

import numpy as np
import pytest
import skops.io
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeRegressor
from sklearn.tree._tree import Tree

from vigie.bundle.serialization import load_model
from vigie.bundle.trust import TRUSTED_TYPES
from vigie.errors import BundleError

UNGUARDED = """
import sys
import skops.io
model = skops.io.load(sys.argv[1], trusted=sys.argv[2].split(","))
print("loaded", flush=True)
model.predict([[1.0], [2.0]])
"""


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory):
    """Return the path of a model whose first split leads a billion nodes away."""
    model = DecisionTreeRegressor(max_depth=2).fit([[1.0], [2.0], [3.0]], [1.0, 2.0, 3.0])
    state = model.tree_.__getstate__()
    state["nodes"]["left_child"][0] = state["nodes"]["right_child"][0] = 10**9
    model.tree_ = Tree(1, np.array([1], dtype=np.intp), 1)
    model.tree_.__setstate__(state)
    path = tmp_path_factory.mktemp("poison") / "model.skops"
    path.write_bytes(skops.io.dumps(Pipeline([("model", model)])))
    return path


def test_the_reader_refuses_the_poisoned_tree(poisoned):
    """The check names what is wrong, and this process lives to tell."""
    with pytest.raises(BundleError, match="a child index leaves its tree"):
        load_model(poisoned.read_bytes(), trusted=frozenset())


def test_without_the_check_the_same_file_kills_the_process(poisoned):
    """Left to skops, it loads, and the first prediction ends the process by a signal."""
    command = [sys.executable, "-c", UNGUARDED, str(poisoned), ",".join(sorted(TRUSTED_TYPES))]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stdout == "loaded\n"
    assert run.returncode < 0
