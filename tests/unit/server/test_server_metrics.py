"""What Prometheus reads."""

from __future__ import annotations

from server_room import Room

from penstock.workflow.metrics import Measurement


def test_metrics_of_documents_are_read_in_the_format_of_prometheus(room: Room) -> None:
    room.services.meters.measure(Measurement(name="runs", help="How many", kind="counter", value=1.0))
    answer = room.client().get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.text == (
        "# HELP argo_workflows_runs_total How many\n"
        "# TYPE argo_workflows_runs_total counter\n"
        "argo_workflows_runs_total 1.0\n"
    )


def test_they_are_nobodys_without_a_token(room: Room) -> None:
    with_none = room.client()
    del with_none.headers["Authorization"]
    assert with_none.get("/metrics").status_code == 401
