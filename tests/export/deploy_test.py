"""The deployment files against their schemas, against each other, and against what the server takes and does."""

import argparse
import http.server
import importlib.resources
import importlib.util
import inspect
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml
from google.protobuf import text_format
from support.certificates import Authority
from support.serving_options import server_options
from tensorflow_serving.config import model_server_config_pb2

from agegait.export import saved_models
from agegait.export.exportable import NAMES
from agegait.serving import AnswerPolicy, Batching, Client, Limits, ModelOptions, Server, TlsFiles, options
from agegait.serving.client.ready import ready_parser

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "export/deploy"
COMPOSE = sorted(DEPLOY.glob("compose.*.yaml"))
KUBERNETES = sorted(DEPLOY.glob("kubernetes.*.yaml"))
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()

# By hand, of the parts that are used, after the fields of KServe's v1beta1 API: its CustomResourceDefinition comes in
# no package. Pods and containers in it are held against Kubernetes's own schemas, see below.
POD = {"containers", "volumes", "securityContext", "terminationGracePeriodSeconds", "automountServiceAccountToken"}
CONTAINER = {"name", "image", "args", "ports", "resources", "securityContext", "volumeMounts", "readinessProbe"}
KSERVE = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "additionalProperties": False,
    "properties": {
        "apiVersion": {"const": "serving.kserve.io/v1beta1"},
        "kind": {"const": "InferenceService"},
        "metadata": {"type": "object", "required": ["name"]},
        "spec": {
            "type": "object",
            "required": ["predictor"],
            "additionalProperties": False,
            "properties": {
                "predictor": {
                    "type": "object",
                    "additionalProperties": False,
                    "oneOf": [{"required": ["model"]}, {"required": ["containers"]}],
                    "properties": {
                        **dict.fromkeys(POD, True),
                        "minReplicas": {"type": "integer", "minimum": 0},
                        "maxReplicas": {"type": "integer", "minimum": 1},
                        "model": {
                            "type": "object",
                            "required": ["modelFormat", "storageUri"],
                            "additionalProperties": False,
                            "properties": {
                                **dict.fromkeys(CONTAINER, True),
                                "modelFormat": {
                                    "type": "object",
                                    "required": ["name"],
                                    "additionalProperties": False,
                                    "properties": {"name": {"type": "string"}, "version": {"type": "string"}},
                                },
                                "storageUri": {"type": "string", "pattern": "^(pvc|s3|gs|https)://"},
                            },
                        },
                    },
                }
            },
        },
    },
}


def documents(file):
    return list(yaml.safe_load_all(file.read_text()))


def of_kind(file, kind):
    return next(document for document in documents(file) if document["kind"] == kind)


def name(path):
    return path.name


@pytest.fixture(scope="module")
def compose_schema():
    (package,) = importlib.util.find_spec("check_jsonschema").submodule_search_locations
    return json.loads((Path(package) / "builtin_schemas/vendor/compose-spec.json").read_text())


@pytest.mark.parametrize("file", COMPOSE, ids=name)
def test_compose_files_keep_to_the_specifications_schema(file, compose_schema):
    compose = yaml.safe_load(file.read_text())
    jsonschema.validate(compose, compose_schema)
    compose["services"]["server"]["memory"] = "2G"  # The schema tells.
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(compose, compose_schema)


@pytest.mark.parametrize("file", KUBERNETES, ids=name)
def test_manifests_keep_to_kubernetess_schemas(file):
    kinds = []
    for document in documents(file):
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
        kinds.append(document["kind"])
    assert {"Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy"} <= set(kinds)
    deployment = of_kind(file, "Deployment")
    deployment["spec"]["template"]["spec"]["runAsNonRoot"] = True  # The schemas tell.
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, kubernetes_validate.latest_version(), strict=True)


def test_kserve_keeps_to_what_is_known_of_its_schema():
    *services, policy = documents(DEPLOY / "kserve.yaml")
    kubernetes_validate.validate(policy, kubernetes_validate.latest_version(), strict=True)
    (selected,) = policy["spec"]["podSelector"]["matchExpressions"]
    assert selected["values"] == sorted(document["metadata"]["name"] for document in services)
    for document in services:
        jsonschema.validate(document, KSERVE)
        predictor = document["spec"]["predictor"]
        pod = {field: value for field, value in predictor.items() if field in POD}
        if "model" in predictor:
            container = {field: value for field, value in predictor["model"].items() if field in CONTAINER}
            pod["containers"] = [{"name": "kserve-container", "image": "x", **container}]
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": pod}
        kubernetes_validate.validate(pod, kubernetes_validate.latest_version(), strict=True)


def pods():
    for file in KUBERNETES:
        yield pytest.param(of_kind(file, "Deployment")["spec"]["template"]["spec"], id=file.name)
    custom = documents(DEPLOY / "kserve.yaml")[1]
    yield pytest.param(custom["spec"]["predictor"], id="kserve.yaml")


@pytest.mark.parametrize("pod", list(pods()))
def test_pods_are_kept_small(pod):
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(container["resources"]) == {"requests", "limits"}
    volumes = {volume["name"] for volume in pod["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes
    models = next(mount for mount in container["volumeMounts"] if mount["name"] == "models")
    assert models == {"name": "models", "mountPath": "/models", "readOnly": True}


@pytest.mark.parametrize("file", KUBERNETES, ids=name)
def test_a_manifests_parts_fit_each_other(file):
    deployment = of_kind(file, "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    for port in (service := of_kind(file, "Service"))["spec"]["ports"]:
        assert ports[port["targetPort"]] == port["port"]
    assert service["spec"]["selector"] == labels
    assert of_kind(file, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    assert of_kind(file, "PodDisruptionBudget")["spec"]["minAvailable"] < deployment["spec"]["replicas"]
    policy = of_kind(file, "NetworkPolicy")["spec"]
    assert policy["podSelector"]["matchLabels"] == labels
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy["egress"] == []
    assert {port["port"] for rule in policy["ingress"] for port in rule["ports"]} == set(ports)
    for rule in policy["ingress"]:
        (peer,) = rule["from"]
        monitoring = {"kubernetes.io/metadata.name": "monitoring"}
        if peer["namespaceSelector"]["matchLabels"] == monitoring:
            assert rule["ports"] == [{"port": "metrics"}]
            continue
        assert {"port": "metrics"} not in rule["ports"]
        assert peer == {
            "namespaceSelector": {"matchLabels": {"agegait-clients": "true"}},
            "podSelector": {"matchLabels": {"agegait-client": "true"}},
        }
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(container)


def test_a_pods_grace_covers_the_drain():
    pod = of_kind(DEPLOY / "kubernetes.agegait.yaml", "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    wait = float(container["lifecycle"]["preStop"]["exec"]["command"][1])
    drain = server_options(container["args"]).drain_seconds
    assert wait + drain < pod["terminationGracePeriodSeconds"]
    kserve = documents(DEPLOY / "kserve.yaml")[1]["spec"]["predictor"]
    assert server_options(kserve["containers"][0]["args"]).drain_seconds < kserve["terminationGracePeriodSeconds"]
    compose = yaml.safe_load((DEPLOY / "compose.agegait.yaml").read_text())["services"]["server"]
    assert server_options(compose["command"]).drain_seconds < float(compose["stop_grace_period"].removesuffix("s"))


def test_a_full_server_is_not_started_again():
    pod = of_kind(DEPLOY / "kubernetes.agegait.yaml", "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    probe = container["livenessProbe"]
    assert probe_options(probe).service == "live"
    assert probe["periodSeconds"] * probe["failureThreshold"] > server_options(container["args"]).request_seconds


def probe_options(probe):
    """What the program of a probe understands of its arguments."""
    python, flag, module, *arguments = probe["exec"]["command"]
    assert (python, flag, module) == ("python", "-m", "agegait.serving.client.ready")
    return ready_parser().parse_args(arguments)


def test_probes_ask_our_server_as_it_wants_to_be_asked():
    pod = of_kind(DEPLOY / "kubernetes.agegait.yaml", "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    served = server_options(container["args"])
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        probe = probe_options(container[name])
        assert probe.server == f"localhost:{served.port}"
        assert probe.tls_ca.parent == served.cert.parent == served.key.parent
        assert probe.timeout < container[name]["timeoutSeconds"]


def test_every_secret_is_mounted_where_our_server_reads_it():
    pod = of_kind(DEPLOY / "kubernetes.agegait.yaml", "Deployment")["spec"]["template"]["spec"]
    for place in (pod, documents(DEPLOY / "kserve.yaml")[1]["spec"]["predictor"]):
        (container,) = place["containers"]
        served = server_options(container["args"])
        mounts = {mount["name"]: Path(mount["mountPath"]) for mount in container["volumeMounts"]}
        secrets = {volume["name"]: volume["secret"] for volume in place["volumes"] if "secret" in volume}
        read = {served.token_file.parent} | ({served.key.parent} if served.key else set())
        assert {mounts[name] for name in secrets} == read
        # Kubernetes has them root's: the group reads, and nobody else.
        assert all(secret["defaultMode"] == 0o440 for secret in secrets.values())
        assert place["securityContext"]["fsGroup"] == place["securityContext"]["runAsUser"]
    compose = yaml.safe_load((DEPLOY / "compose.agegait.yaml").read_text())
    (secret,) = compose["services"]["server"]["secrets"]
    assert server_options(compose["services"]["server"]["command"]).token_file == Path("/run/secrets") / secret
    assert set(compose["secrets"]) == {secret}


def test_what_is_deployed_says_who_asked():
    commands = [
        of_kind(DEPLOY / "kubernetes.agegait.yaml", "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"],
        documents(DEPLOY / "kserve.yaml")[1]["spec"]["predictor"]["containers"][0]["args"],
        yaml.safe_load((DEPLOY / "compose.agegait.yaml").read_text())["services"]["server"]["command"],
    ]
    for command in commands:
        assert server_options(command).log == "requests"


def test_our_server_listens_where_it_is_looked_for():
    pod = of_kind(DEPLOY / "kubernetes.agegait.yaml", "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    entry = json.loads(re.search(r"^CMD (.*)$", DOCKERFILE, re.MULTILINE)[1])
    compose = yaml.safe_load((DEPLOY / "compose.agegait.yaml").read_text())["services"]["server"]
    for arguments in (container["args"], entry, compose["command"]):
        understood = server_options(arguments)
        assert (understood.folder, understood.host, understood.port) == ("/models", "0.0.0.0", ports["grpc"])
        assert (understood.rest_port, understood.metrics_port) == (ports["rest"], ports["metrics"])
    assert [int(port) for port in re.search(r"^EXPOSE (.*)$", DOCKERFILE, re.MULTILINE)[1].split()] == list(
        ports.values()
    )


def test_nobody_but_this_machine_reaches_what_compose_starts():
    for file in COMPOSE:
        server = yaml.safe_load(file.read_text())["services"]["server"]
        assert all(port.startswith("127.0.0.1:") for port in server["ports"])
        if file.name == "compose.agegait.yaml":
            opened = {int(port.rsplit(":", 1)[1]) for port in server["ports"]}
            understood = server_options(server["command"])
            assert opened == {understood.port, understood.rest_port, understood.metrics_port}
        assert server["read_only"]
        assert server["cap_drop"] == ["ALL"]
        assert server["user"].split(":")[0] != "0"
        assert {"cpus", "memory", "pids"} == set(server["deploy"]["resources"]["limits"])
        assert server["volumes"][0]["read_only"]


def test_models_are_where_their_config_says():
    config = text_format.Parse(
        saved_models._models_config(Path("/models"), NAMES), model_server_config_pb2.ModelServerConfig()
    )
    names = {model.name for model in config.model_config_list.config}
    for file in (*COMPOSE, *KUBERNETES):
        if "tensorflow-serving" not in file.name:
            continue
        text = file.read_text()
        assert "--model_config_file=/models/models.config" in text
        assert set(re.findall(r"/v1/models/(\w+)/metadata", text)) <= names
    serving = documents(DEPLOY / "kserve.yaml")[0]["spec"]["predictor"]["model"]["storageUri"]
    assert serving.rpartition("/")[2] in names


class Rest(http.server.BaseHTTPRequestHandler):
    """Answers as the REST port of tensorflow/serving does, with the status that it is told."""

    status = 200

    def do_GET(self):
        found = self.path == "/v1/models/identifier/metadata"
        self.send_response(self.status if found else 500)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (404, False), (None, False)])
def test_the_health_check_of_tensorflow_serving_tells(status, healthy):
    server = yaml.safe_load((DEPLOY / "compose.tensorflow-serving.yaml").read_text())["services"]["server"]
    kind, *command = server["healthcheck"]["test"]
    rest = http.server.HTTPServer(("127.0.0.1", 0), type("Told", (Rest,), {"status": status}))
    port = rest.server_port
    threading.Thread(target=rest.serve_forever, args=(0.01,), daemon=True).start()
    try:
        if status is None:
            rest.shutdown()
            rest.server_close()
        command = [word.replace("$$", "$").replace("8501", str(port)) for word in command]
        done = subprocess.run(command, check=False, capture_output=True, timeout=20)
    finally:
        rest.shutdown()
        rest.server_close()
    assert kind == "CMD"
    assert (done.returncode == 0) == healthy


def test_the_image_is_built_from_what_is_there():
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    kept = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    for pattern in kept:
        assert list(ROOT.glob(pattern)), pattern
    for copied in re.search(r"^COPY (requirements.*) \./$", DOCKERFILE, re.MULTILINE)[1].split():
        assert (ROOT / copied).exists()
    assert re.search(r"^USER 65532:65532$", DOCKERFILE, re.MULTILINE)
    check = json.loads(re.search(r"^HEALTHCHECK .*\n\s+CMD (.*)$", DOCKERFILE, re.MULTILINE)[1])
    assert check == ["python", "-m", "agegait.serving.client.ready"]


def test_options_are_the_servers_and_the_clients():
    parser = argparse.ArgumentParser()
    options.add_server_options(parser)
    given = options.server_arguments(parser.parse_args([], argparse.Namespace(folder="x")))
    expected = inspect.signature(Server).parameters
    groups = {"models": ModelOptions("x"), "limits": Limits(), "answers": AnswerPolicy(), "batching": Batching()}
    assert {name: given.pop(name) for name in groups} == groups
    elsewhere = {"token", *groups}
    assert given == {name: parameter.default for name, parameter in expected.items() if name not in elsewhere}
    parser = argparse.ArgumentParser()
    options.add_client_options(parser)
    given = options.client_arguments(parser.parse_args([]))
    expected = inspect.signature(Client).parameters
    assert given.pop("target") == "127.0.0.1:8500"
    assert given == {name: parameter.default for name, parameter in expected.items() if name != "target"}


def test_options_are_understood(tmp_path):
    (tmp_path / "token").write_text("sesame-open-sesame\n")
    understood = server_options(
        [
            "x",
            "--token-file",
            tmp_path / "token",
            "--reflection",
            "--max-pending=3",
            "--batch-wait=0.01",
            "--rest-port=1",
        ]
    )
    given = options.server_arguments(understood)
    assert given["token_file"] == tmp_path / "token"
    assert given["reflection"] is True
    assert (given["limits"].max_pending, given["batching"].batch_wait, given["rest_port"]) == (3, 0.01, 1)


def test_options_cost_nothing_to_import():
    code = "import agegait.serving.options, json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert {"numpy", "grpc", "tensorflow", "google.protobuf"}.isdisjoint(json.loads(done.stdout))


def test_deployment_files_are_installed_with_the_package():
    installed = importlib.resources.files("agegait.export") / "deploy"
    assert {path.name for path in installed.iterdir()} == {path.name for path in DEPLOY.iterdir()}


def ready(*arguments):
    command = [sys.executable, "-m", "agegait.serving.client.ready", *arguments]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=60)


def test_readiness_is_told_by_the_exit_status(tmp_path):
    from support.export_walker import export

    (tmp_path / "walker").mkdir()
    export(tmp_path / "walker", 1)
    with Server(tmp_path, port=0, token="s" * 32) as server:
        done = ready("--server", server.address)
        assert (done.returncode, done.stdout) == (0, f"{server.address}: ready\n")
        server._health.shut_down()
        done = ready("--server", server.address)
        assert (done.returncode, done.stdout) == (1, f"{server.address}: not ready\n")
    authority = Authority(tmp_path)
    authority.sign("tls")
    tls = TlsFiles(tmp_path / "tls.pem", tmp_path / "tls.key")
    with Server(tmp_path, port=0, token="s" * 32, tls=tls) as server:
        done = ready("--server", f"localhost:{server.port}", "--tls-ca", str(tmp_path / "ca.pem"))
        assert (done.returncode, done.stdout) == (0, f"localhost:{server.port}: ready\n")
    done = ready("--server", server.address, "--timeout", "1")
    assert done.returncode == 1
    assert done.stderr.startswith(f"{server.address}: ")
    assert "Traceback" not in done.stderr
