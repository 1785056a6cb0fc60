// The catalogue: found by name, number or barcode, with each item's price and what the shops say to its last change.
import { useEffect, useMemo, useRef, useState } from "react";

import { Badge, Button, Card, Empty, Field, go, Link, Money, Table, useSay, useShortcuts, Waiting } from "@backroom/protocol";
import type { Column } from "@backroom/protocol";

import { ask, said } from "../api.ts";
import type { Product, Products, Store } from "../api.ts";
import { useLive } from "../live.ts";
import { Head, Trouble } from "../parts.tsx";

/** Long enough not to ask for each letter, short enough to feel at once. */
const TYPING_PAUSE_MS = 200;

export function ProductsPage({ search }: { search: string }) {
  const [typed, setTyped] = useState(search);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (typed === search) return;
    const timer = setTimeout(() => go(typed === "" ? "/products" : `/products?q=${encodeURIComponent(typed)}`, "replace"), TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, search]);
  useShortcuts(useMemo(() => [{ keys: "/", does: "Search products", run: () => field.current?.focus() }], []));

  const words = search === "" ? "" : `?q=${encodeURIComponent(search)}`;
  const { answer, error, again } = useLive<Products>(`/products${words}`);
  const stores = useLive<{ stores: Store[] }>("/stores");
  return (
    <>
      <Head title="Products">Prices as the catalogue has them. Open an item to change what the shops charge.</Head>
      <Field
        ref={field}
        type="search"
        label="Search by name, number or barcode"
        value={typed}
        maxLength={100}
        onChange={(event) => setTyped(event.target.value)}
        className="mb-5 max-w-lg"
      />
      <Trouble error={error} again={again} />
      {answer === undefined ? error === undefined && <Waiting what="Looking through the catalogue" /> : <Found key={words} first={answer} search={search} shops={(stores.answer?.stores ?? []).map((store) => store.store)} />}
    </>
  );
}

function Found({ first, search, shops }: { first: Products; search: string; shops: string[] }) {
  const [more, setMore] = useState<Products>();
  const [busy, setBusy] = useState(false);
  const say = useSay();
  const rows = [...first.products, ...(more?.products ?? [])];
  const next = more === undefined ? first.next_cursor : more.next_cursor;
  const load = () => {
    if (next === null) return;
    setBusy(true);
    ask<Products>("GET", `/products?${search === "" ? "" : `q=${encodeURIComponent(search)}&`}cursor=${encodeURIComponent(next)}`)
      .then((page) => setMore((before) => ({ products: [...(before?.products ?? []), ...page.products], next_cursor: page.next_cursor })))
      .catch((error: unknown) => say(said(error), "bad"))
      .finally(() => setBusy(false));
  };
  const columns: Column<Product>[] = [
    {
      key: "name",
      head: "Item",
      rowHead: true,
      cell: (product) => (
        <>
          <Link href={`/products/${encodeURIComponent(product.sku)}`} className="text-accent hover:underline">
            {product.name}
          </Link>
          <span className="block text-sm font-normal text-quiet">{product.sku}</span>
        </>
      ),
    },
    { key: "codes", head: "Barcode", wideOnly: true, cell: (product) => <span className="text-quiet">{product.codes.join(", ") || "–"}</span> },
    { key: "tax", head: "Tax", wideOnly: true, cell: (product) => product.tax_class },
    { key: "changes", head: "In the shops", wideOnly: true, cell: (product) => <Standing product={product} /> },
    { key: "price", head: "Price", figures: true, cell: (product) => <Price product={product} shops={shops} /> },
  ];
  if (rows.length === 0) {
    return (
      <Card>
        {search === "" ? (
          <Empty title="The catalogue is empty">
            Take one in at head office with <code>hq-aggregator catalog import</code>.
          </Empty>
        ) : (
          <Empty title={`Nothing is called “${search}”`}>Try a part of the name, the item number or the digits below the barcode.</Empty>
        )}
      </Card>
    );
  }
  return (
    <Card>
      <Table caption="Products" columns={columns} rows={rows} rowKey={(product) => product.sku} />
      <div className="flex items-center justify-between gap-4 border-t border-line px-5 py-3 text-sm text-quiet">
        <output>{rows.length.toLocaleString()} shown</output>
        {next !== null && (
          <Button busy={busy} onClick={load}>
            Show more
          </Button>
        )}
      </div>
    </Card>
  );
}

function Standing({ product }: { product: Product }) {
  const count = (state: string) => product.changes.filter((one) => one.state === state).length;
  const [pending, refused] = [count("pending"), count("refused")];
  if (product.changes.length === 0) return <span className="text-quiet">as in the catalogue</span>;
  if (refused > 0) return <Badge tone="bad">{refused === 1 ? "1 shop refused" : `${refused} shops refused`}</Badge>;
  if (pending > 0) return <Badge tone="info">{pending === 1 ? "1 shop still waits" : `${pending} shops still wait`}</Badge>;
  return <Badge tone="good">Confirmed</Badge>;
}

/** What was ordered for the shops last: one price, or from the lowest to the highest. */
function Price({ product, shops }: { product: Product; shops: string[] }) {
  const ordered = (shop: string) => product.changes.find((one) => one.store === shop && one.state !== "refused")?.price ?? product.price;
  const prices = shops.length === 0 ? [product.price] : shops.map(ordered);
  const [low, high] = [Math.min(...prices), Math.max(...prices)];
  if (low === high) return <Money minor={low} currency={product.currency} className="font-medium" />;
  return (
    <span className="font-medium">
      <Money minor={low} currency={product.currency} /> to <Money minor={high} currency={product.currency} />
    </span>
  );
}
