"""Moving content: one algorithm over the two ports Source and Sink, so pull, push, copy, save and load are one call.

Nothing here knows a registry or a disk; `walk` finds what belongs to an image, `crew` runs threads, `copy` joins them.
"""

from jupyimg.transfer.copy import Copied, copying
from jupyimg.transfer.crew import aside
from jupyimg.transfer.walk import Selection, Tree, fetch, fetch_manifest, no_such_platform, platforms, resolved, walk

__all__ = [
    "Copied",
    "Selection",
    "Tree",
    "aside",
    "copying",
    "fetch",
    "fetch_manifest",
    "no_such_platform",
    "platforms",
    "resolved",
    "walk",
]
