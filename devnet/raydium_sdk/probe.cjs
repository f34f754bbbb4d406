// Asks Raydium's published SDK: `node probe.cjs < questions.json > answers.json`.
// Questions: {"layouts": true} or {"quotes": [...]}; amounts are decimal strings, accounts base 64.
"use strict";

const { readFileSync } = require("node:fs");
const BN = require("bn.js");

const module_ = (name) =>
  require(`@raydium-io/raydium-sdk-v2/lib/raydium/${name}.js`);

/** Every named field of a layout with its offset and width, nested structures as one field. */
function fields(layout) {
  const found = {};
  let offset = 0;
  for (const field of layout.fields) {
    if (field.property) found[field.property] = [offset, field.span];
    offset += field.span;
  }
  return { size: layout.span, fields: found };
}

function layouts() {
  const amm = module_("liquidity/layout");
  const cpmm = module_("cpmm/layout");
  const clmm = module_("clmm/layout");
  return {
    AmmInfo: fields(amm.liquidityStateV4Layout),
    "PoolState (CPMM)": fields(cpmm.CpmmPoolInfoLayout),
    "AmmConfig (CPMM)": fields(cpmm.CpmmConfigInfoLayout),
    "PoolState (CLMM)": fields(clmm.PoolInfoLayout),
    "AmmConfig (CLMM)": fields(clmm.ClmmConfigLayout),
    TickArrayState: fields(clmm.TickArrayLayout),
    TickState: fields(clmm.TickLayout),
    DynamicFeeInfo: fields(clmm.DynamicFeeInfoLayout),
  };
}

function cpmmQuote(question) {
  const { CurveCalculator } = module_("cpmm/curve/calculator");
  const numbers = [
    question.amount,
    question.reserveIn,
    question.reserveOut,
    question.trade,
    question.creator,
    question.protocol,
    question.fund,
  ].map((number) => new BN(number));
  const swap = question.exactOut ? "swapBaseOutput" : "swapBaseInput";
  const result = CurveCalculator[swap](...numbers, question.creatorOnInput);
  return {
    input: result.inputAmount.toString(),
    output: result.outputAmount.toString(),
    protocol: result.protocolFee.toString(),
    fund: result.fundFee.toString(),
    creator: result.creatorFee.toString(),
  };
}

function clmmQuote(question) {
  const { PublicKey } = require("@solana/web3.js");
  const layout = module_("clmm/layout");
  const { swapInternal } = module_("clmm/libraries/swapSimulator");
  const decode = (kind, text) => kind.decode(Buffer.from(text, "base64"));
  const empty = Buffer.alloc(layout.TickArrayBitmapExtensionLayout.span);
  const result = swapInternal({
    programId: new PublicKey(question.program),
    poolId: new PublicKey(question.pool),
    poolInfo: decode(layout.PoolInfoLayout, question.poolData),
    tickArrays: question.arrays.map((array) => ({
      address: new PublicKey(array.address),
      value: decode(layout.TickArrayLayout, array.data),
    })),
    configInfo: decode(layout.ClmmConfigLayout, question.configData),
    tickarrayBitmapExtension: layout.TickArrayBitmapExtensionLayout.decode(empty),
    amountSpecified: new BN(question.amount),
    sqrtPriceLimitX64: new BN(0),
    zeroForOne: question.zeroForOne,
    isBaseInput: !question.exactOut,
    blockTimestamp: question.time,
    includeExtraTickArrays: false,
  });
  return {
    whole: result.allTrade,
    other: result.amountCalculated.toString(),
    sqrtPrice: result.sqrtPriceX64.toString(),
    liquidity: result.liquidity.toString(),
    tick: result.tickCurrent,
  };
}

function arrayAddress(question) {
  const { PublicKey } = require("@solana/web3.js");
  const { getPdaTickArrayAddress } = module_("clmm/libraries/pda");
  const keys = [question.program, question.pool].map((key) => new PublicKey(key));
  return getPdaTickArrayAddress(...keys, question.start).publicKey.toString();
}

const kinds = { cpmm: cpmmQuote, clmm: clmmQuote, address: arrayAddress };
const questions = JSON.parse(readFileSync(0, "utf8"));
const answers = questions.layouts
  ? layouts()
  : questions.quotes.map((question) => kinds[question.kind](question));
process.stdout.write(JSON.stringify(answers));
