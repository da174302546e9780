"""What the backends may answer differently, each with its reason: the only exceptions that the suite knows."""

from __future__ import annotations

UNKNOWN = {
    "embedded": {
        "containers": "it runs none",
    },
    "docker": {
        "size": "its classic store keeps unpacked files, not the layers that were pulled",
        "manifest_digest": "it keeps no manifest either",
        "platform": "its list does not tell it; inspect does",
        "containers": "its list says -1",
    },
    "podman": {
        "size": "its list tells the unpacked size",
        "platform": "its list does not tell it; inspect does",
    },
}
"""Fields of a row of `images` that an engine cannot know: they are empty there, and all others are not."""

COARSE = {
    "embedded": 1,
    "docker": 1,
    "podman": 1.75,
}
"""How far `unpacked` may be above the bytes of the files: Podman counts whole archives, headers and padding too."""

ONE_PLATFORM = {"docker", "podman"}
"""A daemon's store here keeps one platform under a name."""

DIGEST_IS_A_NAME = {"docker"}
"""Docker untags ``name@digest`` beside a tag of the same repository; the others refuse, since only the tag is held."""

BY_DIGEST_IS_DANGLING = {"docker"}
"""Docker cannot tell an image that was pulled by digest from one whose tag has moved on."""

LISTS_DANGLING = {"docker", "podman"}
"""A container may use an image that no name is left for; the embedded engine hides these, as Docker's client since 29."""

QUIET_DIGESTS = {"podman"}
"""Podman does not tell of the ``name@digest`` that goes with the last tag of a repository."""
