"""An MCP server of fastmcp over streamable HTTP: ``python -m tests.peers.servers.mcp_tools PORT FOLDER``."""

from __future__ import annotations

import sys

from fastmcp import FastMCP

server: FastMCP = FastMCP("tools")


@server.tool
def lookup(city: str) -> str:
    """Tell the weather of a city."""
    return f"rain in {city}"


@server.tool
def broken() -> str:
    """Fail."""
    raise ValueError("out of order")


if __name__ == "__main__":
    server.run(transport="http", host="127.0.0.1", port=int(sys.argv[1]), show_banner=False, log_level="info")
