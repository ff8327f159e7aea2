"""Numbers that processes share: written by one, read by all, kept when their writer dies."""

import os
import signal

import pytest

from vigie.api import cells as module
from vigie.api.cells import Board

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")  # 3.12 and later


def _in_child(work):
    """Do something in a process that ends without cleaning up, as one that is killed."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


def test_numbers_are_found_again_by_name():
    """One and several to a name, in the order of their making; the same name is the same place."""
    cells = Board().cells(0)
    cells.add(("a", "é"), 2)
    cells.put(("b",), 0.5)
    row = cells.place(("c", ""), 3)
    cells.numbers[row + 2] += 7
    cells.add(("a", "é"), 1)
    assert cells.read() == {("a", "é"): [3.0], ("b",): [0.5], ("c", ""): [0.0, 0.0, 7.0]}
    assert cells.place(("c", "")) == row
    assert cells.names() == [("a", "é"), ("b",), ("c", "")]


def test_workers_do_not_meet_and_see_one_another():
    """Each has a part of its own, and whoever looks sees what the others wrote."""
    board = Board(3)
    for number in range(3):
        board.cells(number).add(("n",), number + 1)
    assert [board.cells(number).read() for number in range(3)] == [{("n",): [1.0]}, {("n",): [2.0]}, {("n",): [3.0]}]


def test_what_a_killed_process_counted_stays_and_its_successor_goes_on():
    """Old names are found, new ones come behind them."""
    board = Board(2)
    _in_child(lambda: board.cells(1).add(("n",), 5))
    assert board.cells(1).read() == {("n",): [5.0]}

    def go_on():
        cells = board.cells(1)
        cells.add(("n",), 1)
        cells.add(("m",), 1)

    _in_child(go_on)
    assert board.cells(1).read() == {("n",): [6.0], ("m",): [1.0]}
    assert board.cells(0).read() == {}


def test_a_name_that_was_half_written_is_not_there():
    """A process killed before its entry was whole leaves nothing that others see, and nothing to its successor."""
    board = Board()
    cells = board.cells(0)
    cells.add(("n",), 1)
    end = int(cells.numbers[0])
    place = cells.place(("half",))
    cells.numbers[place] = 9.0
    cells.numbers[0] = end  # the last thing that is written was not
    later = board.cells(0)
    assert later.read() == {("n",): [1.0]}
    assert later.numbers[later.place(("half",))] == 0.0


def test_what_finds_no_room_is_not_counted_and_harms_nothing(monkeypatch, caplog):
    """The rest is as it was, and the log says so once."""
    monkeypatch.setattr(module, "PART_BYTES", 4096)
    board = Board(2)
    cells = board.cells(0)
    for number in range(300):
        cells.add(("name", str(number)), 1)
        cells.numbers[cells.place(("row", str(number)), 15) + 14] += 1
    found = cells.read()
    assert 5 < len(found) < 300
    assert all(numbers[-1] == 1.0 for numbers in found.values())
    assert board.cells(1).read() == {}
    assert caplog.text.count("no room") == 1


@pytest.mark.parametrize("n_workers", [1, 4])
def test_memory_is_taken_only_where_it_is_written(n_workers):
    """The first page of a part serves the usual names."""
    cells = Board(n_workers).cells(n_workers - 1)
    for route in range(12):
        cells.place(("vigie_request_duration_seconds", f"/route/{route}"), 15)
    assert cells.numbers[0] * 8 < 4096
