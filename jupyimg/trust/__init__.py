"""May this image be let in? A policy in containers' format, and the signatures that it asks for.

`admission` gives what `transfer.copying` asks before anything moves. From the top: `decision`, `gpg`, `lookaside` and
`sigstore` (where signatures are and who made them), `evidence` and `keys` (what they say), `policy`, `identity` and
`strict` (what the user wants). Keys come from the policy and from nowhere else.

What checks a signature is `cryptography` and gpg; both, and YAML, are imported or started when a policy needs them.
"""

from __future__ import annotations

from jupyimg.trust.decision import Admission, admission
from jupyimg.trust.evidence import Evidence

__all__ = ["Admission", "Evidence", "admission"]
