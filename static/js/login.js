// Logs in. Expired credentials lead to the renewal, with the token that the answer holds.

import {
  alarm, byId, call, clearOnLeaving, forgetRefusedCode, keepRenewal, onSubmit, readCode, revealWith, say,
  sessionSticks,
} from "./page.js";

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
    if (!keepRenewal(problem.details.renewal_token)) {
      alarm(() => say("session.refused"));
      return true;
    }
    password.value = "";
    // The name is no secret, but belongs in no log: a fragment is never sent.
    location.assign(`/create#${new URLSearchParams({ username: username.value.trim() })}`);
    return true;
  }
  forgetRefusedCode(code, problem);
  return false;
}

revealWith(byId("show-password"), password);
onSubmit(byId("login-form"), logIn, { place: "login", onProblem });
clearOnLeaving(() => [password, code].forEach((field) => (field.value = "")));
