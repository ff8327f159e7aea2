"""The training report as a verb: made, kept with the run, and never the end of a training."""

from dataclasses import replace

import numpy as np
import pytest

from vigie.errors import RegistryError
from vigie.loop.origin import Origin
from vigie.loop.report import report
from vigie.testing import InMemoryTracker

ORIGIN = Origin("data:load", commit="abc123")


def reported(world, trained, *, keep):
    """Make a report without showing progress."""
    return report(world.loop, trained, origin=ORIGIN, keep=keep, progress=lambda *_: None)


@pytest.mark.slow
def test_page_and_charts_are_kept_with_the_training(new_world, churn_trained):
    """The page under its name, and each of its charts as a PNG of the same run."""
    world = new_world()
    world.tracker.runs[churn_trained.runs.parent_id] = None  # trained in another world
    made = reported(world, churn_trained, keep=True)
    files = world.tracker.files[churn_trained.runs.parent_id]
    assert made.trouble == ""
    assert files.pop("report.html").decode() == made.page
    assert "abc123" in made.page
    assert {"charts/roc.png", "charts/coefficients.png", "charts/learning_curve.png"} <= files.keys()
    assert all(content.startswith(b"\x89PNG") for content in files.values())
    assert made.page.count("<figure") == len(files)


@pytest.mark.slow
def test_a_report_that_cannot_be_kept_is_still_told(new_world, churn_trained):
    """The tracker is away: the page is there, and the trouble in a sentence."""

    class Away(InMemoryTracker):
        def attach(self, *_args, **_kwargs):
            """Refuse."""
            raise RegistryError("The server is away.")

    world = new_world()
    world.loop = replace(world.loop, tracker=Away())
    made = reported(world, churn_trained, keep=True)
    assert made.page.startswith("<!DOCTYPE html>")
    assert made.trouble.startswith("The training report was not kept: The server is away.")


def test_a_report_that_fails_is_no_error(new_world, churn_trained):
    """Whatever goes wrong in it, the training is done."""
    world = new_world()
    broken = replace(churn_trained, split=replace(churn_trained.split, test=np.array([10**9])))
    made = reported(world, broken, keep=False)
    assert made.page is None
    assert made.trouble.startswith("The training report could not be made: IndexError")
    assert world.tracker.files == {}
