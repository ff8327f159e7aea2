"""Who may ask, by the command line: what refuses to start, and keys that come and go while a server runs."""

import time

import httpx
import pytest

pytestmark = pytest.mark.slow

WITHOUT_VALUES = ("sunflower", "4711.25")
"""Marks that are sent as features, and must stand nowhere in what the server says of itself."""


def test_a_server_without_keys_or_tls_does_not_listen_beyond_this_machine(new_project):
    """Exit 2 with what to do; a key alone is not enough, and --insecure is."""
    project = new_project(rows=0)
    line = ("serve", "--host", "0.0.0.0", "--port", "0")  # noqa: S104  the very thing
    assert "vigie keys new" in project.run(*line, expect=2).stderr
    project.run("keys", "new", "shop")
    assert "access.tls_certificate" in project.run(*line, expect=2).stderr
    with project.started(*line, "--insecure") as process:
        log = project.folder / "serve.log"
        deadline = time.monotonic() + 60
        while "listens on" not in log.read_text():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert "insecure as told" in log.read_text()


def test_keys_come_and_go_while_a_server_runs(project, customer):
    """Open without a key; the first key closes it; its revocation ends it within two seconds; nothing of it leaks."""
    with project.server(VIGIE_SERVING__LOG_FORMAT="json", VIGIE_SERVING__LOG_REQUESTS="true") as (_, http):
        assert http.post("/predict", json=customer).status_code == httpx.codes.OK
        text = project.run("keys", "new", "shop", "--scope", "predict").stdout.strip()
        bearer = {"Authorization": f"Bearer {text}"}
        _becomes(http, customer, {}, httpx.codes.UNAUTHORIZED)
        assert http.post("/predict", json=customer, headers=bearer).status_code == httpx.codes.OK
        assert http.get("/metrics", headers=bearer).status_code == httpx.codes.FORBIDDEN
        canaries = customer | dict(zip(customer, WITHOUT_VALUES, strict=False))
        assert http.post("/predict", json=canaries, headers=bearer).status_code == httpx.codes.UNPROCESSABLE_ENTITY
        project.run("keys", "revoke", text)
        _becomes(http, customer, bearer, httpx.codes.UNAUTHORIZED)
    (key,) = project.json("keys", "list")
    assert (key["state"], key["last_used_at"] is None) == ("revoked", False)
    log = (project.folder / "serve.log").read_text()
    assert f'"key": "{text[3:11]}"' in log
    assert not [mark for mark in (*WITHOUT_VALUES, text[12:]) if mark in log]


def _becomes(http, body, headers, code):
    """Wait until an answer has a status: two seconds are what the documentation promises."""
    deadline = time.monotonic() + 2
    while http.post("/predict", json=body, headers=headers).status_code != code:
        assert time.monotonic() < deadline
        time.sleep(0.02)
