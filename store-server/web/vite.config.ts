// One app for the three pages of the box: register, clerk and console. The server hands out index.html for each of their addresses.
import { defineConfig } from "vite";

import { pages } from "../../protocol/web/vite.ts";

const box = process.env.BACKROOM_BOX ?? "http://127.0.0.1:7401";
// The box answers only pages of its own origin, so `npm run dev` passes the browser's own host on.
const proxy = Object.fromEntries(["/session", "/backroom."].map((path) => [path, { target: box, changeOrigin: false }]));

export default defineConfig({ ...pages(import.meta.dirname, ["index.html"]), server: { proxy } });
