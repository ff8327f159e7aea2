"""Check the Kubernetes manifests against Kubernetes' own schemas: part of `make lint-deploy`.

Each overlay is rendered by kubectl or kustomize where there is one; else the files that it names are read as they are,
which leaves the names and images that an overlay changes unseen, and is said.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

FOLDER = Path(__file__).resolve().parent / "kubernetes"
VERSIONS = ("1.29", "1.34")  # the oldest and the newest that we say it runs on
RENDERERS = (("kubectl", ["kustomize"]), ("kustomize", ["build"]))


def rendered(overlay: Path) -> str | None:
    """Return what would be applied, None where nothing can render it."""
    for name, arguments in RENDERERS:
        if program := shutil.which(name):
            return subprocess.run([program, *arguments, overlay], capture_output=True, text=True, check=True).stdout
    return None


def as_written(folder: Path) -> str:
    """Return the files that a kustomization names, in its order."""
    parts = []
    for name in yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]:
        path = folder / name
        parts.append(as_written(path) if path.is_dir() else path.read_text(encoding="utf-8"))
    return "\n---\n".join(parts)


def faults(resource: dict[str, Any]) -> list[str]:
    """Return a sentence for each version of Kubernetes that would refuse a resource."""
    name, found = f"{resource['kind']} {resource['metadata']['name']}", []
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(resource, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"{name}, Kubernetes {version}: {error.message} at {'.'.join(map(str, error.path))}")
    return found


def main() -> None:
    """Check every overlay; end with 1 where something would be refused."""
    refused = 0
    for overlay in sorted((FOLDER / "overlays").iterdir()):
        text = rendered(overlay)
        how = "as rendered" if text else "as written (neither kubectl nor kustomize is here to render it)"
        resources = [one for one in yaml.safe_load_all(text or as_written(overlay)) if one]
        own = [one for one in resources if one["apiVersion"].partition("/")[0].endswith("monitoring.coreos.com")]
        for sentence in [told for one in resources if one not in own for told in faults(one)]:
            refused += 1
            sys.stdout.write(f"{overlay.name}: {sentence}\n")
        left = f"; no schema for {', '.join(one['kind'] for one in own)}" if own else ""
        sys.stdout.write(f"{overlay.name}: {len(resources) - len(own)} resources {how}{left}\n")
    sys.exit(bool(refused))


if __name__ == "__main__":
    main()
