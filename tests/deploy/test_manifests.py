"""Compose and Kubernetes: hardened, bound, and in words that the images, the settings and the server understand."""

import os
import re
from functools import cache
from pathlib import Path

import pytest
import yaml

from vigie.cli.main import COMMANDS
from vigie.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
TARGETS = set(re.findall(r"^FROM \S+ AS (serve|train)$", DOCKERFILE, re.MULTILINE))
STATE = re.search(r"VIGIE_STORES__ROOT=(\S+)", DOCKERFILE)[1]
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"].startswith("vigie/")}


@cache
def resources(overlay):
    """Return every resource that a kustomization names, below or beside it."""
    folder = KUBERNETES / overlay
    found = []
    for name in yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]:
        path = folder / name
        found += resources(path) if path.is_dir() else list(yaml.safe_load_all(path.read_text()))
    return found


def pods(overlay):
    """Return the template of every pod, by the name of what makes it."""
    found = {}
    for one in resources(overlay):
        spec = one.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "containers" in (pod := spec.get("template", {}).get("spec", {})):
            found[one["metadata"]["name"]] = pod
    return found


OVERLAYS = ["overlays/one-node", "overlays/production"]
CONTAINERS = [
    pytest.param(pod, container, id=f"{overlay.split('/')[1]}-{container['name']}")
    for overlay in OVERLAYS
    for pod in pods(overlay).values()
    for container in pod["containers"]
]


def test_no_manifest_is_left_over():
    """An overlay, or what it builds on, names every file."""
    named = set()
    for file in KUBERNETES.rglob("kustomization.yaml"):
        named |= {(file.parent / name).resolve() for name in yaml.safe_load(file.read_text())["resources"]}
        named.add(file)
    assert set(KUBERNETES.rglob("*.yaml")) == {path for path in named if path.is_file()}


@pytest.mark.parametrize(("pod", "container"), CONTAINERS)
def test_a_container_of_a_pod_is_one_of_the_images_and_runs_a_command(pod, container):
    """Its image is a target of the Dockerfile, whose entry point is ``vigie``; its first argument is a command."""
    assert container["image"].removeprefix("vigie/") in TARGETS
    assert container.get("args", ["serve"])[0] in COMMANDS
    assert "command" not in container
    mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounted == {"project": "/project", "state": STATE, "tmp": "/tmp"}  # noqa: S108 - the container's own
    assert {volume["name"] for volume in pod["volumes"]} == set(mounted)


@pytest.mark.parametrize(("pod", "container"), CONTAINERS)
def test_a_container_of_a_pod_is_hardened(pod, container):
    """Nobody in particular, no token, no capability, nothing to write but its volumes, a limit of memory."""
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert f"USER {pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" in DOCKERFILE
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_pods_refer_to_is_there(overlay):
    """Volumes, settings and accounts are made by the overlay; the project's own map, by a command that is told."""
    made = {(one["kind"], one["metadata"]["name"]) for one in resources(overlay)}
    base = (KUBERNETES / "base" / "kustomization.yaml").read_text()
    made |= {("ConfigMap", one["name"]) for one in yaml.safe_load(base)["configMapGenerator"]}
    assert "create configmap vigie-project" in base
    for pod in pods(overlay).values():
        assert ("ServiceAccount", pod["serviceAccountName"]) in made
        for volume in pod["volumes"]:
            assert volume.get("configMap", {"name": "vigie-project"})["name"] == "vigie-project"
            claim = volume.get("persistentVolumeClaim", {"claimName": "vigie-state"})["claimName"]
            assert ("PersistentVolumeClaim", claim) in made
        for container in pod["containers"]:
            assert next(("ConfigMap", one["configMapRef"]["name"]) for one in container["envFrom"]) in made


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_pins_every_image(overlay):
    """Kustomize says nothing of a name in ``images`` that no container has, and leaves the container's as it is."""
    pinned = yaml.safe_load((KUBERNETES / overlay / "kustomization.yaml").read_text())["images"]
    assert {one["name"] for one in pinned} == {c["image"] for pod in pods(overlay).values() for c in pod["containers"]}
    assert all(one.keys() & {"digest", "newTag"} for one in pinned)


def test_probes_and_the_monitor_ask_for_routes_that_exist():
    """Paths are those of the reference."""
    routes = (ROOT / "docs" / "reference" / "http.md").read_text()
    paths = [
        container[probe]["httpGet"]["path"]
        for container in pods("overlays/production")["vigie"]["containers"]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe")
        if probe in container
    ]
    monitor = next(one for one in resources("overlays/production") if one["kind"] == "ServiceMonitor")
    paths += [endpoint["path"] for endpoint in monitor["spec"]["endpoints"]]
    assert paths == ["/livez", "/livez", "/readyz", "/metrics"]
    assert all(f"`GET {path}`" in routes for path in paths)


def told(text):
    """Return the settings that a file gives to Vigie, by the names of their variables."""
    pairs = re.findall(r"\b(VIGIE_[A-Z]+__[A-Z_]+)[\"']?(?:=|: |, value: )[\"']?([^\s\"'}]+)", text)
    return {name: value for name, value in pairs if "$" not in value}


def test_every_setting_is_one(tmp_path):
    """What any file of deploy/ tells Vigie is accepted; a misspelt one is not."""
    (tmp_path / "vigie.toml").write_text('[project]\nname = "a"\n[data]\nsource = "a.csv"\ntarget = "b"\n')
    files = [path for path in (ROOT / "deploy").rglob("*") if path.suffix in {"", ".yaml", ".yml", ".Dockerfile"}]
    found = {name: value for path in files if path.is_file() for name, value in told(path.read_text()).items()}
    assert len(found) >= 7
    settings = load_settings(tmp_path, found)
    assert str(settings.root) == STATE
    with pytest.raises(Exception, match="VIGIE_SERVING__HOTS"):
        load_settings(tmp_path, found | {"VIGIE_SERVING__HOTS": "0.0.0.0"})  # noqa: S104 - is refused


@pytest.mark.parametrize(("name", "service"), COMPOSE["services"].items())
def test_a_service_is_hardened(name, service):
    """Read-only, no capability, limits, a pinned image, ports on this machine's loopback address alone."""
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert "network_mode" not in service
    assert "privileged" not in service
    tag = service["image"].rpartition(":")[2] if name not in OURS else "ours"
    assert tag != "latest"
    assert tag == "ours" or re.fullmatch(r"v?\d+\.\d+\.\d+", tag)


@pytest.mark.parametrize(("name", "service"), OURS.items())
def test_a_service_of_ours_runs_a_command(name, service):
    """Its image is a target of the Dockerfile; unless it runs MLflow, its first argument is a command of Vigie."""
    assert service["image"] == f"vigie/{service['image'].split('/')[1].split(':')[0]}:${{VIGIE_TAG:-dev}}"
    assert service["image"].split("/")[1].split(":")[0] in TARGETS
    if service.get("entrypoint", ["vigie"]) == ["vigie"]:
        assert service.get("command", ["serve"])[0] in COMMANDS
        assert f"state:{STATE}" in service["volumes"], name


def test_nothing_has_a_default_password():
    """What is secret must be told: compose refuses to start without."""
    text = (ROOT / "deploy" / "compose.yaml").read_text()
    secrets = re.findall(r"\$\{(\w*(?:PASSWORD|SECRETS|TOKEN|KEY)\w*)(:[-?])?", text)
    assert len(secrets) >= 3
    assert {how for _, how in secrets} == {":?"}
    assert not re.search(r"PASSWORD=.+", (ROOT / "deploy" / "env.example").read_text())


def test_files_that_compose_mounts_exist():
    """What is beside compose.yaml and mounted from there is in the repository."""
    mounted = [
        volume.split(":")[0]
        for service in COMPOSE["services"].values()
        for volume in service.get("volumes", ())
        if volume.startswith("./")
    ]
    assert len(mounted) == 5
    assert all((ROOT / "deploy" / path).exists() for path in mounted)
    assert os.access(ROOT / "deploy" / "env.example", os.R_OK)
