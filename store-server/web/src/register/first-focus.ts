// Where the focus goes when a dialog opens: the browser looks for this mark.

export function firstFocus(element: HTMLElement | null): void {
  element?.setAttribute("autofocus", "");
}
