"""index.json: what is read from it, what is written to it, and what of others survives."""

from __future__ import annotations

import json
import os
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyimg.errors import StoreError
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_INDEX, OCI_MANIFEST, Descriptor
from jupyimg.model.platform import Platform
from jupyimg.model.reference import Reference
from jupyimg.store import Entry, Store, publish, retarget, untag
from jupyimg.store.listing import read_entry, write_entry

REF_NAME, FULL_NAME = "org.opencontainers.image.ref.name", "io.containerd.image.name"
A = Descriptor(OCI_MANIFEST, Digest.of(b"a"), 1)
NGINX = Reference.parse("nginx")


def write(root, manifests, **beside):
    root.mkdir(parents=True, exist_ok=True)
    (root / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (root / "index.json").write_text(json.dumps({"schemaVersion": 2, **beside, "manifests": manifests}))


def line(word="a", **more):
    return {"mediaType": OCI_MANIFEST, "digest": str(Digest.of(word.encode())), "size": 1, **more}


def named(*names):
    return {"annotations": dict(zip((REF_NAME, FULL_NAME), names, strict=False))}


def test_a_folder_that_is_not_there_is_an_empty_store_and_stays_away(store, root):
    assert store.entries() == ()
    assert store.usage().unneeded(store.entries()) == {}
    assert store.collect() == []
    assert store.remove(lambda entries: untag(entries, NGINX)) == []
    assert not root.parent.exists()


def test_names_are_written_in_full_under_both_annotations(store, root):
    store.change(lambda entries: publish(entries, (Entry(NGINX, None, A),)))
    (entry,) = json.loads((root / "index.json").read_text())["manifests"]
    assert entry["annotations"] == {
        REF_NAME: "docker.io/library/nginx:latest",
        FULL_NAME: "docker.io/library/nginx:latest",
    }


@pytest.mark.parametrize(
    ("annotations", "name"),
    [
        ({REF_NAME: "docker.io/library/nginx:latest"}, "docker.io/library/nginx:latest"),
        ({REF_NAME: "nginx:1.27"}, "docker.io/library/nginx:1.27"),
        ({REF_NAME: "latest", FULL_NAME: "ghcr.io/me/app:latest"}, "ghcr.io/me/app:latest"),
        ({REF_NAME: f"me/app@{A.digest}"}, f"docker.io/me/app@{A.digest}"),
        ({REF_NAME: "latest"}, None),
        ({REF_NAME: "\x1b[31m:evil"}, None),
        ({FULL_NAME: "NOT A NAME/", REF_NAME: "quay.io/a/b:1"}, "quay.io/a/b:1"),
        ({}, None),
    ],
)
def test_a_name_is_read_from_what_other_tools_write(store, root, annotations, name):
    write(root, [line(annotations=annotations)])
    (entry,) = store.entries()
    assert entry.name == (name and Reference.parse(name))
    assert not entry.dangling


def test_lines_and_fields_that_we_do_not_understand_survive_a_rewrite(store, root):
    theirs = [
        line("b", **named("latest"), futureField={"deep": [1, None]}),
        line("c", annotations={"org.example.note": "hello", REF_NAME: "me/app:1"}, artifactType="x/y"),
        {"mediaType": OCI_MANIFEST, "digest": "blake3:1234", "size": 1},
        {"not": "a descriptor"},
    ]
    write(root, theirs, annotations={"of": "the index"}, subject=line("s"))
    store.change(lambda entries: publish(entries, (Entry(NGINX, None, A),)))
    after = json.loads((root / "index.json").read_text())
    assert [item for item in after["manifests"] if item in theirs] == theirs
    assert len(after["manifests"]) == len(theirs) + 1
    assert after["annotations"] == {"of": "the index"}
    assert after["subject"] == line("s")


def test_annotations_of_others_survive_when_we_move_a_name(store, root):
    write(root, [line("b", annotations={REF_NAME: "docker.io/library/nginx:latest", "org.example.note": "hello"})])
    store.change(lambda entries: publish(entries, (Entry(NGINX, None, A),)))
    dangling = json.loads((root / "index.json").read_text())["manifests"][0]
    assert dangling["annotations"] == {"org.example.note": "hello", "org.jupyimg.repository": "docker.io/library/nginx"}


def test_an_empty_list_as_go_writes_it_is_an_empty_store(store, root):
    write(root, None)
    assert store.entries() == ()


def test_a_change_that_changes_nothing_writes_nothing(store, root):
    store.change(lambda entries: publish(entries, (Entry(NGINX, None, A),)))
    before = (root / "index.json").stat()
    store.change(lambda entries: publish(entries, (Entry(NGINX, None, A),)))
    assert (root / "index.json").stat() == before


def test_what_another_process_wrote_is_seen_also_in_the_same_instant_with_the_same_size(root):
    one, other = Store(root), Store(root)
    for number in range(60):
        tag = Reference.parse(f"nginx:{number:03}")
        one.change(lambda _, tag=tag: (Entry(tag, None, A),))
        assert [entry.name for entry in other.entries()] == [tag]


def test_an_unchanged_file_is_not_read_again(store, root):
    write(root, [line(**named("nginx:1"))])
    os.utime(root / "index.json", (1, 1))
    assert store.entries()[0] is store.entries()[0]
    raw = (root / "index.json").read_bytes()
    (root / "index.json").write_bytes(raw.replace(b"nginx:1", b"nginx:2"))
    os.utime(root / "index.json", (1, 1))
    assert store.entries()[0].name == Reference.parse("nginx:1")


def test_threads_lose_no_name(store):
    def add(start):
        for number in range(start, start + 20):
            entry = Entry(Reference.parse(f"app:{number}"), None, A)
            store.change(lambda entries, entry=entry: publish(entries, (entry,)))

    threads = [threading.Thread(target=add, args=(start,)) for start in (0, 100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({entry.name for entry in store.entries()}) == 80


@pytest.mark.parametrize("damage", [b"", b"{", b'{"manifests": 7}', b"\xff\xfe", b"[]", b'{"manifests": [' * 5000])
def test_a_damaged_index_is_one_clear_error_and_is_left_as_it_is(store, root, damage):
    write(root, [])
    (root / "index.json").write_bytes(damage)
    with pytest.raises(StoreError, match=r"index\.json is damaged") as caught:
        store.entries()
    assert "no content was lost" in caught.value.hint
    with pytest.raises(StoreError, match="damaged"):
        store.change(lambda entries: publish(entries, (Entry(NGINX, None, A),)))
    with pytest.raises(StoreError, match="damaged"):
        store.collect()
    assert (root / "index.json").read_bytes() == damage


def test_half_a_file_that_another_tool_is_writing_in_place_is_given_a_moment(store, root):
    write(root, [line(**named("nginx:1"))])
    whole = (root / "index.json").read_bytes()
    (root / "index.json").write_bytes(whole[:40])
    mend = threading.Timer(0.04, (root / "index.json").write_bytes, [whole])
    mend.start()
    assert [entry.name for entry in store.entries()] == [Reference.parse("nginx:1")]
    mend.join()


@pytest.mark.parametrize("mark", ['{"imageLayoutVersion": "2.0.0"}', "nonsense", "{}", '{"imageLayoutVersion": 1}'])
def test_another_layout_version_is_refused_and_left_alone(store, root, mark):
    write(root, [line(**named("nginx:1"))])
    (root / "oci-layout").write_text(mark)
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    for use in (store.entries, lambda: store.change(lambda _: ()), store.collect):
        with pytest.raises(StoreError, match=r"only version 1\.0\.0 is understood"):
            use()
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


def test_a_layout_whose_mark_is_missing_is_read_and_gets_one_when_it_is_written(store, root):
    write(root, [line(**named("nginx:1"))])
    (root / "oci-layout").unlink()
    assert len(store.entries()) == 1
    store.change(lambda entries: retarget(entries, NGINX, entries))
    assert json.loads((root / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
digests = st.binary(max_size=4).map(Digest.of)
references = st.builds(
    Reference,
    st.sampled_from(["docker.io", "localhost:5000", "ghcr.io"]),
    st.sampled_from(["library/nginx", "me/app", "a/b/c"]),
    st.sampled_from(["latest", "1.27"]),
) | digests.map(lambda digest: Reference("docker.io", "library/x", "", digest))
descriptors = st.builds(
    Descriptor,
    st.just(OCI_MANIFEST),
    digests,
    st.integers(0, 2**63 - 1),
    st.none() | st.just(Platform("arm", "linux", variant="v7")),
    st.none() | st.dictionaries(texts.map("org.example.".__add__), texts, min_size=1, max_size=3),
    st.sampled_from(["", "a/b"]),
    st.sampled_from([(), ("https://example.org/x",)]),
)
indexes = st.none() | st.builds(Descriptor, st.just(OCI_INDEX), digests, st.integers(0, 2**63 - 1))
entries = st.builds(Entry, references, st.none(), descriptors, indexes) | st.builds(
    Entry, st.none(), st.none() | st.just("docker.io/library/x"), descriptors, indexes
)


@given(entries)
@settings(deadline=None)
def test_an_entry_is_read_as_it_was_written(entry):
    assert read_entry(write_entry(entry)) == entry


def test_ten_thousand_entries_are_rewritten_whole(store, root):
    many = tuple(Entry(Reference.parse(f"app{n % 50}:{n}"), None, A) for n in range(10_000))
    store.change(lambda _: many)
    began = time.perf_counter()
    store.change(lambda entries: publish(entries, (Entry(NGINX, None, A),)))
    assert len(Store(root).entries()) == 10_001
    assert time.perf_counter() - began < 30  # quadratic work would take minutes
