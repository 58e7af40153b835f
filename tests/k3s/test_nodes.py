"""The scripts that prepare nodes.

The installer of the shim works in a folder that stands for a node's root; the command that says which nodes can run
Spin asks a kubectl with prepared answers.
"""

import hashlib
import io
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from manifests import schemas
from manifests.clusters import clusters
from manifests.places import LOCK_FILE, ROOT
from manifests.reading import assignments, documents

SHIM = "usr/local/bin/containerd-shim-spin-v2"
# K3s writes what it finds when it starts.
SYSTEMCTL = """#!/bin/sh
echo "$@" >>"$NODE_ROOT/systemctl"
case "$1" in
is-active) [ "$3" = "$K3S_UNIT" ] ;;
restart) cp "$NODE_ROOT/found" "$NODE_ROOT/var/lib/rancher/k3s/agent/etc/containerd/config.toml" ;;
esac
"""
CURL = """#!/bin/sh
echo "$@" >>"$NODE_ROOT/curl"
while [ "$1" != --output ]; do shift; done
cp "$NODE_ROOT/archive.tar.gz" "$2"
"""
FOUND = """[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.'spin']
  runtime_type = "io.containerd.spin.v2"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.'spin'.options]
  BinaryName = "/usr/local/bin/containerd-shim-spin-v2"
  SystemdCgroup = true
"""


class Node:
    """A node with K3s, as far as the installer looks at it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "node"
        (self.root / "var/lib/rancher/k3s/agent/etc/containerd").mkdir(parents=True)
        (self.root / "found").write_text(FOUND)
        # The installer beside its lock file.
        self.release = folder / "release"
        (self.release / "runtime-class").mkdir(parents=True)
        (self.release / LOCK_FILE).parent.mkdir(parents=True)
        for name in ("install-shim", "spin-versions.sh"):
            shutil.copy(ROOT / "runtime-class" / name, self.release / "runtime-class")
        self.archive = self.root / "archive.tar.gz"
        self.programs = folder / "bin"
        self.programs.mkdir()
        self.has_program("systemctl", SYSTEMCTL)
        self.has_program("curl", CURL)
        self.has_program("sleep", "#!/bin/sh\n")
        self.has_program("uname", "#!/bin/sh\necho x86_64\n")
        self.publish(b"the shim")

    def has_program(self, name: str, text: str) -> None:
        (self.programs / name).write_text(text)
        (self.programs / name).chmod(0o755)

    def publish(self, shim: bytes, name: str = "containerd-shim-spin-v2") -> None:
        """Makes an archive of a release, and locks its sum."""
        with tarfile.open(self.archive, "w:gz") as archive:
            entry = tarfile.TarInfo(name)
            entry.size = len(shim)
            archive.addfile(entry, io.BytesIO(shim))
        self.lock(hashlib.sha256(self.archive.read_bytes()).hexdigest())

    def lock(self, total: str) -> None:
        text = (ROOT / LOCK_FILE).read_text()
        locked = re.sub(r"(SHIM_SHA256_X86_64)=.*", rf"\1={total}", text)
        (self.release / LOCK_FILE).write_text(locked)

    def lock_version(self, version: str) -> None:
        lock = self.release / LOCK_FILE
        lock.write_text(re.sub(r"(SHIM_VERSION)=.*", rf"\1={version}", lock.read_text()))

    def install(self, *arguments: str | Path, succeeds: bool = True, unit: str = "k3s-agent") -> str:
        return self._run([self.release / "runtime-class/install-shim", *arguments], succeeds, unit)

    def install_as_the_fleet_does(self, succeeds: bool = True) -> str:
        """What the pod gives to the node's bash, with its environment; nsenter would go into the node."""
        [fleet] = [cluster for cluster in clusters() if cluster.name == "runtime-class"]
        [container] = fleet.one("DaemonSet")["spec"]["template"]["spec"]["initContainers"]
        [files] = [item["data"] for item in fleet.of("ConfigMap") if "install-shim" in item["data"]]
        installer = self.programs.parent / "installer"
        installer.mkdir()
        for name, text in files.items():
            (installer / name).write_text(text)
        *shell, command = container["command"]
        command = command.replace("/installer/", f"{installer}/").replace("nsenter -t 1 -m -u -i -n -p -- ", "")
        lock = assignments((self.release / LOCK_FILE).read_text())
        given = {variable["name"]: lock[variable["name"]] for variable in container["env"]}
        return self._run([*shell, command], succeeds, "k3s-agent", **given)

    def _run(self, command: list[str | Path], succeeds: bool, unit: str, **given: str) -> str:
        environment = os.environ | {
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "NODE_ROOT": str(self.root),
            "K3S_UNIT": unit,
        }
        done = subprocess.run(
            command,
            env=environment | given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
        )
        assert (done.returncode == 0) == succeeds, done.stdout
        return done.stdout

    def seen(self, program: str) -> list[str]:
        file = self.root / program
        return file.read_text().splitlines() if file.exists() else []

    @property
    def shim(self) -> bytes | None:
        file = self.root / SHIM
        return file.read_bytes() if file.exists() else None


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_the_locked_shim_is_installed_and_k3s_restarted_until_it_knows_it(node: Node) -> None:
    said = node.install(node.archive)
    assert "SystemdCgroup" not in said
    assert node.shim == b"the shim"
    assert os.access(node.root / SHIM, os.X_OK)
    assert "restart k3s-agent" in node.seen("systemctl")


def test_on_a_server_the_server_is_restarted(node: Node) -> None:
    node.install(node.archive, unit="k3s")
    assert [line for line in node.seen("systemctl") if "restart" in line] == ["restart k3s"]


def test_a_second_time_changes_nothing(node: Node) -> None:
    node.install(node.archive)
    before = (node.root / SHIM).stat(), node.seen("systemctl")
    node.install(node.archive)
    assert ((node.root / SHIM).stat(), node.seen("systemctl")) == before


def test_a_newer_release_takes_the_place_of_the_older_one(node: Node) -> None:
    node.install(node.archive)
    node.publish(b"the next shim")
    node.install(node.archive)
    assert node.shim == b"the next shim"


def test_a_shim_that_was_changed_on_the_node_is_put_back(node: Node) -> None:
    node.install(node.archive)
    (node.root / SHIM).write_bytes(b"something else")
    node.install(node.archive)
    assert node.shim == b"the shim"


def test_what_is_downloaded_is_the_locked_version_for_this_processor(node: Node) -> None:
    node.install()
    version = assignments((ROOT / LOCK_FILE).read_text())["SHIM_VERSION"]
    [line] = node.seen("curl")
    assert line.endswith(f"/{version}/containerd-shim-spin-v2-linux-x86_64.tar.gz")
    assert node.shim == b"the shim"


def test_an_archive_with_another_sum_is_refused(node: Node) -> None:
    node.lock("1" * 64)
    assert "another sum" in node.install(node.archive, succeeds=False)
    assert node.shim is None
    assert node.seen("systemctl") == []


def test_without_a_sum_in_the_lock_file_nothing_is_installed(node: Node) -> None:
    node.lock("0" * 64)
    assert "release.env" in node.install(node.archive, succeeds=False)
    assert node.shim is None


@pytest.mark.parametrize("version", ["v0.22.0", "v0.25.0", "v0.25.1"])
def test_a_shim_whose_spin_may_not_serve_the_application_is_not_installed(node: Node, version: str) -> None:
    node.lock_version(version)
    for said in (node.install(node.archive, succeeds=False), node.install_as_the_fleet_does(succeeds=False)):
        assert f"the shim {version} is refused: which Spin it carries is not written" in said
    assert node.shim is None
    assert node.seen("curl") == []


def test_the_fleet_installs_what_is_locked(node: Node) -> None:
    assert "K3s knows the runtime" in node.install_as_the_fleet_does()
    assert node.shim == b"the shim"


def test_an_archive_without_the_shim_is_refused(node: Node) -> None:
    node.publish(b"the shim", name="other")
    node.install(node.archive, succeeds=False)
    assert node.shim is None


def test_another_processor_is_refused(node: Node) -> None:
    node.has_program("uname", "#!/bin/sh\necho riscv64\n")
    assert "riscv64" in node.install(node.archive, succeeds=False)


def test_a_k3s_that_does_not_find_the_shim_is_reported(node: Node) -> None:
    (node.root / "found").write_text("[plugins]\n")
    assert "no runtime `spin`" in node.install(node.archive, succeeds=False)


def test_a_wrong_cgroup_driver_is_pointed_out(node: Node) -> None:
    (node.root / "found").write_text(FOUND.replace("SystemdCgroup = true", "SystemdCgroup = false"))
    assert "SystemdCgroup" in node.install(node.archive)


def test_the_fleets_installer_gets_what_is_locked() -> None:
    [fleet] = [cluster for cluster in clusters() if cluster.name == "runtime-class"]
    [container] = fleet.one("DaemonSet")["spec"]["template"]["spec"]["initContainers"]
    given = {variable["name"]: variable["value"] for variable in container["env"]}
    assert given == {name: value for name, value in fleet.lock.items() if name.startswith("SHIM_")}
    # The same texts that are run by hand.
    configuration = next(item for item in fleet.of("ConfigMap") if "install-shim" in item["data"])
    for name in ("install-shim", "spin-versions.sh"):
        assert configuration["data"][name] == (ROOT / "runtime-class" / name).read_text()


# --- check-nodes ---

KUBECTL = """#!/bin/sh
case "$*" in
*"get nodes"*) cat "$CLUSTER/nodes" ;;
*"get runtimeclass"*) cat "$CLUSTER/handler" ;;
*"create --filename=-"*) printf '\\n---\\n' >>"$CLUSTER/created"; cat >>"$CLUSTER/created" ;;
*wait*spin-probe-bare*) exit 1 ;;
*"get events"*) echo 'no runtime for "spin" is configured' ;;
*"delete pod"*) echo "$*" >>"$CLUSTER/deleted" ;;
*wait*) ;;
*) exit 1 ;;
esac
"""
NODES = """good|True|amd64|true|
arm|True|arm64|true|
bare|True|amd64|true|
down|Unknown|amd64|true|
odd|True|riscv64|true|
server|True|amd64|true|node-role.kubernetes.io/control-plane
unlabelled|True|amd64||
"""


def check_nodes(folder: Path, nodes: str, handler: str = "spin") -> tuple[int, dict[str, str]]:
    """The status, and what is said of each node."""
    (folder / "nodes").write_text(nodes)
    (folder / "handler").write_text(handler)
    (folder / "kubectl").write_text(KUBECTL)
    (folder / "kubectl").chmod(0o755)
    done = subprocess.run(
        [ROOT / "runtime-class/check-nodes"],
        env=os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "CLUSTER": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, dict(line.split(": ", 1) for line in done.stdout.splitlines())


def test_each_node_gets_a_line_that_says_whether_it_can_run_spin_and_why_not(tmp_path: Path) -> None:
    status, said = check_nodes(tmp_path, NODES)
    assert status == 0
    assert {name for name, verdict in said.items() if verdict == "can run Spin"} == {"good", "arm"}
    assert "no runtime" in said["bare"]
    assert "not ready" in said["down"]
    assert "riscv64" in said["odd"]
    assert "control-plane" in said["server"]
    assert "kubectl label node unlabelled spin=true" in said["unlabelled"]


def test_the_pods_that_ask_a_node_fit_kubernetes_schemas_and_are_taken_away(tmp_path: Path) -> None:
    check_nodes(tmp_path, NODES)
    pods = documents((tmp_path / "created").read_text())
    assert [pod["spec"]["nodeName"] for pod in pods] == ["good", "arm", "bare", "unlabelled"]
    assert [schemas.complaint(pod) for pod in pods] == [None] * len(pods)
    deleted = (tmp_path / "deleted").read_text()
    for pod in pods:
        # Before, in case one was left over, and after.
        assert deleted.count(f"{pod['metadata']['name']} ") == 2


def test_a_cluster_without_any_able_node_fails(tmp_path: Path) -> None:
    status, said = check_nodes(tmp_path, "bare|True|amd64|true|\n")
    assert status == 1
    assert "no runtime" in said["bare"]


@pytest.mark.parametrize("handler", ["", "spin-v2"])
def test_a_runtime_class_that_is_missing_or_of_another_handler_fails(tmp_path: Path, handler: str) -> None:
    assert check_nodes(tmp_path, NODES, handler) == (1, {})
