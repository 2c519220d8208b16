"""Certificates, made for the tests."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import trustme


class Authority:
    """A certificate authority in a folder, a server certificate for 127.0.0.1 and a client's."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.ca = str(folder / "ca.pem")
        self.cert = str(folder / "client.pem")
        self.key = str(folder / "client.key")
        self.authority.cert_pem.write_to_path(self.ca)
        client = self.authority.issue_cert("user@example.org")
        client.cert_chain_pems[0].write_to_path(self.cert)
        client.private_key_pem.write_to_path(self.key)

    def server(self, *names: str, **issue: Any) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(*(names or ("127.0.0.1",)), **issue).configure_cert(context)
        return context
