// The till as React sees it.
import { useSyncExternalStore } from "react";

import type { Till, TillState } from "./till.ts";

export function useTill(till: Till): TillState {
  return useSyncExternalStore(till.subscribe, till.snapshot);
}
