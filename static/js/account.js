// The page of who is logged in: whose session this is, how long the credentials are good, what happened before; the
// other sessions, all that is stored; and the ways out, from the session and for good.

import {
  byId, call, clearOnLeaving, dateAndTime, days, forgetRefusedCode, millisecondsUntil, onPress, onSubmit, once,
  readCode, revealWith, say, showStep, tell, write,
} from "./page.js";

// People are told in time that the next login will be another one.
const SOON_DAYS = 14;

async function load() {
  const session = await call("GET", "/api/session");
  const daysLeft = Math.floor(millisecondsUntil(session.expires_at) / 86_400_000);
  byId("session-username").textContent = session.username;
  write(byId("credential-expires-at"), () => dateAndTime(session.expires_at));
  write(byId("credential-days-left"), () => say("account.daysLeft", { days: days(daysLeft) }));
  write(byId("previous-login-at"), () =>
    session.previous_login_at ? dateAndTime(session.previous_login_at) : say("account.never"));
  write(byId("failed-before"), () =>
    session.failed_before > 0 ? String(session.failed_before) : say("account.noFailure"));
  write(byId("session-expires-at"), () => dateAndTime(session.session_expires_at));
  byId("failed-warning").hidden = !(session.failed_before > 0);
  byId("soon-warning").hidden = daysLeft > SOON_DAYS;
  // Not when the page was just opened, but when somebody pressed a button that is gone now.
  showStep("step-session", { focus: document.activeElement !== document.body });
}

function onProblem(problem) {
  if (problem.code !== "session_invalid") return false;
  forgetTyped();
  showStep("step-signed-out");
  return true;
}

async function logOut() {
  await call("DELETE", "/api/session");
  showStep("step-signed-out");
  tell(() => say("account.loggedOut"));
}

// --- Sessions ---

async function listSessions() {
  const sessions = await call("GET", "/api/sessions");
  byId("sessions").replaceChildren(...sessions.map(sessionRow));
  showStep("step-sessions");
}

function sessionRow({ id, created_at, last_seen_at, current }) {
  const row = document.createElement("li");
  const times = document.createElement("span");
  times.id = `session-${id}`;
  row.append(times);
  write(times, () =>
    say(current ? "sessions.this" : "sessions.other", {
      since: dateAndTime(created_at),
      used: dateAndTime(last_seen_at),
    }));
  if (!current) row.append(endButton(id, times));
  return row;
}

function endButton(id, times) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "secondary";
  button.setAttribute("aria-describedby", times.id);
  write(button, () => say("sessions.end"));
  button.addEventListener("click", () => once(button, () => endSession(id), { onProblem }));
  return button;
}

async function endSession(id) {
  await call("DELETE", `/api/sessions/${id}`).catch((problem) => {
    // It ended by itself, or from elsewhere: what was wanted.
    if (problem.code !== "not_found") throw problem;
  });
  await listSessions();
  tell(() => say("account.loggedOut"));
}

// --- Data ---

async function download() {
  const account = await call("GET", "/api/account");
  const link = document.createElement("a");
  // Goes with the page.
  link.href = URL.createObjectURL(new Blob([JSON.stringify(account, null, 2)], { type: "application/json" }));
  link.download = `cofrap-${account.username}.json`;
  link.click();
  tell(() => say("account.downloaded"));
}

// --- Deletion ---

const password = byId("password");
const code = byId("code");

function forgetTyped() {
  password.value = "";
  code.value = "";
}

function beginDeletion() {
  byId("deletion-username").value = byId("session-username").textContent;
  showStep("step-deletion");
}

async function deleteAccount() {
  const digits = readCode(code);
  if (digits === null) return;
  await call("DELETE", "/api/account", { body: { password: password.value, code: digits } });
  forgetTyped();
  showStep("step-deleted");
}

function onDeletionProblem(problem) {
  if (onProblem(problem)) return true;
  forgetRefusedCode(code, problem);
  return false;
}

function goBack() {
  forgetTyped();
  return load();
}

onPress("log-out", logOut, { onProblem });
onPress("list-sessions", listSessions, { onProblem });
onPress("back-from-sessions", goBack, { onProblem });
onPress("download", download, { onProblem });
onPress("begin-deletion", beginDeletion);
onPress("back-from-deletion", goBack, { onProblem });
onSubmit(byId("deletion-form"), deleteAccount, { place: "confirm", onProblem: onDeletionProblem });
revealWith(byId("show-password"), password);
clearOnLeaving(forgetTyped);
onPress("load-again", load, { onProblem });
once(byId("load-again"), load, { onProblem });
