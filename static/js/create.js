// Creates an account, or renews expired credentials: a name, then the password (here or on the phone), then the second
// factor. Every step can be resumed after a reload, from the enrollment token alone; the server knows the rest.

import { call } from "./api.js";
import { dateAndTime, explain, say, timeOfDay } from "./messages.js";
import {
  alarm, byId, copyPassword, onPress, onSubmit, once, readCode, revealWith, sessionSticks, showQr, showStep, tell,
} from "./page.js";
import { enrollmentToken, forgetTokens, keepEnrollment, renewalToken } from "./tokens.js";

const POLL_MILLISECONDS = 2_000;

let username = "";
// The token of the code on the screen; gone after a reload, then only a new code helps.
let revealToken = "";

// Step 1: the name.

function beginWithName() {
  const renewing = renewalToken() !== null;
  byId("renewal-intro").hidden = !renewing;
  byId("create-intro").hidden = renewing;
  showStep("step-name", { focus: false });
}

async function start() {
  const bearer = renewalToken() ?? undefined;
  codeIssued(await call("POST", "/api/password", { body: { username: byId("username").value }, bearer }));
}

// The start is over, or was never ours: nothing here can be continued.
function startOver(problem) {
  if (problem.code !== "token_invalid") return false;
  giveUp();
  alarm(explain(problem));
  return true;
}

// Another name, or no renewal after all. What was begun is left to its deadline.
function giveUp() {
  stopPolling();
  forgetTokens();
  clearSecrets();
  tell("");
  beginWithName();
}

// Step 2: the password, on the phone or here.

function codeIssued(answer) {
  keepEnrollment(answer.enrollment_token);
  username = answer.username;
  revealToken = new URL(answer.reveal_url).hash.slice(1);
  clearSecrets();
  showQr(byId("reveal-qr"), answer.qr_svg);
  byId("code-valid").textContent = say("codeValidUntil", { time: timeOfDay(answer.expires_at) });
  waitForReveal();
}

function waitForReveal() {
  byId("reveal-code").hidden = revealToken === "";
  byId("reveal-used").hidden = true;
  showStep("step-reveal");
  tell(say(revealToken === "" ? "waitingReloaded" : "waiting"));
  startPolling();
}

async function newCode() {
  stopPolling();
  try {
    codeIssued(await call("POST", "/api/password", { body: { username }, bearer: enrollmentToken() }));
    tell(say("newCode"));
  } catch (problem) {
    if (!byId("step-reveal").hidden) startPolling();
    throw problem;
  }
}

async function revealHere() {
  stopPolling();
  let answer;
  try {
    answer = await call("POST", "/api/password/reveal", { body: { token: revealToken } });
  } catch (problem) {
    if (problem.code === "token_used") askWhoUsedIt();
    else startPolling();
    throw problem;
  }
  revealToken = "";
  tell("");
  byId("password").textContent = answer.password;
  showQr(byId("password-qr"), answer.qr_svg);
  showStep("step-password");
}

// Somebody has the password. Only the reader knows who: the page must not go on by itself as if it were the reader.
function askWhoUsedIt() {
  revealToken = "";
  tell("");
  byId("reveal-code").hidden = true;
  byId("reveal-used").hidden = false;
}

// The poll: one request at a time, only while the page is looked at. `polling` names the current run, so that an
// answer that comes after its run was stopped changes nothing.
let polling = null;

function startPolling() {
  stopPolling();
  const run = { timer: null };
  polling = run;
  run.timer = setTimeout(() => poll(run), POLL_MILLISECONDS);
}

function stopPolling() {
  clearTimeout(polling?.timer);
  polling = null;
}

async function poll(run) {
  let wait = POLL_MILLISECONDS;
  if (!document.hidden) {
    try {
      const { revealed } = await call("GET", "/api/password", { bearer: enrollmentToken() });
      if (polling !== run) return;
      if (revealed) {
        stopPolling();
        tell(say("revealed"));
        await once(byId("new-secret"), startSecondFactor, { onProblem: secondFactorProblem });
        return;
      }
      if (byId("status").textContent === say("waitingOffline")) tell(say("waiting"));
    } catch (problem) {
      if (polling !== run || startOver(problem)) return;
      tell(say("waitingOffline"));
      wait = Math.max(wait, (problem.retryAfterSeconds ?? 0) * 1000);
    }
  }
  run.timer = setTimeout(() => poll(run), wait);
}

// Step 3: the second factor.

async function startSecondFactor() {
  const hadSecret = !byId("totp-new").hidden || resumed;
  showSecondFactor();
  const answer = await call("POST", "/api/totp", { bearer: enrollmentToken() });
  username = answer.username;
  byId("confirm-username").value = username;
  showQr(byId("totp-qr"), answer.qr_svg);
  byId("totp-secret").textContent = answer.secret.match(/.{1,4}/g).join(" ");
  byId("totp-link").href = answer.otpauth_uri;
  byId("totp-new").hidden = false;
  byId("totp-replaced").hidden = !hadSecret;
  tell("");
}

// Whether this page was reloaded in step 3: a secret of before may be in the application already.
let resumed = false;

function showSecondFactor() {
  stopPolling();
  byId("confirm-username").value = username;
  byId("password").textContent = "";
  byId("password-qr").removeAttribute("src");
  showStep("step-totp");
}

function secondFactorProblem(problem) {
  if (problem.code !== "password_not_revealed") return startOver(problem);
  waitForReveal();
  return false;
}

async function confirm() {
  const code = readCode(byId("code"));
  if (code === null) return;
  const answer = await call("POST", "/api/totp/confirm", {
    bearer: enrollmentToken(),
    body: { password: byId("confirm-password").value, code },
  });
  forgetTokens();
  clearSecrets();
  byId("done-username").textContent = answer.username;
  byId("done-expires-at").textContent = dateAndTime(answer.expires_at);
  tell("");
  showStep("step-done");
  byId("done-account").hidden = !(await sessionSticks());
}

async function confirmProblem(problem) {
  // Without an answer the same code may still be good; with one, it is not.
  if (!["network", "unavailable"].includes(problem.code)) byId("code").value = "";
  if (problem.code === "totp_not_started") {
    await once(byId("new-secret"), startSecondFactor, { onProblem: secondFactorProblem });
    return false;
  }
  if (problem.code === "invalid_credentials") byId("code").focus();
  return secondFactorProblem(problem);
}

function clearSecrets() {
  for (const id of ["password", "totp-secret"]) byId(id).textContent = "";
  for (const id of ["password-qr", "totp-qr"]) byId(id).removeAttribute("src");
  for (const id of ["confirm-password", "code"]) byId(id).value = "";
  byId("totp-link").removeAttribute("href");
  byId("totp-new").hidden = true;
  resumed = false;
}

// Where the server says that this tab is.
async function resume() {
  const state = await call("GET", "/api/password", { bearer: enrollmentToken() });
  username = state.username;
  if (!state.revealed) {
    waitForReveal();
    return;
  }
  // No new secret unasked: the reader may come back with a code of the one that is in the application already.
  resumed = true;
  showSecondFactor();
  tell(say("totpResumed"));
}

function beginOrResume() {
  // A login with expired credentials passes the name in the fragment.
  byId("username").value = new URLSearchParams(location.hash.slice(1)).get("username") ?? "";
  history.replaceState(null, "", location.pathname);
  if (renewalToken() !== null || enrollmentToken() === null) {
    beginWithName();
    return;
  }
  showStep("step-resume", { focus: false });
  once(byId("resume"), resume, { onProblem: startOver });
}

onSubmit(byId("name-form"), start, {
  place: "renewal",
  onProblem(problem) {
    const isTheName = ["invalid_username", "username_taken"].includes(problem.code);
    byId("username").setAttribute("aria-invalid", String(isTheName));
    if (isTheName) byId("username").focus();
  },
});
onPress("resume", resume, { onProblem: startOver });
onPress("reveal-here", revealHere, { onProblem: startOver });
onPress("copy", () => copyPassword(byId("password")));
onPress("go-on", startSecondFactor, { onProblem: secondFactorProblem });
onPress("go-on-used", startSecondFactor, { onProblem: secondFactorProblem });
onPress("new-secret", startSecondFactor, { onProblem: secondFactorProblem });
for (const id of ["give-up-renewal", "give-up-name"]) onPress(id, giveUp);
for (const id of ["new-code", "new-code-password", "new-code-totp"]) onPress(id, newCode, { onProblem: startOver });
revealWith(byId("show-password"), byId("confirm-password"));
onSubmit(byId("confirm-form"), confirm, { place: "confirm", onProblem: confirmProblem });
beginOrResume();
