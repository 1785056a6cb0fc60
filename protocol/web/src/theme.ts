// Light, dark, or as the device says. Owns the remembered choice and the mark on <html> that the look reads.

export type Theme = "device" | "light" | "dark";

const KEY = "backroom.theme";

export function rememberedTheme(): Theme {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : "device";
  } catch {
    // A browser that keeps nothing still shows the page.
    return "device";
  }
}

export function applyTheme(theme: Theme): void {
  if (theme === "device") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function chooseTheme(theme: Theme): void {
  applyTheme(theme);
  try {
    if (theme === "device") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Chosen for this visit only.
  }
}
