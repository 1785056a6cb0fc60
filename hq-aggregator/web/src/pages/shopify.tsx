// The line to the company's web shop: whether it stands, what waits to be told, and what needs a person.
import { agoWords, Badge, Card, Empty, Notice, Table, Waiting } from "@backroom/protocol";
import type { Column } from "@backroom/protocol";

import { Refusal, sentence } from "../api.ts";
import { useLive, useNow } from "../live.ts";
import { Head, Trouble } from "../parts.tsx";

const LOOK_EVERY_MS = 5_000;

type Kind = "level" | "change" | "order" | "refund";
type Standing =
  | { configured: false }
  | {
      configured: true;
      connected: boolean;
      shop: string | null;
      domain: string;
      api_version: string;
      currency: string | null;
      connected_at: string;
      checked_at: string | null;
      locations: { store: string; location: string }[];
      waiting: Record<Kind, number>;
      waiting_all: number;
      told: Record<Kind, number>;
      not_told: number;
      last_error: { sentence: string; since: string | null } | null;
      stuck: unknown[];
      unknown_products: unknown[];
      messages: unknown[];
    };

const KINDS: [Kind, string, string][] = [
  ["change", "Changes of stock", "what was sold, returned or counted in the shops"],
  ["level", "Levels of stock", "how much there is, set outright"],
  ["order", "Sales", "each receipt as an order"],
  ["refund", "Returns", "each return as a refund"],
];

export function ShopifyPage() {
  const { answer, error, at, again } = useLive<Standing>("/shopify", LOOK_EVERY_MS);
  const now = useNow();
  const absent = error instanceof Refusal && error.status === 404;
  return (
    <>
      <Head title="Shopify">Stock and sales of the shops, told to the web shop exactly once.</Head>
      {!absent && <Trouble error={error} again={again} at={at} />}
      {absent || answer?.configured === false ? (
        <Card>
          <Empty title="Not connected">
            The shops sell as ever; nothing is told to a web shop. Whoever runs head office can connect one with <code>hq-aggregator shopify connect</code>.
          </Empty>
        </Card>
      ) : answer === undefined ? (
        error === undefined && <Waiting what="Asking how the line stands" />
      ) : (
        <Line standing={answer} now={now} />
      )}
    </>
  );
}

type Row = { kind: Kind; name: string; what: string; told: number; waiting: number };

function Line({ standing, now }: { standing: Extract<Standing, { configured: true }>; now: Date }) {
  const rows: Row[] = KINDS.map(([kind, name, what]) => ({ kind, name, what, told: standing.told[kind], waiting: standing.waiting[kind] }));
  const columns: Column<Row>[] = [
    {
      key: "name",
      head: "What",
      rowHead: true,
      cell: (row) => (
        <>
          {row.name}
          <span className="block text-sm font-normal text-quiet">{row.what}</span>
        </>
      ),
    },
    { key: "told", head: "Told", figures: true, cell: (row) => row.told.toLocaleString() },
    { key: "waiting", head: "Waiting", figures: true, cell: (row) => (row.waiting === 0 ? <span className="text-quiet">0</span> : row.waiting.toLocaleString()) },
  ];
  const checked = standing.checked_at === null ? undefined : new Date(standing.checked_at);
  return (
    <div className="grid grid-cols-1 gap-6">
      {standing.last_error !== null && (
        <Notice tone="bad">
          {sentence(standing.last_error.sentence)}
          {standing.last_error.since !== null && ` Since ${agoWords(new Date(standing.last_error.since), now)}.`} What waits is told as soon as the line stands again.
        </Notice>
      )}
      {standing.not_told + standing.stuck.length > 0 && (
        <Notice tone="warn">
          {Math.max(standing.not_told, standing.stuck.length).toLocaleString()} messages could not be told and are not tried again by themselves. Compare them with the shop’s
          own admin pages; the log of head office names each.
        </Notice>
      )}
      <div className="card flex flex-wrap items-center gap-x-10 gap-y-4 px-5 py-4">
        <div>
          <p className="text-lg font-semibold">{standing.shop ?? standing.domain}</p>
          <p className="text-sm text-quiet">{standing.domain}</p>
        </div>
        <Badge tone={standing.connected ? "good" : "warn"}>{standing.connected ? "Connected" : "Line is down"}</Badge>
        <dl className="flex flex-wrap gap-x-10 gap-y-2 text-sm">
          <Pair name="Last checked">{checked === undefined ? "not yet" : agoWords(checked, now)}</Pair>
          <Pair name="Waiting">{standing.waiting_all.toLocaleString()}</Pair>
          <Pair name="Locations">{standing.locations.length === 0 ? "none" : standing.locations.map((one) => one.store).join(", ")}</Pair>
          <Pair name="Interface">{standing.api_version}</Pair>
        </dl>
      </div>
      <Card>
        <Table caption="What was told to Shopify and what waits" columns={columns} rows={rows} rowKey={(row) => row.kind} />
      </Card>
      {standing.unknown_products.length > 0 && (
        <Notice tone="info">
          {standing.unknown_products.length.toLocaleString()} products of the web shop have no item with the same number here; their changes are kept and not used.
        </Notice>
      )}
    </div>
  );
}

function Pair({ name, children }: { name: string; children: string }) {
  return (
    <div>
      <dt className="text-quiet">{name}</dt>
      <dd className="figures font-medium">{children}</dd>
    </div>
  );
}
