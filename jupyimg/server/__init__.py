"""The server: the local store as an OCI registry that docker, podman, skopeo, crane and jupyimg pull from and push to.

What lives here: HTTP, and the distribution API (distribution-spec 1.1) over one store. What does not: another copy of
anything; bytes, names and locks are the store's. `ImageServer` is the front door; the rest are its rooms.

===================  ===============================================================================
server, settings     `ImageServer`: start, stop; what it does and whom it lets in
listener             the open port, a thread for each connection, and a limit to them
connection           requests of one peer, one after the other
channel              a socket with deadlines; message, dechunk: HTTP/1.1 as values (pure)
gate, passwords      web pages, foreign hosts, wrong passwords and forbidden writes stay outside
routes, call         from a request to the endpoint that answers it
blobs, manifests,    the endpoints
uploads, listings
sessions             uploads under way
traffic              who pulls and pushes what
record               the store as repositories, read and changed
membership           what belongs to a repository (pure); spelling: how it is written (pure)
problems             refusals, with the specification's codes
===================  ===============================================================================

Threads and sendfile, because that is what was fastest and simplest: a blob goes from the kernel's cache to the socket
without passing through this process, and the interpreter's lock is free meanwhile. Nothing is held in memory but a
block for each upload and one manifest at a time; a peer that is slow or hostile costs a thread, until it is too slow.
"""

from jupyimg.server.channel import Patience
from jupyimg.server.passwords import read_htpasswd
from jupyimg.server.server import ImageServer
from jupyimg.server.settings import ServerSettings
from jupyimg.server.traffic import Traffic

__all__ = ["ImageServer", "Patience", "ServerSettings", "Traffic", "read_htpasswd"]
