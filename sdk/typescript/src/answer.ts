/** How an HTTP answer is read: a body, or the typed error it stands for. */

import type { APIError } from "./base_errors.js";
import { errorClass, NotTandemError } from "./errors.js";

/**
 * Read an answer: JSON, or the text of those few paths that have no JSON.
 *
 * @throws APIError: it is a refusal.
 * @throws NotTandemError: it is not of this API.
 */
export function readAnswer(response: Response, text: string, url: string): unknown {
  if (response.type === "opaqueredirect" || (response.status >= 300 && response.status < 400)) {
    const place = response.headers.get("Location") ?? "elsewhere";
    throw new NotTandemError(`${url} redirects to ${place}; set baseUrl to where the API is`);
  }
  if (response.ok && response.headers.get("Content-Type")?.startsWith("text/plain")) return text;
  const body = parse(text);
  if (response.ok && body.ok) return body.value;
  if (!isRefusal(body.value)) {
    throw new NotTandemError(
      `${url} answered HTTP ${response.status} in a form that is not Tandem's; check baseUrl`,
    );
  }
  throw apiError(response, body.value);
}

/**
 * Take a field of an answer.
 *
 * @throws NotTandemError: it is not there, so this is not Tandem's answer.
 */
export function member<B extends object, K extends keyof B & string>(body: B, name: K): B[K] {
  if (typeof body !== "object" || body === null || !(name in body)) {
    throw new NotTandemError(`the answer has no "${name}": this is not Tandem; check baseUrl`);
  }
  return body[name];
}

interface RefusalBody {
  error: { code?: unknown; message?: unknown; details?: unknown };
  request_id?: unknown;
}

function isRefusal(body: unknown): body is RefusalBody {
  if (typeof body !== "object" || body === null || !("error" in body)) return false;
  return typeof body.error === "object" && body.error !== null;
}

function parse(text: string): { ok: boolean; value?: unknown } {
  if (!text) return { ok: true, value: undefined };
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch {
    return { ok: false };
  }
}

function apiError(response: Response, body: RefusalBody): APIError {
  const code = String(body.error.code ?? "UNKNOWN");
  const retryAfterS = Number(response.headers.get("Retry-After") ?? 0);
  return new (errorClass(response.status, code))({
    status: response.status,
    code,
    reason: String(body.error.message ?? ""),
    details: (body.error.details ?? {}) as Record<string, unknown>,
    requestId: String(body.request_id ?? ""),
    // A date instead of seconds is no number: the caller's own back-off decides.
    retryAfterS: Number.isFinite(retryAfterS) ? Math.max(retryAfterS, 0) : 0,
  });
}
