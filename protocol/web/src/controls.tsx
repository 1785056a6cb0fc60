// What people press and fill in. Owns how buttons, fields and choices look and how they are named to those who listen.
import { useId } from "react";
import type { ButtonHTMLAttributes, InputHTMLAttributes, ReactNode, Ref, SelectHTMLAttributes } from "react";

import { classes } from "./classes.ts";

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  /** `primary` once per screen; `danger` for what cannot be undone; `ghost` beside text. */
  kind?: "primary" | "plain" | "ghost" | "danger";
  /** `tender` is 64 px high, for money; `normal` is 44. `small` is 32, only where nobody is in a hurry. */
  size?: "small" | "normal" | "tender";
  /** Works on it: says so, and takes no second press. */
  busy?: boolean;
  ref?: Ref<HTMLButtonElement>;
};

const KINDS = {
  primary: "bg-accent text-on-accent hover:bg-accent-strong border-transparent shadow-xs",
  plain: "bg-raised text-ink border-edge/60 hover:bg-sunken shadow-xs",
  ghost: "bg-transparent text-accent border-transparent hover:bg-accent-soft",
  danger: "bg-bad-soft text-bad border-bad/40 hover:border-bad",
};
const SIZES = {
  small: "min-h-8 px-3 text-sm",
  normal: "min-h-target min-w-target px-4 text-[0.9375rem]",
  tender: "min-h-tender min-w-tender px-6 text-xl",
};

export function Button({ kind = "plain", size = "normal", busy = false, className, children, disabled, type = "button", ...rest }: ButtonProps) {
  return (
    <button
      {...rest}
      type={type}
      disabled={disabled === true || busy}
      aria-busy={busy || undefined}
      className={classes(
        "inline-flex items-center justify-center gap-2 rounded-control border font-medium select-none transition-colors active:translate-y-px",
        "disabled:cursor-not-allowed disabled:opacity-60",
        KINDS[kind],
        SIZES[size],
        className,
      )}
    >
      {busy && <Spinner />}
      {children}
    </button>
  );
}

export function Spinner() {
  return (
    <svg aria-hidden="true" viewBox="0 0 24 24" className="size-4 animate-spin" fill="none" stroke="currentColor" strokeWidth="3">
      <circle cx="12" cy="12" r="9" opacity="0.25" />
      <path d="M21 12a9 9 0 0 0-9-9" strokeLinecap="round" />
    </svg>
  );
}

const INPUT =
  "w-full min-h-target rounded-control border border-edge/70 bg-raised px-3 text-ink placeholder:text-quiet transition-colors hover:border-edge aria-invalid:border-bad disabled:opacity-60";

type FieldProps = InputHTMLAttributes<HTMLInputElement> & {
  label: ReactNode;
  /** Stays under the field. */
  hint?: ReactNode;
  /** A sentence that says how to mend it; while there is one, the field is marked as wrong. */
  error?: string | undefined;
  /** The label is heard, not seen: for a search whose place says what it is. */
  labelHidden?: boolean;
  /** Stands before or after the text, such as a currency. */
  before?: ReactNode;
  after?: ReactNode;
  ref?: Ref<HTMLInputElement>;
};

export function Field({ label, hint, error, labelHidden = false, before, after, className, id, ...rest }: FieldProps) {
  const made = useId();
  const inputId = id ?? made;
  const said = [error !== undefined && `${inputId}-error`, hint !== undefined && `${inputId}-hint`].filter(Boolean).join(" ");
  return (
    <div className={classes("grid gap-1.5", className)}>
      <label htmlFor={inputId} className={labelHidden ? "heard-only" : "text-sm font-medium"}>
        {label}
      </label>
      <div className="relative flex items-center">
        {before !== undefined && <span className="pointer-events-none absolute start-3 text-quiet">{before}</span>}
        <input
          {...rest}
          id={inputId}
          aria-invalid={error !== undefined || undefined}
          aria-describedby={said === "" ? undefined : said}
          className={classes(INPUT, before !== undefined && "ps-10", after !== undefined && "pe-14")}
        />
        {after !== undefined && <span className="pointer-events-none absolute end-3 text-sm text-quiet">{after}</span>}
      </div>
      {error !== undefined && (
        <p id={`${inputId}-error`} className="text-sm text-bad">
          {error}
        </p>
      )}
      {hint !== undefined && (
        <p id={`${inputId}-hint`} className="text-sm text-quiet">
          {hint}
        </p>
      )}
    </div>
  );
}

type ChoiceProps = SelectHTMLAttributes<HTMLSelectElement> & { label: ReactNode; labelHidden?: boolean };

/** One of a few: the device's own list, which everybody knows how to use. */
export function Choice({ label, labelHidden = false, className, children, id, ...rest }: ChoiceProps) {
  const made = useId();
  return (
    <div className={classes("grid gap-1.5", className)}>
      <label htmlFor={id ?? made} className={labelHidden ? "heard-only" : "text-sm font-medium"}>
        {label}
      </label>
      <select {...rest} id={id ?? made} className={classes(INPUT, "pe-8")}>
        {children}
      </select>
    </div>
  );
}
