/**
 * Watch for prices that differ between the venues of a pair.
 *
 *     node examples/typescript/arbitrage_watcher.ts --pair vaix --min-edge-bps 20
 *
 * Whenever the pair's hybrid book moves, it compares the price of every live venue (the order book
 * and the pools of all chains), after their fees, and prints the best two where buying on one and
 * selling on the other would leave at least `--min-edge-bps`. It only watches; it places no orders.
 */

import { EventTrader, toUnits, type wire } from "@tandem/event-trader";
import { interrupted, main, options } from "./options.ts";

const BPS = 10_000;

function nameOf(venue: wire.Venue): string {
  return venue.chain ? `${venue.venue} (${venue.chain})` : venue.venue;
}

/** What buying at one venue and selling at another leaves after both fees, in basis points. */
function edgeBps(buy: wire.Venue, sell: wire.Venue): number {
  // The ratio of two exact prices; only it, which is shown and no money, is a fraction.
  const ratio =
    Number((toUnits(sell.price ?? "0") * 10n ** 12n) / toUnits(buy.price ?? "1")) / 1e12;
  const [paid, got] = [1 + Number(buy.fee_bps) / BPS, 1 - Number(sell.fee_bps) / BPS];
  return ((ratio * got) / paid - 1) * BPS;
}

function bestEdge(venues: wire.Venue[]): { bps: number; text: string } | undefined {
  const live = venues.filter((one) => one.status === "live" && one.price !== null);
  const pairs = live.flatMap((buy) =>
    live.filter((sell) => sell !== buy).map((sell) => ({ buy, sell })),
  );
  const edges = pairs.map(({ buy, sell }) => ({ buy, sell, bps: edgeBps(buy, sell) }));
  const best = edges.sort((a, b) => b.bps - a.bps)[0];
  if (!best) return undefined;
  const text = `buy on ${nameOf(best.buy)}, sell on ${nameOf(best.sell)}`;
  return { bps: best.bps, text: `${best.bps.toFixed(1)} bps: ${text}` };
}

main(async () => {
  const given = options({
    pair: "vaix",
    "min-edge-bps": "10",
    looks: "0",
    "base-url": "http://127.0.0.1:8080",
  });
  const client = new EventTrader({ baseUrl: given["base-url"] });
  const books = client.stream.book(given.pair, { hybrid: true });
  interrupted().addEventListener("abort", () => books.close());
  let looks = 0;
  let shown = "";
  for await (const _ of books) {
    const edge = bestEdge((await client.clob.venues(given.pair)).venues);
    if (edge && edge.bps >= Number(given["min-edge-bps"]) && edge.text !== shown) {
      console.log(edge.text);
      shown = edge.text;
    }
    if (++looks === Number(given.looks)) break;
  }
  console.log(`looked ${looks} times`);
});
