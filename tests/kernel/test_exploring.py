"""Exploring in a real kernel: what a saved notebook holds of it, and a stop that comes in the middle of a pause."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.registry.fake import Answer, serve_fake
from tests.registry.hub import Hub, hit
from tests.services import synthetic
from tests.services.kernel import run_cells
from tests.services.waiting import AT_ONCE
from tests.views.samples import HOSTILE

if TYPE_CHECKING:
    from pathlib import Path

STOPPED = """
import os, pathlib, signal, threading, time
began = []
def stop():
    while not pathlib.Path("asked").exists(): time.sleep(0.01)
    time.sleep(0.5)
    began.append(time.monotonic())
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=stop, daemon=True).start()
%image catalog {busy}
"""


def test_search_catalog_tags_and_a_stop_in_a_kernel(registry, tmp_path: Path) -> None:
    for name in ("1.0", "1.1"):
        synthetic.push(registry, "team/app", name, synthetic.make_image(labels={"v": name}))
    with serve_fake() as fake:
        Hub(fake).hits = [hit("nginx"), hit("u/nginx", short_description=HOSTILE)]

        def busy(_seen: object) -> Answer:
            (tmp_path / "asked").touch()
            return Answer(429, b"", {"Retry-After": "50"})

        fake.rule("_catalog", busy)
        cells = run_cells(
            tmp_path,
            [
                "%load_ext jupyimg",
                f"host, busy = {registry.host!r}, {fake.host!r}",
                "x = %image search nginx\nx",
                "y = %image catalog {host} --tags\ny",
                "import json\nprint(json.dumps([x['name'].tolist(), y['tag'].tolist(), y['platform'].tolist()]))",
                STOPPED,
                f"print(time.monotonic() - began[0] < {AT_ONCE})",
                "z = %image catalog {host}\nprint(len(z))",
            ],
            JUPYIMG_HUB_API=fake.url,
        )
    assert [cell.error for cell in cells if cell.error] == [("Interrupted", "interrupted")]
    assert json.loads(cells[4].stream()) == [["nginx", "u/nginx"], ["1.1", "1.0"], ["linux/amd64"] * 2]
    html = "".join(cells[2].shown("text/html"))
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    assert any("Done: 1 repository, 2 tags" in text for text in cells[3].shown())
    assert cells[6].stream() == "True\n"
    assert cells[7].stream() == "1\n"
    assert "hint: run the line again" in cells[5].traceback
