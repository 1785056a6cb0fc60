// What things are shown on: cards, badges, notices, tables, empty and waiting states. Owns no data.
import type { ReactNode } from "react";

import { classes } from "./classes.ts";
import { Spinner } from "./controls.tsx";

export type Tone = "quiet" | "good" | "warn" | "bad" | "info" | "training";

const TONES: Record<Tone, string> = {
  quiet: "bg-sunken text-quiet",
  good: "bg-good-soft text-good",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
  info: "bg-info-soft text-info",
  training: "bg-training-soft text-training",
};
const DOTS: Record<Tone, string> = {
  quiet: "M3 8h10",
  good: "m3.5 8.5 3 3 6-7",
  warn: "M8 3.5v5.5M8 12.2v.3",
  bad: "m4 4 8 8m0-8-8 8",
  info: "M8 7v5.5M8 3.7V4",
  training: "M3 6l5-2.5L13 6 8 8.5zM5 7.5V11l3 1.5 3-1.5V7.5",
};

/** A state in one or two words. The sign beside it says the tone to those who see no colours. */
export function Badge({ tone = "quiet", children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span className={classes("inline-flex items-center gap-1 rounded-full px-2.5 py-0.5 text-sm font-medium whitespace-nowrap", TONES[tone])}>
      <svg aria-hidden="true" viewBox="0 0 16 16" className="size-3.5" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" strokeLinejoin="round">
        <path d={DOTS[tone]} />
      </svg>
      {children}
    </span>
  );
}

/** A sentence somebody should read, with what can be done about it. Errors are announced at once. */
export function Notice({ tone = "info", children, action }: { tone?: Tone; children: ReactNode; action?: ReactNode }) {
  return (
    <div
      role={tone === "bad" ? "alert" : "status"}
      className={classes("flex flex-wrap items-center justify-between gap-3 rounded-control px-4 py-3 text-[0.9375rem]", TONES[tone])}
    >
      <div className="min-w-0 flex-1 basis-60">{children}</div>
      {action}
    </div>
  );
}

export function Card({ title, aside, children, className }: { title?: ReactNode; aside?: ReactNode; children: ReactNode; className?: string }) {
  return (
    <section className={classes("card", className)}>
      {(title !== undefined || aside !== undefined) && (
        <header className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 px-5 pt-4 pb-1">
          {title !== undefined && <h2 className="text-base font-semibold">{title}</h2>}
          {aside}
        </header>
      )}
      {children}
    </section>
  );
}

/** Nothing is here, and what to do so that something is. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="grid justify-items-center gap-2 px-6 py-12 text-center">
      <svg aria-hidden="true" viewBox="0 0 48 48" className="mb-1 size-11 text-edge" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" strokeLinejoin="round">
        <path d="M7 18 11 8h26l4 10M7 18v20a2 2 0 0 0 2 2h30a2 2 0 0 0 2-2V18M7 18h11a6 6 0 0 0 12 0h11" />
      </svg>
      <p className="font-medium">{title}</p>
      {children !== undefined && <div className="max-w-md text-sm text-quiet">{children}</div>}
    </div>
  );
}

export function Waiting({ what }: { what: string }) {
  return (
    <p role="status" className="flex items-center justify-center gap-2.5 px-6 py-12 text-quiet">
      <Spinner /> {what}
    </p>
  );
}

export type Column<Row> = {
  key: string;
  head: ReactNode;
  cell: (row: Row) => ReactNode;
  /** Figures stand under each other. */
  figures?: boolean;
  /** Left out on a narrow screen; say it in another cell there if it matters. */
  wideOnly?: boolean;
  /** Names the row to those who listen. One column has it. */
  rowHead?: boolean;
};

/** A real table: caption for those who listen, heads, and a footer for sums. Wide ones scroll inside themselves, never the page. */
export function Table<Row>({
  caption,
  columns,
  rows,
  rowKey,
  footer,
}: {
  caption: string;
  columns: Column<Row>[];
  rows: Row[];
  rowKey: (row: Row) => string;
  footer?: ReactNode;
}) {
  const place = (column: Column<Row>) =>
    classes("px-3 first:ps-5 last:pe-5", column.figures === true ? "text-end" : "text-start", column.wideOnly === true && "max-md:hidden");
  return (
    // Focusable, so that the arrow keys scroll it when it is wider than the screen.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="overflow-x-auto" role="region" aria-label={caption} tabIndex={0}>
      <table className="w-full border-collapse text-[0.9375rem]">
        <caption className="heard-only">{caption}</caption>
        <thead>
          <tr className="border-b border-line text-sm text-quiet">
            {columns.map((column) => (
              <th key={column.key} scope="col" className={classes(place(column), "py-2.5 font-medium whitespace-nowrap")}>
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)} className="border-b border-line/70 last:border-0 hover:bg-sunken/50">
              {columns.map((column) =>
                column.rowHead === true ? (
                  <th key={column.key} scope="row" className={classes(place(column), "py-3 font-medium")}>
                    {column.cell(row)}
                  </th>
                ) : (
                  <td key={column.key} className={classes(place(column), "py-3")}>
                    {column.cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
        {footer !== undefined && <tfoot className="border-t border-line font-medium">{footer}</tfoot>}
      </table>
    </div>
  );
}
