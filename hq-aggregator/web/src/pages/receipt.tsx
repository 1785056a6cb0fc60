// One receipt, opened: its lines, taxes and payment as the shop's journal has them.
import { clockWords, Dialog, Money, Notice, Waiting } from "@backroom/protocol";

import { said, sentence } from "../api.ts";
import type { Sale, SaleDetail } from "../api.ts";
import { useLive } from "../live.ts";
import { percent } from "./sales.tsx";

export function ReceiptDialog({ sale, onClose }: { sale: Sale | undefined; onClose: () => void }) {
  const { answer, error } = useLive<SaleDetail>(sale === undefined ? undefined : `/sales/${sale.store}/${sale.epoch}/${sale.seq}`);
  const kind = sale?.end === "return" ? "Return" : "Receipt";
  return (
    <Dialog title={sale === undefined ? "" : `${kind} ${sale.receipt}`} open={sale !== undefined} onClose={onClose}>
      {error !== undefined && <Notice tone="bad">{said(error)}</Notice>}
      {answer === undefined ? error === undefined && <Waiting what="Fetching it from the journal" /> : <Receipt detail={answer} />}
    </Dialog>
  );
}

function Receipt({ detail }: { detail: SaleDetail }) {
  const { ticket } = detail;
  const { currency } = ticket;
  const at = new Date(detail.at);
  const lines = ticket.lines.filter((line) => line.voided === null);
  const voided = ticket.lines.length - lines.length;
  return (
    <div className="grid gap-4">
      <p className="text-sm text-quiet">
        {clockWords(at, new Date(), detail.zone ?? undefined)} · business day {detail.business_day} · till {ticket.till}
        {detail.staff !== null && ` · ${detail.staff}`}
        {detail.original !== null && ` · takes back ${detail.original}`}
      </p>
      <ul className="divide-y divide-line/70 border-y border-line">
        {lines.map((line) => (
          <li key={line.line} className="flex items-baseline justify-between gap-4 py-2.5">
            <div className="min-w-0">
              <p className="font-medium">{line.name}</p>
              <p className="text-sm text-quiet">
                {quantityWords(line.quantity)} × <Money minor={line.unit_price} currency={currency} /> · {line.sku} · tax {line.tax_class}
              </p>
            </div>
            <Money minor={line.amount} currency={currency} />
          </li>
        ))}
      </ul>
      <dl className="grid gap-1.5">
        <Row name="Without tax" minor={ticket.net} currency={currency} />
        {ticket.taxes.map((tax) => (
          <Row key={`${tax.tax_class} ${tax.rate}`} name={`Tax ${tax.tax_class}, ${percent(tax.rate)}`} minor={tax.tax} currency={currency} />
        ))}
        {ticket.cash_rounding !== 0 && <Row name="Cash rounding" minor={ticket.cash_rounding} currency={currency} />}
        <Row name="Total" minor={ticket.due} currency={currency} strong />
        {ticket.tenders.map((tender, place) => (
          <Row key={place} name={sentence(tender.tender.replaceAll("_", " ")).slice(0, -1)} minor={tender.amount} currency={currency} />
        ))}
        {ticket.change !== 0 && <Row name="Change" minor={ticket.change} currency={currency} />}
      </dl>
      {voided > 0 && <p className="text-sm text-quiet">{voided === 1 ? "1 line was" : `${voided} lines were`} taken off before paying.</p>}
      <p className="font-mono text-xs break-all text-quiet">Journal {detail.hash}</p>
    </div>
  );
}

/** Thousandths as people write them: 1000 is 1, 1250 is 1.25. */
function quantityWords(thousandths: number): string {
  const whole = Math.trunc(thousandths / 1000);
  const rest = String(Math.abs(thousandths % 1000)).padStart(3, "0").replace(/0+$/, "");
  return rest === "" ? String(whole) : `${thousandths < 0 && whole === 0 ? "-" : ""}${whole}.${rest}`;
}

function Row({ name, minor, currency, strong = false }: { name: string; minor: number; currency: string; strong?: boolean }) {
  return (
    <div className={strong ? "flex justify-between border-t border-line pt-2 text-lg font-semibold" : "flex justify-between text-[0.9375rem]"}>
      <dt>{name}</dt>
      <dd>
        <Money minor={minor} currency={currency} />
      </dd>
    </div>
  );
}
