// The switch between light, dark and what the device says.
import { useState } from "react";

import { Button } from "./controls.tsx";
import { chooseTheme, rememberedTheme } from "./theme.ts";
import type { Theme } from "./theme.ts";

const NEXT: Record<Theme, Theme> = { device: "light", light: "dark", dark: "device" };
const NAMES: Record<Theme, string> = { device: "as the device says", light: "light", dark: "dark" };
const SIGNS: Record<Theme, string> = {
  device: "M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14",
  light: "M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM10 1.5v1.6M10 16.9v1.6M1.5 10h1.6M16.9 10h1.6M4 4l1.1 1.1M14.9 14.9 16 16M4 16l1.1-1.1M14.9 5.1 16 4",
  dark: "M16.5 12.2A7 7 0 0 1 7.8 3.5a7 7 0 1 0 8.7 8.7z",
};

export function ThemeSwitch() {
  const [theme, setTheme] = useState(rememberedTheme);
  return (
    <Button
      kind="ghost"
      aria-label={`Colours: ${NAMES[theme]}. Switch to ${NAMES[NEXT[theme]]}`}
      title={`Colours: ${NAMES[theme]}`}
      className="px-0 text-quiet"
      onClick={() => {
        chooseTheme(NEXT[theme]);
        setTheme(NEXT[theme]);
      }}
    >
      <svg aria-hidden="true" viewBox="0 0 20 20" className="size-5" fill={theme === "device" ? "currentColor" : "none"} stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round">
        <path d={SIGNS[theme]} fill={theme === "device" ? "none" : undefined} />
        {theme === "device" && <path d="M10 3a7 7 0 1 0 0 14z" stroke="none" />}
      </svg>
    </Button>
  );
}
