"""What a fuzzer cannot guess: tokens, passwords and codes that are good, each from an account of its own.

Schemathesis draws requests from static/openapi.yaml. Nearly all of them would end at the first refusal, so every second
valid one is given what a person in some situation would have. The others stay as they were drawn.
"""

import atexit
import itertools
import os
import secrets
import time
from collections import Counter, defaultdict

import pyotp
import requests
import schemathesis
from schemathesis.core import NOT_SET
from schemathesis.core.parameters import ParameterLocation as Part

ADDRESS = os.environ["API_FUZZ_ADDRESS"]
SESSION = "__Host-session"
STEP = 30  # seconds


class Person:
    """A new account, led as far as is asked. A lock that one earns holds up nobody else."""

    def __init__(self):
        self.username = f"fuzz-{secrets.token_hex(8)}"
        start = self.send("POST", "/api/password", json={"username": self.username})
        self.enrollment = start["enrollment_token"]
        self.reveal = start["reveal_url"].partition("#")[2]

    def with_password(self):
        self.password = self.send("POST", "/api/password/reveal", json={"token": self.reveal})["password"]
        return self

    def with_second_factor(self):
        self.with_password()
        secret = self.send("POST", "/api/totp", headers=bearer(self.enrollment))["secret"]
        self.authenticator = pyotp.TOTP(secret)
        return self

    def active(self):
        self.with_second_factor()
        body = {"password": self.password, "code": self.code()}
        self.send("POST", "/api/totp/confirm", headers=bearer(self.enrollment), json=body)
        return self

    def code(self, later=0):
        """The code of this step, or of so many steps later: the service takes the next one too."""
        return self.authenticator.at(time.time() + later * STEP)

    def send(self, method, path, **request):
        """A step that has to succeed; its cookie is kept, although it is a secure one and the address may not be."""
        answer = requests.request(method, ADDRESS + path, timeout=10, **request)
        answer.raise_for_status()
        self.session = answer.cookies.get(SESSION) or getattr(self, "session", None)
        return answer.json()


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


# What people bring, and where they stand then.


def start_again(person):
    return {"headers": bearer(person.enrollment), "body": {"username": person.username}}


def poll(person):
    return {"headers": bearer(person.enrollment)}


def reveal(person):
    return {"body": {"token": person.reveal}}


def reveal_again(person):
    return reveal(person.with_password())


def enroll(person):
    return poll(person.with_password())


def confirm(person):
    person.with_second_factor()
    return poll(person) | {"body": {"password": person.password, "code": person.code()}}


def confirm_without_second_factor(person):
    person.with_password()
    return poll(person) | {"body": {"password": person.password, "code": "123456"}}


def confirm_without_password(person):
    return poll(person) | {"body": {"password": "none yet", "code": "123456"}}


def log_in(person):
    person.active()
    # The code of this step was used up by the activation.
    return {"body": {"username": person.username, "password": person.password, "code": person.code(later=1)}}


def log_in_while_waiting(person):
    given = log_in(person)
    good = {person.code(later) for later in range(-2, 4)}
    wrong = next(code for code in map("{:06d}".format, itertools.count()) if code not in good)
    for _ in range(5):
        requests.post(f"{ADDRESS}/api/login", json=given["body"] | {"code": wrong}, timeout=10)
    return given


def use_session(person):
    return {"cookies": {SESSION: person.active().session}}


def end_session(person):
    given = use_session(person)
    mine = requests.get(f"{ADDRESS}/api/sessions", cookies=given["cookies"], timeout=10).json()
    return given | {"path_parameters": {"id": mine[0]["id"]}}


def delete_account(person):
    given = use_session(person)
    return given | {"body": {"password": person.password, "code": person.code(later=1)}}


# In turn for each operation, and what it has to answer then. The first also brings tokens and cookies for the requests
# that are wrong elsewhere.
START = [(start_again, 201)]
ENROLL = [(enroll, 201), (poll, 409)]
LOGIN = [(log_in, 200), (log_in_while_waiting, 429)]
SITUATIONS = {
    "POST /api/password": START,
    "GET /api/password": [(poll, 200)],
    "POST /api/password/reveal": [(reveal, 200), (reveal_again, 410)],
    "POST /api/totp": ENROLL,
    "POST /api/totp/confirm": [
        (confirm, 200),
        (confirm_without_second_factor, 409),
        (confirm_without_password, 409),
    ],
    "POST /api/login": LOGIN,
    "GET /api/session": [(use_session, 200)],
    "DELETE /api/session": [(use_session, 204)],
    "GET /api/sessions": [(use_session, 200)],
    "DELETE /api/sessions/{id}": [(end_session, 204)],
    "GET /api/account": [(use_session, 200)],
    "DELETE /api/account": [(delete_account, 204)],
    "POST /function/generate-password": START,
    "POST /function/generate-2fa": ENROLL,
    "POST /function/authenticate-user": LOGIN,
}

# The status that each case has to get which was given all that a situation has.
EXPECTED = {}


@schemathesis.auth(refresh_interval=None)
class Credentials:
    """Puts every second valid request into a situation, and gives the others the tokens and cookies that they need."""

    def __init__(self):
        self.turns = defaultdict(itertools.count)

    def get(self, case, context):
        situations = SITUATIONS.get(context.operation.label)
        # What was drawn as a wrong token stays one.
        if not situations or any(case.meta.is_negative_at(part) for part in (Part.HEADER, Part.COOKIE)):
            return None
        turn = next(self.turns[context.operation.label]) if case.meta.generation.mode.is_positive else 1
        give, status = situations[0 if turn % 2 else turn // 2 % len(situations)]
        return give(Person()), None if turn % 2 else status

    def set(self, case, data, context):
        given, status = data
        if status:
            case.path_parameters.update(given.get("path_parameters", {}))
            case.body = given.get("body", case.body)
            EXPECTED[case.id] = status
        elif SITUATIONS[context.operation.label] is START:
            # Without a Bearer, somebody new starts.
            return
        case.headers.update(given.get("headers", {}))
        case.cookies.update(given.get("cookies", {}))


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
