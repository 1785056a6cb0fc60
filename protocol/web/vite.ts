// How every page is built. Owns what all bundles share; which pages there are belongs to the folder that builds them.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import type { Plugin, UserConfig } from "vite";

/** Below this a second copy saves nothing. */
const SMALLEST_PACKED = 512;

/** Lays a `.br` and a `.gz` beside each text, once at build time, so that the server never compresses. */
function packed(): Plugin {
  let out = "";
  return {
    name: "backroom-packed",
    apply: "build",
    configResolved(config) {
      out = resolve(config.root, config.build.outDir);
    },
    closeBundle() {
      for (const name of readdirSync(out, { recursive: true, encoding: "utf8" })) {
        const path = join(out, name);
        if (!/\.(?:css|html|js|json|svg|txt|webmanifest)$/.test(name) || statSync(path).size < SMALLEST_PACKED) continue;
        const bytes = readFileSync(path);
        writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

/**
 * The configuration for the pages in `root`, one HTML file each. Everything is a file of its own that the server names in its policy:
 * nothing is inlined, nothing comes from elsewhere. `backend` is where `npm run dev` finds the real server.
 */
export function pages(root: string, files: string[], backend?: string): UserConfig {
  const proxied = ["/api", "/backroom."];
  return {
    root,
    // Vite minifies the style sheet; the plugin would rewrite `light-dark()` for browsers from before it.
    plugins: [react(), tailwindcss({ optimize: false }), packed()],
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
