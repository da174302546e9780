"""Words: frozen values that are valid once built, the ports that places speak, and the records that engines return.

Nothing here reads a file, a socket or the environment. A document keeps the exact bytes it came as, because a digest
is of bytes and never of re-serialised JSON.
"""
