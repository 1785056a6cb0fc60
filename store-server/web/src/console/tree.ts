// The actors of a box as a tree, grouped by the part of their names before the slash, and what counts as trouble. Pure.
import { ActorState } from "@backroom/protocol/gen/backroom/console/v1/console_pb";
import type { ActorView, DeviceLine } from "@backroom/protocol/gen/backroom/console/v1/console_pb";

export type Group = { name: string; actors: ActorView[] };

const WORDS: Record<string, string> = { register: "Registers", till: "Drawers", device: "Devices", link: "Links" };
export const ROOT = "The store";

/** Groups in the order in which their first actor came; those without a slash belong to the store itself, which is first. */
export function grouped(actors: ActorView[]): Group[] {
  const groups = new Map<string, ActorView[]>([[ROOT, []]]);
  for (const actor of actors) {
    const at = actor.name.indexOf("/");
    const key = at < 0 ? ROOT : actor.name.slice(0, at);
    const name = WORDS[key] ?? key;
    groups.set(name, [...(groups.get(name) ?? []), actor]);
  }
  return [...groups].filter(([, of]) => of.length > 0).map(([name, of]) => ({ name, actors: of }));
}

/** `r1-printer` of `device/r1-printer`. */
export function shortName(name: string): string {
  return name.slice(name.indexOf("/") + 1);
}

export function actorInTrouble(actor: ActorView): boolean {
  return actor.state !== ActorState.RUNNING || actor.restartsLastHour > 0n;
}

export function deviceInTrouble(device: DeviceLine): boolean {
  return device.state !== "ready" && device.state !== "connecting";
}
