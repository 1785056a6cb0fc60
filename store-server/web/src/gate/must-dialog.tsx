// A question that has to be answered: in front of the page like any dialog, but neither Esc nor a cross leads past it.
import { useEffect, useId, useRef } from "react";
import type { ReactNode } from "react";

export function MustDialog({ title, open, children }: { title: string; open: boolean; children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const element = dialog.current;
    if (open && element?.open === false) element.showModal();
    if (!open && element?.open === true) element.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={heading}
      onCancel={(event) => event.preventDefault()}
      // A browser closes it on a second Esc whatever the page says; then it is opened again.
      onClose={() => {
        if (open) dialog.current?.showModal();
      }}
      className="max-h-[calc(100dvh-2rem)] w-[min(26rem,calc(100vw-1.5rem))] rounded-card border border-line bg-surface p-6 shadow-over"
    >
      {open && (
        <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
          <h2 id={heading} className="text-xl font-semibold">
            {title}
          </h2>
          {children}
        </div>
      )}
    </dialog>
  );
}
