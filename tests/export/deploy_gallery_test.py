"""The deployment of a gallery: against schemas, and against what server and database take."""

import importlib.util
import json
import re
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml
from support.serving_options import server_options

from agegait.serving.client.ready import ready_parser
from agegait.serving.server.gallery_metrics import GalleryMetrics
from agegait.serving.server.gallery_roles import GALLERY_SERVICE, Role, read_roles
from agegait.serving.server.metrics import Metrics

FOLDER = Path(__file__).parents[2] / "export/deploy/gallery"
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())
DOCUMENTS = list(yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text()))
ENDINGS = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}
HARDENED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


def document(kind, name):
    (found,) = [each for each in DOCUMENTS if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def pod(kind, name):
    spec = document(kind, name)["spec"]
    return (spec["jobTemplate"]["spec"] if kind == "CronJob" else spec)["template"]


PODS = {
    "database": pod("StatefulSet", "agegait-database"),
    "server": pod("Deployment", "agegait-gallery"),
    "backup": pod("CronJob", "agegait-backup"),
}


def test_compose_keeps_to_the_specifications_schema():
    (package,) = importlib.util.find_spec("check_jsonschema").submodule_search_locations
    schema = json.loads((Path(package) / "builtin_schemas/vendor/compose-spec.json").read_text())
    jsonschema.validate(COMPOSE, schema)


@pytest.mark.parametrize("manifest", DOCUMENTS, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_manifests_keep_to_kubernetess_schemas(manifest):
    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("name", PODS)
def test_pods_are_kept_small(name):
    spec = PODS[name]["spec"]
    (container,) = spec["containers"]
    security = spec["securityContext"]
    assert security["runAsNonRoot"]
    assert security["runAsUser"] == security["fsGroup"] > 0
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert container["securityContext"] == HARDENED
    assert set(container["resources"]) == {"requests", "limits"}
    claimed = {"data"} if name == "database" else set()
    assert {mount["name"] for mount in container["volumeMounts"]} == {
        each["name"] for each in spec["volumes"]
    } | claimed
    secrets = [volume["secret"] for volume in spec["volumes"] if "secret" in volume]
    assert {secret["defaultMode"] for secret in secrets} == {0o440}


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_what_compose_starts_is_kept_small(name):
    service = COMPOSE["services"][name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"].split(":")[0] not in ("0", "root")
    assert {"cpus", "memory", "pids"} == set(service["deploy"]["resources"]["limits"])
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert set(service["secrets"]) <= set(COMPOSE["secrets"])
    assert ("outer" in service["networks"]) == (name == "server")


def environment(container):
    return {each["name"]: each["value"] for each in container["env"]}


def servers():
    (container,) = PODS["server"]["spec"]["containers"]
    mounts = {Path(mount["mountPath"]) for mount in container["volumeMounts"]}
    yield pytest.param(container["args"], environment(container), mounts, id="kubernetes")
    service = COMPOSE["services"]["server"]
    files = {Path("/run/secrets") / secret for secret in service["secrets"]}
    yield pytest.param(service["command"], service["environment"], {*files, Path("/models")}, id="compose")


@pytest.mark.parametrize(("arguments", "variables", "mounts"), list(servers()))
def test_the_server_finds_what_it_reads(arguments, variables, mounts):
    options = server_options(arguments)
    read = [options.token_file, options.roles, Path(variables["PGSERVICEFILE"])]
    read += [options.cert, options.key] if options.cert else []
    for file in read:
        assert {file, file.parent} & mounts, file
    assert (options.host, options.log) == ("0.0.0.0", "requests")
    assert "@" not in options.url  # no name and no password: they are in the file of the service
    assert "password" not in json.dumps(COMPOSE["services"]["server"])


def test_probes_ask_the_health_service():
    (container,) = PODS["server"]["spec"]["containers"]
    options = server_options(container["args"])
    asked = {}
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        python, flag, module, *words = container[name]["exec"]["command"]
        assert (python, flag, module) == ("python", "-m", "agegait.serving.client.ready")
        probe = ready_parser().parse_args(words)
        assert probe.server == f"localhost:{options.port}"
        assert probe.tls_ca.parent == options.cert.parent
        assert probe.timeout < container[name]["timeoutSeconds"]
        asked[name] = probe.service
    assert asked == {"startupProbe": "", "readinessProbe": GALLERY_SERVICE, "livenessProbe": "live"}
    wait = float(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert wait + options.drain_seconds < PODS["server"]["spec"]["terminationGracePeriodSeconds"]
    assert options.drain_seconds < float(COMPOSE["services"]["server"]["stop_grace_period"].removesuffix("s"))
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"grpc": options.port, "metrics": options.metrics_port}


def test_parts_fit_each_other():
    labels = {name: each["metadata"]["labels"] for name, each in PODS.items()}
    for kind in ("Service", "PodDisruptionBudget", "NetworkPolicy"):
        for each in DOCUMENTS:
            if each["kind"] == kind:
                spec = each["spec"]
                selector = spec.get("podSelector", spec.get("selector"))
                selector = selector.get("matchLabels", selector)
                assert [name for name in labels if selector.items() <= labels[name].items()] in (
                    ["database"],
                    ["server"],
                    ["backup"],
                )
    database = document("NetworkPolicy", "agegait-database")["spec"]
    assert database["egress"] == []
    ((rule),) = database["ingress"]
    (peer,) = rule["from"]
    allowed = peer["podSelector"]["matchLabels"]
    assert [name for name in labels if allowed.items() <= labels[name].items()] == ["server", "backup"]
    for name in ("agegait-gallery", "agegait-backup"):
        to_database, to_names = document("NetworkPolicy", name)["spec"]["egress"]
        assert to_database["to"] == [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "agegait-database"}}}]
        assert to_database["ports"] == rule["ports"] == [{"port": 5432}]
        assert {port["port"] for port in to_names["ports"]} == {53}
    for service in ("agegait-database", "agegait-gallery"):
        policy = document("NetworkPolicy", service)["spec"]
        assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert document("StatefulSet", "agegait-database")["spec"]["serviceName"] == "agegait-database"


def test_the_roles_of_the_instructions_are_roles(tmp_path):
    for name in ("compose.yaml", "kubernetes.yaml"):
        (text,) = re.findall(r"printf '(token .*?)' > roles", (FOLDER / name).read_text())
        (tmp_path / "roles").write_text(text.replace("\\n", "\n"))
        (tmp_path / "roles").chmod(0o600)
        callers = read_roles(tmp_path / "roles")
        assert callers == {("token", "door"): Role.IDENTIFY, ("token", "desk"): Role.MANAGE}


def test_alerts_are_on_metrics_that_there_are():
    telemetry = Metrics()
    GalleryMetrics(telemetry.registry)
    names = {sample.name for family in telemetry.registry.collect() for sample in family.samples}
    names |= {f"{family.name}{ending}" for family in telemetry.registry.collect() for ending in ENDINGS[family.type]}
    (group,) = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    guide = (FOLDER.parents[2] / "docs/operating.md").read_text()
    for rule in group["rules"]:
        assert (
            {"alert", "expr", "labels", "annotations"}
            <= rule.keys()
            <= {"alert", "expr", "for", "labels", "annotations"}
        )
        used = set(re.findall(r"agegait_\w+", rule["expr"]))
        assert used, rule["alert"]
        assert used <= names, rule["alert"]
        assert f"`{rule['alert']}`" in guide
        assert rule["expr"].count("(") == rule["expr"].count(")")
