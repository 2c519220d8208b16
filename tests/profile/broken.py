"""Broken profiles: what is wrong, the text, and what the line about it says."""

from __future__ import annotations

from tests.profile.writing import POOL, SMALL, TOP

TASK = "pools[0].tasks[0]"
GOOD = 'objectives = { latency = "1s" }\n'
WS = """
[[pools]]
name = "voice"
protocol = "ws"
dialect = "openai.realtime"
[[pools.setup]]
connect = "/ws"
[[pools.tasks]]
send = { type = "response.create" }
"""

PYTHON = """
[[pools]]
name = "shop"
python = "my_agent.py:Shop"
"""
EXPECTED_SCRIPT = 'pools[0].python: expected a file and a class in it, such as "my_agent.py:CheckoutUser"'
CHAT = 'dialect = "openai.chat"' + SMALL

BROKEN = [
    # ---- TOML itself
    ("no value", "target =", "peak.toml:1: not TOML: invalid value at the end of the file"),
    ("broken table", "users = 1\n[[pools]\n", "peak.toml:2:8: not TOML: "),
    ("open quote", 'target = "http', "peak.toml:1: not TOML: "),
    ("key twice", 'name = "a"\nname = "b"\n', "peak.toml:2:11: not TOML: cannot overwrite a value"),
    # ---- keys
    ("unknown key", 'tagret = "x"' + SMALL, 'peak.toml: tagret: unknown key; did you mean "target"?'),
    ("unknown key of nothing near", "zzz = 1" + SMALL, "peak.toml: zzz: unknown key"),
    (
        "unknown key of a pool",
        SMALL.replace("name =", 'thinktime = "1s"\nname ='),
        'pools[0].thinktime: unknown key; did you mean "think_time"?',
    ),
    ("unknown verb", SMALL.replace("get =", "pst ="), f'{TASK}.pst: unknown key; did you mean "post"?'),
    ("unknown key of a step", SMALL + "jsn = { a = 1 }", f'{TASK}.jsn: unknown key; did you mean "json"?'),
    ("model's own key", SMALL.replace("get =", 'method = "GET"\npath ='), f"{TASK}.method: unknown key"),
    ("unknown key of tls", SMALL + "[tls]\nverfy = false", 'tls.verfy: unknown key; did you mean "verify"?'),
    (
        "unknown key of measure",
        SMALL + '[measure]\nfirst_tokn = "$.a"',
        'measure.first_tokn: unknown key; did you mean "first_token"?',
    ),
    (
        "unknown key of a stage",
        'target = "http://a"\nstages = [{ duration = "1s", user = 1 }]' + POOL,
        'stages[0].user: unknown key; did you mean "users"?',
    ),
    ("key with spaces", SMALL + '"a b" = 1', f'{TASK}."a b": unknown key'),
    ("quality is a table", "quality = 1" + SMALL, "quality: expected a table, not 1"),
    (
        "no dialect",
        'dialect = "morse"' + SMALL,
        "dialect: expected one of json, custom, openai.chat, openai.responses, openai.realtime, anthropic.messages, "
        'ag-ui, a2a, mcp, langgraph, adk, not "morse"',
    ),
    # ---- users in Python
    *[
        (
            f"no file and class {value}",
            TOP + PYTHON.replace("my_agent.py:Shop", value),
            f'{EXPECTED_SCRIPT}, not "{value}"',
        )
        for value in ("my_agent.py", "my_agent.py:", "my_agent:Shop", "my_agent.py:my-class")
    ],
    (
        "python is a table",
        TOP + PYTHON.replace('"my_agent.py:Shop"', "{}"),
        "pools[0].python: expected text, not a table",
    ),
    (
        "no Python file",
        TOP + PYTHON,
        "pools[0].python: there is no such file: my_agent.py (a path is relative to the profile)",
    ),
    (
        "no path of a Python file",
        TOP + PYTHON.replace("my_agent.py", "a\\u0000.py"),
        "pools[0].python: a\\x00.py cannot be read: not a path",
    ),
    *[
        (f"python and {key}", TOP + PYTHON + f"{key} = []", f"pools[0].{key}: cannot stand beside python")
        for key in ("setup", "tasks", "teardown")
    ],
    # ---- types
    (
        "bad duration",
        SMALL.replace("name =", 'think_time = "abc"\nname ='),
        'pools[0].think_time: expected a duration such as "2s" or a range such as "2s..5s", not "abc"',
    ),
    ("bare duration", "timeout = 30" + SMALL, 'timeout: expected a duration such as "30s", with its unit, not 30'),
    ("bare float duration", "timeout = 30.0" + SMALL, "timeout: expected a duration"),
    ("negative duration", 'warmup = "-5s"' + SMALL, 'warmup: a duration cannot be negative, not "-5s"'),
    ("zero timeout", 'timeout = "0s"' + SMALL, 'timeout: expected a duration above zero, not "0s"'),
    (
        "range backwards",
        SMALL.replace("name =", 'think_time = "5s..2s"\nname ='),
        'the range begins above its end, not "5s..2s"',
    ),
    ("text for users", SMALL.replace("users = 1", 'users = "many"'), 'users: expected a whole number, not "many"'),
    ("fraction of a user", SMALL.replace("users = 1", "users = 1.5"), "users: expected a whole number, not 1.5"),
    ("true for users", SMALL.replace("users = 1", "users = true"), "users: expected a whole number, not true"),
    ("negative users", SMALL.replace("users = 1", "users = -1"), "users: expected at least 0, not -1"),
    ("too many users", SMALL.replace("users = 1", "users = 2000000"), "users: expected at most 1000000, not 2000000"),
    ("weight of nan", SMALL + "weight = nan", f"{TASK}.weight: expected a finite number, not NaN"),
    ("number for a name", "name = 7" + SMALL, "name: expected text, not 7"),
    ("date for a name", "name = 2024-01-01" + SMALL, "name: expected text, not a date or time"),
    ("list for headers", "headers = []" + SMALL, "headers: expected a table, not a list"),
    ("one bracket", TOP + '[pools]\nname = "a"', "pools: expected a list, not a table; write [[pools]]"),
    ("text for a pool", TOP + 'pools = ["a"]', 'pools[0]: expected a table, not "a"'),
    ("text for a step", SMALL.replace('get = "/"', 'steps = ["a"]'), f'{TASK}.steps[0]: expected a table, not "a"'),
    ("text for verify", SMALL + '[tls]\nverify = "perhaps"', 'tls.verify: expected true or false, not "perhaps"'),
    (
        "unknown protocol",
        SMALL.replace("name =", 'protocol = "grpc"\nname ='),
        'pools[0].protocol: expected one of "http", "sse" or "ws", not "grpc"',
    ),
    ("no pool name", SMALL.replace('name = "chat"', ""), "pools[0].name: is required"),
    (
        "pool name of two words",
        SMALL.replace('"chat"', '"my chat"'),
        'pools[0].name: expected a name of letters, digits, - _ and ., not "my chat"',
    ),
    ("line break in a name", 'name = "a\\nb"' + SMALL, "name: expected a name of one line"),
    # ---- target
    ("no target", 'users = 1\nduration = "1s"' + POOL, "target: is required"),
    (
        "ftp",
        SMALL.replace("http:", "ftp:"),
        'target: expected a URL that begins with http://, https://, ws:// or wss://, not "ftp://',
    ),
    ("no host", SMALL.replace("127.0.0.1:8000", "/x"), "target: this URL has no host"),
    ("bad port", SMALL.replace("8000", "99999"), "target: expected a URL such as"),
    ("password", SMALL.replace("127", "me:pw@127"), "target: a target holds no user and password"),
    ("query", SMALL.replace("8000", "8000/?a=1"), "target: a target ends with its path"),
    # ---- load
    ("no pool", TOP, "peak.toml: no pools; write at least one [[pools]]"),
    ("no load", 'target = "http://a"' + POOL, "peak.toml: no load; write users and duration, or [[stages]]"),
    ("users alone", 'target = "http://a"\nusers = 1' + POOL, "users: needs duration as well"),
    ("duration alone", 'target = "http://a"\nduration = "1s"' + POOL, "duration: needs users as well"),
    (
        "both forms",
        TOP + 'stages = [{ duration = "1s", users = 1 }]' + POOL,
        "users: users and duration are the short form of stages",
    ),
    ("empty stage", 'target = "http://a"\nstages = [{ duration = "1s" }]' + POOL, "stages[0]: needs users"),
    ("stage without length", 'target = "http://a"\nstages = [{ users = 1 }]' + POOL, "stages[0].duration: is required"),
    (
        "rate of the run",
        'target = "http://a"\nstages = [{ duration = "1s", rate = 1 }]' + POOL,
        "stages[0].rate: a rate belongs into the stages of a pool",
    ),
    ("nobody", SMALL.replace("users = 1", "users = 0"), "peak.toml: users: every stage is at zero"),
    (
        "no time",
        'target = "http://a"\nstages = [{ duration = "0s", users = 1 }]' + POOL,
        "stages: the stages last no time at all",
    ),
    ("all warm-up", 'warmup = "1s"' + SMALL, "warmup: lasts as long as the whole run"),
    (
        "mixed stages",
        SMALL.replace("name =", 'stages = [{ duration = "1s", rate = 1 }, { duration = "1s", users = 1 }]\nname ='),
        "pools[0].stages: rate and users are mixed",
    ),
    (
        "pool stage of neither",
        SMALL.replace("name =", 'stages = [{ duration = "1s" }]\nname ='),
        "pools[0].stages[0]: needs users or rate",
    ),
    (
        "arrivals of users",
        SMALL.replace("name =", 'arrivals = "poisson"\nname ='),
        "pools[0].arrivals: has a meaning only in a pool whose stages have a rate",
    ),
    (
        "pacing and think_time",
        SMALL.replace("name =", 'pacing = "1s"\nthink_time = "1s"\nname ='),
        "pools[0].pacing: goes instead of think_time",
    ),
    ("weightless pools", SMALL.replace("name =", "weight = 0\nname ="), "the weights of all pools are zero"),
    ("weightless tasks", SMALL + "weight = 0", "pools[0].tasks: the weights of all tasks are zero"),
    ("two pools of a name", SMALL + POOL, 'pools[0].name: two pools are called "chat"'),
    ("no tasks", TOP + '[[pools]]\nname = "a"', "pools[0]: no tasks; write at least one [[pools.tasks]]"),
    # ---- steps
    ("two verbs", SMALL + 'post = "/"', f"{TASK}: a step is one thing only, and this has get and post"),
    ("nothing to do", SMALL.replace('get = "/"', 'name = "x"'), f"{TASK}: nothing to do here; write one of get, post"),
    ("no steps", SMALL.replace('get = "/"', "steps = []"), f"{TASK}.steps: is empty"),
    (
        "steps and a verb",
        SMALL + 'steps = [{ get = "/" }]',
        f"{TASK}.get: a task with steps holds no request of its own",
    ),
    (
        "whole URL",
        SMALL.replace('"/"', '"http://a/"'),
        f'{TASK}.get: expected a path that begins with "/", not "http://a/"; the host belongs in target',
    ),
    ("number for a path", SMALL.replace('"/"', "1"), f'{TASK}.get: expected a path such as "/api/sessions", not 1'),
    ("line break in a path", SMALL.replace('"/"', '"/a\\nb"'), f"{TASK}.get: a path cannot hold control characters"),
    ("fragment", SMALL.replace('"/"', '"/a#b"'), f"{TASK}.get: a path has no #fragment"),
    (
        "json and body",
        SMALL + 'json = 1\nbody = "a"',
        f"{TASK}.body: a request has one body, and this has json and body",
    ),
    ("json of inf", SMALL + "json = { a = [inf] }", f"{TASK}.json.a[0]: JSON has no inf and no nan"),
    ("table in a query", SMALL + "query = { a = { b = 1 } }", f"{TASK}.query.a: expected text, a number"),
    (
        "socket step over http",
        SMALL.replace("get =", "connect ="),
        f'{TASK}.connect: cannot stand in a pool with protocol = "http"',
    ),
    (
        "request over a socket",
        TOP + WS.replace('send = { type = "response.create" }', 'post = "/"'),
        f'{TASK}.post: cannot stand in a pool with protocol = "ws"',
    ),
    (
        "nothing connected",
        TOP + WS.replace('[[pools.setup]]\nconnect = "/ws"', ""),
        f"{TASK}.send: nothing is connected here",
    ),
    (
        "checks of no answer",
        TOP + WS + 'wait = false\nchecks = { a = "$.b" }',
        f"{TASK}.checks: needs an answer, and wait = false awaits none",
    ),
    (
        "socket that never answers",
        TOP + WS.replace("openai.realtime", "json"),
        f"{TASK}.send: its answer would never end",
    ),
    (
        "realtime over http",
        'dialect = "openai.realtime"' + SMALL,
        "pools[0].dialect: openai.realtime is spoken over WebSocket",
    ),
    (
        "mcp as a stream only",
        SMALL.replace('name = "chat"', 'name = "chat"\nprotocol = "sse"\ndialect = "mcp"'),
        'pools[0].dialect: mcp servers answer as JSON or as a stream, as they like: write protocol = "http"',
    ),
    (
        "a2a over WebSocket",
        TOP + WS.replace("openai.realtime", "a2a"),
        "pools[0].dialect: a2a is not spoken over WebSocket",
    ),
    (
        "messages over a socket",
        TOP + WS.replace("openai.realtime", "anthropic.messages"),
        "pools[0].dialect: anthropic.messages is not spoken over WebSocket",
    ),
    (
        "measure of a known dialect",
        TOP + WS.replace("[[pools.setup]]", 'measure = { done = "$.a" }\n[[pools.setup]]'),
        "pools[0].measure: is read for dialect json only",
    ),
    # ---- expressions
    (
        "bad JSONPath",
        SMALL + 'save = { id = "session_id" }',
        f"{TASK}.save.id: bad JSONPath: expected '$', found 's' (at column 1)",
    ),
    ("bad measure", SMALL + '[measure]\ntool_calls = "length($.a"', "measure.tool_calls: bad JSONPath"),
    ("bad finish", SMALL + '[measure]\nfinish = "$.["', "measure.finish: bad JSONPath"),
    *(
        (
            "a length for a reason",
            SMALL + f'[measure]\nfinish = "{path}"',
            "measure.finish: is a number; write the path of the text itself",
        )
        for path in ("length($.why)", "event end length($.why)")
    ),
    (
        "bad check",
        SMALL + 'checks = { "is ok" = "status = 200" }',
        f'{TASK}.checks."is ok": bad check: expected one of == != < <= > >= (one = is not',
    ),
    (
        "bad header to save",
        SMALL + 'save = { id = "header X: 1" }',
        f"{TASK}.save.id: expected header and its name, as in: header X-Session-Id",
    ),
    (
        "header of a message",
        TOP + WS + 'save = { id = "header X-Id" }',
        "save.id: a WebSocket message has no headers; write a JSONPath into it",
    ),
    ("bad name to save", SMALL + 'save = { "a-b" = "$" }', f"{TASK}.save.a-b: expected the name of a variable"),
    ("built-in saved", SMALL + 'save = { user = "$" }', f"{TASK}.save.user: {{user}} is built in"),
    # ---- thresholds
    (
        "thresholds of a number",
        "thresholds = 1" + SMALL,
        'thresholds: expected a list, not 1; write thresholds = ["lat',
    ),
    (
        "threshold of a number",
        "thresholds = [5]" + SMALL,
        'thresholds[0]: expected text such as "latency p95 < 2s", or a',
    ),
    (
        "threshold without its metric",
        'thresholds = ["count!20"]' + SMALL,
        'thresholds[0]: bad threshold: unknown metric "count"',
    ),
    (
        "threshold of no operator",
        'thresholds = ["rps > 1", "failed count!20"]' + SMALL,
        'thresholds[1]: bad threshold: expected one of < <= > >= == != at "!20" (at column 13)',
    ),
    (
        "threshold of no metric",
        'thresholds = ["latnecy p95 < 2s"]' + SMALL,
        'thresholds[0]: bad threshold: unknown metric "latnecy"; did you mean "latency"? at "latnecy p95',
    ),
    (
        "bad expression of a table",
        'thresholds = [{ expression = "latency p() < 2s" }]' + SMALL,
        "thresholds[0].expression: bad threshold: expected a percentile from 0 to 100",
    ),
    ("table without expression", "thresholds = [{ abort = true }]" + SMALL, "thresholds[0].expression: is required"),
    (
        "unknown key of a threshold",
        'thresholds = [{ expression = "rps > 1", abrot = true }]' + SMALL,
        'thresholds[0].abrot: unknown key; did you mean "abort"?',
    ),
    (
        "window of nothing",
        'thresholds = [{ expression = "rps > 1", window = "0s" }]' + SMALL,
        'thresholds[0].window: expected a duration above zero, not "0s"',
    ),
    (
        "delay of nothing to delay",
        'thresholds = [{ expression = "rps > 1", delay = "1s" }]' + SMALL,
        "thresholds[0].delay: goes with abort = true or a window",
    ),
    (
        "abort of a count that grows",
        'thresholds = [{ expression = "requests > 1", abort = true }]' + SMALL,
        "thresholds[0].abort: would end the run at once, for a count begins at 0: give it a delay",
    ),
    (
        "threshold of no pool",
        'thresholds = ["latency{pool:chta} p95 < 2s"]' + SMALL,
        'thresholds[0]: bad threshold: no pool is called "chta"; did you mean "chat"?',
    ),
    (
        "threshold of no request",
        'thresholds = ["latency{request:GET /x} p95 < 2s"]' + SMALL,
        'thresholds[0]: bad threshold: no request is called "GET /x"',
    ),
    (
        "threshold of no stage",
        'thresholds = ["latency{stage:ramp} p95 < 2s"]' + SMALL,
        'thresholds[0]: bad threshold: no stage is called "ramp"; there is hold',
    ),
    (
        "threshold of no checks",
        'thresholds = ["checks > 99%"]' + SMALL,
        "thresholds[0]: bad threshold: the profile has no",
    ),
    (
        "threshold of no check",
        'thresholds = ["checks{check:okk} > 99%"]' + SMALL + 'checks = { ok = "status == 200" }',
        'thresholds[0]: bad threshold: no check is called "okk"; did you mean "ok"?',
    ),
    # ---- objectives
    (
        "objective of nothing",
        'objectives = { ttft = "0s" }' + SMALL,
        'objectives.ttft: expected a duration above zero, not "0s"',
    ),
    (
        "unknown objective",
        'objectives = { ttfft = "1s" }' + SMALL,
        'objectives.ttfft: unknown key; did you mean "ttft"?',
    ),
    ("no objective", "objectives = {}" + SMALL, "objectives: is empty; write one such as ttft"),
    (
        "goodput of no objectives",
        'thresholds = ["goodput > 90%"]' + SMALL,
        "thresholds[0]: bad threshold: goodput needs [objectives]",
    ),
    # ---- rate limits
    (
        "unknown policy",
        'on_429 = "panic"' + SMALL,
        'on_429: expected one of "count", "honor" or "retry", not "panic"',
    ),
    ("retries of nothing", "max_retries = 2" + SMALL, 'max_retries: goes with on_429 = "retry"'),
    (
        "too many retries",
        'on_429 = "retry"\nmax_retries = 101' + SMALL,
        "max_retries: expected at most 100, not 101",
    ),
    (
        "retries over WebSocket",
        'on_429 = "retry"' + TOP + WS,
        'on_429: on_429 = "retry" is not supported yet in a profile with a WebSocket pool; write "honor" or "count"',
    ),
    (
        "breaker of no share",
        'circuit_breaker = { failed = "half" }' + SMALL,
        'circuit_breaker.failed: expected a percentage such as "50%", or a number from 0 to 1, not "half"',
    ),
    (
        "breaker that is always open",
        "circuit_breaker = { failed = 0 }" + SMALL,
        "circuit_breaker.failed: expected a percentage above zero, not 0",
    ),
    (
        "breaker of a moment",
        'circuit_breaker = { over = "0s" }' + SMALL,
        'circuit_breaker.over: expected a duration above zero, not "0s"',
    ),
    (
        "unknown key of a breaker",
        'circuit_breaker = { faild = "5%" }' + SMALL,
        'circuit_breaker.faild: unknown key; did you mean "failed"?',
    ),
    *[
        (f"search {what}", TOP.replace('users = 1\nduration = "1s"\n', "") + f"{text}\n" + POOL, line)
        for what, text, line in (
            (
                "without objectives",
                "search = { to = 9 }",
                'search: needs [objectives]: what a good request is, such as latency = "10s"',
            ),
            ("without an end", f"search = {{}}\n{GOOD}", "search: needs to: the most users, or iterations per second"),
            ("upside down", f"search = {{ from = 9, to = 8 }}\n{GOOD}", "search.from: is above to"),
            ("of half a user", f"search = {{ to = 8.5 }}\n{GOOD}", "search.to: is no whole number of users"),
            ("of nobody", f"search = {{ to = 0 }}\n{GOOD}", "search.to: expected more than 0, not 0"),
            (
                "too soon over",
                f'search = {{ to = 9, measure = "10s", max_measure = "5s" }}\n{GOOD}',
                "search.max_measure: is shorter than measure",
            ),
            (
                "for perfection",
                f'search = {{ to = 9, good = "100%" }}\n{GOOD}',
                "search.good: expected a percentage above 0% and below 100%, which no number of requests can show, not",
            ),
            (
                "of no resolution",
                f"search = {{ to = 9, resolution = 0 }}\n{GOOD}",
                'search.resolution: expected a percentage such as "5%", or a number above 0, not 0',
            ),
            (
                "of a pool that is not there",
                f'search = {{ to = 9, pool = "chta" }}\n{GOOD}',
                "search.pool: no pool is called so; there are: chat",
            ),
            (
                "beside a pool without load",
                f'search = {{ to = 9, pool = "chat" }}\n{GOOD}' + POOL.replace('"chat"', '"tools"'),
                "pools[0]: has no load while chat is searched: give it stages, and it is held at their highest",
            ),
            (
                "of a pool with stages",
                f'search = {{ to = 9, pool = "own" }}\n{GOOD}'
                + POOL.replace('"chat"', '"own"\nstages = [{ duration = "1s", users = 1 }]'),
                "pools[0].stages: go without a search of this pool, which sets its load",
            ),
            (
                "of one rate of two",
                f'search = {{ to = 9, unit = "rate" }}\n{GOOD}' + POOL.replace('"chat"', '"tools"'),
                "search: needs pool: whose iterations per second?",
            ),
            (
                "with thresholds",
                f'search = {{ to = 9 }}\nthresholds = ["rps > 1"]\n{GOOD}',
                "thresholds: are not judged in a search",
            ),
            (
                "of an unknown key",
                f'search = {{ to = 9, setle = "1s" }}\n{GOOD}',
                'search.setle: unknown key; did you mean "settle"?',
            ),
        )
    ],
    (
        "search beside stages",
        f"search = {{ to = 9 }}\n{GOOD}" + SMALL,
        "users: goes without [search], which sets the load itself: leave one of them out",
    ),
    ("rate limit of a number", "rate_limit = 1" + SMALL, "rate_limit: expected a table, not 1"),
    (
        "unknown key of rate_limit",
        SMALL + "[rate_limit]\nretry_aftr = true",
        'rate_limit.retry_aftr: unknown key; did you mean "retry_after"?',
    ),
    (
        "bad regular expression",
        SMALL + '[rate_limit]\nbody_matches = "("',
        "rate_limit.body_matches: bad regular expression: missing ): (",
    ),
    (
        "violations of nothing",
        'thresholds = ["rate_limit_violations < 1"]' + SMALL,
        "thresholds[0]: bad threshold: rate_limit_violations needs [rate_limit]",
    ),
    # ---- headers
    ("header with a line break", 'headers = { x = "a\\r\\nb" }' + SMALL, "headers.x: a header cannot hold line breaks"),
    ("header beyond Latin-1", 'headers = { x = "☃" }' + SMALL, "headers.x: a header can hold Latin-1 characters only"),
    ("header name", 'headers = { "a b" = "1" }' + SMALL, 'headers."a b": expected the name of a header'),
    (
        "our own header",
        SMALL + 'headers = { Content-Length = "1" }',
        f"{TASK}.headers.Content-Length: content-length is set by agenttop itself",
    ),
    # ---- variables
    (
        "unknown variable",
        SMALL.replace('"/"', '"/{usr}"'),
        f'{TASK}.get: unknown variable {{usr}}; did you mean "user"?',
    ),
    ("unknown variable in json", SMALL + 'json = { a = ["{nmae}"] }', f"{TASK}.json.a[0]: unknown variable {{nmae}}"),
    ("unknown variable in a header", 'headers = { x = "{token}" }' + SMALL, "headers.x: unknown variable {token}"),
    (
        "brace not closed",
        SMALL.replace('"/"', '"/{user"'),
        f"{TASK}.get: {{ is never closed; write {{{{ for a brace (at column 2)",
    ),
    ("brace not opened", SMALL.replace('"/"', '"/user}"'), f"{TASK}.get: }} closes nothing"),
    ("json in a body", SMALL + "body = '{\"a\": 1}'", f"{TASK}.body: {{…}} must hold the name of a variable"),
    (
        "saved by another task",
        SMALL + 'save = { id = "$.id" }\n[[pools.tasks]]\nget = "/{id}"',
        'pools[0].tasks[1].get: unknown variable {id} here: only the task "GET /" saves it',
    ),
    (
        "saved too late",
        SMALL.replace('"/"', '"/{id}"') + 'save = { id = "$.id" }',
        f"{TASK}.get: unknown variable {{id}}",
    ),
    # ---- data
    ("text for data", SMALL + 'data = "a.csv"', f'{TASK}.data: expected a table, not "a.csv"; write data = {{ file'),
    ("data without file", SMALL + "data = {}", f"{TASK}.data.file: is required"),
    (
        "data of no such file",
        SMALL + 'data = { file = "no.csv" }',
        f"{TASK}.data.file: there is no such file: no.csv (a path",
    ),
    ("data of a folder", SMALL + 'data = { file = "a/.." }', f"{TASK}.data.file: expected a file whose name ends in"),
    ("data of no format", SMALL + 'data = { file = "peak.toml" }', "data.file: expected a file whose name ends in .js"),
    ("data of no path", SMALL + 'data = { file = "a\\u0000.csv" }', f"{TASK}.data.file: a\\x00.csv cannot be read"),
    ("data of a number", SMALL + "data = { file = 1 }", f"{TASK}.data.file: expected text, not 1"),
    (
        "data in no order",
        SMALL + 'data = { file = "no.csv", order = "any" }',
        f'{TASK}.data.order: expected one of "sequential", "random" or "once", not "any"',
    ),
    ("unknown key of data", SMALL + 'data = { fiel = "a" }', f'{TASK}.data.fiel: unknown key; did you mean "file"?'),
    ("data of a step", SMALL.replace('get = "/"', 'steps = [{ get = "/", data = 1 }]'), "steps[0].data: unknown key"),
    ("data of the whole", "data = 1" + SMALL, "peak.toml: data: unknown key"),
    (
        "bad check of a task",
        SMALL.replace('get = "/"', 'steps = [{ get = "/a" }]\nchecks = { a = "latency <" }'),
        f"{TASK}.checks.a: bad check",
    ),
    # ---- budget
    (
        "budget of nothing",
        SMALL + "[budget]",
        "budget: caps nothing; write one or more of requests, tokens",
    ),
    ("number for a budget", "budget = 1" + SMALL, "budget: expected a table, not 1"),
    ("unknown key of budget", SMALL + "[budget]\nrequest = 1", 'budget.request: unknown key; did you mean "requests"?'),
    ("budget of no requests", SMALL + "[budget]\nrequests = 0", "budget.requests: expected at least 1, not 0"),
    (
        "tokens without a worst case",
        SMALL + "[budget]\ntokens = 10",
        "budget.tokens: needs max_output_tokens, the worst case of one request in flight",
    ),
    (
        "money without a price",
        SMALL + "[budget]\ncost_usd = 1\nmax_output_tokens = 1",
        "budget.cost_usd: needs a price: price = { input",
    ),
    (
        "half a price",
        SMALL + "[budget]\ncost_usd = 1\nmax_output_tokens = 1\nprice = { input = 1 }",
        "budget.price.output: is required",
    ),
    (
        "unknown key of price",
        SMALL + "[budget]\nrequests = 1\nprice = { inptu = 1, output = 1 }",
        'budget.price.inptu: unknown key; did you mean "input"?',
    ),
    (
        "worst case of nothing",
        SMALL + "[budget]\nrequests = 1\nmax_output_tokens = 10",
        "budget.max_output_tokens: has a meaning only with tokens or cost_usd",
    ),
    (
        "worst case of a step without a budget",
        SMALL + "max_output_tokens = 0",
        f"{TASK}.max_output_tokens: belongs to a [budget] of tokens or cost_usd, and there is none",
    ),
    (
        "threshold of money without a price",
        'thresholds = ["cost_usd < 1"]' + SMALL,
        "thresholds[0]: bad threshold: cost_usd needs a price in [budget]",
    ),
    # ---- traces
    ("traceparent is a word", 'traceparent = "perhaps"' + SMALL, "traceparent: expected true or false"),
    (
        "traceparent twice",
        'traceparent = true\nheaders = { TraceParent = "00-a-b-01" }' + SMALL,
        "headers.TraceParent: is made by traceparent = true; leave out one of them",
    ),
    (
        "traceparent of a step",
        "traceparent = true" + SMALL + 'headers = { traceparent = "x" }',
        f"{TASK}.headers.traceparent: is made by traceparent = true",
    ),
    # ---- environment and files
    (
        "variable not set",
        SMALL.replace("127.0.0.1", "${HOST}"),
        "target: the environment variable HOST is not set; set it, put it into .env beside",
    ),
    ("reference not closed", SMALL.replace("127.0.0.1", "${HOST"), "target: ${ is never closed"),
    ("no certificate", SMALL + '[tls]\nca = "no.pem"', "tls.ca: there is no such file: no.pem (a path is relative"),
    ("no path of a certificate", SMALL + '[tls]\nca = "a\\u0000b"', "tls.ca: a\\x00b cannot be read: not a path"),
    ("no key", SMALL + '[tls]\ncert = "peak.toml"\nkey = "a/no.key"', "tls.key: there is no such file: a/no.key"),
    ("certificate is a folder", SMALL + '[tls]\nca = "."', "tls.ca: . is a directory"),
    ("certificate is a profile", SMALL + '[tls]\nca = "peak.toml"', "tls.ca: peak.toml holds no certificates"),
    ("key without cert", SMALL + '[tls]\nkey = "peak.toml"', "tls.key: a key needs its cert"),
    ("bad key", SMALL + '[tls]\ncert = "peak.toml"', "tls.cert: peak.toml: no certificate"),
    ("proxy", SMALL + '[proxy]\nurl = "socks5://a"', "proxy.url: expected a URL that begins with http://"),
    # ---- conversations
    (
        "history of json",
        SMALL + "history = true",
        f'{TASK}.history: dialect json has no form for it; write save = {{ session = "$.id" }} in setup, and send',
    ),
    (
        "history kept by the target",
        'dialect = "langgraph"' + SMALL + "history = true",
        f"{TASK}.history: the target keeps what was said in dialect langgraph; write save = {{ thread = ",
    ),
    (
        "history of a WebSocket",
        TOP + WS + "history = true",
        f"{TASK}.history: the target keeps what was said; it lasts as long as the WebSocket",
    ),
    (
        "history of something else",
        CHAT + 'history = "session"',
        f'{TASK}.history: expected true, false or "task", not "session"',
    ),
    ("history as a number", CHAT + "history = 1", f'{TASK}.history: expected true, false or "task", not 1'),
    (
        "history without turns",
        CHAT + "history = true",
        f"{TASK}.json: history goes before the new turns: write them as messages = [",
    ),
    (
        "history of turns that are none",
        CHAT + 'json = { messages = ["a"] }\nhistory = true',
        f"{TASK}.json.messages: history goes before the new turns",
    ),
    (
        "history of steps that are no turns",
        CHAT + 'dialect = "json"\nhistory = true',
        f"{TASK}.history: ",
    ),
    (
        "history in two places",
        CHAT.replace("chat", "responses", 1) + 'json = { input = "a", previous_response_id = "b" }\nhistory = true',
        f"{TASK}.json.previous_response_id: makes the target keep what was said; leave history or this out",
    ),
    (
        "history in two dialects",
        CHAT
        + 'json = { messages = [] }\nhistory = true\n[[pools.tasks]]\npost = "/"\ndialect = "anthropic.messages"\n'
        + "json = { messages = [] }\nhistory = true",
        "pools[0].tasks[1].history: one conversation cannot be in openai.chat and anthropic.messages; write history = ",
    ),
    (
        "the same id in every turn",
        'dialect = "ag-ui"' + SMALL + 'json = { messages = [ { id = "m", content = "a" } ] }\nhistory = true',
        f"{TASK}.json.messages[0].id: would be the same in every turn; leave it out",
    ),
    ("turns without history", SMALL + "history_turns = 3", f"{TASK}.history_turns: goes with history = true"),
    ("no turns", CHAT + "history = true\nhistory_turns = 0", f"{TASK}.history_turns: expected at least 1, not 0"),
    (
        "results without history",
        SMALL + 'tool_results = { a = "b" }',
        f"{TASK}.tool_results: goes with history = true",
    ),
    (
        "a number as a result",
        CHAT + "history = true\ntool_results = { a = 1 }",
        f"{TASK}.tool_results.a: expected what the tool returns: text, or a table or list that is sent as JSON, not 1",
    ),
    (
        "a result with an unknown variable",
        CHAT + 'json = { messages = [] }\nhistory = true\ntool_results = { a = { b = "{c}" } }',
        f"{TASK}.tool_results.a.b: unknown variable {{c}}",
    ),
    (
        "a result that JSON has no spelling for",
        CHAT + "json = { messages = [] }\nhistory = true\ntool_results = { a = { b = nan } }",
        f"{TASK}.tool_results.a.b: JSON has no inf and no nan",
    ),
    (
        "no such connection",
        'connection = "per_task"' + SMALL,
        'connection: expected one of "per_user" or "per_request", not "per_task"',
    ),
    (
        "a connection for each message",
        TOP + WS.replace("dialect", 'connection = "per_request"\ndialect'),
        'pools[0].connection: a WebSocket is one connection; write connection = "per_user" in this pool',
    ),
    (
        "a connection for each message by the profile",
        'connection = "per_request"' + TOP + WS,
        'pools[0].protocol: a WebSocket is one connection; write connection = "per_user" in this pool',
    ),
    (
        "WebSocket through a proxy",
        SMALL.replace("[[pools]]", '[proxy]\nurl = "http://127.0.0.1:3128"\n[[pools]]\nprotocol = "ws"', 1),
        "pools[0].protocol: a WebSocket cannot go through a proxy yet",
    ),
]
