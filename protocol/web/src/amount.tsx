// An amount on the page: exact, in the reader's way of writing, with the machine's form beside it.
import { plainMoney, shownMoney } from "./money.ts";

export function Money({ minor, currency, className }: { minor: bigint | number; currency: string; className?: string }) {
  return (
    <data value={`${plainMoney(minor, currency)} ${currency}`} className={className === undefined ? "whitespace-nowrap" : `whitespace-nowrap ${className}`}>
      {shownMoney(minor, currency)}
    </data>
  );
}
