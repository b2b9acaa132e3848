"""Lays out what `sam build` would make, around programs that are never run."""

import re
import sys
from pathlib import Path

from tests.faults.wishes import ROOT

FUNCTION = re.compile(
    r"^  (\w+):\n    Type: AWS::Serverless::Function\n    Metadata: [^\n]+\n    Properties:\n",
    re.MULTILINE,
)


def lay_out(place: Path) -> None:
    """Writes the built template and a folder for each function under `place`."""
    build = place / ".aws-sam/build"
    template = (ROOT / "infra/template.yaml").read_text()
    template = template.replace("    CodeUri: ..\n", "")
    template = template.replace("DefinitionUri: ", f"DefinitionUri: {ROOT}/infra/")
    for function in FUNCTION.findall(template):
        program = build / function / "bootstrap"
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\n# stands for {function}\n")
    template = FUNCTION.sub(
        lambda found: f"{found.group(0)}      CodeUri: {found.group(1)}\n", template
    )
    (build / "template.yaml").write_text(template)


if __name__ == "__main__":
    lay_out(Path(sys.argv[1]))
