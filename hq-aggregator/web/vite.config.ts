import { defineConfig } from "vite";

import { pages } from "../../protocol/web/vite.ts";

export default defineConfig(pages(import.meta.dirname, ["index.html"], process.env.BACKROOM_PORTAL ?? "http://127.0.0.1:7420"));
