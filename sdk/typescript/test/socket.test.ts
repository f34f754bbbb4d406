/** A stream against a server that closes it, with the WebSocket that this Node has. */

import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { type BboEvent, EventTrader, SlowReaderError } from "@tandem/event-trader";
import { WebSocketServer } from "ws";

const FRAME = JSON.stringify({ type: "bbo", symbol: "vaix", sequence: 1 });

async function listening(t: TestContext): Promise<[WebSocketServer, EventTrader]> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  t.after(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return [server, new EventTrader({ baseUrl })];
}

test("a stream closed for slowness goes on once, and then says what to do", async (t) => {
  const [server, client] = await listening(t);
  server.on("connection", (socket) => {
    socket.send(FRAME);
    socket.close(4408);
  });
  const stream = client.stream.bbo("vaix");
  assert.equal((await stream.next()).value?.type, "bbo");
  assert.equal((await stream.next()).value?.type, "bbo");
  await assert.rejects(stream.next(), (error) => {
    assert(error instanceof SlowReaderError);
    assert.match(error.message, /do less between two events/);
    return true;
  });
  assert.equal(stream.connections, 2);
});

test("frames that nobody reads do not pile up without end", async (t) => {
  const [server, client] = await listening(t);
  const ends: Promise<unknown>[] = [];
  server.on("connection", (socket) => {
    ends.push(once(socket, "close"));
    for (let at = 0; at < 10_500; at++) socket.send(FRAME);
  });
  const stream = client.stream.bbo("vaix");
  let waited = 0;
  const slowly = async () => {
    for await (const _ of stream) {
      // A reader that is busy until its connection has been given up.
      if (stream.connections > waited) await ends[waited++];
    }
  };
  await assert.rejects(slowly(), SlowReaderError);
  assert.equal(stream.connections, 2);
});

test("leaving the loop closes the stream, and closing ends the loop", async (t) => {
  const [server, client] = await listening(t);
  server.on("connection", (socket) => socket.send(FRAME));
  const left = client.stream.bbo("vaix");
  const events: BboEvent[] = [];
  for await (const event of left) {
    events.push(event);
    break;
  }
  assert.equal((await left.next()).done, true);
  const closed = client.stream.bbo("vaix");
  await closed.run((event) => {
    events.push(event);
    closed.close();
  });
  assert.equal(events.length, 2);
});
