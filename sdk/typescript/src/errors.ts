/** All errors in one place, and the way from an error code to its class. */

import { APIError } from "./base_errors.js";
import { BY_CODE, BY_STATUS, ServerError } from "./generated/errors.js";

export * from "./base_errors.js";
export * from "./generated/errors.js";

/** Name the class for an error response: by code first, then by status. */
export function errorClass(status: number, code: string): typeof APIError {
  if (Object.hasOwn(BY_CODE, code)) return BY_CODE[code] ?? APIError;
  return BY_STATUS[status] ?? (status >= 500 ? ServerError : APIError);
}
