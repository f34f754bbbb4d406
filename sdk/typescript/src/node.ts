/** The client for Node: as in a browser, with the package `ws` where there is no WebSocket. */

import { useFallback, type WebSocketClass } from "./socket.js";

useFallback(async () => {
  try {
    return (await import("ws")).WebSocket as WebSocketClass;
  } catch {
    return undefined;
  }
});

export * from "./index.js";
