// The shared look and components. A page imports `@backroom/protocol/look.css` once and starts with `applyTheme(rememberedTheme())`.
export { Money } from "./amount.tsx";
export { classes } from "./classes.ts";
export { Button, Choice, Field, Spinner } from "./controls.tsx";
export { Dialog } from "./dialog.tsx";
export { Key, Shortcuts, useHelp, useShortcuts } from "./keys.tsx";
export type { Shortcut } from "./keys.tsx";
export { minorDigits, parsedMoney, plainMoney, shownMoney } from "./money.ts";
export { go, Link, useAddress } from "./router.tsx";
export { Badge, Card, Empty, Notice, Table, Waiting } from "./surfaces.tsx";
export type { Column, Tone } from "./surfaces.tsx";
export { applyTheme, chooseTheme, rememberedTheme } from "./theme.ts";
export type { Theme } from "./theme.ts";
export { ThemeSwitch } from "./theme-switch.tsx";
export { agoWords, clockWords, spanWords } from "./time.ts";
export { Toasts, useSay } from "./toasts.tsx";
export type { ToastAction } from "./toasts.tsx";
