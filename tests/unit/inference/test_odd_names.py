"""Columns are called what they are called: a server must not fail on a name."""

import pytest

from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.inference.decoding import RowDecoder


@pytest.mark.parametrize("name", ['a "quoted" name', "back\\slash", "a\nb", "a\x1b[31m"])
def test_a_name_that_has_no_quick_reader_leaves_bodies_to_the_precise_one(name):
    """It steps aside, also for a body that calls the column by its place."""
    schema = Schema((Feature(name, Kind.NUMBER),), Target("y", Task.REGRESSION))
    assert RowDecoder(schema).decode(b'{"f0": 1.0}', max_rows=1) is None


def test_other_names_are_read_at_once():
    """Control: markup is a name like any other."""
    schema = Schema((Feature("<b>&'é", Kind.NUMBER),), Target("y", Task.REGRESSION))
    assert RowDecoder(schema).decode('{"<b>&\'é": 1.0}'.encode(), max_rows=1) is not None
