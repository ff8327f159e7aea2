"""Whether requests are traced: only where OpenTelemetry's own variables say so, and its libraries are there."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from starlette.types import ASGIApp

from vigie.api.tracing import Traced

logger = logging.getLogger("vigie.serve")

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Whether the environment asks for traces: ``OTEL_TRACES_EXPORTER=otlp``, or an endpoint and nothing against it."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporters = [name.strip() for name in environ.get("OTEL_TRACES_EXPORTER", "").split(",") if name.strip()]
    return "otlp" in exporters if exporters else any(environ.get(name) for name in ENDPOINTS)


@contextmanager
def traced(app: ASGIApp, service: str) -> Iterator[ASGIApp]:
    """Give an application with a span around every request where the environment asks for it, else as it is.

    Args:
        app: the application.
        service: what the spans call it.
    """
    if not is_wanted(os.environ):
        yield app
        return
    try:
        adapter: Any = import_module("vigie.adapters.otel")  # an extra, and 30 MB: never loaded unasked
    except ImportError as exc:
        logger.warning("OTEL_* asks for traces, but %s is missing: pip install 'vigie[otel]'", exc.name)
        yield app
        return
    tracer = adapter.OtelTracer(service)
    try:
        yield Traced(app, tracer)
    finally:
        tracer.close()
