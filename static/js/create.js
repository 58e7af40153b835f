// Creates an account, or renews expired credentials: a name, then the password (here or on the phone), then the second
// factor. Every step can be resumed after a reload, from the enrollment token alone; the server knows the rest.

import {
  alarm, blame, byId, call, clearOnLeaving, copy, dateAndTime, enrollmentToken, forgetTokens, hidePassword, isPast,
  keepEnrollment, onPress, onSubmit, once, readCode, renewalToken, revealWith, say, sessionSticks, showPassword, showQr,
  showStep, tell, tellNothing, timeOfDay, write,
} from "./page.js";

const POLL_MILLISECONDS = 2_000;

let username = "";
// The token of the code on the screen; gone after a reload, then only a new code helps.
let revealToken = "";

// Shows a step, and which of the three that the reader counts it belongs to.
function goTo(step, number, options) {
  showStep(step, options);
  [...document.querySelectorAll(".steps li")].forEach((item, index) => {
    if (index === number - 1) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  });
}

// Step 1: the name.

function beginWithName(options) {
  const renewing = renewalToken() !== null;
  byId("create-title").hidden = renewing;
  for (const id of ["renewal-intro", "give-up-renewal"]) byId(id).hidden = !renewing;
  goTo("step-name", 1, options);
}

async function start() {
  blame(byId("username"), false);
  const bearer = renewalToken() ?? undefined;
  codeIssued(await call("POST", "/api/password", { body: { username: byId("username").value }, bearer }));
}

function nameProblem(problem) {
  if (["invalid_username", "username_taken"].includes(problem.code)) blame(byId("username"));
}

// The start is over, or was never ours: nothing here can be continued.
function startOver(problem) {
  if (problem.code !== "token_invalid") return false;
  giveUp();
  alarm(() => say("problem.token_invalid"));
  return true;
}

// Another name, or no renewal after all. What was begun is left to its deadline.
function giveUp() {
  stopPolling();
  forgetTokens();
  clearSecrets();
  beginWithName();
}

// Step 1, still: the password, on the phone or here.

function codeIssued(answer) {
  keepEnrollment(answer.enrollment_token);
  username = answer.username;
  revealToken = new URL(answer.reveal_url).hash.slice(1);
  clearSecrets();
  showQr(byId("reveal-qr"), answer.qr_svg);
  write(byId("code-valid"), () => say("code.validUntil", { time: timeOfDay(answer.expires_at) }));
  waitForReveal();
}

function waitForReveal() {
  goTo("step-reveal", 1);
  offer(revealToken === "" ? [] : ["reveal-code", "reveal-here-offer"]);
  tellWaiting();
  startPolling();
}

// What the reader is offered while no password was revealed. Where that is nothing else, a new code is the way on.
function offer(ids) {
  for (const id of ["reveal-code", "reveal-here-offer", "reveal-used", "reveal-expired"]) {
    byId(id).hidden = !ids.includes(id);
  }
  byId("new-code").classList.toggle("secondary", ids.includes("reveal-code") || ids.includes("reveal-used"));
}

const tellWaiting = () => tell(() => say(revealToken === "" ? "code.waitingReloaded" : "code.waiting"));

async function newCode() {
  stopPolling();
  try {
    codeIssued(await call("POST", "/api/password", { body: { username }, bearer: enrollmentToken() }));
    tell(() => say("code.isNew"));
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
    else if (problem.code === "token_expired") codeExpired();
    else startPolling();
    throw problem;
  }
  revealToken = "";
  showPassword(answer);
  goTo("step-password", 1);
}

// Somebody has the password. Only the reader knows who: the page must not go on by itself as if it were the reader.
function askWhoUsedIt() {
  revealToken = "";
  tellNothing();
  offer(["reveal-used"]);
}

// Nobody revealed the password in time, and now nobody can.
function codeExpired() {
  stopPolling();
  revealToken = "";
  tellNothing();
  offer(["reveal-expired"]);
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

let offline = false;

async function poll(run) {
  let wait = POLL_MILLISECONDS;
  if (!document.hidden) {
    try {
      const state = await call("GET", "/api/password", { bearer: enrollmentToken() });
      if (polling !== run) return;
      await polled(state);
      if (polling !== run) return;
    } catch (problem) {
      if (polling !== run || startOver(problem)) return;
      offline = true;
      tell(() => say("code.waitingOffline"));
      wait = Math.max(wait, (problem.retryAfterSeconds ?? 0) * 1000);
    }
  }
  run.timer = setTimeout(() => poll(run), wait);
}

async function polled({ revealed, expires_at: codeEnds }) {
  if (offline) tellWaiting();
  offline = false;
  if (revealed) {
    stopPolling();
    await once(byId("new-secret"), startSecondFactor, { onProblem: secondFactorProblem });
  } else if (isPast(codeEnds)) {
    codeExpired();
    alarm(() => say("problem.token_expired@create"));
  }
}

// Step 2: the second factor.

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
  tellNothing();
}

// Whether this page was reloaded in step 2: a secret of before may be in the application already.
let resumed = false;

function showSecondFactor() {
  stopPolling();
  hidePassword();
  byId("confirm-username").value = username;
  if (byId("step-totp").hidden) goTo("step-totp", 2);
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
  write(byId("done-expires-at"), () => dateAndTime(answer.expires_at));
  goTo("step-done", 3);
  byId("done-account").hidden = !(await sessionSticks());
}

async function confirmProblem(problem) {
  // Without an answer the same code may still be good; with one, it is not.
  if (!["network", "unavailable"].includes(problem.code)) byId("code").value = "";
  if (problem.code === "totp_not_started") {
    await once(byId("new-secret"), startSecondFactor, { onProblem: secondFactorProblem });
    return false;
  }
  if (problem.code === "invalid_credentials") blame(byId("code"));
  return secondFactorProblem(problem);
}

function clearSecrets() {
  hidePassword();
  for (const id of ["reveal-qr", "totp-qr"]) byId(id).removeAttribute("src");
  for (const id of ["confirm-password", "code"]) byId(id).value = "";
  byId("totp-secret").textContent = "";
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
  tell(() => say("factor.resumed"));
}

function beginOrResume() {
  // A login with expired credentials passes the name in the fragment. Without one, a name may have been typed already.
  byId("username").value ||= new URLSearchParams(location.hash.slice(1)).get("username") ?? "";
  history.replaceState(null, "", location.pathname);
  if (renewalToken() !== null || enrollmentToken() === null) {
    beginWithName({ focus: false });
    return;
  }
  goTo("step-resume", 1, { focus: false });
  once(byId("resume"), resume, { onProblem: startOver });
}

onSubmit(byId("name-form"), start, { place: "renewal", onProblem: nameProblem });
onPress("resume", resume, { onProblem: startOver });
onPress("reveal-here", revealHere, { place: "create", onProblem: startOver });
onPress("copy", () => copy(byId("password")));
onPress("copy-secret", () => copy(byId("totp-secret")));
for (const id of ["go-on", "go-on-used", "new-secret"]) {
  onPress(id, startSecondFactor, { onProblem: secondFactorProblem });
}
for (const id of ["give-up-renewal", "give-up-name"]) onPress(id, giveUp);
for (const id of ["new-code", "new-code-password", "new-code-totp"]) onPress(id, newCode, { onProblem: startOver });
revealWith(byId("show-password"), byId("confirm-password"));
onSubmit(byId("confirm-form"), confirm, { place: "confirm", onProblem: confirmProblem });
clearOnLeaving(clearSecrets);
beginOrResume();
