"""README and tutorial say what their commands print."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/tutorial.md")
NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?")


def numbers(text):
    """Return the numbers of a text in order."""
    return [float(found.replace(",", "")) for found in NUMBER.findall(text)]


def run_page(transcript, page):
    """Return every command of a page, in a new project, with what it printed."""
    text = (ROOT / page).read_text(encoding="utf-8")
    with transcript.Session(text) as session:
        return [(step, session.run(step.command)) for step in transcript.steps(text)]


@pytest.fixture(scope="module")
def runs(transcript):
    """Run the pages side by side: most of their time is the start of processes, one at a time."""
    with ThreadPoolExecutor() as pool:
        yield {page: pool.submit(run_page, transcript, page) for page in PAGES}


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_pages_say_what_their_commands_print(runs, page):
    """Every command of the page, in a new project: the same words, and the same figures where training is seeded."""
    for step, found in runs[page].result():
        assert step.matches(found), f"{page} is stale after $ {step.command}\n{found}"
        if step.command == "vigie train":
            assert numbers(found) == pytest.approx(numbers(step.printed), rel=0.02)


@pytest.mark.parametrize("page", PAGES)
def test_pages_hold_commands(transcript, page):
    """A page without commands would pass the test above."""
    commands = [step.command for step in transcript.steps((ROOT / page).read_text(encoding="utf-8"))]
    assert "vigie train" in commands
    assert any(command.startswith("curl ") and "anciennete_mois" in command for command in commands)
    assert "vigie monitor" in commands
    assert "vigie history" in commands


def test_another_word_is_noticed(transcript):
    """The comparison forgives numbers, ids and times, and nothing else."""
    step = transcript.steps("```console\n$ vigie monitor\nchurn version 1, 1,001 predictions, ok\n  at 1e-3\n```\n")[0]
    assert step.matches("churn version 2, 7 predictions, ok at 0.5\n")
    assert not step.matches("churn version 2, 7 predictions, alarm at 0.5\n")
    assert not step.matches("churn version 2, 7 predictions, ok at 0.5 Nothing to do.\n")


def test_left_out_lines_stand_for_anything(transcript):
    """A line with an ellipsis matches lines of any kind, and what stands around it must still be there."""
    step = transcript.steps("```console\n$ vigie history\nfirst\n…\nlast\n```\n")[0]
    assert step.matches("first\nsecond\nthird\nlast\n")
    assert not step.matches("first\nsecond\n")


def test_a_command_may_go_on_over_lines(transcript):
    """A backslash at the end of a line continues the command; what follows is its output."""
    step = transcript.steps("```console\n$ curl \\\n  -d '{}' \\\n  localhost\n{}\n```\n")[0]
    assert step.command == "curl \\\n  -d '{}' \\\n  localhost"
    assert step.printed == "{}\n"


def test_numbers_of_a_page_are_read_whole():
    """Signs, thousands and decimals; not the digits inside a word."""
    assert numbers("r2 -0.0120 of 1,600 rows [0.7737, 0.8201]") == [-0.0120, 1600, 0.7737, 0.8201]


def test_the_stand_in_for_curl_does_what_the_pages_ask(transcript, tmp_path):
    """Posts a file with a header, and writes the answer where it is told."""
    seen = {}

    class Echo(BaseHTTPRequestHandler):
        def do_POST(self):
            """Keep the request and answer it."""
            seen.update(type=self.headers["content-type"], body=self.rfile.read(int(self.headers["content-length"])))
            self.send_response(422)
            self.end_headers()
            self.wfile.write(b"told")

        def log_message(self, *_):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with transcript.Session('```json title="rows.json"\n[1]\n```\n') as session:
            stand_in = tmp_path / "curl"
            stand_in.write_text(transcript.stand_in_for_curl())
            stand_in.chmod(0o755)
            url = f"127.0.0.1:{server.server_port}/predict"
            assert session.run(f"{stand_in} -s {url} -H 'content-type: application/json' -d @rows.json") == "told"
            session.run(f"{stand_in} -s {url} -H 'content-type: application/json' -d '[1]' -o answer")
            assert (session.folder / "answer").read_text() == "told"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert seen["type"] == "application/json"
    assert json.loads(seen["body"]) == [1]
