/**
 * Open a position with a TWAP, and watch it fill.
 *
 *     node examples/typescript/twap.ts --api-key evt_... --pair vaix --quantity 50000 --minutes 60
 *
 * The exchange does the slicing; this program places the TWAP and prints its progress until it has
 * ended. Ctrl-C cancels it: what has been filled stays filled. It trades paper money unless `--live`
 * is given.
 */

import { EventTrader, type wire } from "@tandem/event-trader";
import { interrupted, main, options, pause } from "./options.ts";

function progress(twap: wire.Twap): string {
  return (
    `${twap.status}: slice ${twap.slices_done} of ${twap.num_slices}, filled ` +
    `${twap.filled_quantity} of ${twap.quantity} at ${twap.average_price ?? "-"}`
  );
}

main(async () => {
  const given = options({
    pair: "vaix",
    side: "buy",
    quantity: "50000",
    minutes: "60",
    slices: "10",
    "price-limit": "0",
    refresh: "1",
    "api-key": "",
    "base-url": "http://127.0.0.1:8080",
  });
  const stop = interrupted();
  const client = new EventTrader({ apiKey: given["api-key"], baseUrl: given["base-url"] });
  const twap = await client.clob.placeTwap({
    symbol: given.pair,
    side: given.side === "sell" ? "sell" : "buy",
    quantity: given.quantity,
    durationMinutes: Number(given.minutes),
    numSlices: Number(given.slices),
    priceLimit: given["price-limit"],
    mode: given.live ? "live" : "paper",
  });
  console.log(`placed ${twap.twap_id}, ends at ${twap.ends_at}`);
  let shown = "";
  while (!stop.aborted) {
    const running = await client.clob.activeTwaps(twap.symbol);
    const mine = running.find((one) => one.twap_id === twap.twap_id);
    if (!mine) {
      console.log("the TWAP has ended");
      return;
    }
    const now = progress(mine);
    if (now !== shown) console.log(now);
    shown = now;
    await pause(Number(given.refresh), stop);
  }
  console.log(progress(await client.clob.cancelTwap(twap.symbol, twap.twap_id)));
});
