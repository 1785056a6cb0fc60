// The head of the counter: which store and register, how the box, head office and the devices are, who stands here.
// Every state in words; the sentences and what can be done stand one press further.
import { useSyncExternalStore } from "react";

import { Badge, Button, Dialog } from "@backroom/protocol";
import type { Tone } from "@backroom/protocol";
import { DeviceKind, DeviceState } from "@backroom/protocol/gen/backroom/register/v1/register_pb";
import type { DeviceView, GetStatusResponse } from "@backroom/protocol/gen/backroom/register/v1/register_pb";

import type { Way } from "../box/asking.ts";
import { Mark } from "../box/shell.tsx";
import type { Present } from "../gate/gate.tsx";
import type { DialogName } from "./dialogs.tsx";
import type { TillState } from "./till.ts";

type State = { name: string; tone: Tone; words: string; sentence: string };

const KINDS: Record<DeviceKind, string> = {
  [DeviceKind.UNSPECIFIED]: "Device",
  [DeviceKind.PRINTER]: "Printer",
  [DeviceKind.TERMINAL]: "Card terminal",
  [DeviceKind.SCANNER]: "Scanner",
  [DeviceKind.READER]: "Reader",
};
const DEVICE_STATES: Record<DeviceState, { tone: Tone; words: string }> = {
  [DeviceState.UNSPECIFIED]: { tone: "quiet", words: "not known" },
  [DeviceState.CONNECTING]: { tone: "quiet", words: "connecting" },
  [DeviceState.READY]: { tone: "good", words: "ready" },
  [DeviceState.ATTENTION]: { tone: "warn", words: "needs a look" },
  [DeviceState.TROUBLE]: { tone: "bad", words: "trouble" },
  [DeviceState.AWAY]: { tone: "warn", words: "away" },
};

/** What a device says itself fits into its badge up to here. */
const SHORT = 18;

export function deviceState(device: DeviceView): State {
  const { tone, words } = DEVICE_STATES[device.state];
  const what = KINDS[device.kind];
  const still: Partial<Record<DeviceKind, string>> = {
    [DeviceKind.PRINTER]: " Selling goes on; receipts are kept and printed when it is back.",
    [DeviceKind.TERMINAL]: " Cash works as always.",
    [DeviceKind.SCANNER]: " Key the number in, or tap the item.",
  };
  const comfort = device.state === DeviceState.AWAY || device.state === DeviceState.TROUBLE ? (still[device.kind] ?? "") : "";
  const said = device.words === "" ? `${what} is ${words}` : device.words.charAt(0).toUpperCase() + device.words.slice(1);
  const bare = device.words !== "" && device.words.length <= SHORT && device.state !== DeviceState.READY;
  return { name: what, tone, words: bare ? device.words : words, sentence: `${said}.${comfort}`.replace("..", ".") };
}

function states(status: GetStatusResponse | undefined, away: boolean): State[] {
  const box: State = away
    ? { name: "Box", tone: "bad", words: "away", sentence: "The box of this store does not answer. The ticket is kept; nothing can be sold until it is back, which is noticed by itself." }
    : { name: "Box", tone: status !== undefined && status.trouble !== "" ? "warn" : "good", words: "here", sentence: status === undefined || status.trouble === "" ? "The box of this store is well." : status.trouble };
  if (status === undefined) return [box];
  const hq: State = status.hqConnected
    ? { name: "HQ", tone: "good", words: "connected", sentence: "Head office gets every sale as it happens." }
    : { name: "HQ", tone: "warn", words: "away", sentence: "Head office can not be reached. Everything here works as always; the sales are kept in the box and sent when it is back." };
  return [box, hq, ...status.devices.map(deviceState)];
}

export function CounterHead({
  session,
  person,
  state,
  way,
  open,
}: {
  session: Present;
  person: string;
  state: TillState;
  way: Way;
  open: (dialog: DialogName) => void;
}) {
  const away = useSyncExternalStore(way.subscribe, () => way.lostSince !== undefined);
  const all = states(state.status, away);
  const wrong = all.filter((one) => one.tone === "bad" || one.tone === "warn");
  return (
    <header className="flex items-center justify-between gap-3 px-3 py-1.5 lg:px-4">
      <p className="flex min-w-0 items-center gap-3">
        <Mark />
        <span className="min-w-0 leading-tight">
          <span className="block truncate font-semibold">{session.store_name}</span>
          <span className="block truncate text-sm text-quiet">
            {session.device.register} · {person}
          </span>
        </span>
      </p>
      <div className="flex items-center gap-1">
        <button type="button" onClick={() => open("status")} className="inline-flex min-h-target items-center gap-1.5 rounded-control px-2 hover:bg-sunken">
          <span className="heard-only">Show how all is: </span>
          <span className="inline-flex flex-wrap gap-1.5 max-lg:hidden">
            {all.map((one) => (
              <Badge key={one.name} tone={one.tone}>
                {one.name}: {one.words}
              </Badge>
            ))}
          </span>
          <span className="lg:hidden">
            {wrong[0] === undefined ? (
              <Badge tone="good">All well</Badge>
            ) : (
              <Badge tone={wrong[0].tone}>
                {wrong[0].name}: {wrong[0].words}
                {wrong.length > 1 && ` +${wrong.length - 1}`}
              </Badge>
            )}
          </span>
        </button>
        <Button kind="ghost" onClick={() => open("menu")} aria-label="Menu" aria-keyshortcuts="F9" className="px-0 text-ink">
          <svg aria-hidden="true" viewBox="0 0 20 20" className="size-6" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round">
            <path d="M3 5.5h14M3 10h14M3 14.5h14" />
          </svg>
        </Button>
      </div>
    </header>
  );
}

export function StatusDialog({ shown, close, status, way }: { shown: boolean; close: () => void; status: GetStatusResponse | undefined; way: Way }) {
  const away = useSyncExternalStore(way.subscribe, () => way.lostSince !== undefined);
  return (
    <Dialog title="How all is" open={shown} onClose={close}>
      <ul className="divide-y divide-line">
        {states(status, away).map((one) => (
          <li key={one.name} className="grid gap-1 py-3">
            <span className="flex items-center justify-between gap-3 font-medium">
              {one.name} <Badge tone={one.tone}>{one.words}</Badge>
            </span>
            <span className="text-quiet">{one.sentence}</span>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
