"""Profiles that more than one file of tests runs; ``{url}`` is the target's."""

VOICE = """
target = "{url}"
users = 3
duration = "10m"
[[pools]]
name = "voice"
protocol = "ws"
dialect = "openai.realtime"
think_time = "50ms"
  [[pools.setup]]
  connect = "/v1/realtime?model=m"
  [[pools.tasks]]
  name = "turn"
  send = {{ type = "response.create" }}
"""
