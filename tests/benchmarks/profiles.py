"""The profiles the benchmarks run, with their variables in braces for ``str.format``."""

from __future__ import annotations

HTTP = """
name = "benchmark-http"
target = "{url}"
warmup = "1s"
graceful_stop = "2s"
users = {users}
duration = "{seconds}s"
[[pools]]
name = "load"
[[pools.tasks]]
get = "/"
"""

SSE = """
name = "benchmark-sse"
target = "http://127.0.0.1:{port}"
graceful_stop = "20s"
timeout = "30s"
dialect = "openai.chat"

[[pools]]
name = "load"
protocol = "sse"
stages = [ {{ duration = "{ramp}s", users = {streams} }}, {{ duration = "{hold}s", users = {streams} }} ]
  [[pools.tasks]]
  name = "stream"
  post = "/v1/chat/completions?tokens={tokens}&rate={rate}"
  [pools.tasks.json]
  model = "benchmark"
  stream = true
  stream_options = {{ include_usage = true }}
  messages = [ {{ role = "user", content = "Hello, I am user {{user}}" }} ]

[[pools]]                       # each answer is one event that says how long it took: the error of the ttft
name = "probe"
protocol = "sse"
dialect = "json"
stages = [ {{ duration = "{ramp}s", users = 25 }}, {{ duration = "{hold}s", users = 25 }} ]
think_time = "0ms..50ms"
  [[pools.tasks]]
  name = "one token"
  post = "/probe?tokens=1&rate=1"
  json = {{ content = "Hello" }}
  [pools.measure]
  first_token = "$.delta"
  done = "$.done"
  phases = {{ server = "$.total_s" }}
"""

# Streams that arrive by themselves, graded or not, and probes whose answers say how long they took.
QUALITY = """
name = "benchmark-quality"
target = "http://127.0.0.1:{port}"
graceful_stop = "20s"
timeout = "30s"
dialect = "openai.chat"
{quality}

[[pools]]
name = "load"
protocol = "sse"
arrivals = "constant"
max_users = 1000
stages = [ {{ duration = "{seconds}s", rate = {rate}, ramp = "step" }} ]
  [[pools.tasks]]
  name = "stream"
  {task}
  post = "/v1/chat/completions?tokens=20&rate=100"
  [pools.tasks.json]
  model = "benchmark"
  stream = true
  stream_options = {{ include_usage = true }}
  messages = [ {{ role = "user", content = "{content}" }} ]

[[pools]]
name = "probe"
protocol = "sse"
dialect = "json"
stages = [ {{ duration = "{seconds}s", users = 25, ramp = "step" }} ]
think_time = "0ms..50ms"
  [[pools.tasks]]
  name = "one token"
  post = "/probe?tokens=1&rate=1"
  json = {{ content = "Hello" }}
  [pools.measure]
  first_token = "$.delta"
  done = "$.done"
  phases = {{ server = "$.total_s" }}
"""

WS = """
name = "benchmark-ws"
target = "http://127.0.0.1:{port}"
warmup = "1s"
graceful_stop = "2s"
users = {users}
duration = "{seconds}s"
[[pools]]
name = "voice"
protocol = "ws"
dialect = "openai.realtime"
  [[pools.setup]]
  name = "connect"
  connect = "/v1/realtime?model=benchmark"
  [[pools.tasks]]
  name = "turn"
  send = {{ type = "response.create" }}
"""

OPEN = """
name = "benchmark-open"
target = "{url}"
graceful_stop = "5s"
[[pools]]
name = "load"
arrivals = "{arrivals}"
max_users = 2000
stages = [ {{ duration = "{seconds}s", rate = {rate}, ramp = "step" }} ]
[[pools.tasks]]
get = "/"
"""

AGENT = """
name = "benchmark-agent"
target = "{url}"
graceful_stop = "10s"
users = 30
duration = "{seconds}s"
[[pools]]
name = "chat"
  [[pools.setup]]
  name = "open session"
  post = "/api/sessions"
  json = {{ user_id = "{{user}}" }}
  save = {{ session_id = "$.session_id" }}
  [[pools.tasks]]
  name = "message"
  post = "/api/sessions/{{session_id}}/messages"
  json = {{ content = "What are your business hours?" }}
  [pools.measure]
  input_tokens = "$.usage.input_tokens"
  output_tokens = "$.usage.output_tokens"
[[pools]]
name = "stream"
protocol = "sse"
dialect = "openai.chat"
  [[pools.tasks]]
  name = "completion"
  post = "/v1/chat/completions"
  [pools.tasks.json]
  model = "demo"
  stream = true
  stream_options = {{ include_usage = true }}
  messages = [{{ role = "user", content = "Hello" }}]
[[pools]]
name = "voice"
protocol = "ws"
dialect = "openai.realtime"
  [[pools.setup]]
  name = "connect"
  connect = "/v1/realtime?model=demo"
  [[pools.tasks]]
  name = "turn"
  send = {{ type = "response.create" }}
"""

# Five rows; what a task needs of an answer is saved from it, and every answer is checked. See nginx.SCRIPT_LOCATIONS.
SCRIPT = """
name = "benchmark-script"
target = "{url}"
graceful_stop = "5s"
users = {users}
duration = "{seconds}s"
[[pools]]
name = "chat"
think_time = "{think_time}"
  [[pools.setup]]
  name = "open session"
  post = "/api/sessions"
  json = {{ user_id = "loadtest-{{user}}" }}
  save = {{ session_id = "$.session_id" }}
  checks = {{ "created" = "status == 201" }}
  [[pools.tasks]]
  name = "message"
  weight = 3
  post = "/api/sessions/{{session_id}}/messages"
  json = {{ content = "Question {{iteration}} of user {{user}}: when are you open?", session = "{{session_id}}" }}
  checks = {{ "ok" = "status == 200", "has content" = "$.content", "has tokens" = "$.usage.output_tokens > 0" }}
  [[pools.tasks]]
  name = "order"
  weight = 2
    [[pools.tasks.steps]]
    name = "ask for an order"
    post = "/api/sessions/{{session_id}}/messages"
    json = {{ content = "Where is my order, asks user {{user}}" }}
    save = {{ order_id = "$.order_id" }}
    checks = {{ "ok" = "status == 200" }}
    [[pools.tasks.steps]]
    name = "look it up"
    get = "/api/orders/{{order_id}}"
    checks = {{ "ok" = "status == 200", "shipped" = "$.status == 'shipped'", "two items" = 'body contains "B-7"' }}
  [[pools.tasks]]
  name = "status"
  get = "/api/status"
  checks = {{ "ok" = "status == 200", "ready" = "$.status == 'ready'" }}
"""

# The same in Python: see customer.
PYTHON = """
name = "benchmark-python"
target = "{url}"
graceful_stop = "5s"
users = {users}
duration = "{seconds}s"
[[pools]]
name = "chat"
python = "{file}:Customer"
"""

TLS = """
name = "benchmark-tls"
target = "{url}"
warmup = "1s"
graceful_stop = "2s"
users = 64
duration = "{seconds}s"
[tls]
ca = "{ca}"
[[pools]]
name = "load"
[[pools.tasks]]
get = "/"
"""

USERS = """
name = "benchmark-users"
target = "{url}"
graceful_stop = "2s"
[[stages]]
duration = "{few_s}s"
users = {few}
ramp = "step"
[[stages]]
duration = "{many_s}s"
users = {many}
ramp = "step"
[[pools]]
name = "load"
think_time = "5s..15s"
[[pools.tasks]]
get = "/"
"""

# Streams that come whole: they cost their reader twenty times what they cost nginx.
WORKERS = """
name = "benchmark-workers"
target = "{url}"
graceful_stop = "5s"
dialect = "openai.chat"
users = 32
duration = "{seconds}s"
[[pools]]
name = "stream"
protocol = "sse"
[[pools.tasks]]
name = "completion"
post = "/v1/chat/completions"
json = {{ model = "m", stream = true, messages = [ {{ role = "user", content = "Hello, I am user {{user}}" }} ] }}
"""

# Eight rows on the screen, about 200 requests a second.
SCREEN = """
name = "benchmark-screen"
target = "{url}"
graceful_stop = "2s"
users = 20
duration = "{seconds}s"
[[pools]]
name = "chat"
think_time = "50ms..150ms"
tasks = [
  {{ name = "one", get = "/1" }}, {{ name = "two", get = "/2" }}, {{ name = "three", get = "/3", weight = 3 }},
  {{ name = "four", get = "/4" }}, {{ name = "five", get = "/5" }}, {{ name = "six", get = "/6" }},
  {{ name = "seven", get = "/7" }}, {{ name = "eight", get = "/8", weight = 2 }},
]
"""
