// Logs in. Expired credentials lead to the renewal, with the token that the answer holds.

import { call } from "./api.js";
import { byId, onSubmit, readCode, revealWith, sessionSticks } from "./page.js";
import { keepRenewal } from "./tokens.js";

const username = byId("username");
const password = byId("password");
const code = byId("code");

async function logIn() {
  const digits = readCode(code);
  if (digits === null) return;
  await call("POST", "/api/login", {
    body: { username: username.value, password: password.value, code: digits },
  });
  // A code works once: whatever comes now, this one is of no more use.
  code.value = "";
  if (await sessionSticks()) {
    password.value = "";
    location.assign("/account");
  }
}

function onProblem(problem) {
  if (problem.code === "credentials_expired" && typeof problem.details.renewal_token === "string") {
    keepRenewal(problem.details.renewal_token);
    password.value = "";
    // The name is no secret, but belongs in no log: a fragment is never sent.
    location.assign(`/create#${new URLSearchParams({ username: username.value.trim() })}`);
    return true;
  }
  if (problem.code === "invalid_credentials") {
    code.value = "";
    code.focus();
  }
  return false;
}

revealWith(byId("show-password"), password);
onSubmit(byId("login-form"), logIn, { onProblem });
