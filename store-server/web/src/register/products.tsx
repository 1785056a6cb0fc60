// The items to tap, and the search. Asks the box again when the words, the catalog or a price changed. Adds by item number.
import { useEffect, useState } from "react";
import type { Ref } from "react";

import { Empty, Field } from "@backroom/protocol";
import type { GetStatusResponse, ItemView } from "@backroom/protocol/gen/backroom/register/v1/register_pb";

import { trouble } from "../box/trouble.ts";
import { Amount, quantityWords } from "./amount.tsx";
import type { RegisterClient } from "./till.ts";

const TYPING_PAUSE_MS = 120;
const TILES = 60;

export function Products({
  register,
  status,
  searchRef,
  add,
}: {
  register: RegisterClient;
  status: GetStatusResponse | undefined;
  searchRef: Ref<HTMLInputElement>;
  add: (sku: string) => void;
}) {
  const [words, setWords] = useState("");
  const [found, setFound] = useState<{ words: string; items: ItemView[]; trouble?: string }>();
  // A new catalog or a changed price is on the tiles as soon as the box has it.
  const version = `${status?.catalogVersion ?? 0n}/${status?.directivesThrough ?? 0n}`;
  useEffect(() => {
    const asked = new AbortController();
    const timer = setTimeout(
      () => {
        register.searchItems({ words, limit: TILES }, { signal: asked.signal, timeoutMs: 5_000 }).then(
          (answer) => setFound({ words, items: answer.items }),
          (error: unknown) => {
            if (!asked.signal.aborted) setFound({ words, items: [], trouble: trouble(error).sentence });
          },
        );
      },
      words === "" ? 0 : TYPING_PAUSE_MS,
    );
    return () => {
      clearTimeout(timer);
      asked.abort();
    };
  }, [register, words, version]);

  const choose = (sku: string) => {
    add(sku);
    setWords("");
  };
  const only = found?.words === words && found.items.length === 1 ? found.items[0] : undefined;
  return (
    <div className="flex h-full flex-col gap-3">
      <form
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          if (only !== undefined) choose(only.sku);
          else if (/^\d{4,}$/.test(words.trim())) choose(words.trim());
        }}
      >
        <Field
          ref={searchRef}
          label="Find an item"
          labelHidden
          type="search"
          placeholder="Find an item"
          value={words}
          onChange={(event) => setWords(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") {
              event.stopPropagation();
              setWords("");
              event.currentTarget.blur();
            }
          }}
          autoComplete="off"
          spellCheck={false}
          aria-keyshortcuts="F2"
          before={
            <svg aria-hidden="true" viewBox="0 0 20 20" className="size-5" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round">
              <circle cx="9" cy="9" r="5.5" />
              <path d="m13.2 13.2 3.8 3.8" />
            </svg>
          }
        />
      </form>
      <p className="heard-only" role="status">
        {found !== undefined && found.words !== "" && found.words === words && `${found.items.length} found`}
      </p>
      {found === undefined ? null : found.items.length === 0 ? (
        <Empty title={found.trouble ?? `Nothing is called “${found.words}”`}>{found.trouble === undefined && "Try fewer letters, or the number under the barcode."}</Empty>
      ) : (
        <ul className="grid min-h-0 auto-rows-min grid-cols-[repeat(auto-fill,minmax(8.25rem,1fr))] gap-2 overflow-y-auto p-0.5 max-lg:overflow-visible">
          {found.items.map((item) => (
            <li key={item.sku}>
              <button
                type="button"
                onClick={() => choose(item.sku)}
                className="card grid h-full min-h-24 w-full content-between gap-2 p-3 text-start transition-colors hover:border-edge active:translate-y-px active:bg-accent-soft"
              >
                <span className="line-clamp-3 text-[0.9375rem] leading-snug font-medium">{item.name}</span>
                <span className="flex flex-wrap items-baseline justify-between gap-x-2">
                  <Amount of={item.price} className="figures font-semibold text-accent" />
                  <span className={item.onHandMilli > 0n ? "text-sm text-quiet" : "text-sm font-medium text-warn"}>
                    {item.onHandMilli > 0n ? `${quantityWords(item.onHandMilli)} left` : "none left"}
                  </span>
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
