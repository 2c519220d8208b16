"""Profiles, and pools of such, that more than one file of tests runs: to be formatted; ``{url}`` is the target's."""


def voice(pause: str = "0s") -> str:
    """A pool whose users take turns on a WebSocket."""
    return _VOICE.replace("{pause}", pause)


def stream(pause: str = "0s") -> str:
    """A pool whose users ask for streams of a chat, and for what these use."""
    return _STREAM.replace("{pause}", pause)


_VOICE = """
[[pools]]
name = "voice"
protocol = "ws"
dialect = "openai.realtime"
think_time = "{pause}"
  [[pools.setup]]
  connect = "/v1/realtime?model=m"
  [[pools.tasks]]
  name = "turn"
  send = {{ type = "response.create" }}
"""
_STREAM = """
[[pools]]
name = "stream"
protocol = "sse"
dialect = "openai.chat"
think_time = "{pause}"
  [[pools.tasks]]
  name = "ask"
  post = "/v1/chat/completions"
  json = {{ model = "m", stream = true, stream_options = {{ include_usage = true }}, messages = [
    {{ role = "user", content = "hours?" }} ] }}
"""

VOICE = 'target = "{url}"\nusers = 3\nduration = "10m"\n' + voice("50ms")
