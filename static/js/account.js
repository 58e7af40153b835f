// The page of who is logged in: whose session this is, how long the credentials are good, what happened before. And
// the way out.

import {
  byId, call, dateAndTime, days, millisecondsUntil, onPress, once, say, showStep, tell, write,
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
  showStep("step-signed-out");
  return true;
}

onPress(
  "log-out",
  async () => {
    await call("DELETE", "/api/session");
    showStep("step-signed-out");
    tell(() => say("account.loggedOut"));
  },
  { onProblem },
);
onPress("load-again", load, { onProblem });
once(byId("load-again"), load, { onProblem });
