"""Random images that go round, and random trees of names and links against a slow reference."""

from __future__ import annotations

import io

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyimg.engines import open_engine
from jupyimg.errors import ContentError
from jupyimg.model.settings import Settings
from jupyimg.store.archives.files import TarFiles
from tests.archives import build
from tests.archives.test_round_trip import same
from tests.services.synthetic import make_image, make_layer
from tests.store.checker import verify_store

FILES = st.dictionaries(st.text("abc/.", min_size=1, max_size=6), st.binary(max_size=700), max_size=3)
LAYERS = st.lists(st.tuples(FILES, st.sampled_from(["gzip", "zstd", "none"])), max_size=4)


@given(
    layers=LAYERS,
    media=st.sampled_from(["oci", "docker"]),
    tags=st.sets(st.sampled_from(["a:1", "a:2", "q.io/b/c:3"]), min_size=1),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_image_goes_round(layers, media, tags, tmp_path_factory):
    folder = tmp_path_factory.mktemp("any")
    image = make_image([make_layer(files, compression=how) for files, how in layers], media=media)
    one, two = (open_engine(Settings(home=folder / name)) for name in ("one", "two"))
    one.load(build.write(folder / "in.tar", build.docker_save(image, sorted(tags))))
    one.save(sorted(tags), folder / "out.tar")
    two.load(folder / "out.tar")
    assert same(one, two)
    assert {record.reference for record in two.images()} == tags
    assert two.inspect(min(tags)).image_id == image.blobs[-1].digest
    verify_store(two.settings.store)


NAMES = st.sampled_from(["a", "b", "d/a", "d/b", "d/e/a", "./a", "d/../b", "/a", "../a", "x"])
TARGETS = st.sampled_from(["a", "b", "../a", "../b", "e/a", "d/a", "/a", "../../a", "d/../a", "."])
ENTRIES = st.lists(
    st.tuples(NAMES, st.one_of(st.binary(max_size=5), st.tuples(st.sampled_from("12"), TARGETS))), max_size=8
)


def shortest(parts: list[str]) -> tuple[str, ...] | None:
    """A path without dots; None where it leads out."""
    found: list[str] = []
    for part in parts:
        if part == "..":
            if not found:
                return None
            found.pop()
        elif part not in {"", "."}:
            found.append(part)
    return tuple(found) or None


def resolved(entries, name):
    """What a name leads to, found the slow way: bytes, None for nothing, or "refused"."""
    at = shortest(name.split("/")) if not name.startswith("/") else None
    for _ in range(20):
        if at is None:
            return "refused"
        here = [what for path, what in entries if not path.startswith("/") and shortest(path.split("/")) == at]
        if not here:
            return None
        if len(here) > 1:
            return "refused"
        if isinstance(here[0], bytes):
            return here[0]
        kind, target = here[0]
        if target.startswith("/"):
            return "refused"
        at = shortest([*(at[:-1] if kind == "2" else ()), *target.split("/")])
    return "refused"


@given(entries=ENTRIES, name=NAMES)
@settings(max_examples=400, deadline=None)
def test_names_and_links_lead_where_a_slow_reference_says(entries, name):
    odd = [(path, what if isinstance(what, bytes) else build.Odd(what[0].encode(), what[1])) for path, what in entries]
    files = TarFiles(io.BytesIO(build.pack(odd)), "it", lambda: None)
    expected = resolved(entries, name)
    try:
        size = files.size(name)
        found = None if size is None else b"".join(files.read(name, lambda: None))
        assert size is None or size == len(found)
        assert size is None or files.head(files.place(name)) == found[:8]
    except ContentError:
        found = "refused"
    assert found == expected
