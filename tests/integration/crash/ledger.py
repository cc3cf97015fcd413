"""The ledger of the crash tests: a process of its own that keeps what steps tell it, fsynced before it answers.

A step connects over loopback and writes one line; the answer says that the line is on the disk.
"""

from __future__ import annotations

import contextlib
import os
import socketserver
import sys
import threading
import time


class _Ledger(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, path: str) -> None:
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Entry)


class _Entry(socketserver.StreamRequestHandler):
    server: _Ledger

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # a step that was killed
            for line in self.rfile:
                self._keep(line)
                self.wfile.write(b"kept\n")

    def _keep(self, line: bytes) -> None:
        with self.server.lock:
            os.write(self.server.file, b"%.6f %s" % (time.time(), line))
            os.fsync(self.server.file)


if __name__ == "__main__":
    with _Ledger(sys.argv[1]) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()
