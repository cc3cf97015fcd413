"""When a daemon is ready, by the probe of its container (Kubernetes: `readinessProbe`)."""

from __future__ import annotations

from penstock.engine.state import Fault
from penstock.workflow.document import Container, Template
from penstock.workflow.pods import Readiness

__all__ = ["readiness_of"]

_PORTS = range(1, 65536)


def readiness_of(template: Template) -> Readiness | None:
    """How a daemon is asked, None where it is ready as soon as it runs. Raises Fault."""
    main = template.main
    probe = main.readiness_probe if template.daemon and main is not None else None
    asked = (probe.http_get or probe.tcp_socket) if probe is not None else None
    if main is None or probe is None or asked is None:
        return None
    request = probe.http_get
    return Readiness(
        port=_port(main, asked.port),
        path="" if request is None else f"/{request.path.removeprefix('/')}",
        tls=request is not None and request.scheme.upper() == "HTTPS",
        headers=() if request is None else tuple((header.name, header.value) for header in request.http_headers),
        delay=_seconds("initialDelaySeconds", probe.initial_delay_seconds, 0),
        pause=_seconds("periodSeconds", probe.period_seconds, 10) or 10,
        patience=_seconds("timeoutSeconds", probe.timeout_seconds, 1) or 1,
    )


def _port(container: Container, port: object) -> int:
    """The number of a port that is given by its number or name."""
    named = {each.name: each.container_port for each in container.ports if each.name}
    try:
        number = int(str(named.get(str(port), port)))
    except ValueError:
        number = 0
    if number not in _PORTS:
        raise Fault(f"readinessProbe: port {port!r:.100} is neither a number from 1 to 65535 nor one of `ports`")
    return number


def _seconds(name: str, value: object, default: float) -> float:
    try:
        seconds = float(str(default if value is None else value))
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e6:
        raise Fault(f"readinessProbe: {name} is {value!r:.100}, expected a number of seconds")
    return seconds
