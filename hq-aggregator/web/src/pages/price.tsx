// A new price: how much, from when, in which shops; looked at once more before it goes out.
import { useState } from "react";
import type { SubmitEvent } from "react";

import { Button, clockWords, Dialog, Field, minorDigits, Notice, parsedMoney, plainMoney, shownMoney, useSay } from "@backroom/protocol";

import { said } from "../api.ts";
import type { Product } from "../api.ts";
import { change } from "../figures.ts";
import { zoneWords } from "../parts.tsx";
import type { KnownShop } from "./product.tsx";

type Props = {
  open: boolean;
  product: Product;
  shops: KnownShop[];
  onClose: () => void;
  onOrder: (price: number, shops: string[] | undefined, at: Date | undefined) => Promise<void>;
};

export function PriceDialog(props: Props) {
  return (
    <Dialog title={`New price for ${props.product.name}`} open={props.open} onClose={props.onClose}>
      <PriceForm {...props} />
    </Dialog>
  );
}

/** Changes by more than this are asked about once more: most of them are a slip of the finger. */
const LARGE_CHANGE_PERCENT = 40;

function PriceForm({ product, shops: all, onClose, onOrder }: Props) {
  const shops = all.filter((shop) => !shop.foreign);
  const foreign = all.filter((shop) => shop.foreign);
  const [text, setText] = useState("");
  const [when, setWhen] = useState<"now" | "later">("now");
  const [at, setAt] = useState("");
  const [chosen, setChosen] = useState<Set<string>>(() => new Set(shops.map((shop) => shop.store)));
  const [errors, setErrors] = useState<{ price?: string; at?: string; shops?: string; order?: string }>({});
  const [sure, setSure] = useState<number>();
  const [busy, setBusy] = useState(false);
  const say = useSay();
  const { currency } = product;
  const price = parsedMoney(text, currency);
  const instant = when === "later" && at !== "" ? new Date(at) : undefined;
  const affected = shops.filter((shop) => chosen.has(shop.store));

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const found: typeof errors = {};
    const example = plainMoney(1999n * 10n ** BigInt(Math.max(0, minorDigits(currency) - 2)), currency);
    if (price === undefined) found.price = `Type an amount such as ${example}.`;
    else if (price < 0n || price > BigInt(Number.MAX_SAFE_INTEGER)) found.price = "A price is not below zero and not beyond any shop.";
    if (when === "later") {
      if (instant === undefined || Number.isNaN(instant.getTime())) found.at = "Choose a day and a time.";
      else if (instant <= new Date()) found.at = "This time has passed; choose one to come, or take “now”.";
    }
    if (chosen.size === 0) found.shops = "Choose at least one shop.";
    setErrors(found);
    if (Object.keys(found).length > 0 || price === undefined) return;
    const largest = affected.map((shop) => Math.abs(change(price, shop.now) ?? 0)).reduce((most, one) => Math.max(most, one), 0);
    if (largest > LARGE_CHANGE_PERCENT && sure !== Number(price)) {
      setSure(Number(price));
      return;
    }
    setBusy(true);
    onOrder(Number(price), chosen.size === all.length ? undefined : [...chosen], instant)
      .then(() => {
        say(`${product.name}: ${shownMoney(price, currency)} is on its way to ${chosen.size === 1 ? "1 shop" : `${chosen.size} shops`}.`, "good");
        onClose();
      })
      .catch((refused: unknown) => {
        setErrors({ order: said(refused) });
        setBusy(false);
      });
  };

  const asking = sure !== undefined && price !== undefined && sure === Number(price);
  return (
    <form onSubmit={submit} noValidate className="grid gap-5">
      {errors.order !== undefined && <Notice tone="bad">{errors.order}</Notice>}
      <Field
        label={`Price in ${currency}`}
        name="price"
        inputMode="decimal"
        autoComplete="off"
        value={text}
        error={errors.price}
        hint={price === undefined ? undefined : <Steps shops={affected} price={price} currency={currency} />}
        onChange={(event) => setText(event.target.value)}
      />
      <fieldset className="grid gap-2">
        <legend className="mb-1.5 text-sm font-medium">From when</legend>
        <div className="flex flex-wrap gap-x-6">
          <Option name="when" label="Now" checked={when === "now"} onChange={() => setWhen("now")} />
          <Option name="when" label="At a time to come" checked={when === "later"} onChange={() => setWhen("later")} />
        </div>
        {when === "later" && (
          <Field
            type="datetime-local"
            label="Day and time, by your own clock"
            value={at}
            error={errors.at}
            hint={instant === undefined || Number.isNaN(instant.getTime()) ? undefined : there(affected, instant)}
            onChange={(event) => setAt(event.target.value)}
          />
        )}
        <p className="text-sm text-quiet">A basket that was begun before keeps the prices it was begun with.</p>
      </fieldset>
      <fieldset className="grid gap-1">
        <legend className="mb-1.5 text-sm font-medium">Shops</legend>
        {shops.map((shop) => (
          <label key={shop.store} className="flex min-h-target items-center gap-3">
            <input
              type="checkbox"
              className="size-5 accent-accent"
              checked={chosen.has(shop.store)}
              onChange={(event) => {
                const next = new Set(chosen);
                if (event.target.checked) next.add(shop.store);
                else next.delete(shop.store);
                setChosen(next);
              }}
            />
            <span>
              {shop.known.name}
              {shop.known.last_seen === null ? (
                <span className="text-quiet"> · not set up yet; it hears of it when it is</span>
              ) : (
                !shop.known.connected && <span className="text-quiet"> · away; it hears of it when it is back</span>
              )}
            </span>
          </label>
        ))}
        {foreign.length > 0 && (
          <p className="text-sm text-quiet">
            Not {foreign.map((shop) => `${shop.known.name} (${shop.known.currency ?? ""})`).join(", ")}: prices in another currency are set in the shop.
          </p>
        )}
        {errors.shops !== undefined && <p className="text-sm text-bad">{errors.shops}</p>}
      </fieldset>
      {asking && (
        <Notice tone="warn">
          That is a large change: {affected.map((shop) => `${shop.known.name} ${shownMoney(shop.now, currency)} → ${shownMoney(price, currency)}`).join(", ")}. Is it meant?
        </Notice>
      )}
      <div className="flex flex-wrap justify-end gap-3">
        <Button onClick={onClose}>Cancel</Button>
        <Button kind="primary" type="submit" busy={busy}>
          {asking ? "Yes, order it" : "Order the price"}
        </Button>
      </div>
    </form>
  );
}

/** From which price to the new one; shops that charge the same now are said together. */
function Steps({ shops, price, currency }: { shops: KnownShop[]; price: bigint; currency: string }) {
  const prices = [...new Set(shops.map((shop) => shop.now))];
  return prices.map((now) => {
    const same = shops.filter((shop) => shop.now === now);
    return (
      <span key={now} className="block">
        <span className="figures">
          {shownMoney(now, currency)} <span aria-hidden="true">→</span><span className="heard-only">becomes</span> {shownMoney(price, currency)}
        </span>{" "}
        in {same.length === shops.length && shops.length > 1 ? `all ${shops.length} shops` : same.map((shop) => shop.known.name).join(", ")}
      </span>
    );
  });
}

function Option({ name, label, checked, onChange }: { name: string; label: string; checked: boolean; onChange: () => void }) {
  return (
    <label className="flex min-h-target items-center gap-2.5">
      <input type="radio" name={name} className="size-5 accent-accent" checked={checked} onChange={onChange} />
      {label}
    </label>
  );
}

/** The same instant on the clocks of the shops. */
function there(shops: KnownShop[], at: Date): string {
  const zones = [...new Set(shops.flatMap((shop) => shop.known.zone ?? []))];
  return zones.map((zone) => `${clockWords(at, new Date(), zone)} ${zoneWords(zone)}`).join(" · ");
}
