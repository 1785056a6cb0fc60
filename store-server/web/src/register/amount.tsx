// Amounts of the box on this page. An amount that did not come is nothing, not zero.
import { create } from "@bufbuild/protobuf";

import { Money as Shown, shownMoney } from "@backroom/protocol";
import { MoneySchema } from "@backroom/protocol/gen/backroom/register/v1/register_pb";
import type { Money } from "@backroom/protocol/gen/backroom/register/v1/register_pb";

/** An amount the cashier typed. */
export function moneyOf(minor: bigint, currency: string): Money {
  return create(MoneySchema, { minor, currency });
}

export function Amount({ of, className }: { of: Money | undefined; className?: string }) {
  return of === undefined ? null : <Shown minor={of.minor} currency={of.currency} {...(className === undefined ? {} : { className })} />;
}

export function amountWords(of: Money | undefined): string {
  return of === undefined ? "" : shownMoney(of.minor, of.currency);
}

/** Thousandths as people write them: 2, 0.35. */
export function quantityWords(milli: bigint): string {
  const sign = milli < 0n ? "-" : "";
  const text = (milli < 0n ? -milli : milli).toString().padStart(4, "0");
  const parts = text.slice(-3).replace(/0+$/, "");
  return `${sign}${text.slice(0, -3)}${parts === "" ? "" : `.${parts}`}`;
}
