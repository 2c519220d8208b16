"""How Dask is set up on both sides: what it does of its own accord is turned off, or down."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any

import dask

from agenttop.fleet.certificates import Identity

# comm.timeouts.tcp: below 11 s Dask fails an assertion; who is gone is found by the lease, long before.
_SETTINGS = {
    "distributed.admin.tick.interval": "200ms",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.comm.timeouts.connect": "10s",
    "distributed.comm.timeouts.tcp": "30s",
    "distributed.comm.require-encryption": True,
    "distributed.logging": {"distributed": "error"},
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.dashboard.status.task-stream-length": 0,
    "distributed.scheduler.http.routes": [],
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.worker-ttl": None,
    "distributed.worker.http.routes": [],
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.terminate": False,
    "distributed.worker.profile.enabled": False,
}


def set_up() -> None:
    """Set Dask up, whatever the user has for these in ``~/.config/dask`` or the environment; to be called before
    ``distributed`` is imported, which reads some of it then.
    """
    dask.config.set(_SETTINGS)
    import_module("distributed")
    for name in ("distributed", "tornado", "asyncssh"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def security(identity: Identity) -> Any:
    """Return Dask's name for mutual TLS: nobody is spoken to who has no certificate of this run."""
    from distributed.security import Security

    cert, key = identity.cert, identity.key
    return Security(  # type: ignore[no-untyped-call]
        require_encryption=True,
        tls_ca_file=identity.ca,
        tls_client_cert=cert,
        tls_client_key=key,
        tls_scheduler_cert=cert,
        tls_scheduler_key=key,
        tls_worker_cert=cert,
        tls_worker_key=key,
    )


def without_http(server: Any) -> Any:
    """Return a scheduler or worker whose HTTP server, which speaks to anybody, is closed."""
    server.http_server.stop()
    return server
