import assert from "node:assert/strict";
import test from "node:test";

import { create } from "@bufbuild/protobuf";
import { CountViewSchema } from "@backroom/protocol/gen/backroom/clerk/v1/clerk_pb";

import { differenceCsv, field, pieces } from "./csv.ts";

test("only what differs is in the file, tags after items", () => {
  const count = create(CountViewSchema, {
    lines: [
      { sku: "TEE", name: 'T-shirt, "black"', onHandMilli: 12_000n, counted: 11n, difference: -1n },
      { sku: "CAP", name: "Cap", onHandMilli: 3_000n, counted: 3n, difference: 0n },
    ],
    missingTags: [{ epc: "30AB", sku: "TEE", name: "T-shirt", explained: "sold with receipt r1/1/3" }],
  });
  assert.deepEqual(differenceCsv(count).split("\r\n"), [
    "kind,sku,name,on_hand,counted,difference,epc,uri,last_seen,explained",
    'item,TEE,"T-shirt, ""black""",12,11,-1,,,,',
    "missing,TEE,T-shirt,,,,30AB,,,sold with receipt r1/1/3",
    "",
  ]);
});

test("a name is never run as a formula, and thousandths stay exact", () => {
  assert.equal(field("=1+1"), "'=1+1");
  assert.equal(pieces(-1_250n), "-1.25");
  assert.equal(pieces(7n), "0.007");
});
