"""A job in a real kernel: the next cell runs meanwhile, its display is right at the end, and the kernel can leave."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time

import pytest
from jupyter_client.manager import KernelManager
from traitlets.config import Config

from tests.bench import images
from tests.crash.relay import relayed
from tests.services.kernel import run_cells
from tests.services.waiting import AT_ONCE, PATIENCE, until

SLOW = 50 << 10
"""Bytes a second and connection: a layer takes half a minute, unless a test lets it go."""


@pytest.fixture
def relay(registry):
    images.push(registry, "big", "1", layers=3, size=1_500_000)
    with relayed(registry.host, SLOW) as relay:
        yield relay


@pytest.fixture
def slow(relay):
    return f"{relay.host}/big:1"


ENDED = "import time\nwhile not {job}.done: time.sleep(0.05)\ntime.sleep(0.3)"


def test_cells_run_beside_a_job_and_its_display_ends_with_what_became_of_it(relay, slow, registry, tmp_path):
    def let_go():
        until((tmp_path / "go").exists)
        relay.rate = 0

    threading.Thread(target=let_go, daemon=True).start()
    images.push(registry, "small", "1", layers=1, size=1000)
    cells = run_cells(
        tmp_path,
        [
            "%load_ext jupyimg",
            f"job = %image pull -d {slow}",
            "print(job.done, 6 * 7)",
            # What a job says while no cell runs is lost on this kind of front end; all of them end within a cell.
            f"small = %image pull -d {registry.reference('small:1')}\n{ENDED.format(job='small')}",
            f"wrong = %image pull -d {registry.reference('none:1')}\n{ENDED.format(job='wrong')}",
            "open('go', 'w').close(); frame = job.wait(); print(frame.status[0])",
            "job",
            "wrong.wait()",
            "%image jobs",
        ],
    )
    assert [cell.error[0] for cell in cells if cell.error] == ["RemoteNotFound"]
    assert cells[2].stream() == "False 42\n"
    assert cells[5].stream() == "downloaded\n"
    for cell, title in ((cells[1], f"Job 1: pull {slow} (done): 3 layers"), (cells[3], "Job 2: ")):
        progress, below = cell.shown("text/plain")
        assert progress.startswith(title)
        assert "over" in below
    assert "Job 3: " in cells[4].shown()[0]
    assert "(failed)" in cells[4].shown()[0]
    assert cells[6].shown()[0] == cells[1].shown()[0]
    widgets = [output for cell in cells for output in cell.outputs if "widget" in str(output.get("data", {}))]
    assert widgets == []
    html = cells[1].shown("text/html")[0]
    assert "<progress" not in html
    assert 'role="status"' in html


def test_a_kernel_with_a_running_job_ends_at_once(slow, tmp_path):
    runtime = tempfile.mkdtemp(prefix="jupyimg-kernel-", dir="/tmp")
    config = Config({"KernelManager": {"transport": "ipc", "connection_file": f"{runtime}/kernel.json"}})
    manager = KernelManager(config=config, kernel_name="python3")
    manager.start_kernel(env={**os.environ, "JUPYIMG_HOME": str(tmp_path / "jupyimg")})
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        code = f"%load_ext jupyimg\njob = %image pull -d {slow}\nimport time\nwhile not job.progress.moved: time.sleep(0.01)"
        assert (
            client.execute_interactive(code, timeout=PATIENCE, output_hook=lambda _: None)["content"]["status"] == "ok"
        )
        began = time.monotonic()
        client.shutdown()
        until(lambda: not manager.is_alive())
        assert time.monotonic() - began < AT_ONCE, "it waits for the job"
        assert manager.provisioner.process.returncode == 0
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        shutil.rmtree(runtime, ignore_errors=True)
