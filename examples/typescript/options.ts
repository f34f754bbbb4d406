/** The command line of the examples: `--name value` and `--flag`, refused by name when unknown. */

import { parseArgs } from "node:util";
import { EventTrader, EventTraderError } from "@tandem/event-trader";

/** Read `--name value` options; `defaults` names all there are, "" for one without a default. */
export function options<T extends Record<string, string>>(defaults: T): T & { live: boolean } {
  const known = Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [name, { type: "string", default: value }]),
  ) as Record<string, { type: "string"; default: string }>;
  const { values } = parseArgs({
    options: { ...known, live: { type: "boolean", default: false } },
  });
  return values as unknown as T & { live: boolean };
}

/** Open a client by key, or by email and password. */
export async function connect(given: {
  "api-key": string;
  email: string;
  password: string;
  "base-url": string;
}): Promise<EventTrader> {
  const baseUrl = given["base-url"];
  if (given["api-key"]) return new EventTrader({ apiKey: given["api-key"], baseUrl });
  if (given.email && given.password) {
    return await EventTrader.fromCredentials(given.email, given.password, { baseUrl });
  }
  throw new TypeError("give --api-key, or --email and --password");
}

/** A signal that Ctrl-C aborts. */
export function interrupted(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => controller.abort());
  }
  return controller.signal;
}

/** Wait, or less when the signal comes. */
export async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Run a program; its errors are one line for people. */
export function main(program: () => Promise<void>): void {
  program().catch((error: unknown) => {
    const expected =
      error instanceof EventTraderError ||
      error instanceof TypeError ||
      error instanceof RangeError;
    console.error(expected ? error.message : error);
    process.exitCode = 1;
  });
}
