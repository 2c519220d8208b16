"""The model of a profile, as values the rest of the program reads: durations are seconds, ranges ``(low, high)``.

The docstrings under the fields are what editors show (``profile.schema``). What concerns more than one field is in
``profile.rules``. Longer than most files: every key there is, in one place, from which schema, reference and errors are
made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agenttop.profile.durations import Duration, Span
from agenttop.profile.fields import (
    AnswerText,
    Boxes,
    Cap,
    Checks,
    Concurrency,
    Dialect,
    Headers,
    History,
    Hosts,
    JsonPathText,
    Level,
    MaxUsers,
    MeasureText,
    MeasureWords,
    MinRequests,
    Money,
    Name,
    Names,
    PoolName,
    PositiveDuration,
    Rate,
    Regex,
    Regressions,
    Repeats,
    Retries,
    Save,
    ScoreDrops,
    ScriptText,
    Seed,
    Share,
    StepProtocol,
    Target,
    ThresholdText,
    Tokens,
    ToolResults,
    Turns,
    Users,
    Weight,
)
from agenttop.profile.percent import InnerPercent, Percent, Resolution

Protocol = Literal["http", "sse", "ws"]
Connection = Literal["per_user", "per_request"]
On429 = Literal["count", "honor", "retry"]


class Model(BaseModel):
    """The base of all tables: frozen, and unknown keys are errors."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Yield only a name: any other value may hold a secret, and a repr ends up in logs."""
        yield "name", getattr(self, "name", "")


class Stage(Model):
    """Go to ``users`` (closed) or ``rate`` iterations per second (open) within ``duration``: linearly, or at once."""

    duration: Duration
    """How long the stage lasts."""
    users: Users | None = None
    """Users at its end."""
    rate: Rate | None = None
    """Iterations per second at its end (in the stages of a pool)."""
    ramp: Literal["linear", "step"] = "linear"
    """linear: from the target before to this one; step: at once."""
    name: Name = ""
    """Name of the stage on the screen and in the summary."""


class Tls(Model):
    """How https and wss targets are verified, and who we are to them. Paths are absolute once loaded."""

    ca: str | None = None
    """File of certificates (PEM) to trust instead of the system's."""
    cert: str | None = None
    """File of our own certificate (PEM)."""
    key: str | None = None
    """File of its private key (PEM), if that is not in the same file."""
    verify: bool = True
    """false accepts any certificate."""


class Proxy(Model):
    """A forward proxy. The variables HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY are not obeyed; where one is set
    that would be for a target, a warning says so."""

    url: str
    """http:// or https:// URL of the proxy."""


class Measure(Model):
    """Where to read figures in answers of no known dialect: each a JSONPath, or length(JSONPath). With event NAME
    before it, it is read in SSE events of that name alone; event NAME by itself finds such an event, whatever is in it.
    What never matched, though answers were good, is a warning; error is not expected to."""

    first_token: MeasureText | None = None
    """A non-empty match in a stream event is output."""
    reasoning: MeasureText | None = None
    """A non-empty match in a stream event is output of reasoning: TTFT counts it, TTFO does not."""
    done: MeasureText | None = None
    """A match in a stream event that is neither false nor null ends the answer; so does the event of an event NAME."""
    finish: MeasureWords | None = None
    """Why the answer ended, as text: the last non-empty match. The grader finish-reason looks at it, and the points of
    an answer that ended for its length (length, max_tokens) are lost to truncated."""
    llm_calls: MeasureText | None = None
    """Model calls behind the answer: a number of them so far, or the calls themselves, as tool_calls."""
    tool_calls: MeasureText | None = None
    """Tool calls behind the answer: a number of them so far, or the calls themselves (an object, a name, a list). These
    add up over events; one that comes again under its id, or goes on under its index, is the same."""
    input_tokens: MeasureText | None = None
    """Tokens read."""
    output_tokens: MeasureText | None = None
    """Tokens written."""
    cached_tokens: MeasureText | None = None
    """Of the tokens read, those that came from a cache."""
    reasoning_tokens: MeasureText | None = None
    """Of the tokens written, those of reasoning."""
    phases: dict[Name, MeasureText] = {}
    """Where the seconds of each phase are, by the name of the phase."""
    error: MeasureText | None = None
    """A non-empty match is an error inside a 200."""


class Step(Model):
    """One request, or one WebSocket action. Exactly one of ``method``, ``connect``, ``send``, ``close`` is set."""

    name: Name = ""
    """The row it is counted under: as given, else ``METHOD path`` with the variables unfilled."""
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] | None = None
    """The method; written ``post = "/path"`` in the file."""
    path: str = ""
    """Path of the request, a template, appended to the target."""
    connect: str | None = None
    """Path of the WebSocket to open; a template."""
    send: Any = None
    """A WebSocket message: a string as it is, anything else as JSON."""
    expect: JsonPathText | None = None
    """JSONPath that a message must match to be the answer, instead of the dialect's terminal event."""
    wait: bool = True
    """false: the message sent awaits no answer and is not measured as a request."""
    close: bool = False
    """true closes the WebSocket."""
    json_: Any = Field(default=None, alias="json")
    """Body of the request, sent as JSON."""
    body: str | None = None
    """Body of the request, sent as it is."""
    form: dict[str, Any] | None = None
    """Body of the request, sent as an HTML form."""
    query: dict[str, Any] = {}
    """Query of the URL; a list repeats its name."""
    headers: Headers = {}
    """Headers of this step alone."""
    protocol: StepProtocol | None = None
    """Of this request, instead of the pool's: sse asks for a streamed answer, in setup too; http does not. The steps of
    a WebSocket are those of a pool with protocol = "ws"."""
    stream: bool | None = None
    """true: the answer is a stream, whatever its type is called; false: it is no stream. Default: as the protocol
    says."""
    timeout: PositiveDuration | None = None
    """Limit for the whole answer, instead of the profile's."""
    save: Save = {}
    """Name of a variable to what is saved in it: a JSONPath into the answer, or ``header Name`` for a header of it."""
    checks: Checks = {}
    """Name to expression: $.path, $.path OP value, status, latency, ttft, ttfb, body or header. Of a task with steps:
    made on the answer of each. What `body matches` finds is looked for in all of the first 64 MiB; regular
    expressions are RE2's, whose time is linear in the answer."""
    dialect: Dialect | None = None
    """How this answer is read, instead of the pool's dialect."""
    on_429: On429 | None = None
    """Of this request, instead of the pool's. What is changed while it runs holds for all requests of its pool."""
    max_retries: Retries | None = None
    """Of this request, instead of the pool's."""
    graders: list[Any] | None = None
    """Of a graded task: the answer to this step is graded, by these and, if it is the last that is, by the case's own.
    A list as in case files; [] has none of its own."""
    max_output_tokens: Tokens | None = None
    """Worst case of this request, instead of the budget's; 0: it calls no model, and so uses no tokens."""

    model_config = ConfigDict(populate_by_name=True)


class Data(Model):
    """A file whose columns are variables: a row for every iteration of a task, or for every session of a pool."""

    file: str
    """A .jsonl or .csv file; a relative path starts at the profile."""
    order: Literal["sequential", "random", "once"] = "sequential"
    """sequential: one after the other, over and over; random: any; once: each row once in the whole run (a file that
    is named in two places is used once by each).
    """


class CheckedData(Data):
    """Data of a loaded profile: ``file`` is absolute, and was these bytes; ``shown`` is its name as it may be shown."""

    sha256: str
    shown: str = ""


class Task(Model):
    """What a user does between two pauses: one or more steps. Chosen by weight."""

    name: Name = ""
    """Name of the task; of a task of one step, its row too."""
    weight: Weight = 1.0
    """How often it is chosen, relative to the other tasks of its pool."""
    pause: Span = (0.0, 0.0)
    """Pause between steps."""
    steps: list[Step] = []
    """Its steps, in this order."""
    data: Data | None = None
    """Rows whose columns are variables of its steps: a new row each time the task is done."""
    history: History = False
    """Multi-turn: what was said and answered before is sent along, in the dialect's form, before the request's own
    turns. true: all such tasks of a user are one conversation, for as long as its session lasts. "task": each time it
    is done it is a conversation of its own, over its steps. What failed or said nothing is not in it."""
    history_turns: Turns | None = None
    """The most turns, with their answers, that are sent along; the oldest are forgotten. 1 MiB is the most anyway."""
    graded: bool = False
    """true: it asks a case of [quality] each time it is done, and the answer is graded: that to its last step, or to
    each step with graders. The case's columns are variables: {input}, {id}, {messages}, {vars.NAME}."""
    answer: AnswerText | None = None
    """JSONPath of the answer's text, where the dialect does not say what it is; in a stream each event has a piece.
    "body": all of it."""
    tool_results: ToolResults = {}
    """With history: what a tool that an answer calls returns, by its name; "*": any other (else {}). Text as it is, a
    table or a list as JSON."""


class Pool(Model):
    """Users of one kind."""

    name: PoolName
    """Name of the pool; unique."""
    weight: Weight = 1.0
    """Its share of the stages' users, relative to the other pools."""
    target: Target | None = None
    """Target of the pool, instead of the profile's."""
    protocol: Protocol = "http"
    """http, sse (streamed answers are asked for) or ws."""
    dialect: Dialect | None = None
    """How answers are read, instead of the profile's dialect."""
    stages: list[Stage] = []
    """Stages of its own; with ``rate`` the pool is open."""
    arrivals: Literal["constant", "poisson"] = "constant"
    """Arrivals of an open pool: evenly spaced, or a Poisson process."""
    think_time: Span = (0.0, 0.0)
    """Pause after every task, uniform in the range."""
    pacing: PositiveDuration | None = None
    """Time from the start of one task to the start of the next, instead of think_time."""
    max_users: MaxUsers = 1000
    """How many iterations of an open pool may run at once; an arrival that finds no free user is dropped."""
    headers: Headers = {}
    """Headers of every request of the pool."""
    connection: Connection | None = None
    """One connection per user or per request, instead of the profile's."""
    cookies: bool | None = None
    """Whether users keep cookies, instead of the profile's."""
    on_429: On429 | None = None
    """What is done about 429s, instead of the profile's."""
    max_retries: Retries | None = None
    """How often a refused request is sent again, instead of the profile's."""
    data: Data | None = None
    """Rows whose columns are variables of all its steps and headers: one for every session of a user."""
    measure: Measure | None = None
    """Where to read figures, over the profile's [measure]; once loaded, both together."""
    python: ScriptText | None = None
    """What its users do, written in Python: a file and a class in it, such as my_agent.py:CheckoutUser; a relative
    path starts at the profile. Instead of setup, tasks and teardown.
    """
    setup: list[Step] = []
    """Steps done once per user, before its tasks. And anew, 0.25s later at the soonest, where the target no longer
    knows the session: 404 or 410 to a request of a task that names what setup saved (or {session_uuid}) in its path,
    query or headers, or a failure that says so (session not found). Counted as sessions_lost."""
    tasks: list[Task] = []
    """What its users do, again and again."""
    teardown: list[Step] = []
    """Steps done once per user, at its end."""

    @property
    def open(self) -> bool:
        """Return whether it is driven by arrivals rather than by a number of users."""
        return any(stage.rate is not None for stage in self.stages)

    def streams(self, step: Step, part: str) -> bool:
        """Return whether the answer to a step of ``part`` (setup, tasks, teardown) is to be a stream."""
        if step.stream is not None:
            return step.stream
        return step.protocol == "sse" if step.protocol else self.protocol == "sse" and part == "tasks"


class Objectives(Model):
    """A request that is ok and within all of these is good. A figure that an answer does not have counts as met."""

    latency: PositiveDuration | None = None
    """First byte sent to the end of the answer."""
    response_time: PositiveDuration | None = None
    """From when the plan wanted it sent to the end of the answer; of a closed pool its latency."""
    ttfb: PositiveDuration | None = None
    """First byte sent to the first byte of the answer."""
    ttft: PositiveDuration | None = None
    """First byte sent to the first output of a streamed answer."""
    ttfo: PositiveDuration | None = None
    """First byte sent to the first output that is not reasoning."""
    tpot: PositiveDuration | None = None
    """Time per output token after the first."""
    inter_chunk: PositiveDuration | None = None
    """The longest gap between two chunks of output."""

    @property
    def limits_ns(self) -> dict[str, int]:
        """Return the limits that are set, by name, in nanoseconds."""
        return {
            name: round(value * 1e9) for name in type(self).model_fields if (value := getattr(self, name)) is not None
        }


class RateLimit(Model):
    """What a rate-limited answer should look like. Any other is a violation, and so is an error of another kind (5xx,
    4xx, an error in an answer with status 200) within a second of one of the same request."""

    body_matches: Regex | None = None
    """Regular expression that its body has to match somewhere in its first 2 KiB, or the words of a dialect's error.
    RE2's, as in checks."""
    retry_after: bool = True
    """true: the answer must say when to come back, by Retry-After, retry-after-ms, its dialect or the reset of
    limits.
    """


class Price(Model):
    """Price of a million tokens, in USD."""

    input: Weight
    """Price of input."""
    output: Weight
    """Price of output, reasoning included."""
    cached: Weight | None = None
    """Price of input that was read from a cache; that of other input by default."""


class Budget(Model):
    """Hard caps on what a run uses, over all workers, warm-up included: never exceeded. Requests in flight count at
    their worst case; the run ends where the next one would be too much."""

    requests: Cap | None = None
    """Requests sent, retries and redirects included."""
    tokens: Cap | None = None
    """Input and output tokens together, as answers tell them. An answer that tells none counts at its worst case."""
    cost_usd: Money | None = None
    """What those tokens cost at the price given, in USD."""
    price: Price | None = None
    """Needed for cost_usd, here and for every request in the summary."""
    max_output_tokens: Cap | None = None
    """Worst case of the tokens that one request makes the target write; with tokens or cost_usd. A step may have its
    own.
    """
    max_input_tokens: Cap | None = None
    """The worst case of what one request makes it read; without it a token a byte of the request's body, which does not
    hold what an agent adds by itself."""


class CircuitBreaker(Model):
    """Ends the run (exit code 99) if the target has fallen over; what is in flight is cut."""

    failed: Percent = 0.5
    """The share of the requests finished within ``over`` that must have failed."""
    over: PositiveDuration = 10.0
    """Judged every second on the last seconds, once this much time has passed. The warm-up counts."""
    min_requests: MinRequests = 20
    """With fewer finished requests within ``over`` nothing is judged."""
    count_429: bool = False
    """true: a rate-limited request counts as failed, too; false: as not failed, since a target that refuses works."""


class Judge(Model):
    """A model that judges answers by a rubric: an endpoint that speaks OpenAI's Chat Completions, with a key and caps
    of its own."""

    target: Target
    """Its URL, up to and with /v1."""
    model: Name
    """The model asked for."""
    api_key: str | None = None
    """Its key, as a bearer token: ${NAME} from the environment."""
    max_calls: Cap = 200
    """The most calls of a run; answers beyond them are not judged, and said to be so."""
    max_cost_usd: Money | None = None
    """The most that its calls may cost, at the price given, in USD."""
    price: Price | None = None
    """Needed for max_cost_usd."""
    concurrency: Concurrency = 4
    """How many answers are judged at once."""
    timeout: PositiveDuration = 60.0
    """Limit of one call. Its own 429s are waited for."""
    live: bool = False
    """true: it judges while the load runs; false: when it has ended."""
    calibration: str | None = None
    """A .jsonl file of answers that people have scored, to know how far it can be trusted; a relative path starts at
    the profile."""


class Quality(Model):
    """Whether answers are right, and whether they get worse as users are added: cases, and how they are asked."""

    cases: Names
    """File of cases, or several: .jsonl, .yaml or .csv; a relative path starts at the profile."""
    repeats: Repeats = 1
    """How often each case is asked at each level of load, at least; in what time is left cases are asked in turn. Those
    of the lowest level are asked twice at least: they are the control."""
    when: Literal["live", "after"] = "live"
    """live: graders run while the load does; after: when it has ended. A judge waits for the end by itself."""
    max_wait: Duration = 600.0
    """How long the run may wait, after its load, for a judge and for graders in Python. What they have not said by then
    is ungraded, and counted so."""
    pass_: Share = Field(default=1.0, alias="pass")
    """A case passes with at least this score, from 0 to 1; it may have a threshold of its own."""
    judge: Judge | None = None
    """Who judges the cases with a judge grader."""


class AskedQuality(Quality):
    """Cases of a loaded profile, read."""

    found: tuple[Any, ...] = ()
    """Of :class:`agenttop.quality.case.Case`, without the run's secrets."""


class Gate(Model):
    """Blocks a build that is worse than the one before: when the run is over it is compared with another, and one that
    is surely worse than allowed ends with exit code 99."""

    base: Names = "last-passed"
    """What the run is compared with: last-passed or last, of this profile's runs on this machine, or a summary's file,
    or several; a relative path starts at the profile. The first run of all has nothing to be worse than, and passes."""
    max_score_drop: ScoreDrops = []
    """How far the score may fall: 2%, or SLICE=5% for the cases of a slice; one or several. Paired by case."""
    max_regress: Regressions = {}
    """How much worse a figure may be, by METRIC.STAT: { "latency.p95" = "10%" }. Of a pool or a request: METRIC.STAT
    {pool:NAME}."""
    strict: bool = False
    """true: what the data cannot tell blocks, too."""


class Fleet(Model):
    """Other machines that send the load together, instead of this one: reached by SSH, each with agenttop[fleet]."""

    hosts: Boxes = []
    """The boxes: b1, b2:2222, user@b3 or a name of ~/.ssh/config; --hosts goes before them."""
    min_hosts: Hosts | None = None
    """How many of them must be there to begin; all by default. Those that are not are named, and left out."""
    on_loss: Literal["share", "shrink", "stop"] = "share"
    """What becomes of the users of a box that is lost: share: the others get them. shrink: nobody does. stop: the run
    ends, and has failed."""
    python: str = "python3"
    """The Python of each box that has agenttop; --remote-python goes before it."""


class Search(Model):
    """Looks for the most users (or iterations per second) at which requests are good, instead of driving stages: it
    doubles them until a level fails, then halves what is left. Failed and rate-limited requests are not good."""

    from_: Level | None = Field(default=None, alias="from")
    """The first level, 1 by default. If it fails, so does the run (exit code 99)."""
    to: Level | None = None
    """The highest level that is tried."""
    unit: Literal["users", "rate"] | None = None
    """users, or rate: iterations per second of a pool, whose users arrive by themselves."""
    pool: PoolName | None = None
    """The pool whose load is searched; without it the users of all pools without stages of their own, by weight. The
    stages of other pools are held at their highest.
    """
    good: InnerPercent = 0.95
    """Share of the requests that must meet all [objectives]."""
    settle: Duration = 5.0
    """Requests sent within this time after a level's users are there do not count."""
    measure: PositiveDuration = 15.0
    """How long requests are sent that count, before a level is judged: many times as long as one takes."""
    max_measure: PositiveDuration | None = None
    """If that does not decide, measuring goes on up to this (by default four times measure); then the share alone
    decides.
    """
    confidence: InnerPercent = 0.95
    """How surely a level must be known to hold or not: by the Wilson interval of the share of good requests, and if
    they are few by the exact test too.
    """
    resolution: Resolution = "5%"
    """How close the highest level that holds and the lowest that does not have to be: a part of the level, or a number
    of users or iterations per second. At least one user.
    """


class Threshold(Model):
    """What must hold for the run to pass. A bare string is its ``expression``."""

    expression: ThresholdText
    """METRIC{tag:value} METHOD OP NUMBER UNIT, such as latency p95 < 2s."""
    abort: bool = False
    """true ends the run as soon as it fails."""
    delay: Duration | None = None
    """Time from the begin of the run before which it ends no run, and no window is judged."""
    window: PositiveDuration | None = None
    """It must hold in every stretch of this length, instead of over the whole run."""
    allow_empty: bool = False
    """true: nothing measured passes."""


class Profile(Model):
    """A whole profile."""

    name: Name = ""
    """Name of the run; by default the file's name without its ending."""
    target: Target
    """http(s):// or ws(s):// URL that the paths of all steps are appended to."""
    seed: Seed = 0
    """Seed of random choices: the same tasks, pauses and arrivals every time."""
    warmup: Duration = 0.0
    """Requests sent before it ends are in no figure but the timeline."""
    graceful_stop: Duration = 30.0
    """How long requests in flight may take to end once the run is over."""
    timeout: PositiveDuration = 60.0
    """Limit of one request, from its sending to the end of its answer."""
    connect_timeout: PositiveDuration = 10.0
    """Limit of opening a connection."""
    first_byte_timeout: PositiveDuration | None = None
    """Limit of the time to the first byte of the answer."""
    first_token_timeout: PositiveDuration | None = None
    """Limit of the time to the first output of a streamed answer."""
    idle_timeout: PositiveDuration | None = None
    """Limit between two reads of a streamed answer."""
    dialect: Dialect = "json"
    """How answers are read."""
    on_429: On429 = "count"
    """What follows a 429. count: the user goes on. honor: it waits as long as Retry-After asks (1s where nothing does,
    5m at most), then goes on. retry: it waits (1s, 2s, 4s … where nothing asks) and sends the same request again."""
    max_retries: Retries = 3
    """With on_429 = "retry": how often one request is sent again."""
    connection: Connection = "per_user"
    """per_user: each keeps a connection of its own. per_request: every request opens one, which is closed after its
    answer. A WebSocket is one connection: a ws pool is per_user."""
    http_version: Literal["1.1", "2"] = "1.1"
    """Version of HTTP to speak."""
    follow_redirects: bool = False
    """true goes where a 3xx answer points, inside the same request. What came from a ${NAME}, credentials, and headers
    with variables of answers or data go to no other origin; where a body or a URL would take a secret there, the
    request has failed."""
    headers: Headers = {}
    """Headers of every request."""
    cookies: bool = True
    """Each user keeps the cookies that it is given and sends them back, as browsers do, until its session ends; not in
    requests whose headers hold a cookie. false: none are kept."""
    traceparent: bool = False
    """true: every request carries a W3C traceparent of its own; the summary has the slowest with their trace ids."""
    tls: Tls = Tls()
    """How https and wss targets are verified."""
    proxy: Proxy | None = None
    """A forward proxy."""
    measure: Measure = Measure()
    """Where to read figures in answers of dialect json."""
    thresholds: list[Threshold] = []
    """What must hold for the run to pass (exit code 0, else 99): expressions, or tables with one."""
    rate_limit: RateLimit | None = None
    """What a rate-limited answer must look like; any other is counted as a violation."""
    circuit_breaker: CircuitBreaker | None = None
    """Ends a run whose target has fallen over."""
    quality: Quality | None = None
    """Cases whose answers are graded, and how."""
    gate: Gate | None = None
    """Blocks a run that is worse than one before it."""
    fleet: Fleet | None = None
    """Other machines that send the load."""
    search: Search | None = None
    """Looks for the capacity of the target instead of driving stages."""
    objectives: Objectives = Objectives()
    """What a good request is, for goodput."""
    budget: Budget | None = None
    """Hard caps on requests, tokens and money."""
    users: Users | None = None
    """With duration, the short form of one stage that starts with all its users."""
    duration: PositiveDuration | None = None
    """With users, the short form of one stage."""
    stages: list[Stage] = []
    """Stages of the whole run. The short form (users and duration) is a single step stage here once loaded."""
    pools: list[Pool] = []
    """Kinds of user; the stages' users are divided among those without stages of their own."""
