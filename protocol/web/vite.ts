// How every page is built. Owns what all bundles share; which pages there are belongs to the folder that builds them.
import { resolve } from "node:path";

import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import type { UserConfig } from "vite";

/**
 * The configuration for the pages in `root`, one HTML file each. Everything is a file of its own that the server names in its policy:
 * nothing is inlined, nothing comes from elsewhere. `backend` is where `npm run dev` finds the real server.
 */
export function pages(root: string, files: string[], backend?: string): UserConfig {
  const proxied = ["/api", "/backroom."];
  return {
    root,
    // Vite minifies the style sheet; the plugin would rewrite `light-dark()` for browsers from before it.
    plugins: [react(), tailwindcss({ optimize: false })],
    server: backend === undefined ? {} : { proxy: Object.fromEntries(proxied.map((path) => [path, backend])) },
    build: {
      target: "es2023",
      cssTarget: ["chrome125", "safari18", "firefox128"],
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      sourcemap: false,
      rolldownOptions: { input: files.map((file) => resolve(root, file)) },
    },
  };
}
