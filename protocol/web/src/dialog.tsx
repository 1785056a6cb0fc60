// A question in front of the page, on the browser's own dialog: it keeps the focus inside, Esc closes it, and the focus goes back.
import { useEffect, useId, useRef } from "react";
import type { ReactNode } from "react";

import { Button } from "./controls.tsx";

export function Dialog({
  title,
  open,
  onClose,
  children,
  footer,
}: {
  title: ReactNode;
  open: boolean;
  /** Esc, the cross, and the ground beside it. */
  onClose: () => void;
  children: ReactNode;
  footer?: ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const element = dialog.current;
    if (element === null) return;
    if (open && !element.open) element.showModal();
    if (!open && element.open) element.close();
  }, [open]);
  return (
    // The click beside it is a comfort; Esc and the cross do the same by keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions, jsx-a11y/click-events-have-key-events
    <dialog
      ref={dialog}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
      className="max-h-[calc(100dvh-2rem)] w-[min(34rem,calc(100vw-1.5rem))] rounded-card border border-line bg-surface p-0 shadow-over"
    >
      {open && (
        <div className="grid">
          <header className="flex items-start justify-between gap-4 px-5 pt-4">
            <h2 id={heading} className="pt-1.5 text-lg font-semibold">
              {title}
            </h2>
            <Button kind="ghost" size="normal" aria-label="Close" onClick={onClose} className="-me-2 px-0 text-quiet">
              <svg aria-hidden="true" viewBox="0 0 20 20" className="size-5" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round">
                <path d="m5 5 10 10M15 5 5 15" />
              </svg>
            </Button>
          </header>
          <div className="px-5 pt-2 pb-5">{children}</div>
          {footer !== undefined && <footer className="flex flex-wrap justify-end gap-3 border-t border-line bg-sunken/40 px-5 py-4">{footer}</footer>}
        </div>
      )}
    </dialog>
  );
}
