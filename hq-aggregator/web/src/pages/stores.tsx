// Every shop and how far it is: when it was heard of, what still has to arrive, which prices wait for it.
import { agoWords, Badge, Card, clockWords, Empty, Link, Table, Waiting } from "@backroom/protocol";
import type { Column } from "@backroom/protocol";

import type { Store } from "../api.ts";
import { useLive, useNow } from "../live.ts";
import { Head, standing, StandingBadge, Trouble, zoneWords } from "../parts.tsx";

const LOOK_EVERY_MS = 5_000;

const known = (store: Store) => ({ ...store, waiting: store.lag_entries });

/** What has not arrived, and what has arrived but is not in the figures yet. */
function lagWords(store: Store): string {
  const unread = store.held - Math.min(store.applied, store.held);
  if (store.head === 0 && store.held === 0) return "nothing yet";
  const parts = [
    store.lag_entries > 0 ? `${store.lag_entries.toLocaleString()} still in the shop` : "all arrived",
    unread > 0 ? `${unread.toLocaleString()} not in the figures yet` : "all in the figures",
  ];
  return parts[0] === "all arrived" && unread === 0 ? "all arrived and counted" : parts.join(", ");
}

export function StoresPage() {
  const { answer, error, at, again } = useLive<{ stores: Store[] }>("/stores", LOOK_EVERY_MS);
  const now = useNow();
  const columns: Column<Store>[] = [
    {
      key: "name",
      head: "Shop",
      rowHead: true,
      cell: (store) => (
        <>
          <Link href={`/sales?store=${store.store}`} className="hover:underline">
            {store.name}
          </Link>
          <span className="block text-sm font-normal text-quiet">{store.store}</span>
        </>
      ),
    },
    {
      key: "standing",
      head: "How it stands",
      cell: (store) => (
        <>
          <StandingBadge shop={known(store)} now={now} />
          <span className="mt-1 block max-w-md text-sm text-quiet">{standing(known(store), now).detail}</span>
        </>
      ),
    },
    {
      key: "clock",
      head: "Its clock",
      wideOnly: true,
      cell: (store) =>
        store.zone === null ? (
          <span className="text-quiet">–</span>
        ) : (
          <>
            {clockWords(now, now, store.zone)}
            <span className="block text-sm text-quiet">{zoneWords(store.zone)}</span>
          </>
        ),
    },
    {
      key: "records",
      head: "Records",
      wideOnly: true,
      cell: (store) => (
        <>
          {store.held.toLocaleString()} of {Math.max(store.head, store.held).toLocaleString()}
          <span className="block text-sm text-quiet">{lagWords(store)}</span>
          {store.held_to !== null && <span className="block text-sm text-quiet">newest from {agoWords(new Date(store.held_to), now)}</span>}
        </>
      ),
    },
    {
      key: "prices",
      head: "Prices sent",
      wideOnly: true,
      cell: (store) =>
        store.directives_pending > 0 ? (
          <Badge tone="info">{store.directives_pending === 1 ? "1 waits" : `${store.directives_pending} wait`}</Badge>
        ) : (
          <span className="text-quiet">{store.directives_through === 0 ? "none yet" : "all confirmed"}</span>
        ),
    },
  ];
  return (
    <>
      <Head title="Stores">A shop that is away sells on by itself. Nothing is lost; it arrives when the line is back.</Head>
      <Trouble error={error} again={again} at={at} />
      {answer === undefined ? (
        error === undefined && <Waiting what="Asking after the shops" />
      ) : (
        <Card>
          {answer.stores.length === 0 ? (
            <Empty title="There are no shops yet">
              Add the first one at head office with <code>hq-aggregator store add</code>.
            </Empty>
          ) : (
            <Table caption="Stores and how far their records have arrived" columns={columns} rows={answer.stores} rowKey={(store) => store.store} />
          )}
        </Card>
      )}
    </>
  );
}
