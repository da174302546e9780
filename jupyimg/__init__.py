"""Container images as data, in a notebook, with no Docker needed."""

__version__ = "0.1.0"
