"""nginx as the fastest target there is, and wrk and hey as the measure of what it gives."""

from __future__ import annotations

import contextlib
import http.client
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import trustme

from tests.benchmarks.machine import client_cores, server_cores, started_on
from tests.benchmarks.program import BenchmarkError

_CONFIG = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_rlimit_nofile 16384;
events {{ worker_connections 16000; }}
http {{
  access_log off;
  keepalive_timeout 600s;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  {servers}
}}
"""
_SERVER = """
  server {{
    listen 127.0.0.1:{port} backlog=4096 {ssl};
    keepalive_requests {requests};
    {certificate}
    location / {{ return 200 "ok\\n"; }}
    location = /status {{ stub_status; }}
    {locations}
  }}
"""
_CERTIFICATE = "ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.pem;"
#: An agent's API as a script uses it. Ids differ: they are of the request and of the connection.
SCRIPT_LOCATIONS = """
    location /api/ {
      default_type application/json;
      location = /api/sessions { return 201 '{"session_id":"$request_id","created":$msec}'; }
      location = /api/status { return 200 '{"status":"ready","load":0.25,"requests":$connection_requests}'; }
      location ~ ^/api/sessions/([0-9a-f]+)/messages$ {
        return 200 '{"session_id":"$1","id":"$request_id","order_id":$connection$connection_requests,
"content":"We are open from nine to five, Monday to Friday.","usage":{"input_tokens":12,"output_tokens":9}}';
      }
      location ~ ^/api/orders/([0-9]+)$ {
        return 200 '{"order_id":$1,"status":"shipped","items":[{"sku":"A-1","count":2},{"sku":"B-7","count":1}]}';
      }
    }
"""
#: Content events of one streamed answer.
STREAM_EVENTS = 200
_PIECES = 10
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_STATUS = re.compile(r"Active connections: (\d+)\s+server accepts handled requests\s+\d+ \d+ (\d+)")


class Missing(Exception):
    """A tool is not installed; the message says how to get it."""


def find(tool: str) -> str:
    """Where a tool is.

    Raises:
        Missing: it is nowhere on the path.
    """
    # Debian keeps daemons where only root's path leads.
    found = shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise Missing(f"{tool} is not installed; Debian and Ubuntu: apt install {tool} · macOS: brew install {tool}")
    return found


@dataclass(frozen=True, slots=True)
class Urls:
    """Where nginx listens. ``anew``: it closes after every answer. ``ca`` is the file of who signed for the others."""

    plain: str
    plain_anew: str
    tls: str
    tls_anew: str
    ca: str


@dataclass(frozen=True, slots=True)
class Served:
    """What nginx has counted since it began. What it was asked to tell this is in it, once for each time."""

    active: int
    """Connections that are open now."""
    requests: int


@contextlib.contextmanager
def nginx() -> Iterator[str]:
    """nginx on 127.0.0.1 and on the server's core, answering 200 to everything, :data:`SCRIPT_LOCATIONS` and
    ``/v1/chat/completions``; its URL.

    Raises:
        Missing: it is not installed.
        BenchmarkError: it did not start.
    """
    with tempfile.TemporaryDirectory(prefix="agenttop-nginx-") as folder:
        port = _free_ports(1)[0]
        with _running(folder, port, _server(port)):
            yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def nginx_tls() -> Iterator[Urls]:
    """nginx with and without TLS, its certificate issued for 127.0.0.1. Raises like :func:`nginx`."""
    with tempfile.TemporaryDirectory(prefix="agenttop-nginx-") as folder:
        ca = trustme.CA()
        ca.cert_pem.write_to_path(f"{folder}/ca.pem")
        ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(f"{folder}/server.pem")
        ports = _free_ports(4)
        certificate = _CERTIFICATE.format(folder=folder)
        servers = _server(ports[0]) + _server(ports[1], requests=1)
        servers += _server(ports[2], certificate) + _server(ports[3], certificate, requests=1)
        with _running(folder, ports[0], servers):
            plain, plain_anew = (f"http://127.0.0.1:{port}" for port in ports[:2])
            tls, tls_anew = (f"https://127.0.0.1:{port}" for port in ports[2:])
            yield Urls(plain, plain_anew, tls, tls_anew, f"{folder}/ca.pem")


def served(url: str) -> Served:
    """What nginx has counted so far.

    Raises:
        BenchmarkError: it does not say.
    """
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request("GET", "/status")
        return read_status(connection.getresponse().read().decode())
    except OSError as error:
        raise BenchmarkError(f"nginx does not say what it served: {error}") from error
    finally:
        connection.close()


def read_status(text: str) -> Served:
    """The counts in the words of nginx's ``stub_status``.

    Raises:
        BenchmarkError: there are none.
    """
    found = _STATUS.search(text)
    if found is None:
        raise BenchmarkError(f"nginx does not say what it served: {text[:100]!r}")
    return Served(int(found[1]), int(found[2]))


def _server(port: int, certificate: str = "", requests: int = 1_000_000_000) -> str:
    locations = SCRIPT_LOCATIONS + _stream_location()
    return _SERVER.format(
        port=port, ssl="ssl" if certificate else "", certificate=certificate, requests=requests, locations=locations
    )


def _stream_location() -> str:
    """``openai.chat`` streams of :data:`STREAM_EVENTS`, each in one write: cheap to send, dear to read."""
    # A word of nginx's configuration has at most 4 096 bytes, hence the pieces.
    piece = _event('[{"index":0,"delta":{"content":" token"},"finish_reason":null}]') * (STREAM_EVENTS // _PIECES)
    tokens = f'{{"prompt_tokens":8,"completion_tokens":{STREAM_EVENTS},"total_tokens":{8 + STREAM_EVENTS}}}'
    end = _event('[{"index":0,"delta":{},"finish_reason":"stop"}]') + _event("[]", tokens) + "data: [DONE]\\n\\n"
    pieces = "${piece}" * _PIECES
    return f"""
    location = /v1/chat/completions {{
      default_type text/event-stream;
      set $piece '{piece}';
      return 200 '{pieces}{end}';
    }}
"""


def _event(choices: str, usage: str = "null") -> str:
    return f'data: {{"id":"c-1","object":"chat.completion.chunk","choices":{choices},"usage":{usage}}}\\n\\n'


def _free_ports(count: int) -> list[int]:
    """So many different ports of 127.0.0.1 that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for free in sockets:
            free.bind(("127.0.0.1", 0))
        return [free.getsockname()[1] for free in sockets]


@contextlib.contextmanager
def _running(folder: str, port: int, servers: str) -> Iterator[None]:
    binary = find("nginx")
    config = Path(folder, "nginx.conf")
    config.write_text(_CONFIG.format(folder=folder, servers=servers), encoding="utf-8")
    with started_on(server_cores()):
        process = subprocess.Popen(
            [binary, "-c", str(config), "-p", folder, "-e", f"{folder}/error.log"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    try:
        _wait_for(port, process, Path(folder, "error.log"))
        yield
    finally:
        process.terminate()
        process.wait()


def rate_of(tool: str, url: str, users: int, seconds: int) -> float:
    """Requests per second of wrk (one thread) or hey over so many keep-alive connections.

    Raises:
        Missing: it is not installed.
        BenchmarkError: it failed.
    """
    command = [find(tool)]
    command += ["-t1", f"-c{users}", f"-d{seconds}s"] if tool == "wrk" else ["-c", str(users), "-z", f"{seconds}s"]
    command.append(f"{url}/")
    with started_on(client_cores()):
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds + 60, check=False
        )
    found = _RATE.search(done.stdout)
    if found is None:
        raise BenchmarkError(f"{tool} ended with code {done.returncode}: {(done.stderr or done.stdout).strip()[:300]}")
    return float(found[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise BenchmarkError(f"nginx did not start: {log.read_text(errors='replace').strip() if log.exists() else ''}")
