"""A certificate authority for one run: it lives in the memory of the controller and is gone with it.

An open port of Dask runs what it is sent: whoever has no certificate of this run's CA is refused, on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

#: Longer than any run; clocks of boxes may be wrong by a day.
_VALID = timedelta(days=366)
_SKEW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is in a run, as PEM. ``key`` is secret: it is in no log, argument or environment."""

    ca: str
    cert: str
    key: str

    def __repr__(self) -> str:
        return "Identity(…)"


class Authority:
    """The certificate authority of one run."""

    def __init__(self, run_id: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(f"agenttop {run_id}")
        self._cert = _sign(self._name, self._name, self._key.public_key(), self._key, ca=True)

    def identity(self, name: str) -> Identity:
        """Return a new key, and its certificate by this authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        cert = _sign(_name(name), self._name, key.public_key(), self._key, ca=False)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Identity(_pem(self._cert), _pem(cert), private.decode())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _sign(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    ca: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + _VALID)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=0 if ca else None), critical=True)
        .sign(signer, hashes.SHA256())
    )


def _pem(cert: x509.Certificate) -> str:
    return cert.public_bytes(Encoding.PEM).decode()
