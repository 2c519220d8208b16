"""Makes TLS contexts: the system's trust store, a CA of the user's, a client certificate, or no verification at all."""

from __future__ import annotations

import ssl


def client_context(ca: str | None, cert: str | None, key: str | None, verify: bool) -> ssl.SSLContext:
    """Return an SSL context for a client. Paths are PEM files.

    Raises:
        OSError: a file cannot be read.
        ssl.SSLError: a file is no certificate or no matching key.
    """
    context = ssl.create_default_context(cafile=ca)
    if cert is not None:
        # An encrypted key is an error; without a password given, OpenSSL would ask for it on the terminal.
        context.load_cert_chain(cert, key, password="")
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    # HTTP/2 is negotiated by the transport that speaks it; this connection speaks HTTP/1.1 only.
    context.set_alpn_protocols(["http/1.1"])
    return context
