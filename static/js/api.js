// The HTTP API, as the pages see it: an answer, or a Problem with the stable code of the contract.
// It keeps nothing, and never puts a secret anywhere but into the body or the Authorization header of a request.

const TIMEOUT_MILLISECONDS = 20_000;

// What went wrong. `code` is one of the contract's codes, or one of two of our own: "network" (no answer) and
// "unexpected" (an answer that the contract does not know, from a proxy for instance).
export class Problem extends Error {
  constructor(code, { status = 0, retryAfterSeconds = null, details = {} } = {}) {
    super(code);
    this.code = code;
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
    this.details = details;
  }
}

// Sends one request and returns the JSON of its answer (null when there is none). Throws a Problem.
export async function call(method, path, { body, bearer } = {}) {
  const headers = { Accept: "application/json, application/problem+json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  let response;
  let text;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      credentials: "same-origin",
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
    });
    text = await response.text();
  } catch {
    throw new Problem("network");
  }
  const data = parsed(text);
  if (response.ok && (data !== null || response.status === 204)) return data;
  throw new Problem(codeOf(response, data), {
    status: response.status,
    retryAfterSeconds: secondsToWait(response),
    details: data ?? {},
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function codeOf(response, data) {
  if (typeof data?.code === "string") return data.code;
  // An ingress answers in its own words when it cannot reach us, or when there are too many requests.
  if ([502, 503, 504].includes(response.status)) return "unavailable";
  return response.status === 429 ? "too_many_requests" : "unexpected";
}

function secondsToWait(response) {
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return seconds > 0 ? seconds : null;
}
