"""What a person sees in JupyterLab of a registry that is served from a notebook, and of a pruning that takes a while."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor

from playwright.sync_api import expect

from tests.bench import images
from tests.crash.relay import relayed

SLOW_DISK = """
import pathlib, time
_unlink = pathlib.Path.unlink
def unlink(path, **options):
    if "blobs" in path.parts and not pathlib.Path("seen").exists():
        time.sleep(1)
    _unlink(path, **options)
pathlib.Path.unlink = unlink
"""


def test_who_pulls_and_pushes_is_seen_while_they_do_and_stays_in_the_notebook(jupyter_page, registry, skopeo, tmp_path):
    images.push(registry, "lab/big", "1", layers=2, size=1_500_000)
    name = f"{registry.host}/lab/big:1"
    again = "server = %image serve --port 0\nserver"
    jupyter_page.open(
        ["%load_ext jupyimg", f"%image pull -q {name}\n%image tag {name} big:1", again, again, "%image serve --stop"]
    )
    for at in range(3):
        jupyter_page.run_cell(at)
    seen = jupyter_page.output(2)
    seen.get_by_text("nothing was pulled or pushed yet").wait_for()
    address = re.search(r"127\.0\.0\.1:\d+", seen.inner_text())[0]
    with relayed(address, 32 << 10) as relay, ThreadPoolExecutor() as pool:
        pulling = pool.submit(skopeo, "copy", f"docker://{relay.host}/library/big:1", f"oci:{tmp_path}/oci:1")
        seen.get_by_text("pulling").wait_for()
        jupyter_page.screenshot(tmp_path / "pulling.png")
        relay.rate = 0
        pulling.result()
    seen.get_by_text("pulled", exact=True).wait_for()
    skopeo("copy", f"oci:{tmp_path}/oci:1", f"docker://{address}/class/answer:done")
    seen.get_by_text("class/answer:done").wait_for()
    seen.get_by_text("1 pull, 1 push").wait_for()
    expect(seen).to_contain_text("3MB")
    jupyter_page.run_cell(3)  # what is served just so goes on, and is shown here too
    jupyter_page.output(3).get_by_text("class/answer:done").wait_for()
    expect(jupyter_page.output(3)).to_contain_text(address)
    jupyter_page.screenshot(tmp_path / "served.png")
    jupyter_page.run_cell(4)
    for at in (2, 3):
        jupyter_page.output(at).get_by_text(f"No longer serving the local store at {address}").wait_for()
    jupyter_page.output(4).get_by_text("1 pull, 1 push").wait_for()
    saved = json.loads(jupyter_page.save().read_text())
    assert "widget" not in json.dumps(saved["cells"][2]["outputs"])
    assert jupyter_page.complaints == []
    assert jupyter_page.outside == []


def test_a_pruning_that_takes_a_while_moves_and_one_that_does_not_shows_its_frame_alone(jupyter_page, tmp_path):
    jupyter_page.open([f"%load_ext jupyimg\n%image samples;\n{SLOW_DISK}", "%image prune -a -f", "%image prune -a -f"])
    jupyter_page.run_cell(0)
    jupyter_page.run_cell(1)
    seen = jupyter_page.output(1)
    seen.get_by_text("freed,").wait_for()
    expect(seen.get_by_role("progressbar")).to_have_count(1)
    jupyter_page.screenshot(tmp_path / "pruning.png")
    (jupyter_page.folder / "seen").touch()
    seen.get_by_text("total reclaimed space").first.wait_for()
    expect(seen.get_by_role("progressbar")).to_have_count(0)
    expect(seen).to_contain_text("Done: ")
    jupyter_page.run_cell(2)
    jupyter_page.output(2).get_by_text("total reclaimed space: 0B").first.wait_for()
    expect(jupyter_page.output(2)).not_to_contain_text("Done")
    jupyter_page.screenshot(tmp_path / "pruned.png")
    assert jupyter_page.complaints == []
