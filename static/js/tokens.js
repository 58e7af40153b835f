// The two tokens that outlive a reload of the page, so that a phone which drops the tab while its owner is in the
// authenticator resumes where it was. Nothing else is ever stored. They stay in this tab and go when the account is active.

const ENROLLMENT = "enrollment";
const RENEWAL = "renewal";

export const enrollmentToken = () => sessionStorage.getItem(ENROLLMENT);
export const renewalToken = () => sessionStorage.getItem(RENEWAL);

// A start is open: the renewal token that paid for it, if any, is used up.
export function keepEnrollment(token) {
  sessionStorage.removeItem(RENEWAL);
  sessionStorage.setItem(ENROLLMENT, token);
}

// A login found expired credentials: the way to new ones begins, and ends what this tab may have begun before.
export function keepRenewal(token) {
  sessionStorage.removeItem(ENROLLMENT);
  sessionStorage.setItem(RENEWAL, token);
}

export function forgetTokens() {
  sessionStorage.removeItem(ENROLLMENT);
  sessionStorage.removeItem(RENEWAL);
}
