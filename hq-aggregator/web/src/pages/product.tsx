// One item: what each shop charges, a new price for now or for an hour to come, and every order so far with who has confirmed it.
import { useMemo, useState } from "react";

import { agoWords, Badge, Button, Card, clockWords, Empty, Link, Money, shownMoney, Table, useSay, useShortcuts, Waiting } from "@backroom/protocol";
import type { Column } from "@backroom/protocol";

import { ask, newKey, Refusal, said } from "../api.ts";
import type { Product, ProductDetail, Store } from "../api.ts";
import { useLive, useNow } from "../live.ts";
import { Head, standing, Trouble } from "../parts.tsx";
import { priceIn, setBack, together } from "../prices.ts";
import type { Ordered, ShopPrice } from "../prices.ts";
import { PriceDialog } from "./price.tsx";

/** While a shop has still to confirm, its answer is a second away; afterwards nothing changes by itself. */
const LOOK_EVERY_MS = 2_000;

export function ProductPage({ sku }: { sku: string }) {
  const { answer, error, at, again } = useLive<ProductDetail>(`/products/${encodeURIComponent(sku)}`, LOOK_EVERY_MS);
  const stores = useLive<{ stores: Store[] }>("/stores", LOOK_EVERY_MS * 2);
  if (answer === undefined) {
    if (error instanceof Refusal && error.status === 404) {
      return (
        <>
          <Head title="No such item" />
          <Card>
            <Empty title={`There is no item ${sku} in the catalogue`}>
              <Link href="/products" className="text-accent underline">
                Look for it under Products
              </Link>
            </Empty>
          </Card>
        </>
      );
    }
    return (
      <>
        <Head title={sku} />
        <Trouble error={error} again={again} />
        {error === undefined && <Waiting what="Fetching the item" />}
      </>
    );
  }
  return (
    <>
      <Trouble error={error ?? stores.error} again={again} at={at} />
      <Item detail={answer} stores={stores.answer?.stores ?? []} again={again} />
    </>
  );
}

function Item({ detail, stores, again }: { detail: ProductDetail; stores: Store[]; again: () => void }) {
  const { product, orders } = detail;
  const [pricing, setPricing] = useState(false);
  const [busy, setBusy] = useState("");
  const now = useNow(1_000);
  const say = useSay();
  useShortcuts(useMemo(() => [{ keys: "e", does: "New price", run: () => setPricing(true) }], []));

  const order = async (price: number, shops: string[] | undefined, at: Date | undefined): Promise<void> => {
    const question = { price, ...(at === undefined ? {} : { effective_at: at.toISOString() }), ...(shops === undefined ? {} : { stores: shops }) };
    await ask("PUT", `/products/${encodeURIComponent(product.sku)}/price`, question, { "idempotency-key": newKey() });
    again();
  };
  const undo = (ordered: Ordered) => {
    setBusy(ordered.key);
    const steps = setBack(ordered, product, orders).map(({ price, stores }) => order(price, stores, undefined));
    Promise.all(steps)
      .then(() => say("Set back; the shops are told.", "good"))
      .catch((error: unknown) => say(said(error), "bad"))
      .finally(() => setBusy(""));
  };

  const shops = stores.map((store) => ({
    ...priceIn(store.store, product, orders, now),
    known: store,
    // What head office orders is in the catalogue's currency; a shop that sells in another one has prices of its own.
    foreign: store.currency !== null && store.currency !== product.currency,
  }));
  const history = together(orders);
  return (
    <>
      <nav aria-label="Where you are" className="mb-2 text-sm">
        <Link href="/products" className="inline-flex min-h-8 items-center text-accent hover:underline">
          ← Products
        </Link>
      </nav>
      <Head
        title={product.name}
        actions={
          <Button kind="primary" onClick={() => setPricing(true)}>
            New price
          </Button>
        }
      >
        {product.sku}
        {product.codes.length > 0 && ` · ${product.codes.join(", ")}`} · tax {product.tax_class} · catalogue <Money minor={product.price} currency={product.currency} />
      </Head>
      <div className="grid grid-cols-1 gap-6 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)] lg:items-start">
        <Card title="In the shops">
          {shops.length === 0 ? <Empty title="There are no shops yet" /> : <Shops shops={shops} product={product} now={now} />}
        </Card>
        <Card title="Price orders">
          {history.length === 0 ? (
            <Empty title="Never changed">Every shop charges what the catalogue says.</Empty>
          ) : (
            <ol className="divide-y divide-line">
              {history.map((ordered, place) => (
                <History
                  key={ordered.key}
                  ordered={ordered}
                  product={product}
                  stores={stores}
                  now={now}
                  undo={place === 0 ? () => undo(ordered) : undefined}
                  busy={busy === ordered.key}
                />
              ))}
            </ol>
          )}
        </Card>
      </div>
      <PriceDialog open={pricing} product={product} shops={shops} onClose={() => setPricing(false)} onOrder={order} />
    </>
  );
}

export type KnownShop = ShopPrice & { known: Store; foreign: boolean };

function Shops({ shops, product, now }: { shops: KnownShop[]; product: Product; now: Date }) {
  const columns: Column<KnownShop>[] = [
    { key: "name", head: "Shop", rowHead: true, cell: (shop) => shop.known.name },
    {
      key: "coming",
      head: "Next",
      cell: (shop) => {
        if (shop.foreign) return <span className="text-sm text-quiet">sells in {shop.known.currency}; its prices are its own</span>;
        if (shop.refused !== undefined) {
          return (
            <>
              <Badge tone="bad">Refused</Badge>
              <span className="mt-1 block text-sm text-quiet">{shop.refused.why ?? "It gave no reason."}</span>
            </>
          );
        }
        const next = shop.coming.at(-1);
        if (next === undefined) return shop.untouched ? <span className="text-quiet">as in the catalogue</span> : <Badge tone="good">Confirmed</Badge>;
        const from = new Date(next.effective_at);
        const when = from > now ? `from ${clockWords(from, now, shop.known.zone ?? undefined)} in the shop` : "from now";
        const away = standing({ ...shop.known, waiting: shop.known.lag_entries }, now);
        return (
          <>
            {next.state === "pending" ? <Badge tone="info">Waiting</Badge> : <Badge tone="good">Confirmed</Badge>}
            <span className="mt-1 block text-sm text-quiet">
              <Money minor={next.price} currency={product.currency} /> {when}
              {next.state === "pending" && !shop.known.connected && `; ${away.word.toLowerCase()}`}
            </span>
          </>
        );
      },
    },
    { key: "now", head: "Now", figures: true, cell: (shop) => (shop.foreign ? <span className="text-quiet">–</span> : <Money minor={shop.now} currency={product.currency} className="font-semibold" />) },
  ];
  return <Table caption="Price in each shop" columns={columns} rows={shops} rowKey={(shop) => shop.store} />;
}

function History({
  ordered,
  product,
  stores,
  now,
  undo,
  busy,
}: {
  ordered: Ordered;
  product: Product;
  stores: Store[];
  now: Date;
  undo: (() => void) | undefined;
  busy: boolean;
}) {
  const name = (store: string) => stores.find((one) => one.store === store)?.name ?? store;
  const names = (state: string) => ordered.parts.filter((part) => part.state === state).map((part) => name(part.store));
  const [followed, pending, refused] = [names("followed"), names("pending"), names("refused")];
  const later = ordered.effectiveAt.getTime() - ordered.orderedAt.getTime() > 60_000;
  return (
    <li className="grid gap-1.5 px-5 py-4">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <Money minor={ordered.price} currency={product.currency} className="text-lg font-semibold" />
        <span className="text-sm text-quiet">
          {agoWords(ordered.orderedAt, now)}
          {ordered.by !== null && ` by ${ordered.by}`}
        </span>
      </div>
      {later && <p className="text-sm text-quiet">from {clockWords(ordered.effectiveAt, now)} your time</p>}
      <p className="text-sm">
        {followed.length > 0 && <span className="text-good">Confirmed by {followed.join(", ")}. </span>}
        {pending.length > 0 && <span className="text-info">Still waiting: {pending.join(", ")}. </span>}
        {refused.length > 0 && <span className="text-bad">Refused by {refused.join(", ")}. </span>}
      </p>
      {undo !== undefined && (
        <div>
          <Button busy={busy} onClick={undo} aria-label={`Set back the price of ${shownMoney(ordered.price, product.currency)}`}>
            Set back
          </Button>
        </div>
      )}
    </li>
  );
}
