"""What a fuzzer cannot guess: tokens, passwords and codes that are good, each from an account of its own.

Schemathesis draws requests from static/openapi.yaml. Nearly all of them would end at the first refusal, so every second
valid one is given what a person at that step would have. The others stay as they were drawn.
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
from schemathesis import GenerationMode
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


# What each operation is given: headers, cookies, path parameters, body.


def start_again(person):
    return {"headers": bearer(person.enrollment), "body": {"username": person.username}}


def poll(person):
    return {"headers": bearer(person.enrollment)}


def reveal(person):
    return {"body": {"token": person.reveal}}


def enroll(person):
    return {"headers": bearer(person.with_password().enrollment)}


def confirm(person):
    person.with_second_factor()
    return {
        "headers": bearer(person.enrollment),
        "body": {"password": person.password, "code": person.code()},
    }


def log_in(person):
    # The code of this step was used up by the activation.
    body = {"username": person.active().username, "password": person.password, "code": person.code(later=1)}
    return {"body": body}


def use_session(person):
    return {"cookies": {SESSION: person.active().session}}


def end_session(person):
    cookies = use_session(person)["cookies"]
    mine = requests.get(f"{ADDRESS}/api/sessions", cookies=cookies, timeout=10).json()
    return {"cookies": cookies, "path_parameters": {"id": mine[0]["id"]}}


def delete_account(person):
    cookies = use_session(person)["cookies"]
    return {"cookies": cookies, "body": {"password": person.password, "code": person.code(later=1)}}


GIVEN = {
    "POST /api/password": start_again,
    "GET /api/password": poll,
    "POST /api/password/reveal": reveal,
    "POST /api/totp": enroll,
    "POST /api/totp/confirm": confirm,
    "POST /api/login": log_in,
    "GET /api/session": use_session,
    "DELETE /api/session": use_session,
    "GET /api/sessions": use_session,
    "DELETE /api/sessions/{id}": end_session,
    "GET /api/account": use_session,
    "DELETE /api/account": delete_account,
    "POST /function/generate-password": start_again,
    "POST /function/generate-2fa": enroll,
    "POST /function/authenticate-user": log_in,
}

# Those start something new without a Bearer.
NEED_NONE = {"POST /api/password", "POST /function/generate-password"}

# The cases that were given all that is right.
COMPLETE = set()


@schemathesis.auth(refresh_interval=None)
class Credentials:
    """A good token or cookie for every request that needs one, so that what is wrong elsewhere in it is reached."""

    def __init__(self):
        self.turns = defaultdict(itertools.count)

    def get(self, case, context):
        give = GIVEN.get(context.operation.label)
        # What was drawn as a wrong token stays one.
        if give and not any(case.meta.is_negative_at(part) for part in (Part.HEADER, Part.COOKIE)):
            return give(Person())

    def set(self, case, given, context):
        operation = context.operation.label
        is_valid = case.meta.generation.mode == GenerationMode.POSITIVE
        if is_valid and next(self.turns[operation]) % 2 == 0:
            case.path_parameters.update(given.get("path_parameters", {}))
            case.body = given.get("body", case.body)
            COMPLETE.add(case.id)
        elif operation in NEED_NONE:
            return
        case.headers.update(given.get("headers", {}))
        case.cookies.update(given.get("cookies", {}))


@schemathesis.hook.apply_to(path=["/api/totp", "/function/generate-2fa"])
def filter_case(context, case):
    """Schemathesis takes no body for a wrong one, even where none is needed."""
    return case.body is not NOT_SET or not case.meta.is_negative_at(Part.BODY)


@schemathesis.check
def what_is_right_is_accepted(context, response, case):
    assert case.id not in COMPLETE or response.status_code < 300, "all was given, and it was refused"


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
