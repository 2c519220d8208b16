"""Bytes and times: HTTP/1.1, WebSocket, SSE, TLS, and httpx for HTTP/2 and proxies. Knows no dialect and no user."""
