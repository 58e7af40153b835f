// What the QR code leads to. Loading this page does nothing (a link preview loads pages too); the button shows the
// password, once. The token leaves the address, so that going back or sharing the page does not pass it on. (A browser
// may have noted the visited address before: by then the token is spent, or is within ten minutes.)

import { alarm, byId, call, clearOnLeaving, copy, hidePassword, onPress, say, showPassword, showStep } from "./page.js";

let token = "";

function takeToken() {
  token = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  hidePassword();
  if (token === "") {
    showStep("step-gone", { focus: false });
    alarm(() => say("reveal.empty"));
    return;
  }
  showStep("step-reveal", { focus: false });
}

async function reveal() {
  const asked = token;
  const answer = await call("POST", "/api/password/reveal", { body: { token } });
  // Another code may have been scanned meanwhile.
  if (token === asked) token = "";
  byId("reveal-username").textContent = answer.username;
  showPassword(answer);
  showStep("step-password");
}

function onProblem(problem) {
  // For these there is no second try; a lost connection keeps its button.
  if (["token_used", "token_expired", "token_unknown", "invalid_request"].includes(problem.code)) {
    token = "";
    showStep("step-gone");
  }
  return false;
}

onPress("reveal", reveal, { place: "reveal", onProblem });
onPress("copy", () => copy(byId("password")));
clearOnLeaving(hidePassword);
// Another code scanned into the same tab changes the fragment only, and loads nothing.
addEventListener("hashchange", () => location.hash && takeToken());
takeToken();
