// Creates an account, or renews expired credentials: a name, then the password (here or on the phone), then the second
// factor. Every step can be resumed after a reload, from the enrollment token alone; the server knows the rest.

import {
  alarm, blame, byId, call, clearOnLeaving, copy, dateAndTime, enrollmentToken, forgetTokens, hidePassword,
  keepEnrollment, millisecondsUntil, onPress, onSubmit, once, readCode, renewalToken, revealWith, say, sessionSticks,
  showPassword, showQr, showStep, shown, tell, tellNothing, timeOfDay, write,
} from "./page.js";

const POLL_MILLISECONDS = 2_000;

let username = "";
// The token of the code on the screen; gone after a reload, then only a new code helps.
let revealToken = "";

const isRenewal = () => renewalToken() !== null;

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
  for (const id of ["creation-intro", "have-account"]) byId(id).hidden = isRenewal();
  for (const id of ["renewal-intro", "give-up-renewal"]) byId(id).hidden = !isRenewal();
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

// The start is over, or was never ours: nothing here can be continued. A renewal begins with a login.
function startOver(problem) {
  if (problem.code !== "token_invalid") return false;
  if (isRenewal()) {
    forget();
    goTo("step-renewal-over", 1);
    alarm(() => say("problem.token_invalid@renewed"));
  } else {
    otherName();
    alarm(() => say("problem.token_invalid"));
  }
  return true;
}

function otherName() {
  forget();
  beginWithName();
}

function giveUpRenewal() {
  forget();
  location.assign("/login");
}

// What was begun is left to its deadline.
function forget() {
  stopPolling();
  forgetTokens();
  clearSecrets();
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
  for (const id of ["give-up-name", "keep-tab"]) byId(id).hidden = isRenewal();
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
  // Whoever was on a button that is gone is taken to the heading.
  if (document.activeElement === document.body || document.activeElement.closest("[hidden]")) shown("h1").focus();
}

const tellWaiting = () => tell(() => say(revealToken === "" ? "code.waitingReloaded" : "code.waiting"));

async function newCode() {
  const wasPolling = polling !== null;
  stopPolling();
  try {
    codeIssued(await call("POST", "/api/password", { body: { username }, bearer: enrollmentToken() }));
    tell(() => say("code.isNew"));
  } catch (problem) {
    if (wasPolling) startPolling();
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
    // Without an answer, this may have been the reveal: the page must not go on as if the reader had the password.
    else if (!["network", "unavailable"].includes(problem.code)) startPolling();
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
      // Said once: a screen reader would repeat it at every try.
      if (!offline) tell(() => say("code.waitingOffline"));
      offline = true;
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
    if (!(await once(byId("new-secret"), startSecondFactor, { onProblem: secondFactorProblem }))) startPolling();
  } else if (millisecondsUntil(codeEnds) === 0) {
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

async function secretInstead() {
  await startSecondFactor();
  alarm(() => say("problem.totp_not_started"));
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
  const isLoggedIn = await sessionSticks();
  byId("done-account").hidden = !isLoggedIn;
  byId("done-login").hidden = isLoggedIn;
}

async function confirmProblem(problem) {
  // Without an answer the same code may still be good; with one, it is not.
  if (!["network", "unavailable"].includes(problem.code)) byId("code").value = "";
  if (problem.code === "totp_not_started") {
    await once(byId("new-secret"), secretInstead, { onProblem: secondFactorProblem });
    return true;
  }
  if (problem.code === "invalid_credentials") blame(byId("code"));
  return secondFactorProblem(problem);
}

function clearSecrets() {
  hidePassword();
  for (const id of ["reveal-qr", "totp-qr"]) byId(id).removeAttribute("src");
  for (const id of ["confirm-password", "code"]) {
    byId(id).value = "";
    blame(byId(id), false);
  }
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
  if (enrollmentToken() === null) {
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
onPress("give-up-name", otherName);
onPress("give-up-renewal", giveUpRenewal);
for (const id of ["new-code", "new-code-password", "new-code-totp"]) onPress(id, newCode, { onProblem: startOver });
revealWith(byId("show-password"), byId("confirm-password"));
onSubmit(byId("confirm-form"), confirm, { place: "confirm", onProblem: confirmProblem });
clearOnLeaving(clearSecrets);
beginOrResume();
