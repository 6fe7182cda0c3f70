"""Binds a built template to the processors that its layers were built for, so that no deployment can mix them.

python layers/architecture.py .aws-sam/build arm64
"""

import sys
from pathlib import Path

import yaml


def main(build: Path, architecture: str) -> None:
    """Makes them the only value of the parameter Architecture, and its default."""
    path = build / "template.yaml"
    template = yaml.safe_load(path.read_text(encoding="utf-8"))
    template["Parameters"]["Architecture"] |= {"Default": architecture, "AllowedValues": [architecture]}
    path.write_text(yaml.safe_dump(template, sort_keys=False, allow_unicode=True, width=120), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
