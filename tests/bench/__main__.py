"""The benchmarks: each row is a command of ours against a named peer, run in turn in one session.

``python -m tests.bench [WORD …]`` runs those whose names hold one of the words, all without any; ``BENCH_RUNS`` says
how many counted pairs (5). Nothing here is a test: figures belong to the machine that they were taken on, ratios less so.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import archives, catalogs, images, lists
from tests.bench.measure import HEAD, Figures, Row, Run, once, versus
from tests.services.containers import write_settings
from tests.services.daemons import serve_docker
from tests.services.process import need
from tests.services.registry import Registry, serve_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Side = Callable[[int], Run]

MEBIBYTE = 1 << 20
RUNS = int(os.environ.get("BENCH_RUNS", "5"))
LISTED = 1000
SHARED = 5000
REPOSITORIES, TAGS = 300, 5


class Bench:
    """A folder, a registry with the images, and how the two sides are called."""

    def __init__(self, folder: Path, registry: Registry) -> None:
        self.folder = folder
        self.registry = registry
        self.log = folder / "output"
        self.policy = write_settings(folder / "skopeo") / "policy.json"
        self.home = folder / "home"
        self.home.mkdir()

    def fresh(self, name: str) -> Path:
        """A place where nothing is, after what was there has reached the disk."""
        path = self.folder / name
        if path.is_file():
            path.unlink()
        shutil.rmtree(path, ignore_errors=True)
        os.sync()
        return path

    def jupyimg(self, store: Path, *words: str) -> Run:
        env = {**os.environ, "JUPYIMG_HOME": str(store), "HOME": str(self.home)}
        return Run([sys.executable, "-m", "jupyimg", *words], env)

    def skopeo(self, *words: str) -> Run:
        everywhere = [f"--policy={self.policy}", f"--tmpdir={self.folder}"]
        return Run([need("skopeo"), *everywhere, *words], {**os.environ, "HOME": str(self.home)})

    def versus(self, what: str, against: str, goal: float | None, ours: Side, theirs: Side) -> Row:
        return versus(what, against, ours, theirs, log=self.log, goal=goal, runs=RUNS)

    def held(self, image: str) -> tuple[Path, Path]:
        """The image in a store of ours and in a layout of skopeo's."""
        store, layout = self.fresh("store"), self.fresh("layout")
        once(self.jupyimg(store, "pull", "-q", image), self.log)
        once(self.skopeo("copy", "-q", "--src-tls-verify=false", f"docker://{image}", f"oci:{layout}:1"), self.log)
        return store, layout


def pull(bench: Bench, name: str, what: str, goal: float | None) -> Row:
    """`jupyimg pull` into an empty store against `skopeo copy` into an empty layout."""
    image = f"{bench.registry.host}/{name}:1"
    copy = ("copy", "-q", "--src-tls-verify=false", f"docker://{image}")
    return bench.versus(
        f"pull {what}",
        "skopeo copy to oci:",
        goal,
        lambda _: bench.jupyimg(bench.fresh("ours"), "pull", "-q", image),
        lambda _: bench.skopeo(*copy, f"oci:{bench.fresh('theirs')}:1"),
    )


def push(bench: Bench, name: str, what: str, goal: float | None) -> Row:
    """`jupyimg push` against `skopeo copy`, each into a repository that is not there yet, of an empty registry."""
    store, layout = bench.held(f"{bench.registry.host}/{name}:1")
    with serve_registry(bench.fresh("target")) as target:
        for run in range(RUNS + 1):
            once(
                bench.jupyimg(store, "tag", f"{bench.registry.host}/{name}:1", f"{target.host}/ours{run}:1"), bench.log
            )
        copy = ("copy", "-q", "--dest-tls-verify=false", f"oci:{layout}:1")

        def emptied(run: Run) -> Run:
            shutil.rmtree(target.data / "docker", ignore_errors=True)
            os.sync()
            return run

        return bench.versus(
            f"push {what}",
            "skopeo copy from oci:",
            goal,
            lambda run: emptied(bench.jupyimg(store, "push", "-q", f"{target.host}/ours{run}:1")),
            lambda run: emptied(bench.skopeo(*copy, f"docker://{target.host}/theirs{run}:1")),
        )


def apart(work: Callable[..., None], *args: object, **settings: object) -> None:
    """Run work in a process of its own: a child's peak memory counts from its parent's size, so ours must stay small."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=args, kwargs=settings)
    process.start()
    process.join()
    assert process.exitcode == 0, f"{work.__name__} failed"


def serve(bench: Bench) -> Row:
    """`skopeo copy` from `jupyimg serve` against the same from docker-registry, each to an empty layout."""
    image, store = f"{bench.registry.host}/gigabyte:1", bench.fresh("served")
    once(bench.jupyimg(store, "pull", "-q", image), bench.log)
    once(bench.jupyimg(store, "tag", image, "gigabyte:1"), bench.log)
    with served(bench.jupyimg(store, "serve", "--port", "0")) as (address, peak):
        row = bench.versus(
            "serve 1 GB to skopeo",
            "docker-registry to skopeo",
            1.1,
            lambda _: bench.skopeo(
                "copy", "-q", "--src-tls-verify=false", f"docker://{address}/gigabyte:1", f"oci:{bench.fresh('out')}:1"
            ),
            lambda _: bench.skopeo(
                "copy", "-q", "--src-tls-verify=false", f"docker://{image}", f"oci:{bench.fresh('out')}:1"
            ),
        )
        print(f"the server's peak memory is {peak():.0f} MB (goal < 150)")
    return row


@contextmanager
def served(run: Run) -> Iterator[tuple[str, Callable[[], float]]]:
    """A server in the foreground of a process of its own: its address, and how much memory it has used at most."""
    with subprocess.Popen(run.argv, env=dict(run.env), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        address = process.stderr.readline().split()[-1]

        def peak() -> float:
            status = Path(f"/proc/{process.pid}/status").read_text()
            return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))

        try:
            yield address, peak
        finally:
            process.send_signal(signal.SIGINT)


@contextmanager
def listed(bench: Bench) -> Iterator[tuple[Path, Run]]:
    """A store with a thousand images, and ``docker images`` of a daemon with the same."""
    store = bench.fresh("listed")
    apart(lists.fill_store, store / "store", LISTED)
    with serve_docker() as docker:
        apart(lists.fill_docker, docker, bench.folder / "images.tar", LISTED)
        yield store, Run([need("docker"), "-H", docker.host, "images"], {**os.environ, "HOME": str(bench.home)})


def cold_list(bench: Bench) -> Row:
    """`jupyimg images` in a fresh process without a derived cache."""
    with listed(bench) as (store, docker):
        return bench.versus(
            f"images, {LISTED}, fresh process",
            "docker images",
            4.0,
            lambda _: bench.jupyimg(store, "images"),
            lambda _: docker,
        )


def daemon_list(bench: Bench) -> Row:
    """`%image images` in a warm kernel that works with a daemon: one request, and its display made too."""
    return warm_list(bench, "docker", 1.5)


def warm_list(bench: Bench, engine: str = "embedded", goal: float = 1.0) -> Row:
    """`%image images` in a warm kernel, its display made too."""
    with listed(bench) as (store, docker):
        code = lists.WARM.replace("{count}", str(LISTED))
        ours, theirs, ratios = [], [], []
        for _ in range(RUNS):
            env = {**os.environ, "JUPYIMG_HOME": str(store), "HOME": str(bench.home), "IPYTHONDIR": str(bench.home)}
            env |= {"JUPYIMG_ENGINE": engine, "DOCKER_HOST": docker.argv[2]}
            used = once(Run([sys.executable, "-c", code], env), bench.log)
            seconds = float(bench.log.read_text().split()[-1])
            ours.append(Figures(seconds, seconds, used.peak))
            theirs.append(once(docker, bench.log))
            ratios.append(seconds / theirs[-1].wall)
    middle = RUNS // 2
    by_wall = partial(sorted, key=lambda figures: figures.wall)
    return Row(
        f"%image images, {LISTED}, warm kernel, {engine} engine",
        "docker images",
        by_wall(ours)[middle],
        by_wall(theirs)[middle],
        statistics.median(ratios),
        goal,
    )


def space(bench: Bench, what: str, asked: str) -> Row:
    """What a question about disk space takes against listing the same images, by a new engine each time."""
    store = bench.folder / "sharing"
    if not store.exists():
        apart(lists.fill_sharing, store / "store", LISTED, SHARED)
    used = once(Run([sys.executable, "-c", lists.SPACE, str(store), asked], dict(os.environ)), bench.log)
    new, warm = ([float(word) for word in line.split()] for line in bench.log.read_text().splitlines())
    print(f"{what}: a warm engine takes {warm[0]:.3f} s, to list {warm[1]:.3f} s, ratio {warm[2]:.2f}")
    ours, theirs = (Figures(seconds, seconds, used.peak) for seconds in new[:2])
    return Row(f"{what}, {LISTED} images", "engine.images()", ours, theirs, new[2], 2.0)


def load(bench: Bench) -> Row:
    """What `%load_ext jupyimg` adds to the start of IPython."""

    def ipython(code: str) -> Run:
        env = {**os.environ, "HOME": str(bench.home), "IPYTHONDIR": str(bench.home)}
        return Run([sys.executable, "-m", "IPython", "--no-banner", "--HistoryManager.enabled=False", "-c", code], env)

    row = bench.versus(
        "IPython and %load_ext jupyimg",
        "IPython",
        None,
        lambda _: ipython("%load_ext jupyimg"),
        lambda _: ipython("pass"),
    )
    added = 1000 * (row.ours.wall - row.theirs.wall)
    print(f"%load_ext jupyimg adds {added:.0f} ms (goal <= 100)")
    return row


@contextmanager
def archived(bench: Bench) -> Iterator[tuple[Path, Path]]:
    """A store with an image of 1 GB whose layers are true, and its archive."""
    store, archive = bench.fresh("saved"), bench.folder / "saved.tar"
    if not (bench.folder / "true").exists():
        apart(archives.write_layout, bench.folder / "true", layers=8, size=128 * MEBIBYTE)
    once(bench.jupyimg(store, "load", "-q", "-i", str(bench.folder / "true")), bench.log)
    once(bench.jupyimg(store, "save", "-q", "-o", str(archive), "gigabyte:1"), bench.log)
    yield store, archive


def save(bench: Bench, against: str, goal: float | None) -> Row:
    """`jupyimg save` of 1 GB against copying the layout, and against what docker and skopeo need to save it."""
    with archived(bench) as (store, archive), serve_docker() as docker:
        layout = f"oci:{bench.folder / 'true'}:{archives.NAME}"
        if against == "docker save":
            once(Run([need("docker"), "-H", docker.host, "load", "-q", "-i", str(archive)], os.environ), bench.log)
        theirs = {
            "cp -r of the layout": lambda: Run(["cp", "-r", str(store / "store"), str(bench.fresh("out"))], os.environ),
            "skopeo copy to oci-archive:": lambda: bench.skopeo(
                "copy", "-q", layout, f"oci-archive:{bench.fresh('out')}"
            ),
            "docker save": lambda: Run(
                [need("docker"), "-H", docker.host, "save", "-o", str(bench.fresh("out")), "gigabyte:1"], os.environ
            ),
        }
        out = bench.folder / "ours.tar"

        def ours(_: int) -> Run:
            out.unlink(missing_ok=True)
            os.sync()
            return bench.jupyimg(store, "save", "-q", "-o", str(out), "gigabyte:1")

        def other(_: int) -> Run:
            return theirs[against]()

        return bench.versus("save 1 GB", against, goal, ours, other)


def load_archive(bench: Bench, against: str, goal: float | None) -> Row:
    """`jupyimg load` of 1 GB, digests and diff IDs proven, against copying and hashing its bytes, and other tools."""
    with archived(bench) as (_, archive), serve_docker() as docker:
        tee = f"tee {bench.folder / 'copy'} < {archive} | sha256sum"
        theirs = {
            "tee and sha256sum": lambda: Run(["sh", "-c", tee], os.environ),
            "skopeo copy from oci-archive:": lambda: bench.skopeo(
                "copy", "-q", f"oci-archive:{archive}", f"oci:{bench.fresh('out')}:1"
            ),
            "docker load": lambda: Run(
                [need("docker"), "-H", docker.host, "load", "-q", "-i", str(archive)], os.environ
            ),
        }

        def other(_: int) -> Run:
            (bench.folder / "copy").unlink(missing_ok=True)
            subprocess.run(["docker", "-H", docker.host, "rmi", "-f", "gigabyte:1"], capture_output=True, check=False)
            os.sync()
            return theirs[against]()

        return bench.versus(
            "load 1 GB",
            against,
            goal,
            lambda _: bench.jupyimg(bench.fresh("loaded"), "load", "-q", "-i", str(archive)),
            other,
        )


def catalog(bench: Bench) -> Row:
    """`jupyimg catalog --tags` with nothing remembered against curl asking the very same URLs."""
    with serve_registry(bench.fresh("catalog")) as registry:
        apart(catalogs.fill, registry.host, REPOSITORIES, TAGS)
        before = len(registry.accesses())
        words = ("catalog", registry.host, "--tags", "--format", "json")
        once(bench.jupyimg(bench.fresh("remembered"), *words), bench.log)
        assert bench.log.read_text().count('"platform": "linux/amd64"') == REPOSITORIES * TAGS
        asked = registry.accesses()[before:]
        print(f"{len(asked)} requests, of them {sum(access.method == 'HEAD' for access in asked)} HEAD")
        config = catalogs.curl_config(bench.folder / "curl", registry.url, asked)
        peer = Run([need("curl"), "--parallel", "--config", str(config)], dict(os.environ))
        return bench.versus(
            f"catalog --tags, {REPOSITORIES} x {TAGS}",
            "curl --parallel, same URLs",
            2.0,
            lambda _: bench.jupyimg(bench.fresh("remembered"), *words),
            lambda _: peer,
        )


ROWS: dict[str, Callable[[Bench], Row]] = {
    "pull-1gb": lambda bench: pull(bench, "gigabyte", "1 GB in 8 layers", 0.65),
    "pull-200": lambda bench: pull(bench, "many", "200 layers of 10 kB", None),
    "push-1gb": lambda bench: push(bench, "gigabyte", "1 GB in 8 layers", 0.8),
    "push-200": lambda bench: push(bench, "many", "200 layers of 10 kB", None),
    "serve-1gb": serve,
    "save-cp": lambda bench: save(bench, "cp -r of the layout", 1.5),
    "save-skopeo": lambda bench: save(bench, "skopeo copy to oci-archive:", None),
    "save-docker": lambda bench: save(bench, "docker save", None),
    "load-tee": lambda bench: load_archive(bench, "tee and sha256sum", 1.0),
    "load-skopeo": lambda bench: load_archive(bench, "skopeo copy from oci-archive:", None),
    "load-docker": lambda bench: load_archive(bench, "docker load", None),
    "list-cold": cold_list,
    "list-warm": warm_list,
    "list-docker": daemon_list,
    "df": lambda bench: space(bench, "df", "lambda engine: engine.disk()"),
    "df-v": lambda bench: space(bench, "df -v", "lambda engine: engine.disk_images()"),
    "prune-plan": lambda bench: space(bench, "prune plan", "lambda engine: engine.prune_plan()"),
    "prune-plan-all": lambda bench: space(bench, "prune -a plan", "lambda engine: engine.prune_plan(everything=True)"),
    "extension": load,
    "catalog": catalog,
}


def main(words: list[str]) -> None:
    """Run the rows that were asked for and print the table."""
    wanted = {name: row for name, row in ROWS.items() if not words or any(word in name for word in words)}
    with (
        tempfile.TemporaryDirectory(prefix="jupyimg-bench-") as name,
        serve_registry(Path(name) / "registry") as registry,
    ):
        bench = Bench(Path(name), registry)
        if any("1gb" in row for row in wanted):
            apart(images.push, registry, "gigabyte", "1", layers=8, size=128 * MEBIBYTE)
        if any("200" in row for row in wanted):
            apart(images.push, registry, "many", "1", layers=200, size=10_000)
        print(HEAD, flush=True)
        for row in wanted.values():
            print(row(bench), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
