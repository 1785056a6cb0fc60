// A receipt or report as the box lays it out, 42 columns wide, on paper.

export function Paper({ text, name }: { text: string; name: string }) {
  return (
    // Focusable, so that the arrow keys scroll what is wider than a phone.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="paper mx-auto w-fit max-w-full overflow-x-auto px-5 py-6" role="region" aria-label={name} tabIndex={0}>
      <pre className="font-mono text-[0.8125rem] leading-[1.45]">{text}</pre>
    </div>
  );
}
