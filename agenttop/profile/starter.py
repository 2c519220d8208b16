"""The profile that ``agenttop init`` writes: small, commented, and running as it is against ``agenttop agent``."""

from __future__ import annotations

STARTER = """\
# A load test of an agent. Check it:  agenttop validate FILE      Run it:  agenttop --profile FILE
# Durations are "250ms", "30s", "1m30s"; a range is "2s..5s".

name = "my-agent"
target = "http://127.0.0.1:8000"    # paths below are appended; `agenttop agent` is a target to play with
seed = 7                            # the same choices every time
warmup = "5s"                       # left out of the figures
timeout = "30s"                     # of one request
graceful_stop = "10s"               # for requests in flight at the end

# What must hold for the run to pass (exit code 0, else 99): METRIC{tag:value} p95|avg|max|count|rate OP NUMBER.
thresholds = [
    "error_rate < 5%",
    "latency{pool:chat} p95 < 15s",
    # { expression = "rate_limited rate < 50%", abort = true, delay = "10s", window = "5s" },     # ends the run
]
# [objectives] with ttft = "2s", latency = "10s" counts good requests: goodput.
# [circuit_breaker] with failed = "50%", over = "10s" ends the run of a target that has fallen over.
# How many users does it hold? With [objectives]:  agenttop capacity --profile FILE
# [rate_limit] with body_matches = "(?i)retry", retry_after = true counts 429s that are not so. At the top, on_429 =
# "honor" waits as long as a 429 asks, "retry" sends the same request again, at most max_retries = 3 times.

# ${NAME} comes from the environment, or from a .env beside this file, and is shown nowhere.
# ${NAME:-default} has a default; without one, a variable that is not set is an error.
[headers]
authorization = "Bearer ${API_KEY:-none}"

# Users over time: linear from the stage before, or at once with ramp = "step".
[[stages]]
name = "ramp"
duration = "15s"
users = 10

[[stages]]
name = "hold"
duration = "30s"
users = 10

[[stages]]
name = "drain"
duration = "10s"
users = 0

# Where answers say what they cost: JSONPath, or length(JSONPath). Leave out what yours do not tell.
[measure]
llm_calls = "$.llm_calls"
tool_calls = "length($.tool_calls)"
input_tokens = "$.usage.input_tokens"
output_tokens = "$.usage.output_tokens"

# A pool is one kind of user. protocol: http, sse (streamed answers) or ws (WebSocket).
[[pools]]
name = "chat"
protocol = "http"
think_time = "1s..3s"               # after every task

  # Once per user. {user} is its number; {iteration}, {uuid}, {now} and {random} are there too.
  [[pools.setup]]
  post = "/api/sessions"
  json = { user_id = "loadtest-{user}" }
  save = { session_id = "$.session_id" }        # JSONPath into the answer; {session_id} from here on

  # Tasks are chosen by weight.
  [[pools.tasks]]
  name = "question"
  weight = 3
  post = "/api/sessions/{session_id}/messages"
  json = { content = "What are your business hours?" }

    [pools.tasks.checks]            # an answer that fails one is a failed request
    "status is 200" = "status == 200"
    "has content" = "$.content"
    "in time" = "latency < 20s"

  # A task of several steps, with a pause between them.
  [[pools.tasks]]
  name = "conversation"
  weight = 1
  pause = "1s"

    [[pools.tasks.steps]]
    post = "/api/sessions/{session_id}/messages"
    json = { content = "I need help with my account" }

    [[pools.tasks.steps]]
    post = "/api/sessions/{session_id}/messages"
    json = { content = "My email is test@example.com" }

# A task may take its texts from a file, one row for every time it is done: each column is a variable, {prompt} say.
# A pool may too: one row for every user's session. order = "sequential", "random" or "once" (each row once in the run).
#
#   [[pools.tasks]]
#   post = "/api/sessions/{session_id}/messages"
#   json = { content = "{prompt}" }
#   data = { file = "prompts.jsonl", order = "random" }       # or .csv; beside this file

# A second pool would share the users by weight. Streaming, in OpenAI's dialect:
#
# [[pools]]
# name = "stream"
# weight = 1
# protocol = "sse"
# dialect = "openai.chat"
#
#   [[pools.tasks]]
#   name = "completion"
#   post = "/v1/chat/completions"
#   json = { model = "demo", stream = true, messages = [{ role = "user", content = "Hello" }] }
"""
