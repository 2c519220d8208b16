"""What the scripted tools are given: the same load, in the words of each one's documentation."""

from __future__ import annotations

#: All users are there: forget what came before, and end so many seconds later.
_LOCUST_END = """

@events.init.add_listener
def measure(environment, **_):
    @environment.events.spawning_complete.add_listener
    def all_there(**_):
        environment.stats.reset_all()
        gevent.spawn_later({seconds}, environment.runner.quit)
"""

LOCUST = (
    """
import gevent
from locust import FastHttpUser, HttpUser, constant, events, task


class Load({user}):
    wait_time = constant(0)

    @task
    def root(self):
        self.client.get("/")
"""
    + _LOCUST_END
)

#: What ``profiles.SCRIPT`` does: a session first, then tasks by weight; what is needed is saved, every answer checked.
LOCUST_SCRIPT = (
    """
import itertools

import gevent
from locust import FastHttpUser, constant, events, task

NUMBERS = itertools.count(1)


class Chat(FastHttpUser):
    wait_time = constant(0)

    def on_start(self):
        self.number = next(NUMBERS)
        self.iteration = 0
        user = {{"user_id": f"loadtest-{{self.number}}"}}
        with self.client.post("/api/sessions", json=user, name="open session", catch_response=True) as answer:
            if answer.status_code != 201:
                answer.failure("created")
            self.session_id = answer.json()["session_id"]
            self.messages = f"/api/sessions/{{self.session_id}}/messages"

    @task(3)
    def message(self):
        self.iteration += 1
        question = f"Question {{self.iteration}} of user {{self.number}}: when are you open?"
        body = {{"content": question, "session": self.session_id}}
        with self.client.post(self.messages, json=body, name="message", catch_response=True) as answer:
            data = answer.json()
            if answer.status_code != 200:
                answer.failure("ok")
            elif not data["content"]:
                answer.failure("has content")
            elif not data["usage"]["output_tokens"] > 0:
                answer.failure("has tokens")

    @task(2)
    def order(self):
        self.iteration += 1
        body = {{"content": f"Where is my order, asks user {{self.number}}"}}
        with self.client.post(self.messages, json=body, name="ask for an order", catch_response=True) as answer:
            if answer.status_code != 200:
                answer.failure("ok")
            order_id = answer.json()["order_id"]
        with self.client.get(f"/api/orders/{{order_id}}", name="look it up", catch_response=True) as answer:
            if answer.status_code != 200:
                answer.failure("ok")
            elif answer.json()["status"] != "shipped":
                answer.failure("shipped")
            elif "B-7" not in answer.text:
                answer.failure("two items")

    @task(1)
    def status(self):
        self.iteration += 1
        with self.client.get("/api/status", name="status", catch_response=True) as answer:
            if answer.status_code != 200:
                answer.failure("ok")
            elif answer.json()["status"] != "ready":
                answer.failure("ready")
"""
    + _LOCUST_END
)

#: A closed model: all users arrive in the first second, each repeats until the time is over.
ARTILLERY = """
config:
  target: "{url}"
  processor: "./until.cjs"
  phases:
    - duration: 1
      arrivalCount: {users}
scenarios:
  - flow:
      - loop:
          - get:
              url: "/"
        whileTrue: "underway"
"""
ARTILLERY_UNTIL = """
let until;
module.exports = {{
  underway: (context, next) => {{
    until ??= Date.now() + {milliseconds};
    next(Date.now() < until);
  }},
}};
"""

_K6_OPTIONS = """
export const options = {{
  scenarios: {{ load: {{ executor: 'constant-vus', vus: {users}, duration: '{seconds}s', gracefulStop: '5s' }} }},
  summaryTrendStats: ['med', 'p(99)'],
}};

export function handleSummary(data) {{
  return {{ stdout: JSON.stringify(data) }};
}}
"""

K6 = (
    """
import http from 'k6/http';
"""
    + _K6_OPTIONS
    + """
export default function () {{
  http.get('{url}/');
}}
"""
)

#: Like ``LOCUST_SCRIPT``.
K6_SCRIPT = (
    """
import http from 'k6/http';
import {{ check }} from 'k6';
import exec from 'k6/execution';
"""
    + _K6_OPTIONS
    + """
let session;

function post(path, body, name) {{
  return http.post('{url}' + path, JSON.stringify(body), {{
    headers: {{ 'Content-Type': 'application/json' }}, tags: {{ name }},
  }});
}}

function openSession() {{
  const answer = post('/api/sessions', {{ user_id: 'loadtest-' + exec.vu.idInTest }}, 'open session');
  check(answer, {{ created: (r) => r.status === 201 }});
  session = answer.json('session_id');
}}

function message() {{
  const content = 'Question ' + exec.vu.iterationInInstance + ' of user ' + exec.vu.idInTest + ': when are you open?';
  const answer = post('/api/sessions/' + session + '/messages', {{ content, session }}, 'message');
  check(answer, {{
    ok: (r) => r.status === 200,
    'has content': (r) => !!r.json('content'),
    'has tokens': (r) => r.json('usage.output_tokens') > 0,
  }});
}}

function order() {{
  const content = 'Where is my order, asks user ' + exec.vu.idInTest;
  const asked = post('/api/sessions/' + session + '/messages', {{ content }}, 'ask for an order');
  check(asked, {{ ok: (r) => r.status === 200 }});
  const found = http.get('{url}/api/orders/' + asked.json('order_id'), {{ tags: {{ name: 'look it up' }} }});
  check(found, {{
    ok: (r) => r.status === 200,
    shipped: (r) => r.json('status') === 'shipped',
    'two items': (r) => r.body.includes('B-7'),
  }});
}}

function status() {{
  const answer = http.get('{url}/api/status', {{ tags: {{ name: 'status' }} }});
  check(answer, {{ ok: (r) => r.status === 200, ready: (r) => r.json('status') === 'ready' }});
}}

export default function () {{
  if (session === undefined) openSession();
  const draw = Math.random() * 6;
  if (draw < 3) message();
  else if (draw < 5) order();
  else status();
}}
"""
)
