import assert from "node:assert/strict";
import test from "node:test";

import { create } from "@bufbuild/protobuf";
import { ActorState, ActorViewSchema } from "@backroom/protocol/gen/backroom/console/v1/console_pb";

import { actorInTrouble, grouped, shortName } from "./tree.ts";

const actor = (name: string) => create(ActorViewSchema, { name, state: ActorState.RUNNING });

test("actors stand under what they belong to, those of the store first", () => {
  const groups = grouped(["register/r1", "journal", "device/r1-printer", "register/r2"].map(actor));
  assert.deepEqual(
    groups.map((group) => [group.name, group.actors.map((one) => shortName(one.name))]),
    [
      ["The store", ["journal"]],
      ["Registers", ["r1", "r2"]],
      ["Devices", ["r1-printer"]],
    ],
  );
});

test("who fell within the hour is trouble, also when it runs again", () => {
  assert.ok(!actorInTrouble(actor("journal")));
  assert.ok(actorInTrouble(create(ActorViewSchema, { name: "journal", state: ActorState.RUNNING, restartsLastHour: 1n })));
  assert.ok(actorInTrouble(create(ActorViewSchema, { name: "journal", state: ActorState.QUARANTINED })));
});
