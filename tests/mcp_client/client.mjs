// A bridge to the official TypeScript client: requests come in as JSON lines, results go out.
//
//   node client.mjs http URL [BEARER]
//   node client.mjs stdio COMMAND [ARGUMENT...]
//
// The first line out is what the server said of itself. A line in is {"method", "params"}, where the
// method is one of the client's own: callTool also checks each result against the output schema.
import readline from "node:readline";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { getDefaultEnvironment, StdioClientTransport }
  from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport }
  from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const say = value => process.stdout.write(JSON.stringify(value) + "\n");

const environment = () => {
  const given = Object.entries(process.env).filter(([name]) => name.startsWith("ET_"));
  return { ...getDefaultEnvironment(), ...Object.fromEntries(given) };
};

const connect = ([kind, place, ...rest]) => {
  if (kind === "stdio")
    return new StdioClientTransport({ command: place, args: rest, env: environment() });
  const headers = rest.length ? { Authorization: `Bearer ${rest[0]}` } : {};
  return new StreamableHTTPClientTransport(new URL(place), { requestInit: { headers } });
};

const attempt = async act => {
  try {
    say({ result: await act() });
  } catch (error) {
    say({ error: { name: error.constructor.name, code: error.code, message: error.message } });
  }
};

const client = new Client({ name: "tandem-tests", version: "1" });
await attempt(async () => {
  await client.connect(connect(process.argv.slice(2)));
  return { server: client.getServerVersion(), capabilities: client.getServerCapabilities() };
});
for await (const line of readline.createInterface({ input: process.stdin })) {
  const { method, params } = JSON.parse(line);
  await attempt(() => client[method](params));
}
await client.close();
process.exit(0);
