// What the QR code leads to. Loading this page does nothing (a link preview loads pages too); the button shows the
// password, once. The token leaves the address bar, and with it the history, before anything else happens.

import { call } from "./api.js";
import { say } from "./messages.js";
import { alarm, byId, copyPassword, onPress, showQr, showStep, tell } from "./page.js";

let token = "";

function takeToken() {
  token = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  byId("password").textContent = "";
  byId("password-qr").removeAttribute("src");
  byId("password-qr").closest("details").open = false;
  if (token === "") {
    showStep("step-gone", { focus: false });
    alarm(say("revealGone"));
    return;
  }
  alarm("");
  tell("");
  showStep("step-reveal", { focus: false });
}

async function reveal() {
  const answer = await call("POST", "/api/password/reveal", { body: { token } });
  token = "";
  byId("reveal-username").textContent = answer.username;
  byId("password").textContent = answer.password;
  showQr(byId("password-qr"), answer.qr_svg);
  showStep("step-password");
}

function onProblem(problem) {
  // For these there is no second try; a lost connection keeps its button.
  if (["token_used", "token_expired", "token_unknown"].includes(problem.code)) {
    token = "";
    showStep("step-gone");
  }
  return false;
}

onPress("reveal", reveal, { onProblem });
onPress("copy", () => copyPassword(byId("password")));
// Another code scanned into the same tab changes the fragment only, and loads nothing.
addEventListener("hashchange", () => location.hash && takeToken());
takeToken();
