/**
 * An agent over MCP: it is given a job, sees the tools, and decides call by call what to do.
 *
 *     node examples/typescript/mcp_agent.ts --api-key evt_... --pair vaix --quantity 3000 --slice 1000
 *
 * The job: buy a quantity in slices, while the spread is narrow. What decides is `next`, a handful
 * of rules, so that the program runs without a model; to let a model decide, give it the tools, the
 * job, and each call's answer. The exchange speaks MCP as plain JSON over HTTP, so a few lines of
 * `fetch` are a client. It trades paper money unless `--live` is given.
 */

import { main, options } from "./options.ts";

const UNITS = 10n ** 12n; // quantities are added up as whole numbers of 1e-12

type Answer = Record<string, unknown>;

interface Call {
  tool: string;
  given: Record<string, unknown>;
  why: string;
}

/** One agent's connection: each request stands alone, whichever gateway answers it. */
class Mcp {
  readonly url: string;
  readonly apiKey: string;
  #id = 0;

  constructor(baseUrl: string, apiKey: string) {
    if (!URL.canParse("/mcp", baseUrl)) {
      throw new TypeError(`${baseUrl} is no URL. What to do: give --base-url http://host:port.`);
    }
    this.url = new URL("/mcp", baseUrl).href;
    this.apiKey = apiKey;
  }

  async ask(method: string, params: Record<string, unknown> = {}): Promise<Answer> {
    const response = await fetch(this.url, {
      method: "POST",
      headers: {
        Accept: "application/json, text/event-stream",
        Authorization: `Bearer ${this.apiKey}`,
        "Content-Type": "application/json",
        "MCP-Protocol-Version": "2025-11-25",
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: ++this.#id, method, params }),
      signal: AbortSignal.timeout(30_000),
    }).catch((error: unknown) => {
      throw new TypeError(`${this.url} does not answer (${error}). What to do: check --base-url.`);
    });
    if (response.status === 401) {
      throw new TypeError("the API key is not good. What to do: check --api-key.");
    }
    const said = (await response.json()) as { result?: Answer; error?: { message: string } };
    if (!said.result) throw new TypeError(`${said.error?.message}. What to do: check the job.`);
    return said.result;
  }

  async call(tool: string, given: Record<string, unknown>): Promise<Answer> {
    const result = await this.ask("tools/call", { name: tool, arguments: given });
    if (result["isError"]) {
      const [text] = result["content"] as { text: string }[];
      throw new TypeError(`${text?.text.split("\n")[0]} What to do: correct the job.`);
    }
    return result["structuredContent"] as Answer;
  }
}

function units(decimal: unknown): bigint {
  const [whole = "0", part = ""] = String(decimal).split(".");
  return BigInt(whole) * UNITS + BigInt(part.padEnd(12, "0").slice(0, 12));
}

function decimal(of: bigint): string {
  const part = String(of % UNITS)
    .padStart(12, "0")
    .replace(/0+$/, "");
  return part ? `${of / UNITS}.${part}` : String(of / UNITS);
}

main(async () => {
  const job = options({
    pair: "vaix",
    quantity: "3000",
    slice: "1000",
    "max-spread-bps": "200",
    "api-key": "",
    "base-url": "http://127.0.0.1:8080",
  });
  const mode = job.live ? "live" : "paper";
  const wanted = units(job.quantity);
  let bought = 0n;
  let verdict = "";

  const look = (why: string): Call => ({
    tool: "et_clob_orderbook",
    given: { symbol: job.pair, depth: 5 },
    why,
  });

  const end = (why: string): undefined => {
    verdict = why;
  };

  function judge(book: Answer): Call | undefined {
    if (book["best_ask"] === null || book["best_bid"] === null) return end("a side is empty");
    const spread = (units(book["spread"]) * 1_000_000n) / units(book["mid_price"]);
    const shown = `${Number(spread) / 100} bps`;
    if (Number(spread) > Number(job["max-spread-bps"]) * 100) {
      return end(`the spread of ${shown} is too wide`);
    }
    const left = wanted - bought;
    let size = units(job.slice);
    if (size > left) size = left;
    return {
      tool: "et_clob_place_order",
      given: {
        symbol: job.pair,
        side: "buy",
        quantity: decimal(size),
        price: book["best_ask"],
        order_type: "ioc",
        mode,
      },
      why: `${book["best_ask"]} at a spread of ${shown}: take it`,
    };
  }

  function next(call: Call, answer: Answer): Call | undefined {
    if (call.tool === "et_clob_preflight") {
      return look(`${answer["quote_balance"]} to spend; what does the book offer?`);
    }
    if (call.tool === "et_clob_orderbook") return judge(answer);
    const filled = units(answer["filled_quantity"]);
    bought += filled;
    if (filled === 0n) return end(`nothing was filled (${answer["reason"]})`);
    if (bought >= wanted) return end("done");
    return look(`${decimal(bought)} so far; is the next slice still worth it?`);
  }

  const agent = new Mcp(job["base-url"], job["api-key"]);
  const { tools } = (await agent.ask("tools/list")) as { tools: unknown[] };
  console.log(`${tools.length} tools; job: buy ${job.quantity} ${job.pair}`);
  let call: Call | undefined = {
    tool: "et_clob_preflight",
    given: { symbol: job.pair, mode },
    why: "do the funds suffice?",
  };
  while (call) {
    console.log(`${call.tool}: ${call.why}`);
    call = next(call, await agent.call(call.tool, call.given));
  }
  console.log(`bought ${decimal(bought)} of ${job.quantity}: ${verdict}`);
});
