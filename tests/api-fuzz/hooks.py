"""What a fuzzer cannot guess: tokens, passwords and codes that are good, each from an account of its own.

Schemathesis draws requests from static/openapi.yaml. Nearly all of them would end at the first refusal, so every second
valid one is given what a person in a situation of tests/harness/situations.yaml has. The others stay as they were
drawn.
"""

import atexit
import itertools
import os
import secrets
import time
from collections import Counter, defaultdict
from pathlib import Path

import pyotp
import requests
import schemathesis
import yaml
from schemathesis.core import NOT_SET
from schemathesis.core.parameters import ParameterLocation as Part

ADDRESS = os.environ["API_FUZZ_ADDRESS"]
SESSION = "__Host-session"
STEP = 30  # seconds

ROOT = Path(__file__).parents[2]
TABLE = yaml.safe_load((ROOT / "tests/harness/situations.yaml").read_text())
DOCUMENT = schemathesis.openapi.from_path(ROOT / "static/openapi.yaml")
OPERATIONS = [result.ok() for result in DOCUMENT.get_all_operations()]
# In which ways each operation may be sent, by the names of the security schemes.
WAYS = {operation.label: operation.definition.raw["security"] for operation in OPERATIONS}


class Person:
    """Somebody new in a situation of the table. A lock that one earns holds up nobody else."""

    def __init__(self, situation):
        # By the names of the table's placeholders and of the document's security schemes.
        self.has = {"username": f"fuzz-{secrets.token_hex(8)}", "password": "none yet", "code": "123456"}
        getattr(self, situation)()

    def stranger(self):
        pass

    def started(self):
        start = self.step("POST /api/password").json()
        self.has["enrollment"] = start["enrollment_token"]
        self.has["reveal"] = start["reveal_url"].partition("#")[2]

    def revealed(self):
        self.started()
        self.has["password"] = self.step("POST /api/password/reveal").json()["password"]

    def enrolled(self):
        self.revealed()
        self.authenticator = pyotp.TOTP(self.step("POST /api/totp").json()["secret"])
        self.has["code"] = self.code()

    def active(self):
        self.enrolled()
        self.has["session"] = self.step("POST /api/totp/confirm").cookies[SESSION]
        self.has["id"] = self.step("GET /api/sessions").json()[0]["id"]
        # The code of this step was used up by the activation. The service takes the next one, too.
        self.has["code"] = self.code(later=1)

    def waiting(self):
        self.active()
        right = self.has["code"]
        near = {self.code(later) for later in range(-2, 4)}
        self.has["code"] = next(code for code in map("{:06d}".format, itertools.count()) if code not in near)
        for _ in range(5):
            self.send("POST /api/login")
        self.has["code"] = right

    def code(self, later=0):
        """The code of this step, or of so many steps later."""
        return self.authenticator.at(time.time() + later * STEP)

    def credentials(self, label):
        """Headers and cookies: what the person has of that which the operation takes."""
        headers, cookies = {}, {}
        for scheme in self.has.keys() & set(itertools.chain(*WAYS[label])):
            if scheme == "session":
                cookies[SESSION] = self.has[scheme]
            else:
                headers["Authorization"] = f"Bearer {self.has[scheme]}"
        return headers, cookies

    def body(self, label):
        """What the table says, in the person's words; None where the document requires no body."""
        fields = TABLE[label].get("body")
        return fields and {name: value.format(**self.has) for name, value in fields.items()}

    def send(self, label):
        method, path = label.format(**self.has).split()
        headers, cookies = self.credentials(label)
        body = self.body(label)
        return requests.request(method, ADDRESS + path, headers=headers, cookies=cookies, json=body, timeout=10)

    def step(self, label):
        """What has to succeed."""
        answer = self.send(label)
        answer.raise_for_status()
        return answer


# The status that each case has to get which was given all that a situation has.
EXPECTED = {}


@schemathesis.auth(refresh_interval=None)
class Credentials:
    """Puts every second valid request into a situation, each in turn, and gives the others the tokens and cookies of
    somebody who would be served, so that what is wrong elsewhere is looked at."""

    def __init__(self):
        self.turns = defaultdict(itertools.count)

    def get(self, case, context):
        # What was drawn as a wrong token stays one.
        if any(case.meta.is_negative_at(part) for part in (Part.HEADER, Part.COOKIE)):
            return None
        label = context.operation.label
        situations = TABLE[label]["situations"]
        turn = next(self.turns[label]) if case.meta.generation.mode.is_positive else 1
        if turn % 2:
            return Person(next(name for name, status in situations.items() if status < 300)), None
        name = list(situations)[turn // 2 % len(situations)]
        return Person(name), situations[name]

    def set(self, case, data, context):
        person, status = data
        label = context.operation.label
        if status:
            case.path_parameters.update({name: person.has[name] for name in case.path_parameters})
            case.body = person.body(label) or case.body
            EXPECTED[case.id] = status
        elif {} in WAYS[label]:
            # Without a token, somebody new starts.
            return
        headers, cookies = person.credentials(label)
        case.headers.update(headers)
        case.cookies.update(cookies)


@schemathesis.hook.apply_to(path=["/api/totp", "/function/generate-2fa"])
def filter_case(context, case):
    """Schemathesis takes no body for a wrong one, even where none is needed."""
    return case.body is not NOT_SET or not case.meta.is_negative_at(Part.BODY)


@schemathesis.check
def the_answer_is_that_of_the_situation(context, response, case):
    expected = EXPECTED.get(case.id, response.status_code)
    assert response.status_code == expected, f"{expected} was to be expected here"


@schemathesis.check
def the_answer_keeps_the_rules_of_every_answer(context, response, case):
    """Those hold for methods and content types that the document does not list, too."""
    assert response.headers.get("cache-control") == ["no-store"], "an answer of the API that may be kept"
    if response.status_code < 400:
        return
    assert response.headers.get("content-type") == ["application/problem+json"], "a refusal of another type"
    if response.request.method != "HEAD":
        problem = response.json()
        assert {"type", "title", "status", "code"} <= problem.keys(), "a problem without its parts"
        assert problem["status"] == response.status_code, "a problem that names another status"


# How often each operation was asked, and what it answered.
ANSWERS = defaultdict(Counter)


@schemathesis.hook
def after_call(context, case, response):
    asked = case.operation.label
    if response.request.method != case.operation.method.upper():
        asked = "other methods"
    ANSWERS[asked][response.status_code] += 1


@atexit.register
def print_answers():
    print("\nRequests and their answers, those of the accounts behind them left out:")
    for asked, statuses in sorted(ANSWERS.items(), key=lambda item: item[0].split()[::-1]):
        counts = ", ".join(f"{times} x {status}" for status, times in sorted(statuses.items()))
        print(f"{sum(statuses.values()):6d}  {asked}: {counts}")
