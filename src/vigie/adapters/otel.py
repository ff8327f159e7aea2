"""Spans into OpenTelemetry, sent by OTLP over HTTP from a thread of the SDK. Imported only where it is asked for."""

from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator


class OtelTracer:
    """Implements ``api.tracing.Tracer``; where to and how many is said by its ``OTEL_*`` variables.

    Spans wait in a bounded queue: a collector that is slow or away costs spans, never an answer. Open it in the process
    that uses it, because its thread does not survive a fork.

    Args:
        service: its name in every span, unless ``OTEL_SERVICE_NAME`` says another.
    """

    def __init__(self, service: str) -> None:
        named = Resource({"service.name": service}).merge(_without_default_name(Resource.create()))
        self._provider = TracerProvider(resource=named)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("vigie")
        self._propagator = TraceContextTextMapPropagator()

    def begin(self, context: Mapping[str, str]) -> "OtelSpan":
        """Begin a span; what is no valid context begins a trace of its own."""
        parent = self._propagator.extract(dict(context))
        return OtelSpan(self._tracer.start_span("request", context=parent, kind=SpanKind.SERVER))

    def close(self) -> None:
        """Send what waits, for a few seconds at most."""
        self._provider.shutdown()


class OtelSpan:
    """Implements ``api.tracing.Span``.

    Args:
        span: OpenTelemetry's.
    """

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def trace_id(self) -> str:
        """The trace it belongs to: 32 hexadecimal digits."""
        return trace.format_trace_id(self._span.get_span_context().trace_id)

    def end(self, name: str, attributes: Mapping[str, str | int], *, failed: bool) -> None:
        """End now."""
        self._span.update_name(name)
        self._span.set_attributes(dict(attributes))
        if failed:
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


def _without_default_name(resource: Resource) -> Resource:
    """Return what the environment says, without the name that the SDK makes up where it says none."""
    name = str(resource.attributes.get("service.name", ""))
    return Resource({key: value for key, value in resource.attributes.items()
                     if key != "service.name" or not name.startswith("unknown_service")})  # fmt: skip
