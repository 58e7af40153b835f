// The page of who is logged in: whose session this is, when it ends, what happened before it. And the way out.

import { call } from "./api.js";
import { dateAndTime, say } from "./messages.js";
import { byId, once, onPress, showStep, tell } from "./page.js";

async function load() {
  const session = await call("GET", "/api/session");
  byId("session-username").textContent = session.username;
  byId("session-expires-at").textContent = dateAndTime(session.session_expires_at);
  byId("credential-expires-at").textContent = dateAndTime(session.expires_at);
  byId("previous-login-at").textContent =
    session.previous_login_at ? dateAndTime(session.previous_login_at) : say("never");
  byId("failed-before").textContent = session.failed_before > 0 ? String(session.failed_before) : say("noFailure");
  byId("failed-warning").hidden = !(session.failed_before > 0);
  showStep("step-session", { focus: false });
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
    tell(say("signedOut"));
  },
  { onProblem },
);
onPress("load-again", load, { onProblem });
once(byId("load-again"), load, { onProblem });
