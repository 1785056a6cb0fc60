// A receipt or report as the box lays it out, 42 columns wide, on paper.

export function Paper({ text, name }: { text: string; name: string }) {
  return (
    <div className="@container">
      {/* Focusable, so that the arrow keys scroll it in a list that is too low for it. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="paper mx-auto w-fit px-4 py-6" role="region" aria-label={name} tabIndex={0}>
        <pre className="paper-print font-mono">{text}</pre>
      </div>
    </div>
  );
}
