"""The public surface as pyright sees it: right uses pass, and every wrong one is found."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from needs import require

WRONG = re.compile(r"# wrong: [a-z, -]+$")
CASES = Path(__file__).with_name("cases")


def test_pyright_finds_what_is_wrong_and_nothing_else(tmp_path: Path) -> None:
    checker = require(str(Path(sys.executable).with_name("basedpyright")), "make env")
    # What its stricter sister adds to pyright is not meant here.
    (tmp_path / "pyrightconfig.json").write_text(json.dumps({"include": [str(CASES)], "typeCheckingMode": "standard"}))
    command = [checker, "--project", str(tmp_path), "--pythonpath", sys.executable, "--outputjson"]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=600).stdout)
    found = {
        (Path(each["file"]).name, each["range"]["start"]["line"] + 1)
        for each in said["generalDiagnostics"]
        if each["severity"] == "error"
    }
    wrong = {
        (path.name, number)
        for path in CASES.glob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if WRONG.search(line)
    }
    assert said["summary"]["filesAnalyzed"] == 2
    assert found == wrong
