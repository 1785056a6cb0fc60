// One app for the three pages of the box: register, clerk and console. The server hands out index.html for each of their addresses.
import { defineConfig } from "vite";

import { pages } from "../../protocol/web/vite.ts";

const box = process.env.BACKROOM_BOX ?? "http://127.0.0.1:7401";
const shared = pages(import.meta.dirname, ["index.html"], box);

export default defineConfig({ ...shared, server: { proxy: { ...shared.server?.proxy, "/session": box } } });
