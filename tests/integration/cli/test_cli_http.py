"""`http` and `data` templates in a run: no process is started for them."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from archives import read_by_its_key
from commandline import Rig

WORKFLOW = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: asks}
spec:
  entrypoint: main
  arguments: {parameters: [{name: url}]}
  templates:
  - name: main
    steps:
    - - {name: store, template: store}
    - - {name: list, template: list}
      - {name: ask, template: ask}
    - - {name: say, template: say, arguments: {parameters: [{name: text, value: "{{steps.ask.outputs.result}}"},
         {name: names, value: "{{steps.list.outputs.result}}"}]}}
  - name: store
    container: {image: shell, command: [sh, -c], args: ["echo x > /a.csv"]}
    outputs: {artifacts: [{name: a, path: /a.csv, s3: {key: given/a.csv}}]}
  - name: list
    data:
      source: {artifactPaths: {name: files, s3: {key: given}}}
      transformation: [{expression: "filter(data, {# endsWith '.csv'})"}]
  - name: ask
    http:
      url: "{{workflow.parameters.url}}"
      method: POST
      body: "from {{workflow.name}}"
      headers: [{name: X-Token, valueFrom: {secretKeyRef: {name: api, key: token}}}]
      successCondition: response.statusCode == 200
  - name: say
    inputs: {parameters: [{name: text}, {name: names}]}
    container: {image: shell, command: [echo], args: ["{{inputs.parameters.text}} {{inputs.parameters.names}}"]}
"""


class Server(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"%b with %d" % (body, len(self.headers["X-Token"])))

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def test_a_run_asks_a_server_and_lists_files(rig: Rig) -> None:
    rig.file("asks.yaml", WORKFLOW)
    (rig.folder / "objects").mkdir()
    rig.file("objects/api.yaml", "{kind: Secret, apiVersion: v1, metadata: {name: api}, stringData: {token: hushhush}}")
    served = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    try:
        url = f"url=http://127.0.0.1:{served.server_port}/"
        command = ("run", "asks.yaml", "--images", "images.toml", "--config", "objects", "-p", url, "--output", "json")
        answer = rig.call(*command, env={"PENSTOCK_HTTP_ALLOW": "127.0.0.1"})
    finally:
        served.shutdown()
        thread.join()
        served.server_close()
    assert answer.returncode == 0, answer.stderr
    assert "hushhush" not in answer.stdout + answer.stderr
    nodes = {node["displayName"]: node for node in json.loads(answer.stdout)["status"]["nodes"].values()}
    assert nodes["ask"]["type"] == "HTTP"
    assert nodes["ask"]["outputs"] == {"result": "from asks with 8"}
    assert rig.call("logs", "asks", "say").stdout == 'from asks with 8 ["given/a.csv"]\n'


def test_what_a_step_packed_itself_is_read_by_its_key(rig: Rig) -> None:
    read_by_its_key(rig, "shell", "--images", "images.toml")
